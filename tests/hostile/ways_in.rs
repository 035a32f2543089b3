//! Every way in by a hand-off, beside the same one by the website: one decision for both.

use local_stack::{Options, Stack, amazon::APP_CLIENT_ID};
use serde_json::json;
use tests::{Answer, Browser, SESSION, TICKET};

use crate::{NOON, endings::TOKEN};

/// How the website and the tables stand before a customer comes.
struct Way {
    what: &'static str,
    customer: &'static str,
    scope: &'static str,
    closed: bool,
    set: fn(&Stack),
    /// What comes of it: whose session, whose password, registration, or a refusal.
    ends: &'static str,
}

fn nothing(_: &Stack) {}

fn address(stack: &Stack, customer: &str, address: &str) {
    stack.amazon.change(customer, |customer| customer.email = Some(address.to_owned()));
}

fn set(stack: &Stack, account: &str, attribute: &str, value: &str) {
    stack.dynamodb.set("accounts", &[("id", account)], attribute, value).unwrap();
}

const WHOLE: &str = "profile postal_code";

fn ways() -> Vec<Way> {
    let way =
        |what, customer, set, ends| Way { what, customer, scope: WHOLE, closed: false, set, ends };
    vec![
        way("linked before", "lin", nothing, "in lin"),
        Way {
            scope: "profile:user_id",
            ..way("linked, shares only the id", "lin", nothing, "in lin")
        },
        Way { closed: true, ..way("linked, nobody new", "lin", nothing, "in lin") },
        way(
            "linked, with another's address",
            "lin",
            |s| address(s, "lin", "ann@example.com"),
            "in lin",
        ),
        way(
            "linked, with a closed one's address",
            "lin",
            |s| address(s, "lin", "dora@example.com"),
            "in lin",
        ),
        way(
            "linked, account disabled",
            "lin",
            |s| set(s, "lin", "status", "disabled"),
            "403 account_closed",
        ),
        way(
            "linked, account locked",
            "lin",
            |s| set(s, "lin", "status", "locked"),
            "403 account_closed",
        ),
        way(
            "linked, account of an unknown status",
            "lin",
            |s| set(s, "lin", "status", "x"),
            "403 account_closed",
        ),
        way(
            "linked, account gone",
            "lin",
            |s| s.dynamodb.delete("accounts", &[("id", "lin")]).unwrap(),
            "403 account_closed",
        ),
        way(
            "linked, to be proven again",
            "lin",
            |s| {
                let id = s.amazon.user_id("lin", APP_CLIENT_ID);
                let key = format!("AMAZON#{id}");
                s.dynamodb.set("identities", &[("pk", &key)], "prove_again", true).unwrap();
            },
            "password lin",
        ),
        way("an account has the address", "ann", nothing, "password ann"),
        Way { closed: true, ..way("the same, nobody new", "ann", nothing, "password ann") },
        way("in other letters", "ann", |s| address(s, "ann", "Ann@EXAMPLE.com"), "password ann"),
        way("a pretender with it", "max", |s| address(s, "max", "ann@example.com"), "password ann"),
        way("that is not shared", "ida", nothing, "register"),
        way(
            "an account without a password",
            "nora",
            |s| address(s, "nora", "otto@example.com"),
            "403 no_password",
        ),
        way(
            "a disabled account",
            "nora",
            |s| address(s, "nora", "dora@example.com"),
            "403 account_closed",
        ),
        way(
            "a locked account",
            "nora",
            |s| address(s, "nora", "kim@example.com"),
            "403 account_closed",
        ),
        way(
            "two accounts with the address",
            "ann",
            |s| {
                let twin = json!({ "id": {"S": "ann2"}, "email": {"S": "ann@example.com"} });
                s.dynamodb.put("accounts", &twin).unwrap();
            },
            "409 ambiguous_email",
        ),
        way("a newcomer", "nora", nothing, "in new"),
        way(
            "a newcomer whose address is almost another's",
            "nora",
            |s| address(s, "nora", "ann@example.co"),
            "in new",
        ),
        Way {
            closed: true,
            ..way("a newcomer, nobody new", "nora", nothing, "403 registration_closed")
        },
        way("a newcomer without an address", "noa", nothing, "register"),
        Way {
            scope: "profile:user_id",
            ..way("a newcomer who shares the id", "nora", nothing, "register")
        },
        Way {
            closed: true,
            ..way("the same, nobody new", "noa", nothing, "403 registration_closed")
        },
    ]
}

