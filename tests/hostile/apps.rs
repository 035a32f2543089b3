//! Who hands something over to `POST /auth/amazon/token`, from where, how often, and what they get.

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tests::{Ask, Browser, SESSION, TICKET};

use crate::{
    NOON,
    back::Untouched,
    endings::{LINK, TOKEN},
    handoff::{
        PROXY_SECRET, app, bearer, ending, from_anywhere, hand_over, is, page, stack, token_of,
    },
};

#[tokio::test]
async fn g03_no_other_site_hands_a_token_over_in_a_visitors_browser() {
    let stack = stack().await;
    let host = stack.url.strip_prefix("http://").unwrap();
    let victim = Browser::new(&stack);
    let token = token_of(&stack, "lin");
    let untouched = Untouched::now(&stack);
    let bodies = [
        json!({ "access_token": token, "mode": "browser" }).to_string(),
        json!({ "access_token": token }).to_string(),
    ];
    let good = bodies[0].clone();
    let origins = [
        "null".to_owned(),
        String::new(),
        "https://evil.example".to_owned(),
        format!("https://{host}"),
        format!("http://{host}.evil.example"),
        format!("http://{host}/"),
        format!("http://{host}@evil.example"),
        "http://localhost".to_owned(),
    ];
    for body in &bodies {
        for origin in &origins {
            for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
                let ask = victim.ask("POST", TOKEN).header("origin", origin);
                let ask = ask.header("sec-fetch-site", "cross-site").body(kind, body.clone());
                let answer = from_anywhere(ask).send().await;
                let expected = match kind {
                    "application/json" => is(403, "csrf"),
                    _ => is(415, "unsupported_media_type"),
                };
                assert_eq!(ending(&answer), expected, "{origin} {kind} {body}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
    }
    for site in ["cross-site", "same-site", "none", "cross-site, same-origin"] {
        let ask = page(&victim, &stack, &json!({ "access_token": token, "mode": "browser" }));
        let answer = from_anywhere(ask.header("sec-fetch-site", site)).send().await;
        assert_eq!(ending(&answer), is(403, "csrf"), "{site}");
    }
    for method in ["OPTIONS", "GET", "PUT", "PATCH", "DELETE", "HEAD"] {
        let ask = victim.ask(method, TOKEN).header("origin", "https://evil.example");
        let ask = ask.header("access-control-request-method", "POST");
        let ask = ask.header("access-control-request-headers", "content-type");
        let answer = ask.send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
        for header in ["access-control-allow-origin", "access-control-allow-headers", "set-cookie"]
        {
            assert_eq!(answer.header(header), None, "{method}");
        }
    }
    // An app is no browser, not even one of ours.
    for (name, value) in [("origin", stack.url.as_str()), ("cookie", "a=b")] {
        let ask = app(&victim, TOKEN, &json!({ "access_token": token })).header(name, value);
        assert_eq!(ending(&from_anywhere(ask).send().await), is(403, "csrf"), "{name}");
    }
    untouched.check("for hand-offs of other sites");
    assert_eq!(victim.account().await, None);
    let answer = from_anywhere(page(&victim, &stack, &serde_json::from_str(&good).unwrap()));
    assert_eq!(answer.send().await.status, 200, "a page of ours may");
    assert_eq!(victim.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn g07_a_thousand_bad_tokens_from_one_address_ask_amazon_thirty_times() {
    let stack = crate::stack_with(&[]).await;
    stack.set_clock(NOON).unwrap();
    let browser = Browser::new(&stack);
    let bodies: Vec<_> =
        (0..1000).map(|n| json!({ "access_token": format!("Atza|junk{n}") })).collect();
    let asks = bodies.iter().enumerate().map(|(number, body)| {
        // Whatever the client says of itself.
        let ask = app(&browser, TOKEN, body)
            .header("x-forwarded-for", &format!("192.0.2.{}", number % 250));
        ask.header("x-real-ip", &format!("198.51.100.{}", number % 250))
            .header("x-lwa-proxy-secret", "x")
    });
    let answers: Vec<_> = stream::iter(asks).map(Ask::send).buffer_unordered(16).collect().await;
    let rejected = answers.iter().filter(|answer| answer.status == 401).count();
    let limited: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    let calls = stack.amazon.calls().len();
    // Two windows, if the clock of this machine went from one to the next meanwhile.
    assert!((30..=60).contains(&rejected) && calls == rejected, "{rejected} {calls}");
    assert_eq!(rejected + limited.len(), 1000);
    for answer in &limited {
        assert_eq!(ending(answer), is(429, "too_many_attempts"));
        let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=600).contains(&wait), "{wait}");
    }
    assert_eq!(stack.secrets.calls(), 0);
}

#[tokio::test]
async fn g07_behind_a_proxy_an_attackers_tries_are_their_own() {
    let stack = stack().await;
    let attacker = Browser::new(&stack);
    let from = |address: &str, secret: &str| {
        let ask = app(&attacker, TOKEN, &json!({ "access_token": "Atza|junk" }));
        ask.header("x-real-ip", address).header("x-lwa-proxy-secret", secret)
    };
    for number in 0..60 {
        // The proxy has written the last one; the client what is before it.
        let list = format!("203.0.113.{number}, 192.0.2.66");
        let answer = from(&list, PROXY_SECRET).send().await;
        let expected = if number < 30 { 401 } else { 429 };
        assert_eq!(answer.status, expected, "{number}");
    }
    assert_eq!(from("192.0.2.67", PROXY_SECRET).send().await.status, 401, "somebody else");
    // Who goes past the proxy is one address, whatever they say.
    let mut statuses = Vec::new();
    for number in 0..40 {
        let secret = format!("{PROXY_SECRET}{number}");
        statuses.push(from(&format!("192.0.2.{number}"), &secret).send().await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 30);
    // And one network of IPv6 is, too.
    let mut statuses = Vec::new();
    for number in 0..40 {
        let address = format!("2001:db8:0:1:{number:x}::{number:x}");
        statuses.push(from(&address, PROXY_SECRET).send().await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 30);
    assert_eq!(hand_over(&stack, &token_of(&stack, "lin")).await.status, 200);
}

#[tokio::test]
async fn g11_a_session_is_carried_as_it_was_given_and_in_no_other_way() {
    let stack = stack().await;
    let given = hand_over(&stack, &token_of(&stack, "lin")).await;
    assert!(given.header("set-cookie").is_none(), "an app's token is no cookie");
    let of_app = given.json()["session_token"].as_str().unwrap().to_owned();
    let browser = Browser::new(&stack);
    let body = json!({ "access_token": token_of(&stack, "lin"), "mode": "browser" });
    let given = from_anywhere(page(&browser, &stack, &body)).send().await;
    assert!(given.json().get("session_token").is_none(), "a browser's is no text");
    let of_browser = browser.cookie(SESSION).unwrap();
    assert!(!given.text.contains(&of_browser));
    for route in ["/auth/session", "/auth/verify"] {
        for (session, is_app) in [(&of_app, true), (&of_browser, false)] {
            let stranger = Browser::new(&stack);
            let bearer = format!("Bearer {session}");
            let cookie = format!("{SESSION}={session}");
            let as_bearer = stranger.ask("GET", route).header("authorization", &bearer);
            let as_cookie = stranger.ask("GET", route).cookies(&cookie);
            let both = stranger.ask("GET", route).header("authorization", &bearer).cookies(&cookie);
            assert_eq!(as_bearer.send().await.status, if is_app { 200 } else { 401 }, "{route}");
            assert_eq!(as_cookie.send().await.status, if is_app { 401 } else { 200 }, "{route}");
            assert_eq!(both.send().await.status, if is_app { 200 } else { 401 }, "{route}");
        }
    }
    // An app's session is none that a browser would lose by handing something over.
    let other = Browser::new(&stack);
    let body = json!({ "access_token": token_of(&stack, "lin"), "mode": "browser" });
    let ask = page(&other, &stack, &body).cookies(&format!("{SESSION}={of_app}"));
    assert_eq!(from_anywhere(ask).send().await.status, 200);
    assert_eq!(bearer(&stack, &of_app).await.status, 200);
}

#[tokio::test]
async fn g11_a_ticket_is_carried_as_it_was_given_and_in_no_other_way() {
    let stack = stack().await;
    let told = hand_over(&stack, &token_of(&stack, "ann")).await.json();
    let ticket = told["ticket"].as_str().unwrap().to_owned();
    let stranger = Browser::new(&stack);
    let cookie = format!("{TICKET}={ticket}");
    assert_eq!(stranger.ask("GET", LINK).cookies(&cookie).send().await.code(), "ticket_expired");
    let browser = Browser::new(&stack);
    let body = json!({ "access_token": token_of(&stack, "ann"), "mode": "browser" });
    let given = from_anywhere(page(&browser, &stack, &body)).send().await.json();
    assert!(given.get("ticket").is_none());
    let of_browser = browser.cookie(TICKET).unwrap();
    for text in [&of_browser, &ticket.replace('.', "x"), &ticket[1..].to_owned(), &"x".to_owned()] {
        let body = json!({ "ticket": text, "password": "ann-local-password" });
        let answer = app(&stranger, LINK, &body).send().await;
        assert_eq!(ending(&answer), is(410, "ticket_expired"));
    }
    assert_eq!(browser.get(LINK).await.code(), "ok", "it is still good in its browser");
    let body = json!({ "ticket": ticket, "password": "ann-local-password" });
    for (name, value) in [("origin", stack.url.as_str()), ("cookie", &cookie)] {
        let answer = app(&stranger, LINK, &body).header(name, value).send().await;
        assert_eq!(ending(&answer), is(403, "csrf"), "{name}");
    }
    let answer = app(&stranger, LINK, &body).send().await.json();
    assert_eq!((&answer["status"], &answer["account"]["id"]), (&json!("signed_in"), &json!("ann")));
    let session = answer["session_token"].as_str().unwrap();
    assert_eq!(bearer(&stack, session).await.json()["session"]["kind"], "app");
}
