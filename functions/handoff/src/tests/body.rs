//! What is taken for a hand-off at all.

use local_stack::specimen::Specimen;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{app, browser, ending, is, setting, told};

const CODE: [(&str, &str); 4] = [
    ("code", "ANdNAVhyhqirUelHGEHA"),
    ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    ("redirect_uri", "amzn://com.example.shop"),
    ("client_id", "amzn1.application-oa2-client.a11d201da11d201da11d201da11d201d"),
];

/// The body of a code, without this member.
fn without(name: &str) -> Value {
    CODE.into_iter()
        .filter(|(key, _)| *key != name)
        .map(|(k, v)| (k.to_owned(), json!(v)))
        .collect()
}

/// The body of a code, with this member as well, or in place of its own.
fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = without("");
    body[name] = value.into();
    body
}

#[tokio::test]
async fn g05_whatever_is_no_token_is_refused_before_anybody_is_asked() {
    let at = setting().await;
    let long = format!("Atza|{}", "a".repeat(2044));
    for token in [
        "",
        "Atza|",
        "x",
        "null",
        "Atzr|IwEBIJ",
        "atza|IwEBIJ",
        " Atza|a",
        "Atza|a ",
        "Atza|a b",
        "Atza|a\r\nx-header: y",
        "Atza|\u{fc}",
        "Atza|a\0",
        "Bearer Atza|a",
        &long,
    ] {
        for specimen in [app(token), browser(token)] {
            assert_eq!(ending(&at.reply(specimen).await), is(400, "bad_request"), "{token:?}");
        }
    }
    assert!(at.asked_nobody());
}

#[tokio::test]
async fn n05_a_body_has_one_of_two_shapes() {
    let at = setting().await;
    let token = "Atza|IwEBIJ";
    let mut bodies = vec![
        json!({}),
        json!([]),
        json!("Atza|a"),
        json!(null),
        json!({ "access_token": 1 }),
        json!({ "access_token": null }),
        json!({ "access_token": [token] }),
        json!({ "access_token": token, "mode": "app" }),
        json!({ "access_token": token, "mode": "" }),
        json!({ "access_token": token, "mode": true }),
        json!({ "access_token": token, "x": "y" }),
        json!({ "access_token": token, "fields": {} , "csrf": "x" }),
        json!({ "access_token": token, "fields": { "a": "b" } }),
        json!({ "access_token": token, "return_to": "/basket" }),
        json!({ "access_token": token, "refresh_token": "Atzr|a" }),
        json!({ "access_token": token, "ticket": "a.b" }),
        json!({ "access_token": token, "email": "ann@example.com", "user_id": "x" }),
        with("access_token", token),
        with("state", "x"),
        with("client_secret", "x"),
        with("code", ""),
        with("code", "a b"),
        with("code", "a".repeat(1025)),
        with("code_verifier", "v".repeat(42)),
        with("code_verifier", "v".repeat(129)),
        with("code_verifier", format!("{}+", "v".repeat(43))),
        with("redirect_uri", ""),
        with("redirect_uri", "amzn://a b"),
        with("client_id", ""),
        with("client_id", "a\nb"),
    ];
    bodies.extend(CODE.map(|(name, _)| without(name)));
    bodies.extend(CODE.map(|(name, value)| json!({ "access_token": token, name: value })));
    for body in bodies {
        let reply = at.reply(Specimen::of("handoff").json(&body)).await;
        assert_eq!(ending(&reply), is(400, "bad_request"), "{body}");
    }
    for text in [
        "",
        "{",
        r#"{"access_token":"Atza|a","access_token":"Atza|b"}"#,
        r#"{"access_token":"Atza|a"} x"#,
        r#"{"access_token":"Atza|a","mode":"browser","mode":"browser"}"#,
    ] {
        let reply = at.reply(Specimen::of("handoff").text(text)).await;
        assert_eq!(ending(&reply), is(400, "bad_request"), "{text}");
    }
    assert!(at.asked_nobody());
}

