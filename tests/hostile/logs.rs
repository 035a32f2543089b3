//! What functions write to their logs while they are attacked.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use local_stack::Stack;
use serde_json::Value;
use tests::{Answer, Browser, SESSION, TICKET};

use crate::{
    back::parameter,
    endings::{CALLBACK, Endings, REGISTER, ROUTES},
    stack,
};

/// Waits until the functions' logs hold so many lines of requests and invocations, each of which is
/// written before its answer is sent, and read a moment later. Gives all lines.
async fn lines(stack: &Stack, least: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let lines = stack.logs();
        let ended = lines.iter().filter(|line| line.contains(r#""ms":"#)).count();
        if ended >= least || start.elapsed() > Duration::from_secs(5) {
            let object = |line: &String| match serde_json::from_str(line) {
                Ok(Value::Object(line)) => Value::Object(line),
                _ => panic!("not one JSON object: {line:?}"),
            };
            return lines.iter().map(object).collect();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn text<'a>(line: &'a Value, member: &str) -> &'a str {
    line[member].as_str().unwrap_or_else(|| panic!("no {member}: {line}"))
}

/// What an answer says of how it ended.
fn code(answer: &Answer) -> String {
    match answer.header("content-type") {
        Some("application/problem+json") => answer.json()["code"].as_str().unwrap().to_owned(),
        Some("application/json") if answer.status == 400 => {
            // To a device, in the words of RFC 8628.
            answer.json()["error"].as_str().unwrap().to_owned()
        }
        Some("text/html; charset=utf-8") => answer.code().to_owned(),
        _ => "ok".to_owned(),
    }
}

/// All that the line of a request may tell.
const MEMBERS: [&str; 25] = [
    "_aws",
    "accounts",
    "accounts_failures",
    "accounts_ms",
    "amazon",
    "amazon_failures",
    "amazon_ms",
    "code",
    "dynamodb",
    "dynamodb_failures",
    "function",
    "level",
    "log_group",
    "method",
    "ms",
    "others",
    "request_id",
    "requests",
    "route",
    "secrets",
    "status",
    "throttled",
    "timestamp",
    "version",
    "why",
];

#[tokio::test]
async fn k10_inv18_every_request_is_one_line_that_says_how_it_ended_and_why() {
    let stack = Endings::stack().await;
    let all = Endings::of(&stack).await;
    let mut lines = lines(&stack, all.answers.len()).await;
    // Events have lines of their own.
    lines.retain(|line| line["ms"].is_u64());
    // What was invoked without a request has a line too, with less to tell.
    let (lines, invoked): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line["route"].is_string());
    assert!(!invoked.is_empty());
    for line in &invoked {
        assert!(line["method"].is_null() && line["status"].is_null(), "{line}");
        let id = text(line, "request_id");
        assert!(id.len() == 36 && !all.answers.iter().any(|(_, answer)| answer.text.contains(id)));
    }
    let mut by_id = BTreeMap::new();
    for line in &lines {
        let earlier = by_id.insert(text(line, "request_id"), line);
        assert!(earlier.is_none(), "two lines for one request: {line}");
    }
    for (route, answer) in &all.answers {
        let id = answer.header("apigw-requestid").unwrap();
        let line = by_id.get(id).unwrap_or_else(|| panic!("no line for {route} {}", answer.status));
        let named = ROUTES.iter().any(|(known, _)| known == route);
        assert_eq!(text(line, "route"), if named { route } else { "-" }, "{line}");
        assert_eq!(line["status"], answer.status, "{line}");
        assert_eq!(text(line, "code"), code(answer), "{line}");
        let level = if answer.status < 500 { "INFO" } else { "ERROR" };
        assert_eq!(text(line, "level"), level, "{line}");
        assert!(line["ms"].as_u64().is_some_and(|ms| ms < 10_000), "{line}");
        // A form that is shown again, nobody's session and a word to a device need no reason.
        let needs_none = match answer.header("content-type") {
            Some("application/problem+json") => false,
            Some("text/html; charset=utf-8") => {
                ["wrong_password", "invalid_fields"].contains(&answer.code())
            }
            _ => true,
        };
        let refused = answer.status >= 400 && !needs_none;
        assert_eq!(line["why"].is_string(), refused, "{line}");
        let mut members = line.as_object().unwrap().keys();
        assert!(members.all(|member| MEMBERS.contains(&member.as_str())), "{line}");
    }
    assert!(all.answers.len() > 100, "{}", all.answers.len());
}

/// What would end a line, or begin another object.
const INJECTIONS: [&str; 8] = [
    "x\n{\"level\":\"INFO\",\"injected\":true}",
    "x\r\n\r\ninjected",
    "\"},{\"injected\":\"",
    "\\\",\\\"injected\\\":\\\"",
    "\u{1b}[2J\u{1b}]0;injected\u{7}",
    "\u{2028}injected\u{2029}",
    "\0injected\0",
    "${jndi:ldap://injected.example/x} %s%n injected {} {0}",
];

#[tokio::test]
async fn k07_nothing_that_comes_in_gets_into_a_line_of_log() {
    let stack = stack().await;
    let noa = Browser::new(&stack);
    let page = noa.asked_after_amazon("noa", "/").await;
    let csrf = page.input("csrf").to_owned();
    let mut requests = 0;
    for injection in INJECTIONS {
        let query: String = form_urlencoded::byte_serialize(injection.as_bytes()).collect();
        let strange = Browser::new(&stack);
        let header: String = injection.chars().filter(|c| c.is_ascii_graphic()).collect();
        for (route, _) in ROUTES {
            let to = format!("{route}?{query}={query}&return_to={query}&state={query}");
            for method in ["GET", "POST", "INJECTED"] {
                let ask = strange.ask(method, &to).header("origin", &header);
                let ask = ask.header("user-agent", &header).header("accept-language", &header);
                let ask = ask.header("x-amzn-trace-id", &format!("Root=1-{header}"));
                let ask = ask.header("referer", &header).header("x-forwarded-for", &header);
                let ask = ask.cookies(&format!("{SESSION}={header}; {TICKET}={header}"));
                ask.form(&[("csrf", injection), ("password", injection)]).send().await;
                requests += 1;
            }
        }
        strange.get(&format!("/auth/{query}")).await;
        // Past the checks of origin and token, as far as text can get.
        for (name, value) in [("email", injection), ("hobby", injection), (injection, "x")] {
            let fields = [("csrf", csrf.as_str()), (name, value)];
            let status = noa.post(REGISTER, &fields).await.status;
            assert!([400, 422].contains(&status), "{status}");
        }
        // And what Amazon tells.
        stack.amazon.change("lin", |lin| {
            lin.name = Some(injection.to_owned());
            lin.email = Some(injection.to_owned());
            lin.postal_code = Some(injection.to_owned());
        });
        let lin = Browser::new(&stack);
        assert_eq!(lin.sign_in_at_amazon("lin", "/").await.status, 303);
        for error in [query.as_str(), "access_denied"] {
            let at_amazon = lin.begin("/").await;
            let state = parameter(&at_amazon, "state").unwrap();
            let description = format!("error_description={query}&error_uri={query}");
            lin.get(&format!("{CALLBACK}?error={error}&{description}&state={state}")).await;
        }
        requests += 10;
    }
    let lines = lines(&stack, requests).await;
    let ended = lines.iter().filter(|line| line["ms"].is_u64()).count();
    assert!(ended >= requests, "{ended} of {requests}");
    for line in lines {
        let shown = line.to_string().to_ascii_lowercase();
        assert!(!shown.contains("injected"), "{line}");
        let plain = shown.chars().all(|c| !c.is_control() && c.is_ascii());
        assert!(plain, "{line}");
        if line["ms"].is_u64() {
            assert!(["GET", "POST", "-"].contains(&text(&line, "method")), "{line}");
        }
    }
}

#[tokio::test]
async fn k08_no_key_and_no_line_of_log_tells_a_persons_address_or_name() {
    let stack = Endings::stack().await;
    Endings::of(&stack).await;
    let people = ["@", "%40", "example.com", "Lin Linked", "Ann Local", "noa@home", "home.example"];
    let mut keys = 0;
    for table in ["identities", "sessions", "tickets"] {
        for row in stack.dynamodb.scan(table).unwrap() {
            for name in ["pk", "sk"] {
                let Some(key) = row[name]["S"].as_str() else { continue };
                keys += 1;
                let told = people.iter().find(|person| key.contains(**person));
                assert_eq!(told, None, "{table}: {key}");
            }
        }
    }
    assert!(keys > 50, "{keys}");
    let mut counted = 0;
    for line in lines(&stack, 100).await {
        let shown = line.to_string();
        let told = people.iter().find(|person| shown.contains(**person));
        assert_eq!(told, None, "{line}");
        // Nor is anything counted by what a person sent.
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            for by in directive["Dimensions"][0].as_array().unwrap() {
                let by = by.as_str().unwrap();
                assert!(["log_group", "code", "event"].contains(&by), "{line}");
                let word = |b: u8| b.is_ascii_lowercase() || b == b'_';
                assert!(by == "log_group" || text(&line, by).bytes().all(word), "{line}");
                counted += 1;
            }
        }
    }
    assert!(counted > 200, "{counted}");
}
