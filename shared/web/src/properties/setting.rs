//! Settings: what an operator could mistype.

use domain::{
    amazon::Region,
    registration::{Consent, Field, Kind},
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use url::Url;

use super::{holds, matters, nasty, tampered};
use crate::{Settings, Site, Unset};

const NAME: &str = "A_SETTING";

fn set(value: &str) -> Settings {
    [(NAME.to_owned(), value.to_owned())].into_iter().collect()
}

/// A site with this setting.
fn site(name: &str, value: &str) -> Result<Site, Unset> {
    let public = ("PUBLIC_URL".to_owned(), "https://shop.example".to_owned());
    Site::new(&[public, (name.to_owned(), value.to_owned())].into_iter().collect())
}

/// URLs of this machine and others, right and almost right.
fn url() -> impl Strategy<Value = String> {
    let scheme =
        select(vec!["https://", "https://", "http://", "HTTPS://", "https:/", "//", "ftp://", ""]);
    let host = select(vec![
        "shop.example",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "Shop.example",
        "a",
        "a.b.c",
        "a..b",
        "a.",
        ".",
        "-",
        "a-b",
        "a_b",
        "1",
        "1.2",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "1.2.3.4",
        "1.2.3.256",
        "1.2.3.4.5",
        "01.2.3.4",
        "a.1",
        "a.0x1",
        "1.a",
        "a.09",
        "xn--a",
        "xn--bcher-kva",
        "xn--",
        "localhost.",
        "LOCALHOST",
        "[::2]",
        "[::1",
        "0.0.0.0",
        "169.254.169.254",
        "localhost.evil.com",
        "a@localhost",
        "a:b@localhost",
        "localhost@evil.com",
        "",
        "é",
    ]);
    let here = select(vec!["localhost", "127.0.0.1", "[::1]"]);
    let host = prop_oneof![
        6 => host.prop_map(str::to_owned),
        2 => here.prop_map(str::to_owned),
        1 => "[a-z0-9.-]{1,8}",
        1 => "[0-9a-fx.]{1,8}",
    ];
    let port = select(vec![
        "", "", "", ":80", ":443", ":3000", ":080", ":0443", ":0", ":65535", ":65536", ":+80", ":",
        ":8443",
    ]);
    let rest = select(vec![
        "", "", "", "/", "/ap/oa", "/a/../b", "//", "/\\x", "?x", "#x", "/é", "/ ", "/%2e",
    ]);
    let url = (scheme, host, port, rest);
    tampered_sometimes(
        url.prop_map(|(scheme, host, port, rest)| format!("{scheme}{host}{port}{rest}")),
    )
}

fn tampered_sometimes(
    text: impl Strategy<Value = String> + Clone + 'static,
) -> impl Strategy<Value = String> {
    prop_oneof![4 => text.clone(), 1 => tampered(text)]
}

/// Opens a URL as a browser would. Nobody can open one with a label that begins as an encoded one and
/// is none, which takes tables to tell.
fn opened(url: &str) -> Option<Url> {
    let read = Url::parse(url);
    assert!(read.is_ok() || url.contains("xn--"), "{url} cannot be opened");
    read.ok()
}

#[test]
fn l01_what_stands_in_for_amazon_is_on_this_machine_to_every_reader_of_urls() {
    matters(2048, 20, url(), |url| match set(&url).loopback_url(NAME) {
        Ok(taken) => {
            let Some(taken) = taken else { return false };
            for read in [Url::parse(&url).unwrap(), Url::parse(&taken).unwrap()] {
                assert!(["localhost", "127.0.0.1", "[::1]"].contains(&read.host_str().unwrap()));
                assert_eq!((read.username(), read.password()), ("", None));
                assert_eq!((read.query(), read.fragment()), (None, None));
                assert!(["http", "https"].contains(&read.scheme()));
            }
            assert!(url.starts_with(&taken) && !taken.ends_with('/'));
            true
        }
        Err(unset) => {
            assert_eq!(unset.name, NAME);
            false
        }
    });
}

#[test]
fn f_hdr_the_sites_origin_is_what_browsers_send_as_origin() {
    matters(2048, 20, url(), |url| match site("PUBLIC_URL", &url) {
        Ok(site) => {
            let Some(read) = opened(&url) else { return false };
            assert_eq!(read.origin().ascii_serialization(), url);
            assert_eq!(site.public_url, url);
            let callback = Url::parse(&site.redirect_uri()).unwrap();
            assert_eq!(callback.as_str(), format!("{url}/auth/amazon/callback"));
            let local = ["localhost", "127.0.0.1", "[::1]"].contains(&read.host_str().unwrap());
            assert!(read.scheme() == "https" || local, "cookies would not reach it");
            true
        }
        Err(unset) => {
            assert_eq!(unset.name, "PUBLIC_URL");
            false
        }
    });
}

#[test]
fn a_page_for_forgotten_passwords_is_one_that_a_browser_can_be_sent_to() {
    let paths = prop_oneof![url(), tampered("/[a-z]{1,5}(/|\\?x=y)?"), nasty()];
    matters(2048, 50, paths, |url| match site("PASSWORD_RESET_URL", &url) {
        Ok(site) => {
            let Some(taken) = &site.password_reset_url else { return false };
            assert_eq!(*taken, url);
            let own = url.starts_with('/');
            let to = if own { site.absolute(taken) } else { taken.clone() };
            assert_eq!(crate::reply::see_other(&to).status(), 303, "it fits into a header");
            let absolute = if own { site.absolute(taken) } else { taken.clone() };
            let Some(read) = opened(&absolute) else { return false };
            let shop = read.origin().ascii_serialization() == site.public_url;
            assert!(!own || shop, "a path leads nowhere else");
            let local = ["localhost", "127.0.0.1", "[::1]"].contains(&read.host_str().unwrap());
            assert!(read.scheme() == "https" || local);
            true
        }
        Err(unset) => {
            assert_eq!(unset.name, "PASSWORD_RESET_URL");
            false
        }
    });
}

#[test]
fn a_path_of_the_site_leads_to_the_site() {
    let paths = prop_oneof![tampered("/[a-z]{0,5}(/|\\?x=y|#z)?"), nasty(), url()];
    matters(2048, 50, paths, |path| match set(&path).path(NAME) {
        Ok(taken) => {
            let Some(taken) = taken else { return false };
            assert_eq!(taken, path);
            let base = Url::parse("https://shop.example/auth/amazon/link").unwrap();
            let absolute = Url::parse(&format!("https://shop.example{path}")).unwrap();
            for read in [base.join(&path).unwrap(), absolute] {
                assert_eq!(read.origin(), base.origin());
                assert_eq!((read.username(), read.password()), ("", None));
            }
            assert_eq!(crate::reply::see_other(&path).status(), 303, "it fits into a header");
            true
        }
        Err(unset) => {
            assert_eq!(unset.name, NAME);
            false
        }
    });
}

#[test]
fn n13_a_length_of_time_is_a_number_of_seconds_that_is_not_none() {
    let edge = select(vec![
        "0",
        "-1",
        "18446744073709551615",
        "18446744073709551616",
        "1.5",
        "1e3",
        " 1",
        "٣",
    ]);
    let text = prop_oneof![
        any::<u64>().prop_map(|n| n.to_string()),
        edge.prop_map(str::to_owned),
        nasty()
    ];
    holds(1024, text, |text| {
        let expected = match text.parse::<u64>() {
            _ if text.is_empty() => Some(7),
            Ok(0) | Err(_) => None,
            Ok(seconds) => Some(seconds),
        };
        let read = set(&text).seconds(NAME, 7);
        assert!(read.as_ref().err().is_none_or(|unset| unset.name == NAME));
        assert_eq!(read.ok().map(|length| length.as_secs()), expected);
    });
}

#[test]
fn a_word_is_one_of_those_that_are_known_to_the_letter() {
    let text = prop_oneof![tampered("open|closed|na|eu|fe"), nasty()];
    matters(1024, 50, text, |text| {
        let wrong = |unset: Unset| assert_eq!(unset.name, NAME);
        match set(&text).one_of(NAME, ["open", "closed"]).map_err(wrong) {
            Ok(word) => assert!(word == text || (text.is_empty() && word == "open")),
            Err(()) => assert!(!text.is_empty() && text != "open" && text != "closed"),
        }
        let region = set(&text).parsed(NAME, Region::Eu).map_err(wrong);
        let known = [("", Region::Eu), ("na", Region::Na), ("eu", Region::Eu), ("fe", Region::Fe)];
        let known = known.into_iter().find(|(word, _)| *word == text);
        assert_eq!(region.ok(), known.map(|(_, region)| region));
        set(&text).text(NAME).map_err(wrong).is_ok_and(|read| read == text)
    });
}

fn field() -> impl Strategy<Value = Field> {
    let kind = select(vec![
        Kind::Text,
        Kind::Email,
        Kind::Tel,
        Kind::Number,
        Kind::Date,
        Kind::Checkbox,
        Kind::Select,
    ]);
    let label = prop::collection::btree_map("(en|de|)", nasty(), 1..3);
    let pattern = prop::option::of("[a-z]{1,3}|\\[0-9\\]\\{1,9\\}|a\\|b|\\\\d\\+");
    let options = prop::collection::vec(nasty(), 1..3);
    let help = prop::collection::btree_map("(en|de|)", nasty(), 0..3);
    let href = prop::option::of(select(vec!["/terms", "https://shop.example/terms?v=1"]));
    let consent = prop::option::of(("[!-~][ -~]{0,7}[!-~]", href));
    let texts = (label, help, consent);
    ("[A-Za-z0-9_]{2,9}", texts, kind, any::<bool>(), pattern, options).prop_map(
        |(name, (label, help, consent), kind, required, pattern, options)| {
            let options = if kind == Kind::Select { options } else { Vec::new() };
            let consent = consent.filter(|_| kind == Kind::Checkbox);
            let consent =
                consent.map(|(version, href)| Consent { version, href: href.map(str::to_owned) });
            Field { name, label, help, kind, required, pattern, options, consent }
        },
    )
}

fn print(field: &Field) -> Value {
    let (kind, required) = (field.kind.as_str(), field.required);
    let mut printed =
        json!({ "name": field.name, "label": field.label, "type": kind, "required": required });
    if let Some(pattern) = &field.pattern {
        printed["pattern"] = pattern.as_str().into();
    }
    if !field.options.is_empty() {
        printed["options"] = json!(field.options);
    }
    if !field.help.is_empty() {
        printed["help"] = json!(field.help);
    }
    if let Some(Consent { version, href }) = &field.consent {
        printed["version"] = version.as_str().into();
        if let Some(href) = href {
            printed["href"] = href.as_str().into();
        }
    }
    printed
}

fn read_fields(json: &str) -> Result<Vec<Field>, Unset> {
    let settings = [("REGISTRATION_FIELDS".to_owned(), json.to_owned())];
    settings.into_iter().collect::<Settings>().registration_fields()
}

#[test]
fn the_fields_of_registration_are_read_as_they_were_written_or_refused_by_the_settings_name() {
    holds(512, prop::collection::vec(field(), 0..4), |fields| {
        let printed = Value::from(fields.iter().map(print).collect::<Vec<_>>()).to_string();
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let reserved = ["csrf", "ticket", "email", "fields"];
        let distinct = (1..names.len()).all(|at| !names[..at].contains(&names[at]));
        let fits = distinct && !names.iter().any(|name| reserved.contains(name));
        assert_eq!(read_fields(&printed).ok(), fits.then_some(fields));
    });
    let print_all = |fields: Vec<Field>| fields.iter().map(print).collect::<Value>().to_string();
    let printed = prop::collection::vec(field(), 0..3).prop_map(print_all);
    holds(1024, tampered(printed), |text| match read_fields(&text) {
        Ok(fields) => {
            let again = Value::from(fields.iter().map(print).collect::<Vec<_>>()).to_string();
            assert_eq!(read_fields(&again), Ok(fields.clone()));
            for field in fields {
                // It is part of an id and of a link to it, and one of the route's own is never meant.
                let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                assert!(!field.name.is_empty() && field.name.bytes().all(plain));
                assert_eq!(field.kind == Kind::Select, !field.options.is_empty());
                assert!(!field.label.is_empty());
            }
        }
        Err(unset) => assert_eq!(unset.name, "REGISTRATION_FIELDS"),
    });
}

#[test]
fn n14_a_sites_own_pattern_matches_whole_values_or_is_refused() {
    let piece = select(vec![
        "a", "b", "[ab]", "[^a]", "a{1,3}", "a*", ".", "|", ")|(", "(", ")", "^", "$", "\\d",
        "(?i)", "(?m)", "(?x)", "#", "(?:", "\\", "[", "{", "+", "?", "\n", " ",
    ]);
    let pattern = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    matters(2048, 200, (pattern, "[ab0\n]{0,4}"), |(pattern, value)| {
        let Ok(own) = crate::pattern(&pattern) else { return false };
        // As browsers do it: a pattern that is none by itself is none with something around it.
        let alone = regex_lite::Regex::new(&pattern);
        assert!(alone.is_ok(), "{pattern:?} is no pattern");
        let whole =
            |found: &regex_lite::Match<'_>| found.start() == 0 && found.end() == value.len();
        if own.is_match(&value) {
            assert!(own.find(&value).as_ref().is_some_and(whole));
            assert!(alone.unwrap().is_match(&value));
        }
        let field = Field { name: "f".into(), pattern: Some(pattern), ..Field::default() };
        let plain = !value.contains('\n');
        let fits = value.is_empty() || (plain && own.is_match(&value));
        assert_eq!(crate::check_field(&field, &value).is_ok(), fits);
        true
    });
}
