use super::*;

#[tokio::test]
async fn h06_a_code_that_was_refused_or_is_over_ends_the_handle() {
    let mut at = setting().await;
    for (word, ends) in [
        ("access_denied", "access_denied"),
        ("expired_token", "expired_token"),
        ("invalid_code_pair", "expired_token"),
        ("invalid_grant", "expired_token"),
    ] {
        let television = at.television().await;
        at.stack.amazon.fault(Endpoint::Token, Fault::Error(400, word.into()), Some(1));
        assert_eq!(at.ask(&television).await, error(ends), "{word}");
        assert!(at.grants().is_empty(), "{word}");
        at.stack.amazon.forget_calls();
        assert_eq!(at.ask_in_time(&television).await, error("expired_token"), "{word}");
        assert_eq!(at.asked_amazon(), 0, "{word}");
        at.pass(600);
    }
    let television = at.television().await;
    assert!(at.stack.amazon.cancel_code(&television.user_code));
    assert_eq!(at.ask(&television).await, error("expired_token"), "Amazon does not tell which");
}

#[tokio::test]
async fn h06_a_grant_ends_after_ten_minutes_whatever_amazon_says() {
    let mut at = setting().await;
    at.stack.amazon.world().habits.codes_live = 3600;
    let television = at.television().await;
    assert_eq!(television.told["expires_in"], 600);
    at.pass(599);
    assert_eq!(at.ask(&television).await, error("authorization_pending"));
    at.pass(1);
    at.allow(&television, "lin");
    assert_eq!(at.ask(&television).await, error("expired_token"));
    assert_eq!(at.asked_amazon(), 1);

    // The same for one whose person has still to link.
    let (television, _) = at.arrives("ann").await;
    at.stack.link("ann", "ann").await.unwrap();
    at.pass(600);
    assert_eq!(at.ask(&television).await, error("expired_token"));
    assert!(at.sessions().is_empty());
}

#[tokio::test]
async fn h03_a_television_that_asks_too_soon_is_told_so_by_us() {
    let mut at = setting().await;
    let television = at.television().await;
    assert_eq!(at.ask(&television).await, error("authorization_pending"));
    at.pass(29);
    assert_eq!(at.ask(&television).await, error("slow_down"));
    // By then it has to wait five seconds more.
    at.pass(5);
    assert_eq!(at.ask(&television).await, error("slow_down"));
    at.pass(6);
    assert_eq!(at.ask(&television).await, error("authorization_pending"));
    assert_eq!(at.asked_amazon(), 2);

    // However often it asks, it is let through every 45 seconds, and nothing is written for it any more.
    for _ in 0..20 {
        assert_eq!(at.ask(&television).await, error("slow_down"));
    }
    at.stack.dynamodb.reset_requests();
    assert_eq!(at.ask(&television).await, error("slow_down"));
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem tickets"]);
    at.pass(44);
    assert_eq!(at.ask(&television).await, error("slow_down"));
    at.pass(1);
    assert_eq!(at.ask(&television).await, error("authorization_pending"));
    assert_eq!(at.asked_amazon(), 3);
}

#[tokio::test]
async fn h03_a_television_is_slowed_down_when_amazon_says_so() {
    let mut at = setting().await;
    let television = at.television().await;
    at.stack.amazon.fault(Endpoint::Token, Fault::Error(400, "slow_down".into()), Some(1));
    assert_eq!(at.ask(&television).await, error("slow_down"));
    at.pass(34);
    assert_eq!(at.ask(&television).await, error("slow_down"), "30 and 5 seconds");
    assert_eq!(at.asked_amazon(), 1);
}

#[tokio::test]
async fn h02_a_handle_that_was_made_up_is_over_and_asks_nobody() {
    let at = setting().await;
    let made_up = domain::device::DeviceHandle::mint(&mut web::rng());
    assert_eq!(at.ask_with(made_up.expose()).await, error("expired_token"));
    assert_eq!(at.stack.dynamodb.requests(), ["GetItem tickets"]);
    at.stack.dynamodb.reset_requests();
    for shapeless in ["", "x", &made_up.expose()[1..], &format!("{}A", made_up.expose())] {
        assert_eq!(at.ask_with(shapeless).await, error("expired_token"), "{shapeless}");
    }
    assert!(at.stack.dynamodb.requests().is_empty() && at.stack.amazon.calls().is_empty());
}

#[tokio::test]
async fn h07_an_address_may_switch_ten_televisions_on_in_ten_minutes() {
    let mut at = setting().await;
    // Windows begin at full ten minutes.
    at.pass(600 - u64::try_from(NOON.0).unwrap() % 600);
    for _ in 0..10 {
        at.television().await;
    }
    let reply = at.reply(Specimen::of("device")).await;
    assert_eq!(
        (reply.status().as_u16(), body(&reply)["code"].as_str()),
        (429, Some("too_many_attempts"))
    );
    assert_eq!(reply.headers()["retry-after"], "600");
    assert_eq!(at.stack.amazon.calls_of(Endpoint::CodePair).len(), 10);
    assert_eq!(at.grants().len(), 10);
    at.pass(600);
    at.television().await;
}