#[tokio::test]
async fn g03_only_json_is_taken() {
    let at = setting().await;
    let token = at.token("lin");
    let body = json!({ "access_token": token }).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/json5",
        "application/problem+json",
        "",
    ] {
        for name in ["handoff", "handoff-browser"] {
            let specimen = Specimen::of(name).text(&body).header("content-type", kind);
            let reply = at.reply(specimen).await;
            assert_eq!(ending(&reply), is(415, "unsupported_media_type"), "{kind}");
        }
    }
    let form = Specimen::of("handoff").form(&[("access_token", &token)]);
    assert_eq!(ending(&at.reply(form).await), is(415, "unsupported_media_type"));
    let bare = Specimen::of("handoff").text(&body).without_header("content-type");
    assert_eq!(ending(&at.reply(bare).await), is(415, "unsupported_media_type"));
    assert!(at.asked_nobody());
    let kind = "Application/JSON; charset=utf-8";
    let reply = at.reply(app(&token).header("content-type", kind)).await;
    assert_eq!(told(&reply)["status"], "signed_in");
}

#[tokio::test]
async fn g03_an_app_is_no_browser_and_a_browser_is_on_a_page_of_ours() {
    let at = setting().await;
    let (app, browser) = (app("Atza|IwEBIJ"), browser("Atza|IwEBIJ"));
    for specimen in [
        app.clone().header("origin", "https://shop.example"),
        app.clone().header("origin", "https://evil.example"),
        app.clone().header("origin", "null"),
        app.clone().header("origin", ""),
        app.clone().cookie("a", "b"),
        app.clone().cookie("__Host-lwa_session", "x"),
        app.clone().header("cookie", "a=b"),
        browser.clone().without_header("origin"),
        browser.clone().header("origin", "null"),
        browser.clone().header("origin", "https://evil.example"),
        browser.clone().header("origin", "https://shop.example.evil.example"),
        browser.clone().header("origin", "http://shop.example"),
        browser.clone().header("sec-fetch-site", "cross-site"),
        browser.clone().header("sec-fetch-site", "same-site"),
        browser.clone().header("sec-fetch-site", "none"),
    ] {
        let event = specimen.event();
        assert_eq!(ending(&at.reply(specimen).await), is(403, "csrf"), "{event}");
    }
    for method in ["GET", "PUT", "OPTIONS", "DELETE"] {
        let reply = at.reply(browser.clone().method(method)).await;
        assert_eq!(ending(&reply), is(405, "method_not_allowed"));
        assert_eq!(reply.headers()["allow"], "POST");
        assert_eq!(reply.headers().get("access-control-allow-origin"), None, "{method}");
    }
    assert!(at.asked_nobody());
}

#[tokio::test]
async fn n02_a_body_of_more_than_8_kib_is_refused() {
    let at = setting().await;
    let reply = at.reply(app(&format!("Atza|{}", "a".repeat(9000)))).await;
    assert_eq!(ending(&reply), is(413, "too_large"));
    assert!(at.asked_nobody());
}

#[test]
fn f_json_no_body_gets_past_the_grammar() {
    use domain::handoff::HandedToken;

    let token = "Atz[ar]\\|[ -~]{0,40}|(Atza\\|)?\\PC{0,20}";
    let outcome = TestRunner::new(ProptestConfig {
        cases: 1024,
        failure_persistence: None,
        ..Default::default()
    })
    .run(&token, |text| {
        let is_one = text.len() > 5
            && text.len() <= 2048
            && text.starts_with("Atza|")
            && text.chars().all(|c| ('!'..='~').contains(&c));
        prop_assert_eq!(HandedToken::parse(&text).is_some(), is_one, "{}", text);
        if let Some(token) = HandedToken::parse(&text) {
            prop_assert_eq!(token.expose(), text.as_str());
            prop_assert_eq!(token.hash().len(), 43);
            let shown = format!("{token:?}");
            prop_assert!(!shown.contains(&text));
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
