//! `return_to`, against a URL parser that reads as browsers do.

use domain::ReturnTo;
use proptest::{prelude::*, sample::select};
use serde_json::Value;
use url::{Position, Url};

use crate::{holds, matters, nasty, path, tampered};

const SITE: &str = "https://app.example.com";

/// Makes sure that a browser is led to the site and to that very path, whether it
/// resolves the path or reads it as the absolute URL that we print.
fn stays(taken: &ReturnTo) {
    let path = taken.as_str();
    // Browsers themselves write a query's `'` otherwise, which means the same.
    let (way, query) = path.split_once('?').map_or((path, None), |(way, query)| (way, Some(query)));
    let query = query.map(|query| format!("?{}", query.replace('\'', "%27"))).unwrap_or_default();
    let seen = format!("{way}{query}");

    let site = Url::parse(SITE).unwrap();
    let elsewhere = site.join("/auth/amazon/login?return_to=%2F").unwrap();
    let absolute = Url::parse(&format!("{SITE}{path}")).unwrap();
    for resolved in [site.join(path).unwrap(), elsewhere.join(path).unwrap(), absolute] {
        assert_eq!(resolved.origin(), site.origin());
        assert_eq!(resolved.username(), "");
        assert_eq!(resolved.fragment(), None);
        assert_eq!(resolved[Position::BeforePath..], seen, "a browser sees another path");
        assert!(!resolved.path().starts_with("//"));
    }
    assert!(path.len() <= 512 && path.bytes().all(|b| b.is_ascii_graphic()));

    let lowercase = path.to_ascii_lowercase();
    assert!(!["%2e", "%2f", "%5c", "%00"].iter().any(|hidden| lowercase.contains(hidden)));

    // Whoever decodes the path on its way finds no other path in it either.
    let decoded = decoded(way);
    let odd = |byte: &u8| *byte < 0x20 || matches!(*byte, b'\\' | 0x7f);
    assert!(!decoded.iter().any(odd));
    let inside = &decoded[1..];
    let inside = inside.strip_suffix(b"/").unwrap_or(inside);
    let segments: Vec<&[u8]> = inside.split(|byte| *byte == b'/').collect();
    let dots = |segment: &&&[u8]| matches!(**segment, b"" | b"." | b"..");
    assert!(way == "/" || !segments.iter().any(|segment| dots(&segment)));
    assert!(!segments[0].eq_ignore_ascii_case(b"auth"), "it leads back into the sign-in");

    assert_eq!(ReturnTo::parse(path).as_ref(), Some(taken), "read again, it is the same");
    assert_eq!(taken.to_string(), path);
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut all = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
        all.push(match byte {
            b'%' => hex(bytes.next().unwrap()) * 16 + hex(bytes.next().unwrap()),
            byte => byte,
        });
    }
    all
}

/// Percent-encodes all but the first slash, without which nothing would be a path any more.
fn encoded(text: &str) -> String {
    let (slash, rest) = text.strip_prefix('/').map_or(("", text), |rest| ("/", rest));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    slash.to_owned() + &rest.bytes().map(encode).collect::<String>()
}

fn corpus() -> Vec<String> {
    let corpus: Value = serde_json::from_str(include_str!("../redirects.json")).unwrap();
    let input = |case: &Value| case["input"].as_str().unwrap().to_owned();
    corpus["cases"].as_array().unwrap().iter().map(input).collect()
}

/// A path of steps that lead astray.
fn steps() -> impl Strategy<Value = String> {
    let steps: &[&str] = &[
        "",
        ".",
        "..",
        "%2e",
        "%2E%2e",
        ".%2e",
        "...",
        "\\",
        "%5c",
        "%2f",
        "auth",
        "%41uth",
        "evil.com",
        "@evil.com",
        "a",
        ";",
        "?",
        "#",
        ":",
        "%25",
        "\t",
        "\n",
        " ",
    ];
    let step = prop::collection::vec(select(steps), 1..3).prop_map(|step| step.concat());
    prop::collection::vec(step, 1..4).prop_map(|steps| format!("/{}", steps.join("/")))
}

#[test]
fn f_return_b08_whatever_is_taken_stays_on_the_site_and_means_the_same_to_a_browser() {
    matters(50, prop_oneof![tampered(nasty()), steps()], |text| {
        let taken = ReturnTo::parse(&text).inspect(stays);
        taken.inspect(|taken| assert_eq!(taken.as_str(), text)).is_some()
    });
}

#[test]
fn f_return_b01_what_led_others_astray_does_not_whatever_is_done_to_it() {
    let times = |(text, times): (String, usize)| (0..times).fold(text, |text, _| encoded(&text));
    let inputs = tampered((select(corpus()), 0..=3_usize).prop_map(times));
    matters(50, inputs, |text| ReturnTo::parse(&text).inspect(stays).is_some());
}

#[test]
fn f_return_a_path_of_the_site_is_taken_unless_it_is_ours_or_too_long() {
    matters(500, path(), |path| {
        let (way, _) = path.split_once('?').unwrap_or((&path, ""));
        let mut segments = way.split('/').skip(1);
        let dots = segments.clone().any(|segment| matches!(segment, "." | ".."));
        let ours = segments.next().unwrap().eq_ignore_ascii_case("auth");
        let expected = !dots && !ours && path.len() <= 512;
        assert_eq!(ReturnTo::parse(&path).inspect(stays).is_some(), expected);
        expected
    });
}

#[test]
fn f_return_nothing_under_auth_is_taken_however_it_is_spelled() {
    let letter = |letter: char| {
        let (low, high) = (u32::from(letter), u32::from(letter.to_ascii_uppercase()));
        select(vec![
            letter.to_string(),
            letter.to_ascii_uppercase().to_string(),
            format!("%{low:02x}"),
            format!("%{high:02X}"),
        ])
    };
    let auth = (letter('a'), letter('u'), letter('t'), letter('h'));
    let query = path().prop_map(|path| path.replace('/', "?"));
    let rest = prop_oneof![Just(String::new()), path(), query];
    holds((auth, rest), |((a, u, t, h), rest)| {
        assert_eq!(ReturnTo::parse(&format!("/{a}{u}{t}{h}{rest}")), None);
    });
}
