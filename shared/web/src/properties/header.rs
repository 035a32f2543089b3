//! What goes into headers of ours.

use std::time::Duration;

use domain::{
    AccountId, AmazonUserId, LinkTicket, PkceVerifier, ReturnTo, SessionToken, State, Timestamp,
    login::{Intent, Login, Logins},
};
use lambda_http::http::HeaderMap;
use proptest::{prelude::*, sample::select};

use super::{holds, matters, nasty, site_with, tampered};
use crate::{
    Cookie, Reply, StatusCode, cookie,
    reply::{self, with_cookie, with_header},
};

/// How many headers every reply carries.
fn bare() -> usize {
    reply::finish(reply::empty(StatusCode::OK), &site_with(&[])).headers().len()
}

/// Makes sure that nothing in a header begins another one.
fn one_line_each(headers: &HeaderMap) {
    for value in headers.values() {
        assert!(value.as_bytes().iter().all(|byte| *byte >= 0x20 || *byte == b'\t'), "{value:?}");
    }
}

fn finished(reply: Reply) -> HeaderMap {
    let headers = reply::finish(reply, &site_with(&[])).headers().clone();
    one_line_each(&headers);
    headers
}

#[test]
fn f_hdr_a_value_is_one_header_to_the_letter_or_none() {
    matters(1024, 100, nasty(), |value| {
        let headers = finished(with_header(reply::empty(StatusCode::OK), "remote-user", &value));
        let found: Vec<_> = headers.get_all("remote-user").iter().collect();
        match found[..] {
            [] => assert!(value.chars().any(|c| c.is_control())),
            [found] => assert_eq!(found.as_bytes(), value.as_bytes()),
            _ => panic!("{found:?}"),
        }
        assert_eq!(headers.len(), bare() + found.len());
        found.len() == 1
    });
}

#[test]
fn f_hdr_a_redirect_is_one_location_or_a_fault() {
    let paths = prop_oneof![nasty(), tampered("(/[a-z]{1,5}){1,3}(\\?[a-z]=[a-z])?")];
    matters(1024, 100, paths, |path| {
        let site = site_with(&[("SIGNED_IN_PATH", "/welcome")]);
        let reply = reply::see_other(&path);
        let status = reply.status();
        let headers = finished(reply);
        let found = headers.get("location").map(|value| value.as_bytes().to_vec());
        assert_eq!(status == 303, found.is_some());
        assert!(found.is_none_or(|found| found == path.as_bytes()));

        // What a visitor can have a say in always fits.
        let Some(to) = ReturnTo::parse(&path) else { return false };
        for url in [site.absolute(to.as_str()), site.after_sign_in(&to), site.login_href(&to)] {
            assert_eq!(finished(reply::see_other(&url)).len(), bare() + 1);
            assert!(!url.contains(['"', '<', '>', '\\', ' ']));
        }
        let query = site.after_sign_in(&to);
        let query = query.strip_prefix("https://shop.example/welcome?return_to=").unwrap();
        let query = format!("r={query}");
        let (_, back) = form_urlencoded::parse(query.as_bytes()).next().unwrap();
        assert_eq!(back, to.as_str(), "it is one parameter, whatever it holds");
        true
    });
}

#[test]
fn f_hdr_c03_a_cookie_is_one_header_with_all_attributes_whatever_it_carries() {
    let path = "(/[a-z;=,]{1,9}){1,3}".prop_filter_map("not a path", |path| ReturnTo::parse(&path));
    let lives = prop_oneof![any::<u64>(), 0..100_000_u64].prop_map(Duration::from_secs);
    let names = ("[^\\p{Cc}]{1,30}", "[A-Za-z0-9._-]{1,30}");
    holds(512, (names, path, lives, any::<i64>()), |((account, customer), path, lives, now)| {
        let rng = &mut crate::rng();
        let session = SessionToken::open(&AccountId::parse(&account).unwrap(), rng);
        let ticket = LinkTicket::open(&AmazonUserId::parse(&customer).unwrap(), rng);
        let (state, verifier) = (State::mint(rng), PkceVerifier::mint(rng));
        let mut logins = Logins::default();
        let started_at = Timestamp(now);
        logins.begin(
            Login { state, verifier, return_to: path, started_at, intent: Intent::SignIn },
            started_at,
        );
        for (cookie, name) in [
            (Cookie::session(&session, lives), cookie::SESSION),
            (Cookie::ticket(&ticket, lives), cookie::TICKET),
            (Cookie::logins(&logins), cookie::LOGIN),
            (Cookie::logins(&Logins::default()), cookie::LOGIN),
            (Cookie::gone(cookie::SESSION), cookie::SESSION),
        ] {
            let headers = finished(with_cookie(reply::empty(StatusCode::OK), &cookie));
            assert_eq!(headers.len(), bare() + 1);
            let header = headers["set-cookie"].to_str().unwrap();
            let mut parts = header.split("; ");
            let (key, value) = parts.next().unwrap().split_once('=').unwrap();
            assert_eq!(key, name);
            assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)));
            let attributes: Vec<&str> = parts.collect();
            let ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", age] = attributes[..] else {
                panic!("{header}")
            };
            age.strip_prefix("Max-Age=").unwrap().parse::<u64>().unwrap();
            assert_eq!(format!("{cookie:?}"), format!("Cookie({name})"));
        }
    });
}

#[test]
fn f_hdr_j01_every_site_has_a_policy_of_the_same_six_parts() {
    let text = || prop_oneof![nasty(), tampered("https://[a-z]{1,5}\\.example(/[a-z]{0,4})?")];
    let names = select(vec![
        "BRAND_NAME",
        "BRAND_COLOR",
        "BRAND_LOGO_PATH",
        "PASSWORD_RESET_URL",
        "LWA_AUTHORIZE_URL",
        "SIGNED_IN_PATH",
        "SIGN_IN_PATH",
    ]);
    let pairs = prop::collection::vec((names, text()), 0..3);
    matters(1024, 100, pairs, |pairs| {
        let all = [("PUBLIC_URL", "https://shop.example".to_owned())].into_iter().chain(pairs);
        let settings = all.map(|(name, value)| (name.to_owned(), value)).collect();
        let Ok(site) = crate::Site::new(&settings) else { return false };
        let headers = reply::finish(reply::empty(StatusCode::OK), &site).headers().clone();
        one_line_each(&headers);
        assert_eq!(headers.len(), bare());
        let policy = headers["content-security-policy"].to_str().unwrap();
        let parts: Vec<&str> = policy.split("; ").collect();
        let names =
            ["default-src", "style-src", "img-src", "form-action", "frame-ancestors", "base-uri"];
        let named: Vec<_> = parts.iter().map(|part| part.split(' ').next().unwrap()).collect();
        assert_eq!(named, names, "{policy}");
        let forms: Vec<&str> = parts[3].split(' ').skip(1).collect();
        assert_eq!(forms[0], "'self'");
        let origin =
            |source: &&str| source.starts_with("https://") || source.starts_with("http://");
        assert!(forms.len() <= 3 && forms[1..].iter().all(origin), "{policy}");
        true
    });
}
