//! What comes to `POST /auth/amazon/token`: tokens and codes of others, stolen ones, and none at all.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use local_stack::{
    Options, Stack, Timestamp,
    amazon::{
        APP_CLIENT_ID, APP_RETURN_URL, Endpoint, FOREIGN_CLIENT_ID, FOREIGN_RETURN_URL, Fault,
        IOS_CLIENT_ID, IOS_RETURN_URL, SHOP_CLIENT_ID,
    },
};
use serde_json::{Value, json};
use tests::{Answer, Ask, Browser};

use crate::{NOON, back::Untouched, endings::TOKEN};

const PROXY_ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:proxy";
pub(crate) const PROXY_SECRET: &str = "what only the proxy knows";
const APP_ID: &str = "amzn1.application.00112233445566778899aabbccddeeff";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A site behind a proxy that tells whose request it passes on: what is not about limits comes from
/// another address each time.
async fn stack_with(parameters: &[(&str, &str)]) -> Stack {
    let proxy = [("TrustedProxyHeader", "x-real-ip"), ("TrustedProxySecretArn", PROXY_ARN)];
    let options = Options::with(proxy.iter().chain(parameters));
    let stack = Options { stopped_at: Some(NOON), ..options }.start().await.unwrap();
    stack.secrets.set(PROXY_ARN, PROXY_SECRET);
    stack
}

pub(crate) async fn stack() -> Stack {
    stack_with(&[]).await
}

