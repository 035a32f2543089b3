//! Televisions of other people, handles that were made up, and devices that ask all the time.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures_util::{StreamExt as _, future::join_all, stream};
use local_stack::{
    Options, Stack, Timestamp,
    amazon::{Endpoint, Fault},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tests::{Answer, Ask, Browser, SESSION, TICKET};

use crate::{NOON, stack};

const BEGIN: &str = "/auth/amazon/device";
const POLL: &str = "/auth/amazon/device/poll";

/// A request as a television sends it: no cookie, and nothing that a browser adds.
fn ask<'a>(browser: &'a Browser<'_>, path: &str, body: &Value) -> Ask<'a> {
    let ask = browser.ask("POST", path).header("accept", "application/json");
    let ask = ask.without("sec-fetch-dest").without("sec-fetch-mode").without("sec-fetch-site");
    ask.body("application/json", body.to_string())
}

/// What a television is given that is switched on: the handle, and the code to show.
async fn switched_on(browser: &Browser<'_>) -> (String, String) {
    let answer = ask(browser, BEGIN, &json!({})).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = answer.json();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (text("device_code"), text("user_code"))
}

async fn poll(browser: &Browser<'_>, handle: &str) -> Answer {
    ask(browser, POLL, &json!({ "device_code": handle })).send().await
}

/// The word of an answer that is a wait or an end; empty for any other.
fn word(answer: &Answer) -> String {
    let told = answer.json();
    let word = told["error"].as_str().unwrap_or_default();
    if !word.is_empty() {
        assert_eq!((answer.status, &told), (400, &json!({ "error": word })));
    }
    word.to_owned()
}

async fn stopped() -> Stack {
    Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap()
}

fn polls_of_amazon(stack: &Stack) -> usize {
    stack.amazon.calls_of(Endpoint::Token).len()
}

fn sessions(stack: &Stack) -> usize {
    let rows = stack.dynamodb.scan("sessions").unwrap();
    rows.iter().filter(|row| row["sk"]["S"] != "META").count()
}

/// All that is in the tables, with bytes as the text that they may be.
fn everything_kept(stack: &Stack) -> String {
    let tables = ["accounts", "identities", "sessions", "tickets"];
    let rows = tables.into_iter().flat_map(|table| stack.dynamodb.scan(table).unwrap());
    let mut kept = String::new();
    for row in rows {
        kept += &row.to_string();
        for value in row.as_object().unwrap().values() {
            let bytes = STANDARD.decode(value["B"].as_str().unwrap_or_default()).unwrap();
            kept += &String::from_utf8_lossy(&bytes);
        }
    }
    kept
}

/// 43 characters that could be a handle of ours, each time others.
fn made_up(number: usize) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("handle {number}")))
}

#[tokio::test]
async fn h01_whoever_gets_a_victim_to_allow_a_television_gets_a_devices_session_and_no_more() {
    let stack = stack().await;
    let attacker = Browser::new(&stack);
    let (handle, code) = switched_on(&attacker).await;
    assert!(stack.amazon.allow_code(&code, "lin"));
    let answer = poll(&attacker, &handle).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.headers.get("set-cookie").is_none(), "{:?}", answer.headers);
    let told = answer.json();
    let token = told["session_token"].as_str().unwrap();

    let bearer = format!("Bearer {token}");
    let who = attacker.ask("GET", "/auth/session").header("authorization", &bearer).send().await;
    assert_eq!((who.status, &who.json()["session"]["kind"]), (200, &json!("device")));
    let row = stack.dynamodb.scan("sessions").unwrap();
    let row = row.iter().find(|row| row["kind"]["S"] == "device").unwrap();
    assert!(row.get("proven_at").is_none(), "nobody has proven anything: {row}");

    // It is no cookie, and so reaches no page of ours and none of the site's.
    attacker.keep_cookie(SESSION, token);
    assert_eq!(attacker.account().await, None);
    assert_eq!(attacker.ask("GET", "/auth/verify").send().await.status, 401);
    let csrf = Sha256::new().chain_update(b"csrf\0").chain_update(token).finalize();
    let csrf = URL_SAFE_NO_PAD.encode(csrf);
    for (path, fields) in [
        ("/auth/amazon/switch", vec![("csrf", csrf.as_str())]),
        ("/auth/amazon/link", vec![("csrf", csrf.as_str()), ("password", "lin-local-password")]),
    ] {
        let answer = attacker.post(path, &fields).await;
        assert!(matches!(answer.status, 403 | 410), "{path}: {} {}", answer.status, answer.text);
    }

    // Nor does it change anything about the account where bearer tokens are taken.
    let links = stack.dynamodb.scan("identities").unwrap();
    for path in [
        "/auth/connections/amazon/link",
        "/auth/connections/amazon/unlink",
        "/auth/connections/sessions/revoke",
        "/auth/reauthenticate",
    ] {
        for body in [json!({ "csrf": csrf }), json!({ "csrf": csrf, "all_others": true })] {
            let ask = ask(&attacker, path, &body).header("authorization", &bearer).cookies("");
            let answer = ask.send().await;
            assert!(
                (400..500).contains(&answer.status),
                "{path}: {} {}",
                answer.status,
                answer.text
            );
        }
    }
    let list = attacker.ask("GET", "/auth/connections").cookies("");
    let list = list.header("accept", "application/json").header("authorization", &bearer);
    assert_eq!(list.send().await.status, 403, "whose sessions there are is no device's business");
    assert_eq!(stack.dynamodb.scan("identities").unwrap(), links);
    assert_eq!(sessions(&stack), 1, "the one of the television");
}

