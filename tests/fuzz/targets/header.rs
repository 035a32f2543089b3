//! F-HDR: headers in are read as what they are, and no text begins another header out.
#![no_main]

#[allow(dead_code)]
mod probe;

use domain::ReturnTo;
use libfuzzer_sys::fuzz_target;
use web::{
    StatusCode,
    lambda_http::http::HeaderValue,
    reply::{self, with_header},
    words::Language,
};

fuzz_target!(|text: &str| {
    // In.
    let chosen = Language::preferred(Some(text));
    assert!(
        chosen == Language::En || text.to_ascii_lowercase().contains("de") || text.contains('*')
    );
    let mut event = probe::event();
    for name in ["content-type", "accept", "accept-language", "authorization", "x"] {
        event["headers"][name] = text.into();
    }
    let visible = HeaderValue::from_str(text).is_ok_and(|value| value.to_str().is_ok());
    let asked = probe::ask(&event, |request| {
        assert_eq!(request.header("x"), visible.then_some(text));
        let kind = text.split(';').next().unwrap().trim().to_ascii_lowercase();
        assert_eq!(request.content_type(), if visible { kind.as_str() } else { "" });
        let bearer =
            text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        assert_eq!(request.bearer(), bearer.filter(|_| visible).map(|(_, token)| token.trim()));
        assert!(request.wants_json() || kind != "application/json" || !visible);
    });
    assert!(asked || !visible);

    // Out.
    let site = probe::site();
    let reply = with_header(reply::see_other(text), "remote-user", text);
    for (name, value) in reply.headers() {
        assert!(value.as_bytes() == text.as_bytes(), "{name}");
        assert!(value.as_bytes().iter().all(|byte| *byte >= 0x20 || *byte == b'\t'));
    }
    assert!(reply.headers().len() <= 2);
    assert_eq!(reply.status() == StatusCode::SEE_OTHER, reply.headers().contains_key("location"));
    if let Some(to) = ReturnTo::parse(text) {
        for url in [site.after_sign_in(&to), site.login_href(&to)] {
            assert_eq!(reply::see_other(&url).status(), StatusCode::SEE_OTHER);
        }
    }
});
