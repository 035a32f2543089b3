//! The site is upgraded while visitors are under way. What the release before this one has written, as
//! `previous.json` keeps it, this one understands: rows, cookies, tickets and codes.

use local_stack::{Options, Stack, Timestamp};
use serde_json::{Value, json};
use tests::{Answer, Browser, LOGIN, SESSION, TICKET, Tables};

/// Written once for each release by the test that freezes it, in `tests/turns`.
const FROZEN: &str = include_str!("previous.json");

/// A site with the rows of the release before, half a minute after they were written; and what visitors,
/// apps and televisions hold.
async fn upgraded() -> (Stack, Value) {
    let frozen: Value = serde_json::from_str(FROZEN).unwrap();
    let now = Timestamp(frozen["at"].as_i64().unwrap() + 30);
    let options = Options { stopped_at: Some(now), ..Options::default() };
    let stack = options.start().await.unwrap();
    for (table, rows) in frozen["rows"].as_object().unwrap() {
        for row in rows.as_array().unwrap() {
            stack.dynamodb.put(table, row).unwrap();
        }
    }
    (stack, frozen)
}

/// A browser with this cookie.
fn browser<'a>(stack: &'a Stack, cookie: &str, value: &Value) -> Browser<'a> {
    let browser = Browser::new(stack);
    browser.keep_cookie(cookie, value.as_str().unwrap());
    browser
}

async fn post(stack: &Stack, to: &str, body: &Value) -> Answer {
    let app = Browser::new(stack);
    let ask = app.ask("POST", to).without("sec-fetch-site").without("sec-fetch-mode");
    let ask = ask.without("sec-fetch-dest").header("accept", "application/json");
    ask.body("application/json", body.to_string()).send().await
}

/// Whose session this bearer token is.
async fn bearer(stack: &Stack, session: &Value) -> Value {
    let app = Browser::new(stack);
    let ask = app.ask("GET", "/auth/session");
    let session = format!("Bearer {}", session.as_str().unwrap());
    ask.header("authorization", &session).send().await.json()["account"]["id"].take()
}

#[test]
fn what_is_frozen_is_of_the_previous_release() {
    let previous = include_str!("../previous").lines().find(|line| !line.starts_with('#'));
    let frozen: Value = serde_json::from_str(FROZEN).unwrap();
    assert_eq!(frozen["commit"].as_str(), previous, "see tests/previous");
}

#[tokio::test]
async fn f15_r35_who_was_signed_in_before_an_upgrade_still_is_and_can_leave() {
    let (stack, frozen) = upgraded().await;
    let lin = browser(&stack, SESSION, &frozen["session"]);

    assert_eq!(lin.account().await.as_deref(), Some("lin"));
    assert_eq!(lin.fetch("/auth/verify", None).await.status, 200);
    assert_eq!(lin.fetch("/api/orders", None).await.json()["account_id"], "lin");
    assert_eq!(lin.get("/auth/connections").await.code(), "ok");
    assert_eq!(bearer(&stack, &frozen["app"]).await, "lin");
    assert_eq!(bearer(&stack, &frozen["television"]["session"]).await, "lin");
    let again = Browser::new(&stack);
    assert_eq!(again.sign_in_at_amazon("lin", "/").await.status, 303, "the link holds");
    assert_eq!(again.account().await.as_deref(), Some("lin"));
    assert_eq!(lin.log_out().await.status, 303);
    assert_eq!(lin.account().await, None);
    assert_eq!(Tables::of(&stack).broken(), [""; 0]);
}

#[tokio::test]
async fn f15_r35_who_was_under_way_at_an_upgrade_gets_there() {
    let (stack, frozen) = upgraded().await;

    let ann = browser(&stack, TICKET, &frozen["link"]);
    let told = ann.fetch("/auth/amazon/link", None).await.json();
    assert_eq!(told["attempts_left"], 4, "the wrong one before counts");
    let page = ann.get("/auth/amazon/link").await;
    assert_eq!(ann.prove(&page, "ann-local-password").await.status, 303);
    assert_eq!(ann.account().await.as_deref(), Some("ann"));

    let noa = browser(&stack, TICKET, &frozen["register"]);
    let page = noa.get("/auth/amazon/register").await;
    let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];
    assert_eq!(noa.post("/auth/amazon/register", &fields).await.status, 303);
    assert!(noa.account().await.is_some());

    let nora = browser(&stack, LOGIN, &frozen["login"]["cookie"]);
    let somebody = Browser::new(&stack).begin("/").await;
    let (to, query) = somebody.split_once('?').unwrap();
    let mut at_amazon = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let held = frozen["login"][&*name].as_str();
        at_amazon.append_pair(&name, held.unwrap_or(&value));
    }
    let back = nora.allow(&format!("{to}?{}", at_amazon.finish()), "nora").await;
    assert_eq!((back.status, back.location()), (303, &*format!("{}/checkout", stack.url)));
    assert!(nora.account().await.is_some());

    let sam = Browser::new(&stack);
    let code = [("code", frozen["desk"].as_str().unwrap())];
    assert_eq!(sam.post("/auth/session/accept", &code).await.status, 303);
    assert_eq!(sam.account().await.as_deref(), Some("sam"));

    let bob = json!({ "ticket": frozen["app_link"], "password": "bob-local-password" });
    let answer = post(&stack, "/auth/amazon/link", &bob).await.json();
    assert_eq!(answer["status"], "signed_in", "{answer}");
    let television = json!({ "device_code": frozen["television"]["device_code"] });
    let answer = post(&stack, "/auth/amazon/device/poll", &television).await.json();
    assert_eq!(answer["session_token"], frozen["television"]["session"], "once more: {answer}");
    assert_eq!(Tables::of(&stack).broken(), [""; 0]);
}

#[tokio::test]
async fn f15_r35_a_link_from_before_an_upgrade_is_undone_by_its_notice() {
    let (stack, frozen) = upgraded().await;
    let linked = Tables::of(&stack).linked().len();
    let mia = Browser::new(&stack);
    let token = [("token", frozen["undo"].as_str().unwrap())];

    assert_eq!(mia.post("/auth/connections/undo", &token).await.code(), "ok");

    let tables = Tables::of(&stack);
    assert_eq!((tables.linked().len(), tables.broken()), (linked - 1, Vec::new()));
}