#[tokio::test]
async fn h02_ten_thousand_handles_that_were_made_up_ask_amazon_nothing() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let (_, code) = switched_on(&browser).await;
    assert!(stack.amazon.allow_code(&code, "lin"));
    stack.amazon.forget_calls();
    let asks = (0..10_000).map(|number| {
        let browser = &browser;
        async move { poll(browser, &made_up(number)).await }
    });
    let mut answers = stream::iter(asks).buffer_unordered(8);
    let mut count = 0;
    while let Some(answer) = answers.next().await {
        assert_eq!(word(&answer), "expired_token", "{}", answer.text);
        count += 1;
    }
    assert_eq!((count, stack.amazon.calls().len(), sessions(&stack)), (10_000, 0, 0));
}

#[tokio::test]
async fn h03_a_hundred_questions_a_second_reach_amazon_once_in_an_interval() {
    let stack = stopped().await;
    let browser = Browser::new(&stack);
    let (handle, _) = switched_on(&browser).await;
    let mut words = std::collections::BTreeMap::<_, usize>::new();
    for second in 0..60 {
        stack.set_clock(Timestamp(NOON.0 + second)).unwrap();
        let asks = (0..100).map(|_| poll(&browser, &handle));
        let answers: Vec<_> = stream::iter(asks).buffer_unordered(8).collect().await;
        for answer in answers {
            *words.entry(word(&answer)).or_default() += 1;
        }
    }
    let asked = polls_of_amazon(&stack);
    assert!((1..=60 / 30 + 1).contains(&asked), "{asked}");
    assert_eq!(words["authorization_pending"], asked);
    assert_eq!(words["slow_down"], 6000 - asked, "{words:?}");
    // Each of them reads its row, and few write to it.
    let writes = stack.dynamodb.requests();
    let writes = writes.iter().filter(|request| *request == "UpdateItem tickets").count();
    assert!(writes < 200, "{writes}");
}

#[tokio::test]
async fn h04_k01_inv12_amazons_code_is_in_no_answer_no_table_and_no_log() {
    let environment = [("RUST_LOG".to_owned(), "trace".to_owned())].into();
    let stack = Options { environment, ..Options::default() }.start().await.unwrap();
    let browser = Browser::new(&stack);
    let mut seen = Vec::new();
    let mut secrets = Vec::new();
    for (customer, fault) in [
        ("lin", None),
        ("ann", None),
        ("nora", None),
        ("lin", Some((Endpoint::Token, Fault::Status(503)))),
        ("lin", Some((Endpoint::Token, Fault::Refuse))),
        ("lin", Some((Endpoint::Token, Fault::Error(400, "invalid_code_pair".into())))),
        ("lin", Some((Endpoint::TokenInfo, Fault::set("aud", "x")))),
        ("lin", Some((Endpoint::Profile, Fault::Cut))),
    ] {
        let (handle, code) = switched_on(&browser).await;
        secrets.push(stack.amazon.device_code(&code).unwrap());
        assert!(stack.amazon.allow_code(&code, customer));
        if let Some((endpoint, fault)) = fault {
            stack.amazon.fault(endpoint, fault, Some(2));
        }
        let answer = poll(&browser, &handle).await;
        for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
            stack.amazon.clear_faults(endpoint);
        }
        seen.push(format!("{:?} {}", answer.headers, answer.text));
        if let Some(token) = answer.json()["session_token"].as_str() {
            // The television is told that, and nobody else.
            let (_, secret) = token.split_once('.').unwrap();
            assert!(stack.logs().iter().all(|line| !line.contains(secret)));
        }
        let rows = everything_kept(&stack);
        assert!(!rows.contains(&handle) && !rows.contains(&code), "{rows}");
        assert!(stack.logs().iter().all(|line| !line.contains(&handle) && !line.contains(&code)));
        seen.push(rows);
    }
    seen.extend(stack.logs());
    secrets.extend(["Atza|".to_owned(), "Atzr|".to_owned()]);
    for secret in &secrets {
        assert!(seen.iter().all(|text| !text.contains(secret)), "{secret}");
    }
}

