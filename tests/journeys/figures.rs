//! What each route costs, as the README tells it.

use std::fmt::Write as _;

use local_stack::{Stack, amazon::APP_CLIENT_ID};
use serde_json::{Value, json};
use tests::{Browser, SESSION};

use crate::stack;

/// The most that one request may log, in bytes: a line is paid for by its length.
const LONGEST_LINE: usize = 1_200;

/// One line of the table.
struct Figure {
    route: &'static str,
    requests: Vec<String>,
    amazon: usize,
    /// What was logged.
    lines: Vec<String>,
    most: usize,
}

/// Starts every function, which reads a row to open its connection before the first visitor comes.
async fn warm_up(stack: &Stack) {
    let browser = Browser::new(stack);
    for path in ["login", "callback", "link", "register", "device"] {
        browser.get(&format!("/auth/amazon/{path}")).await;
    }
    browser.get("/auth/amazon/token").await;
    browser.account().await;
    browser.post("/auth/logout", &[]).await;
}

#[tokio::test]
async fn figures_dynamodb_and_amazon_requests() {
    let stack = stack().await;
    warm_up(&stack).await;
    let browser = Browser::new(&stack);
    let mut figures = Vec::new();
    let (mut calls, mut logged) = (stack.amazon.calls().len(), stack.logs().len());
    let mut note = |route, most| {
        let (before, now) = (calls, stack.amazon.calls().len());
        calls = now;
        let requests = stack.dynamodb.requests();
        stack.dynamodb.reset_requests();
        let lines = stack.logs().split_off(logged);
        logged += lines.len();
        figures.push(Figure { route, requests, amazon: now - before, lines, most });
    };
    note("(start)", usize::MAX);

    let url = browser.begin("/").await;
    note("login", 0);
    browser.allow(&url, "lin").await;
    note("callback, known", 4);
    browser.account().await.unwrap();
    note("session", 1);
    let told = browser.fetch("/auth/session", None).await.json();
    assert_eq!(browser.fetch("/auth/verify", None).await.status, 200);
    note("session and verify", 2);
    let csrf = [("csrf", told["csrf"].as_str().unwrap())];
    assert_eq!(browser.post("/auth/logout", &csrf).await.status, 303);
    note("logout", 1);
    browser.keep_cookie(SESSION, "not-a-token-of-ours");
    assert_eq!(browser.account().await, None);
    note("session, malformed cookie", 0);

    let nora = Browser::new(&stack);
    nora.sign_in_at_amazon("nora", "/").await;
    note("callback, newcomer", 4);

    let ann = Browser::new(&stack);
    let asked = ann.sign_in_at_amazon("ann", "/").await;
    note("callback, same e-mail", 6);
    let page = ann.follow(&asked).await;
    note("link page", 1);
    assert_eq!(ann.prove(&page, "not-her-password").await.status, 401);
    note("link, wrong password", 4);
    assert_eq!(ann.prove(&page, "ann-local-password").await.status, 303);
    note("link, right password", 5);

    let noa = Browser::new(&stack);
    let asked = noa.sign_in_at_amazon("noa", "/").await;
    note("callback, no e-mail", 3);
    let page = noa.follow(&asked).await;
    note("registration page", 1);
    let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];
    assert_eq!(noa.post("/auth/amazon/register", &fields).await.status, 303);
    note("register", 4);

    let body = json!({ "access_token": stack.amazon.token("lin", APP_CLIENT_ID, "profile") });
    let app = Browser::new(&stack);
    let ask = app.ask("POST", "/auth/amazon/token").body("application/json", body.to_string());
    assert_eq!(ask.send().await.status, 200);
    note("token", 6);

    let television = async |path: &str, body: Value| {
        let ask = app.ask("POST", path).body("application/json", body.to_string());
        ask.send().await.json()
    };
    let told = television("/auth/amazon/device", json!({})).await;
    note("television begins", 3);
    let poll = json!({ "device_code": told["device_code"] });
    assert!(stack.amazon.allow_code(told["user_code"].as_str().unwrap(), "lin"));
    let told = television("/auth/amazon/device/poll", poll.clone()).await;
    assert_eq!(told["status"], "signed_in", "{told}");
    note("television is let in", 6);
    let waits = television("/auth/amazon/device", json!({})).await;
    note("television begins again", 3);
    let waits = json!({ "device_code": waits["device_code"] });
    television("/auth/amazon/device/poll", waits).await;
    note("television waits", 2);
    television("/auth/amazon/device/poll", poll).await;
    note("the same answer once more", 2);

    println!("{}", table(&figures[1..]));
    for Figure { route, requests, amazon, lines, most } in &figures[1..] {
        assert!(requests.len() <= *most, "{route}: {requests:?}");
        assert!(lines.iter().all(|line| line.len() < LONGEST_LINE), "{route}: {lines:?}");
        let expected = match *route {
            "token" => 2,
            "television is let in" => 3,
            route if route.starts_with("television") => 1,
            route if route.starts_with("callback") => 3,
            _ => 0,
        };
        assert_eq!(*amazon, expected, "{route}");
    }
}

fn table(figures: &[Figure]) -> String {
    let mut table = String::from(
        "| route | DynamoDB | Amazon | bytes of log | which |\n|---|---|---|---|---|\n",
    );
    for Figure { route, requests, amazon, lines, .. } in figures {
        let (count, which) = (requests.len(), requests.join(", "));
        let logged: usize = lines.iter().map(|line| line.len() + 1).sum();
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {route} | {count} | {amazon} | {logged} | {which} |");
    }
    table
}