/// By the proxy, from an address that nobody had before.
pub(crate) fn from_anywhere(ask: Ask<'_>) -> Ask<'_> {
    static NEXT: AtomicU32 = AtomicU32::new(0x0a00_0000);
    let address = std::net::Ipv4Addr::from(NEXT.fetch_add(1, Ordering::Relaxed));
    ask.header("x-real-ip", &address.to_string()).header("x-lwa-proxy-secret", PROXY_SECRET)
}

/// What an app sends: no browser adds anything to it.
pub(crate) fn app<'a>(app: &'a Browser<'_>, to: &str, body: &Value) -> Ask<'a> {
    let ask = app.ask("POST", to).without("sec-fetch-site").without("sec-fetch-mode");
    let ask = ask.without("sec-fetch-dest").header("accept", "application/json");
    ask.body("application/json", body.to_string())
}

/// What a script of a page of ours sends.
pub(crate) fn page<'a>(browser: &'a Browser<'_>, stack: &Stack, body: &Value) -> Ask<'a> {
    let ask = browser.ask("POST", TOKEN).header("origin", &stack.url);
    let ask = ask.header("sec-fetch-mode", "cors").header("sec-fetch-dest", "empty");
    ask.body("application/json", body.to_string())
}

pub(crate) fn token_of(stack: &Stack, customer: &str) -> String {
    stack.amazon.token(customer, APP_CLIENT_ID, "profile postal_code")
}

pub(crate) async fn hand_over(stack: &Stack, token: &str) -> Answer {
    let body = json!({ "access_token": token });
    from_anywhere(app(&Browser::new(stack), TOKEN, &body)).send().await
}

/// The code that a hand-off ended with, which has opened nothing.
pub(crate) fn ending(answer: &Answer) -> (u16, String) {
    assert!(answer.header("set-cookie").is_none(), "{}", answer.text);
    let told = answer.json();
    assert!(told.get("session_token").is_none() && told.get("ticket").is_none(), "{told}");
    (answer.status, told["code"].as_str().unwrap_or_default().to_owned())
}

pub(crate) fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A problem without what differs from request to request.
fn problem(answer: &Answer) -> Value {
    let mut told = answer.json();
    told.as_object_mut().unwrap().remove("request_id");
    told
}

pub(crate) fn sessions(stack: &Stack) -> usize {
    let rows = stack.dynamodb.scan("sessions").unwrap();
    rows.iter().filter(|row| row["sk"]["S"] != "META").count()
}

/// Who is signed in by this bearer token.
pub(crate) async fn bearer(stack: &Stack, session: &str) -> Answer {
    let browser = Browser::new(stack);
    let ask = browser.ask("GET", "/auth/session");
    ask.header("authorization", &format!("Bearer {session}")).send().await
}

#[tokio::test]
async fn g01_a_token_that_was_issued_to_somebody_else_opens_nothing_and_reaches_no_profile() {
    let stack = stack().await;
    let cut = &APP_CLIENT_ID[..APP_CLIENT_ID.len() - 1];
    let mut audiences: Vec<Value> = [
        FOREIGN_CLIENT_ID,
        "",
        " ",
        ",",
        cut,
        &format!("{APP_CLIENT_ID}0"),
        &format!(" {APP_CLIENT_ID}"),
        &format!("{APP_CLIENT_ID} "),
        &format!("{APP_CLIENT_ID}\0"),
        &APP_CLIENT_ID.to_uppercase(),
        &format!("{APP_CLIENT_ID},{IOS_CLIENT_ID}"),
        &format!("{APP_CLIENT_ID} {SHOP_CLIENT_ID}"),
        "amzn1.application-oa2-client.",
        "*",
    ]
    .map(Value::from)
    .to_vec();
    let strings = audiences.len();
    audiences.extend([
        json!([APP_CLIENT_ID]),
        json!([APP_CLIENT_ID, FOREIGN_CLIENT_ID]),
        json!({ "aud": APP_CLIENT_ID }),
        json!(null),
        json!(true),
        json!(0),
    ]);
    for (number, audience) in audiences.iter().enumerate() {
        let fault = Fault::set("aud", audience.clone());
        stack.amazon.fault(Endpoint::TokenInfo, fault, Some(2));
        let answer = hand_over(&stack, &token_of(&stack, "lin")).await;
        stack.amazon.clear_faults(Endpoint::TokenInfo);
        // What Amazon never says is no answer at all.
        let expected = match number < strings {
            true => is(401, "token_rejected"),
            false => is(503, "unavailable"),
        };
        assert_eq!(ending(&answer), expected, "{audience}");
    }
    let twice = format!(r#"{{"aud":"{APP_CLIENT_ID}","aud":"{APP_CLIENT_ID}","user_id":"x"}}"#);
    for body in [&*twice, "{}", "[]", r#"{"user_id":"amzn1.account.X"}"#] {
        stack.amazon.fault(Endpoint::TokenInfo, Fault::Body(body.to_owned()), Some(2));
        let answer = hand_over(&stack, &token_of(&stack, "lin")).await;
        stack.amazon.clear_faults(Endpoint::TokenInfo);
        assert_eq!(ending(&answer), is(503, "unavailable"), "{body}");
    }
    for customer in ["lin", "ann", "nora"] {
        let token = stack.amazon.token(customer, FOREIGN_CLIENT_ID, "profile");
        let answer = hand_over(&stack, &token).await;
        assert_eq!(ending(&answer), is(401, "token_rejected"), "{customer}");
    }
    assert_eq!(stack.amazon.calls_of(Endpoint::Profile).len(), 0, "none reached the profile");
    assert_eq!(sessions(&stack), 0);
    for client in [SHOP_CLIENT_ID, APP_CLIENT_ID, IOS_CLIENT_ID] {
        let token = stack.amazon.token("lin", client, "profile");
        assert_eq!(hand_over(&stack, &token).await.json()["status"], "signed_in", "{client}");
    }
}

#[tokio::test]
async fn g02_hand_a_stolen_token_ends_the_session_of_whoever_used_it_first() {
    let stack = stack().await;
    let token = token_of(&stack, "lin");
    let owner = hand_over(&stack, &token).await.json()["session_token"].clone();
    let owner = owner.as_str().unwrap();
    assert_eq!(bearer(&stack, owner).await.status, 200);
    let thief = hand_over(&stack, &token).await.json()["session_token"].clone();
    // It is noticed: the owner is out, and the log has a line.
    assert_eq!(bearer(&stack, owner).await.status, 401);
    let again = hand_over(&stack, &token).await.json()["session_token"].clone();
    assert_eq!(bearer(&stack, thief.as_str().unwrap()).await.status, 401, "and back in");
    assert_eq!(bearer(&stack, again.as_str().unwrap()).await.status, 200);
    assert_eq!(sessions(&stack), 1);
    let audit = r#""event":"session_replaced""#;
    let noted = || stack.logs_of("handoff").iter().filter(|line| line.contains(audit)).count();
    while noted() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(noted(), 2);
}

#[tokio::test]
async fn hand_twice_of_twenty_equal_hand_offs_at_once_one_session_lives() {
    let stack = stack().await;
    for customer in ["lin", "nora"] {
        let token = token_of(&stack, customer);
        let before = sessions(&stack);
        let answers = join_all((0..20).map(|_| hand_over(&stack, &token))).await;
        let tokens = answers.iter().filter(|answer| answer.status == 200);
        let tokens: Vec<_> = tokens.map(|answer| answer.json()["session_token"].clone()).collect();
        assert!(!tokens.is_empty());
        let busy = answers.iter().filter(|answer| answer.status != 200);
        assert!(busy.into_iter().all(|answer| answer.status == 503), "or told to try again");
        let mut live = 0;
        for token in &tokens {
            live += usize::from(bearer(&stack, token.as_str().unwrap()).await.status == 200);
        }
        assert_eq!((live, sessions(&stack) - before), (1, 1), "{customer}");
        // Whoever tries again gets there.
        assert_eq!(hand_over(&stack, &token).await.status, 200);
        assert_eq!(sessions(&stack) - before, 1);
    }
    let theirs = stack.dynamodb.scan("accounts").unwrap();
    let theirs = theirs.iter().filter(|row| row["email"]["S"] == "nora@example.com").count();
    assert_eq!(theirs, 1);
}

#[tokio::test]
async fn g05_whatever_is_no_token_is_refused_without_asking_anybody() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let long = format!("Atza|{}", "a".repeat(2044));
    let good = token_of(&stack, "lin");
    let untouched = Untouched::now(&stack);
    let mut tokens = vec![
        String::new(),
        "Atza".into(),
        "Atza|".into(),
        "atza|IwEBIJ".into(),
        "ATZA|IwEBIJ".into(),
        "Atza%7CIwEBIJ".into(),
        "Atza\u{2502}IwEBIJ".into(),
        "Atzb|IwEBIJ".into(),
        "Atzr|IwEBIJ".into(),
        "Bearer Atza|IwEBIJ".into(),
        "null".into(),
        long,
        "Atza|".repeat(1000),
    ];
    for odd in
        ["\r\n", "\n", "\r\nhost: evil.example", "\0", "\t", " ", "\u{7f}", "\u{e4}", "\u{202e}"]
    {
        tokens.push(format!("{good}{odd}"));
        tokens.push(format!("{odd}{good}"));
        tokens.push(good.replacen('|', &format!("|{odd}"), 1));
    }
    for token in &tokens {
        for body in
            [json!({ "access_token": token }), json!({ "access_token": token, "mode": "browser" })]
        {
            let ask = match body.get("mode") {
                None => app(&browser, TOKEN, &body),
                Some(_) => page(&browser, &stack, &body),
            };
            let answer = from_anywhere(ask).send().await;
            assert_eq!(ending(&answer), is(400, "bad_request"), "{token:?}");
            assert!(token.is_empty() || !answer.text.contains(token), "it is not repeated");
        }
    }
    for text in [
        format!(r#"{{"access_token":"{good}","access_token":"{good}"}}"#),
        format!(r#"{{"access_token":["{good}"]}}"#),
        format!(r#"["{good}"]"#),
        format!(r#""{good}""#),
        format!(r#"{{"Access_Token":"{good}"}}"#),
        format!(r#"{{"access_token":"{good}","user_id":"amzn1.account.X"}}"#),
        format!(r#"{{"access_token":"{good}","email":"ann@example.com"}}"#),
        format!(r#"{{"access_token":"{good}","mode":"Browser"}}"#),
        format!(r#"{{"access_token":"{good}","mode":null}}"#),
        format!(r#"{{"access_token":"{good}","code":"ANx"}}"#),
        format!(r#"{{"access_token":"{good}"}}{{}}"#),
        format!("access_token={good}"),
        "[".repeat(5000),
    ] {
        let ask = app(&browser, TOKEN, &json!({})).body("application/json", text.clone());
        assert_eq!(ending(&from_anywhere(ask).send().await), is(400, "bad_request"), "{text}");
    }
    let query = format!("{TOKEN}?access_token={good}");
    let answer = from_anywhere(app(&browser, &query, &json!({}))).send().await;
    assert_eq!(ending(&answer), is(400, "bad_request"), "a URL is no place for it");
    untouched.check("for what is no token");
}

#[tokio::test]
async fn g06_tokens_that_are_over_or_taken_back_all_look_the_same() {
    let stack = stack().await;
    let over = token_of(&stack, "lin");
    stack.set_clock(Timestamp(NOON.0 + 3600)).unwrap();
    let mut answers = vec![hand_over(&stack, &over).await];
    let revoked = token_of(&stack, "lin");
    stack.amazon.world().revoke("lin", APP_ID);
    answers.push(hand_over(&stack, &revoked).await);
    let of_nobody = token_of(&stack, "max");
    stack.amazon.world().remove_customer("max");
    answers.push(hand_over(&stack, &of_nobody).await);
    answers.push(hand_over(&stack, "Atza|IwEBIJmadeup").await);
    let foreign = stack.amazon.token("lin", FOREIGN_CLIENT_ID, "profile");
    answers.push(hand_over(&stack, &foreign).await);
    stack.amazon.fault(Endpoint::TokenInfo, Fault::set("exp", 0), Some(1));
    answers.push(hand_over(&stack, &token_of(&stack, "lin")).await);
    stack.amazon.fault(Endpoint::TokenInfo, Fault::set("iss", "https://evil.example"), Some(1));
    answers.push(hand_over(&stack, &token_of(&stack, "lin")).await);
    assert_eq!(stack.amazon.calls_of(Endpoint::Profile).len(), 0);
    let invalid = Fault::Error(400, "invalid_token".into());
    stack.amazon.fault(Endpoint::Profile, invalid, Some(1));
    answers.push(hand_over(&stack, &token_of(&stack, "lin")).await);
    for answer in &answers {
        assert_eq!(ending(answer), is(401, "token_rejected"));
        assert_eq!(problem(answer), problem(&answers[0]));
    }
    assert_eq!(sessions(&stack), 0);
    assert_eq!(hand_over(&stack, &token_of(&stack, "lin")).await.status, 200);
    // What a token opened lives on by itself, as after a visit to the website.
    stack.amazon.world().revoke("lin", APP_ID);
    assert_eq!(sessions(&stack), 1);
}

#[tokio::test]
async fn g09_a_code_that_another_app_caught_is_of_no_use_to_it() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let caught = |client: &str, uri: &str| {
        let challenge = Some((CHALLENGE, "S256"));
        stack.amazon.consent("lin", client, uri, "profile", challenge)
    };
    let hand_over = |code: &str, client: &str, uri: &str, verifier: &str| {
        let body = json!({
            "code": code, "code_verifier": verifier, "redirect_uri": uri, "client_id": client,
        });
        from_anywhere(app(&browser, TOKEN, &body))
    };
    for (client, uri) in [(APP_CLIENT_ID, APP_RETURN_URL), (IOS_CLIENT_ID, IOS_RETURN_URL)] {
        let mut verifiers = vec![CHALLENGE.to_owned(), "v".repeat(43), "v".repeat(128)];
        verifiers.extend((0..43).step_by(6).map(|at| {
            let mut other = VERIFIER.to_owned();
            let changed = if &other[at..=at] == "A" { "B" } else { "A" };
            other.replace_range(at..=at, changed);
            other
        }));
        for verifier in verifiers {
            let code = caught(client, uri);
            let answer = hand_over(&code, client, uri, &verifier).send().await;
            assert_eq!(ending(&answer), is(401, "token_rejected"), "{verifier}");
        }
        // With the right one, but for another client or from another address.
        for (other, elsewhere) in [
            (IOS_CLIENT_ID, IOS_RETURN_URL),
            (APP_CLIENT_ID, APP_RETURN_URL),
            (SHOP_CLIENT_ID, APP_RETURN_URL),
            (FOREIGN_CLIENT_ID, FOREIGN_RETURN_URL),
            (client, "amzn://com.evil.example"),
        ] {
            if (other, elsewhere) == (client, uri) {
                continue;
            }
            let answer = hand_over(&caught(client, uri), other, elsewhere, VERIFIER).send().await;
            assert_eq!(ending(&answer), is(401, "token_rejected"), "{other} {elsewhere}");
        }
    }
    assert_eq!(stack.amazon.calls_of(Endpoint::TokenInfo).len(), 0);
    assert_eq!(sessions(&stack), 0);
    // A website's sign-in that was caught on its way back is not finished here either.
    let at_amazon = browser.begin("/").await;
    let back = crate::back::Back::of(&stack.amazon.allow(&at_amazon, "lin").unwrap());
    let callback = format!("{}/auth/amazon/callback", stack.url);
    let thief = Browser::new(&stack);
    let body = json!({
        "code": back.code, "code_verifier": VERIFIER, "redirect_uri": callback,
        "client_id": SHOP_CLIENT_ID,
    });
    let answer = from_anywhere(app(&thief, TOKEN, &body)).send().await;
    assert_eq!(ending(&answer), is(401, "token_rejected"));
    assert_eq!(sessions(&stack), 0);
    let code = caught(APP_CLIENT_ID, APP_RETURN_URL);
    let answer = hand_over(&code, APP_CLIENT_ID, APP_RETURN_URL, VERIFIER).send().await;
    // The browser has cookies by now, and an app has none.
    assert_eq!(ending(&answer), is(403, "csrf"));
    let body = json!({
        "code": code, "code_verifier": VERIFIER, "redirect_uri": APP_RETURN_URL,
        "client_id": APP_CLIENT_ID,
    });
    let answer = from_anywhere(app(&Browser::new(&stack), TOKEN, &body)).send().await;
    assert_eq!(answer.json()["status"], "signed_in", "whoever has the verifier is let in");
}