#[tokio::test]
async fn dpoll_twice_h05_inv07_however_often_at_once_a_television_gets_one_session() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for round in 0..10 {
        let (handle, code) = switched_on(&browser).await;
        assert!(stack.amazon.allow_code(&code, "lin"));
        let answers = join_all((0..12).map(|_| poll(&browser, &handle))).await;
        let tokens = answers.iter().filter(|answer| answer.status == 200);
        let mut tokens: Vec<_> =
            tokens.map(|answer| answer.json()["session_token"].clone()).collect();
        assert!(!tokens.is_empty(), "{round}");
        tokens.dedup();
        assert_eq!(tokens.len(), 1, "{round}: {tokens:?}");
        assert!(
            answers.iter().all(|answer| answer.status == 200 || word(answer) == "slow_down"),
            "{round}"
        );
        assert_eq!(sessions(&stack), round + 1);
        // The answer got lost: it is given once more.
        assert_eq!(poll(&browser, &handle).await.json()["session_token"], tokens[0]);
        assert_eq!(sessions(&stack), round + 1);
    }
}

#[tokio::test]
async fn dstart_twice_each_time_a_television_gets_another_handle_and_both_are_good() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let (first, second) = (switched_on(&browser).await, switched_on(&browser).await);
    assert!(first.0 != second.0 && first.1 != second.1);
    assert!(stack.amazon.allow_code(&first.1, "lin"));
    assert_eq!(poll(&browser, &first.0).await.status, 200);
    assert_eq!(word(&poll(&browser, &second.0).await), "authorization_pending");
}

#[tokio::test]
async fn h06_codes_that_are_over_end_the_handle_and_amazon_is_not_asked_again() {
    let stack = stopped().await;
    let browser = Browser::new(&stack);
    for (number, said) in ["access_denied", "expired_token", "invalid_code_pair"].iter().enumerate()
    {
        let (handle, _) = switched_on(&browser).await;
        let fault = Fault::Error(400, (*said).to_owned());
        stack.amazon.fault(Endpoint::Token, fault, Some(1));
        let told = word(&poll(&browser, &handle).await);
        assert_eq!(told, if number == 0 { "access_denied" } else { "expired_token" });
        for _ in 0..5 {
            assert_eq!(word(&poll(&browser, &handle).await), "expired_token");
        }
        assert_eq!(polls_of_amazon(&stack), number + 1);
    }
    let (handle, code) = switched_on(&browser).await;
    stack.set_clock(Timestamp(NOON.0 + 600)).unwrap();
    assert!(!stack.amazon.allow_code(&code, "lin"));
    assert_eq!(word(&poll(&browser, &handle).await), "expired_token");
    assert_eq!((polls_of_amazon(&stack), sessions(&stack)), (3, 0));
}

#[tokio::test]
async fn h07_k08_a_flood_of_televisions_reaches_amazon_ten_times() {
    let stack = stopped().await;
    let browser = Browser::new(&stack);
    let asks = (0..200).map(|number| {
        // Nobody is believed about an address who has not the proxy's secret.
        let address = format!("198.51.100.{number}");
        let body = json!({});
        let ask = ask(&browser, BEGIN, &body).header("x-forwarded-for", &address);
        ask.header("x-lwa-proxy-secret", "guessed")
    });
    let answers: Vec<_> = stream::iter(asks).map(Ask::send).buffer_unordered(8).collect().await;
    let of = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((of(200), of(429)), (10, 190));
    let limited = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(limited.json()["code"], "too_many_attempts");
    let wait: i64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
    assert_eq!(stack.amazon.calls_of(Endpoint::CodePair).len(), 10);
    let rows = stack.dynamodb.scan("tickets").unwrap();
    assert_eq!(rows.iter().filter(|row| row["sk"]["S"] == "DEVICE").count(), 10);
    assert!(!format!("{rows:?}").contains("127.0.0.1"), "the limit names nobody");

    stack.set_clock(Timestamp(NOON.0 + wait)).unwrap();
    switched_on(&browser).await;
}

