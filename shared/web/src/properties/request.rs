//! Query, cookies, headers and bodies as they come.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{LinkTicket, SessionToken, login::Logins};
use proptest::{prelude::*, sample::select};

use super::{Asked, encoded, holds, matters, nasty, tampered};
use crate::{Code, Request, cookie};

fn asked_for(query: &str) -> Request {
    Asked { query: query.to_owned(), ..Asked::default() }.request()
}

/// A spelling that some framework takes for `code`, and whether it is `code` itself.
fn spelling() -> impl Strategy<Value = (String, bool)> {
    let flip = any::<u8>().prop_map(|flips| {
        let flip = |(at, c): (usize, char)| match flips >> at & 1 {
            0 => c,
            _ => c.to_ascii_uppercase(),
        };
        "code".chars().enumerate().map(flip).collect::<String>()
    });
    let before = select(vec!["", "", "", "+", "%20", "%09"]);
    let after = select(vec!["", "", "", "[]", "[0]", "%5B%5D", "[x", "%00", "%00x", "+", "%20"]);
    (before, flip, any::<u64>(), after).prop_map(|(before, name, turns, after)| {
        let plain = name == "code" && before.is_empty() && after.is_empty();
        (format!("{before}{}{after}", encoded(&name, turns)), plain)
    })
}

#[test]
fn f_query_a13_a_parameter_that_comes_twice_in_any_spelling_is_refused() {
    let others = prop::collection::vec(("[a-bx-z_]{1,6}", nasty()), 0..4);
    let ours = prop::collection::vec((spelling(), "[A-Za-z0-9]{0,5}"), 0..3);
    let parameters = (others, ours).prop_map(|(others, ours)| {
        let others = others.into_iter().map(|(name, value)| (name, encoded(&value, 0), None));
        let ours = ours.into_iter().map(|((name, plain), value)| (name, value, Some(plain)));
        others.chain(ours).collect::<Vec<_>>()
    });
    holds(1024, parameters.prop_shuffle(), |parameters| {
        let pairs: Vec<String> =
            parameters.iter().map(|(name, value, _)| format!("{name}={value}")).collect();
        let request = asked_for(&pairs.join("&"));
        let ours: Vec<_> = parameters.iter().filter(|(.., ours)| ours.is_some()).collect();
        let found = request.query("code").map_err(|failure| failure.code);
        match ours[..] {
            [] => assert_eq!(found, Ok(None)),
            [(_, value, Some(true))] => assert_eq!(found, Ok(Some(value.as_str()))),
            [_] => assert_eq!(found, Ok(None)),
            _ => assert_eq!(found, Err(Code::BadRequest)),
        }
    });
}

#[test]
fn f_query_every_value_is_read_as_it_was_written_however_it_was_encoded() {
    let pairs = prop::collection::btree_map("[a-z_]{1,8}", nasty(), 0..6);
    holds(1024, (pairs, any::<u64>()), |(pairs, turns)| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let pair = |(name, value): (&String, &String)| {
            format!("{}={}", encoded(name, turns), encoded(value, turns.rotate_left(7)))
        };
        let otherwise = pairs.iter().map(pair).collect::<Vec<_>>().join("&");
        for request in [asked_for(&query), asked_for(&otherwise)] {
            for (name, value) in &pairs {
                assert_eq!(request.query(name).unwrap(), Some(value.as_str()), "{otherwise}");
            }
            assert_eq!(request.query("absent in any case").unwrap(), None);
        }
    });
}

#[test]
fn f_query_any_query_is_read_and_nothing_is_made_up() {
    let queries =
        prop_oneof![nasty(), tampered("(code|state)(=[A-Za-z0-9%]{0,5})?(&(code|error)=x)?")];
    matters(1024, 50, queries, |query| {
        let request = asked_for(&query);
        for name in ["code", "state", "error"] {
            if let Ok(Some(value)) = request.query(name) {
                let mut pairs = form_urlencoded::parse(query.as_bytes());
                assert!(pairs.any(|(key, found)| key == name && found == value));
            }
        }
        matches!(request.query("code"), Ok(Some(_)))
    });
}

const NAMES: &[&str] = &[
    cookie::SESSION,
    cookie::SESSION,
    cookie::SESSION,
    cookie::TICKET,
    cookie::LOGIN,
    "__host-lwa_session",
    "__HOST-LWA_SESSION",
    " __Host-lwa_session",
    "__Host-lwa_session ",
    "lwa_session",
    "__Secure-lwa_session",
    "__Host-lwa_session\0",
    "a",
    "",
];