#[tokio::test]
async fn televisions_alone_ask_and_in_json() {
    let at = setting().await;
    let poll = Specimen::of("device-poll");
    let code = |name: &str| json!({ name: "Zs9KdLfGaBcNeMiPuRwQhE3bQ4nYyqv0T2o3mJ5r7Xw" });
    for (specimen, status, word) in [
        (Specimen::of("device").method("GET"), 405, "method_not_allowed"),
        (poll.clone().method("PUT"), 405, "method_not_allowed"),
        (Specimen::of("device").cookie("a", "b"), 403, "csrf"),
        (Specimen::of("device").header("origin", "https://shop.example"), 403, "csrf"),
        (poll.clone().cookie("__Host-lwa_session", "x"), 403, "csrf"),
        (poll.clone().header("origin", "https://evil.example"), 403, "csrf"),
        (Specimen::of("device").form(&[]), 415, "unsupported_media_type"),
        (Specimen::of("device").without_header("content-type"), 415, "unsupported_media_type"),
        (poll.clone().form(&[("device_code", "x")]), 415, "unsupported_media_type"),
        (Specimen::of("device").json(&json!({ "scope": "postal_code" })), 400, "bad_request"),
        (Specimen::of("device").json(&json!([])), 400, "bad_request"),
        (poll.clone().json(&json!({})), 400, "bad_request"),
        (poll.clone().text(""), 400, "bad_request"),
        (poll.clone().json(&code("user_code")), 400, "bad_request"),
        (poll.clone().text(r#"{"device_code":"a","device_code":"b"}"#), 400, "bad_request"),
        (poll.clone().text(&"x".repeat(9000)), 413, "too_large"),
    ] {
        let event = specimen.event();
        let reply = at.reply(specimen).await;
        let problem = body(&reply);
        assert_eq!(
            (reply.status().as_u16(), problem["code"].as_str()),
            (status, Some(word)),
            "{event}"
        );
        assert_eq!(reply.headers()["content-type"], "application/problem+json");
    }
    assert!(at.stack.amazon.calls().is_empty() && at.grants().is_empty());
}

#[tokio::test]
async fn a_site_without_televisions_has_no_such_routes() {
    let at = setting_with(&[("LwaDeviceClientId", "")]).await;
    for specimen in
        [Specimen::of("device"), Specimen::of("device-poll"), Specimen::of("device").method("GET")]
    {
        let reply = at.reply(specimen).await;
        assert_eq!(
            (reply.status().as_u16(), body(&reply)["code"].as_str()),
            (404, Some("not_found"))
        );
    }
    let settings = at.stack.settings("device").into_iter();
    let wrong = settings.chain([("LWA_DEVICE_CLIENT_ID".to_owned(), "a b".to_owned())]).collect();
    let unset = open(&wrong).await.err().unwrap().to_string();
    assert!(unset.contains("LWA_DEVICE_CLIENT_ID"), "{unset}");
}

#[tokio::test]
async fn h04_nothing_that_is_kept_or_told_is_amazons_code() {
    let mut at = setting().await;
    let television = at.television().await;
    let canary = at.stack.amazon.device_code(&television.user_code).unwrap();
    // What is kept as bytes is told apart: `h04_k01_inv12_…` of tests/hostile reads those.
    let everything = |at: &Setting| {
        let tables = ["tickets", "sessions", "identities"]
            .map(|table| at.stack.dynamodb.scan(table).unwrap());
        format!("{tables:?}")
    };
    let mut seen = vec![television.told.to_string(), everything(&at)];
    assert!(!seen[1].contains(&television.user_code), "nor the one for people");
    assert!(!seen[1].contains(&television.handle), "nor the handle");
    seen.push(at.ask(&television).await.1.to_string());
    at.allow(&television, "lin");
    let (_, told) = at.ask_in_time(&television).await;
    seen.extend([told.to_string(), everything(&at)]);
    assert!(seen.iter().all(|text| !text.contains(&canary)), "{seen:?}");
    let token = told["session_token"].as_str().unwrap();
    let (_, secret) = token.split_once('.').unwrap();
    assert!(!seen.last().unwrap().contains(secret), "the session's token is sealed as well");
}

#[tokio::test]
async fn h08_a_television_never_shows_another_address_than_amazons() {
    let at = setting().await;
    for uri in [
        "http://evil.example/code",
        "https://evil.example/code",
        "https://amazon.com.evil.example/code",
        "javascript:alert(1)",
        "",
        "/code",
        "https://amazon.com/code", // the stand-in is not Amazon
        &format!("{}@evil.example/code", at.stack.amazon.url),
        &format!("{}.evil.example/code", at.stack.amazon.url),
    ] {
        at.stack.amazon.fault(Endpoint::CodePair, Fault::set("verification_uri", uri), Some(1));
        let reply = at.reply(Specimen::of("device")).await;
        assert_eq!(
            (reply.status().as_u16(), body(&reply)["code"].as_str()),
            (503, Some("unavailable")),
            "{uri}"
        );
    }
    assert!(at.grants().is_empty());
}