#[tokio::test]
async fn h08_an_address_that_is_not_amazons_is_shown_by_no_television() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    for uri in [
        json!("http://evil.example/code"),
        json!("https://evil.example/code"),
        json!("https://amazon.com.evil.example/code"),
        json!(format!("{}.evil.example/", stack.amazon.url)),
        json!(format!("{}@evil.example/", stack.amazon.url)),
        json!("javascript:alert(1)"),
        json!(""),
        json!(null),
        json!(7),
    ] {
        let fault = Fault::set("verification_uri", uri.clone());
        stack.amazon.fault(Endpoint::CodePair, fault, Some(1));
        let answer = ask(&browser, BEGIN, &json!({})).send().await;
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("unavailable")), "{uri}");
        assert!(!answer.text.contains("evil"), "{uri}");
    }
    let rows = stack.dynamodb.scan("tickets").unwrap();
    assert!(rows.iter().all(|row| row["sk"]["S"] != "DEVICE"), "{rows:?}");
}

#[tokio::test]
async fn h09_a_television_asks_for_no_password_and_its_person_links_on_a_telephone() {
    let stack = stopped().await;
    let television = Browser::new(&stack);
    let (handle, code) = switched_on(&television).await;
    assert!(stack.amazon.allow_code(&code, "ann"));
    let told = poll(&television, &handle).await;
    let login = format!("{}/auth/amazon/login", stack.url);
    let expected = json!({ "status": "link_required", "verification_uri": login });
    assert_eq!((told.status, told.json()), (200, expected));

    // The handle is no ticket, however it is shown.
    for cookie in [handle.clone(), format!("{handle}.{handle}")] {
        television.keep_cookie(TICKET, &cookie);
        assert_eq!(television.get("/auth/amazon/link").await.status, 410);
        let csrf = Sha256::new().chain_update(b"csrf\0").chain_update(&cookie).finalize();
        let csrf = URL_SAFE_NO_PAD.encode(csrf);
        let fields = [("csrf", csrf.as_str()), ("password", "ann-local-password")];
        assert_eq!(television.post("/auth/amazon/link", &fields).await.status, 410);
        television.drop_cookie(TICKET);
        let body = json!({ "ticket": cookie, "password": "ann-local-password" });
        assert_eq!(ask(&television, "/auth/amazon/link", &body).send().await.status, 410);
    }

    let telephone = Browser::new(&stack);
    let page = telephone.asked_after_amazon("ann", "/").await;
    assert_eq!(telephone.prove(&page, "ann-local-password").await.status, 303);
    stack.set_clock(Timestamp(NOON.0 + 60)).unwrap();
    stack.amazon.forget_calls();
    let told = poll(&television, &handle).await;
    assert_eq!((told.status, &told.json()["account"]["id"]), (200, &json!("ann")), "{}", told.text);
    assert!(stack.amazon.calls().is_empty(), "our own tables know by now");

    // A newcomer registers there.
    let (handle, code) = switched_on(&television).await;
    assert!(stack.amazon.allow_code(&code, "nora"));
    assert_eq!(poll(&television, &handle).await.json()["status"], "registration_required");
    assert_eq!(telephone.log_out().await.status, 303);
    assert_eq!(telephone.sign_in_at_amazon("nora", "/").await.status, 303);
    stack.set_clock(Timestamp(NOON.0 + 120)).unwrap();
    let told = poll(&television, &handle).await;
    assert_eq!((told.status, &told.json()["account"]["name"]), (200, &json!("Nora New")));
}

#[tokio::test]
async fn no_page_of_another_site_makes_a_browser_ask_for_a_television() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let evil = "https://evil.example";
    for path in [BEGIN, POLL] {
        let body = json!({ "device_code": made_up(1) });
        for (answer, status) in [
            (ask(&browser, path, &body).header("origin", evil).send().await, 403),
            (ask(&browser, path, &body).header("origin", &stack.url).send().await, 403),
            (ask(&browser, path, &body).cookies("a=b").send().await, 403),
            (ask(&browser, path, &body).body("text/plain", body.to_string()).send().await, 415),
            (ask(&browser, path, &body).form(&[("device_code", "x")]).send().await, 415),
            (browser.ask("OPTIONS", path).header("origin", evil).send().await, 405),
            (browser.ask("GET", path).send().await, 405),
        ] {
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            let allows =
                answer.headers.keys().any(|name| name.as_str().starts_with("access-control"));
            assert!(!allows, "{:?}", answer.headers);
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        }
    }
    assert!(stack.amazon.calls().is_empty() && stack.dynamodb.scan("tickets").unwrap().is_empty());
}