#[test]
fn f_cookie_c05_c17_all_readers_take_the_same_one_cookie_or_none_whatever_the_order() {
    let pair = |name: &'static str| {
        let token = "([A-Z]{43}\\.[AEIMQUYcgkosw048]{43}|x|)";
        token.prop_map(move |value| format!("{name}={value}"))
    };
    let odd =
        select(vec![cookie::SESSION.to_owned(), String::new(), "=".to_owned(), "==".to_owned()]);
    let one = prop_oneof![8 => select(NAMES).prop_flat_map(pair), 1 => odd, 1 => nasty()];
    let cookies = prop_oneof![4 => prop::collection::vec(one, 0..5)];
    let others = prop::collection::vec("[b-z]{1,4}=[a-z]{0,4}", 0..4)
        .prop_map(|some| vec![some; 30].concat());
    let shuffled =
        cookies.prop_flat_map(|cookies| (Just(cookies.clone()), Just(cookies).prop_shuffle()));
    matters(1024, 50, (shuffled, others), |((cookies, shuffled), others)| {
        let values = |name: &str| {
            let named = cookies.iter().filter_map(|cookie| cookie.split_once('='));
            let mut values: Vec<&str> =
                named.filter(|(key, _)| *key == name).map(|(_, v)| v).collect();
            values.sort_unstable();
            values.dedup();
            values
        };
        let only = |name: &str| match values(name)[..] {
            [value] => Some(value),
            _ => None,
        };
        let among_others = [others.clone(), shuffled.clone(), others].concat();
        for cookies in [cookies.clone(), shuffled, among_others] {
            let request = Asked { cookies, ..Asked::default() }.request();
            for name in [cookie::SESSION, cookie::TICKET, cookie::LOGIN] {
                assert_eq!(request.cookie(name), only(name), "{name}");
            }
            let session = only(cookie::SESSION).and_then(|text| SessionToken::presented(text).ok());
            let found = cookie::session(&request).map(|token| token.expose());
            assert_eq!(found, session.map(|token| token.expose()));
            let ticket = only(cookie::TICKET).and_then(|text| LinkTicket::presented(text).ok());
            let found = cookie::ticket(&request).map(|ticket| ticket.expose());
            assert_eq!(found.ok(), ticket.map(|ticket| ticket.expose()));
            let logins = only(cookie::LOGIN).map(Logins::parse).unwrap_or_default();
            assert_eq!(cookie::logins(&request), logins);
        }
        only(cookie::SESSION).is_some()
    });
}

#[test]
fn f_hdr_a_bearer_token_is_what_follows_the_scheme_whatever_its_case() {
    let scheme = select(vec!["Bearer", "bearer", "BEARER", "Basic", "Bearer:", "", "XBearer"]);
    let header = (scheme, select(vec![" ", "  ", "", "\t", ","]), nasty());
    matters(1024, 20, header, |(scheme, space, rest)| {
        let value = format!("{scheme}{space}{rest}");
        // What no header can hold, no gateway passes on.
        if !lambda_http::http::HeaderValue::from_str(&value)
            .is_ok_and(|value| value.to_str().is_ok())
        {
            return false;
        }
        let headers = vec![("authorization", value.clone())];
        let request = Asked { headers, ..Asked::default() }.request();
        let expected = value
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        assert_eq!(request.bearer(), expected);
        expected.is_some()
    });
}

#[test]
fn n02_n03_a_body_is_what_the_gateway_says_it_is_up_to_8_kib() {
    let length = prop_oneof![4 => 0..64_usize, 2 => 8190..8195_usize, 1 => 8195..20_000_usize];
    let bytes = length.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
    holds(256, bytes, |bytes| {
        let body = STANDARD.encode(&bytes);
        let request = Asked { body, base64: true, ..Asked::default() }.request();
        match request.body() {
            Ok(body) => assert!(body == bytes && bytes.len() <= 8192),
            Err(failure) => assert!(failure.code == Code::TooLarge && bytes.len() > 8192),
        }
    });
    holds(512, tampered("([A-Za-z0-9+/]{4}){0,4}(AA==|AAA=)?"), |body| {
        let decoded = STANDARD.decode(&body).ok();
        let lies = Asked { body: body.clone(), base64: true, ..Asked::default() }.request();
        assert_eq!(lies.body().ok(), decoded.as_deref());
        assert!(
            lies.body().is_ok_and(|_| true) || lies.body().unwrap_err().code == Code::BadRequest
        );
        let plain = Asked { body: body.clone(), ..Asked::default() }.request();
        assert_eq!(plain.body().unwrap(), body.as_bytes());
    });
}