/// How the website's own way ends.
async fn by_website(stack: &Stack, way: &Way) -> String {
    let browser = Browser::new(stack);
    let url = browser.begin("/").await;
    let url = url.replace("scope=profile", &format!("scope={}", way.scope.replace(' ', "+")));
    let answer = browser.allow(&url, way.customer).await;
    if answer.status != 303 {
        assert!(browser.cookie(SESSION).is_none() && browser.cookie(TICKET).is_none());
        return format!("{} {}", answer.status, answer.code());
    }
    match answer.location().rsplit_once("/auth/amazon/") {
        Some((_, "link")) => "link".to_owned(),
        Some((_, "register")) => "register".to_owned(),
        _ => format!("in {}", whose(&browser.account().await.unwrap())),
    }
}

/// How the same ends by a hand-off; the answer, too.
async fn by_hand(stack: &Stack, way: &Way, mode: Option<&str>) -> (String, Answer) {
    let browser = Browser::new(stack);
    let token = stack.amazon.token(way.customer, APP_CLIENT_ID, way.scope);
    let mut body = json!({ "access_token": token });
    let ask = browser.ask("POST", TOKEN);
    let ask = match mode {
        None => ask,
        Some(mode) => {
            body["mode"] = mode.into();
            ask.header("origin", &stack.url)
        }
    };
    let answer = ask.body("application/json", body.to_string()).send().await;
    let told = answer.json();
    let cookies = (browser.cookie(SESSION).is_some(), browser.cookie(TICKET).is_some());
    let texts = (told.get("session_token").is_some(), told.get("ticket").is_some());
    let carried = |opens: (bool, bool)| match mode {
        None => assert_eq!((texts, cookies), (opens, (false, false)), "{told}"),
        Some(_) => assert_eq!((cookies, texts), (opens, (false, false)), "{told}"),
    };
    let end = match told["status"].as_str() {
        Some("signed_in") => {
            carried((true, false));
            format!("in {}", whose(told["account"]["id"].as_str().unwrap()))
        }
        Some("link_required") => {
            carried((false, true));
            "link".to_owned()
        }
        Some("registration_required") => {
            carried((false, true));
            "register".to_owned()
        }
        _ => {
            carried((false, false));
            format!("{} {}", answer.status, told["code"].as_str().unwrap())
        }
    };
    (end, answer)
}

fn whose(account: &str) -> &str {
    let seeded = ["ann", "lin", "bob", "sam", "mia", "dora", "kim", "otto"];
    if seeded.contains(&account) { account } else { "new" }
}

#[tokio::test]
async fn g04_a_hand_off_ends_as_the_same_sign_in_on_the_website() {
    for closed in [false, true] {
        let parameters: &[_] = if closed { &[("Registration", "closed")] } else { &[] };
        let options = Options { stopped_at: Some(NOON), ..Options::with(parameters) };
        let stack = options.start().await.unwrap();
        let seed = stack.dynamodb.snapshot().unwrap();
        for way in ways().into_iter().filter(|way| way.closed == closed) {
            let (word, account) = way.ends.split_once(' ').unwrap_or((way.ends, ""));
            let expected = if word == "password" { "link" } else { way.ends };
            let ready = || {
                stack.amazon.reset();
                stack.set_clock(NOON).unwrap();
                stack.dynamodb.restore(&seed).unwrap();
                (way.set)(&stack);
            };
            ready();
            assert_eq!(by_website(&stack, &way).await, expected, "{}: on the website", way.what);
            ready();
            let (end, _) = by_hand(&stack, &way, Some("browser")).await;
            assert_eq!(end, expected, "{}: by a page's script", way.what);
            ready();
            let (end, answer) = by_hand(&stack, &way, None).await;
            assert_eq!(end, expected, "{}: by an app", way.what);
            if word == "password" {
                links_only_with_the_password(&stack, &way, account, &answer).await;
            }
        }
    }
}

/// What an app's ticket is good for: nothing, and then the right password's account.
async fn links_only_with_the_password(stack: &Stack, way: &Way, account: &str, answer: &Answer) {
    let told = answer.json();
    let app = Browser::new(stack);
    let prove = async |password: &str| {
        let body = json!({ "ticket": told["ticket"], "password": password });
        let ask = app.ask("POST", "/auth/amazon/link");
        ask.body("application/json", body.to_string()).send().await.json()
    };
    assert_eq!(told["email"], format!("{account}@example.com"), "{}", way.what);
    let wrong = prove(&format!("amazon-{}", way.customer)).await;
    assert_eq!((&wrong["code"], &wrong["attempts_left"]), (&json!("wrong_password"), &json!(4)));
    let right = prove(&format!("{account}-local-password")).await;
    assert_eq!(right["account"]["id"], account, "{}: {right}", way.what);
    // From now on Amazon is enough.
    assert_eq!(by_hand(stack, way, None).await.0, format!("in {account}"), "{}", way.what);
}
