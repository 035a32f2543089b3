//! What callers learn of accounts that are not theirs: by what they are told, and by what it costs.

use std::time::Duration;

use local_stack::{Stack, amazon::Customer};
use serde_json::Value;
use tests::{Answer, Browser, TICKET};

use crate::{
    pretenders::{at_the_link_page, pretend, work},
    stack,
};

/// A text without what names this request alone.
fn masked(answer: &Answer, secrets: &[&str]) -> String {
    let mut text = answer.text.clone();
    let id = answer.header("apigw-requestid").unwrap();
    for secret in secrets.iter().chain([&id]) {
        text = text.replace(*secret, "…");
    }
    text
}

/// What the request of this trace asked of DynamoDB.
fn asked(stack: &Stack, trace: &str) -> Vec<String> {
    let calls = stack.dynamodb.calls().into_iter();
    calls.filter(|call| call.trace.as_deref() == Some(trace)).map(|call| call.what).collect()
}

/// Something that changes in an account between the page and the password.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Meanwhile {
    Nothing,
    Vanished,
    Disabled,
    Locked,
    Passwordless,
}

impl Meanwhile {
    fn happens(self, stack: &Stack, account: &str) {
        let key = [("id", account)];
        match self {
            Self::Nothing => {}
            Self::Vanished => stack.dynamodb.delete("accounts", &key).unwrap(),
            Self::Disabled => stack.dynamodb.set("accounts", &key, "status", "disabled").unwrap(),
            Self::Locked => stack.dynamodb.set("accounts", &key, "status", "locked").unwrap(),
            Self::Passwordless => {
                stack.dynamodb.set("accounts", &key, "password_hash", "!").unwrap();
            }
        }
    }
}

#[tokio::test]
async fn d11_before_the_password_is_proven_a_page_tells_the_address_and_nothing_else() {
    let stack = stack().await;
    let mut pages = Vec::new();
    for (account, name, email) in [
        ("ann", "Ann Local", "ann@example.com"),
        ("bob", "Bob Local", "bob@example.com"),
        ("sam", "Sam Local", "sam@example.com"),
        ("lin", "Lin Linked", "lin@example.com"),
        ("mia", "Mia Mixed", "Mia@Example.com"),
    ] {
        let login = format!("stranger-{account}");
        let (browser, csrf) = at_the_link_page(&stack, &login, email).await;
        let mask = |answer: &Answer| {
            assert!(!answer.says(name) && !answer.says("amzn1."), "{}", answer.text);
            masked(answer, &[&csrf, email])
        };
        let page = browser.get("/auth/amazon/link").await;
        let json = browser.fetch("/auth/amazon/link", None).await;
        let mut told = json.json();
        assert_eq!(told["email"], email);
        told["expires_at"] = Value::Null;
        let fields = [("csrf", csrf.as_str()), ("password", "not-the-password")];
        let wrong = browser.post("/auth/amazon/link", &fields).await;
        assert_eq!((wrong.status, wrong.code()), (401, "wrong_password"));
        let members: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
        pages.push((mask(&page), mask(&wrong), members));
    }
    // Linked or not, and however the password is kept.
    for page in &pages[1..] {
        assert_eq!(page, &pages[0]);
    }
    assert_eq!(pages[0].2, ["attempts_left", "csrf", "email", "expires_at"]);
}

#[tokio::test]
async fn d11_d12_of_a_closed_account_no_password_is_the_right_one() {
    let stack = stack().await;
    let before = stack.dynamodb.snapshot().unwrap();
    let mut requests = Vec::new();
    for meanwhile in [
        Meanwhile::Nothing,
        Meanwhile::Vanished,
        Meanwhile::Disabled,
        Meanwhile::Locked,
        Meanwhile::Passwordless,
    ] {
        let mut endings = Vec::new();
        for password in ["ann-local-password", "not-her-password", ""] {
            stack.dynamodb.restore(&before).unwrap();
            let (browser, csrf) = at_the_link_page(&stack, "eve", "ann@example.com").await;
            meanwhile.happens(&stack, "ann");
            if meanwhile == Meanwhile::Nothing && password == "ann-local-password" {
                continue;
            }
            let trace = format!("Root=1-{meanwhile:?}-{}", password.len());
            let ask = browser.ask("POST", "/auth/amazon/link").header("origin", &stack.url);
            let ask = ask.form(&[("csrf", &csrf), ("password", password)]).traced(&trace);
            let answer = ask.send().await;
            assert_eq!(browser.account().await, None);
            endings.push((answer.status, masked(&answer, &[&csrf])));
            requests.push((meanwhile, asked(&stack, &trace)));
        }
        let expected = match meanwhile {
            Meanwhile::Nothing => (401, "wrong_password"),
            Meanwhile::Passwordless => (403, "no_password"),
            _ => (403, "account_closed"),
        };
        for (status, text) in &endings {
            assert_eq!(*status, expected.0);
            assert!(text.contains(&format!("data-code=\"{}\"", expected.1)), "{text}");
            assert_eq!(text, &endings[0].1, "{meanwhile:?} answers otherwise by the password");
        }
    }
    // Nor does what is asked of the tables depend on it.
    for (meanwhile, asked) in &requests {
        assert_eq!(asked, &requests[0].1, "{meanwhile:?}");
    }
    assert_eq!(
        requests[0].1,
        ["GetItem tickets", "GetItem accounts", "GetItem sessions", "TransactWriteItems tickets"]
    );
}

#[tokio::test]
async fn d12_an_account_that_vanished_or_was_closed_costs_a_hash_like_one_that_is_there() {
    let stack = stack().await;
    // As dear as what is compared where there is no account, so that all can be held side by side.
    let argon2 = stack.dynamodb.get("accounts", &[("id", "lin")]).unwrap()["password_hash"].clone();
    let before = stack.dynamodb.snapshot().unwrap();
    let mut spent = Vec::new();
    for round in 0..4 {
        for meanwhile in [
            Meanwhile::Nothing,
            Meanwhile::Vanished,
            Meanwhile::Disabled,
            Meanwhile::Locked,
            Meanwhile::Passwordless,
        ] {
            stack.dynamodb.restore(&before).unwrap();
            let hash = argon2["S"].as_str().unwrap();
            stack.dynamodb.set("accounts", &[("id", "ann")], "password_hash", hash).unwrap();
            let (browser, csrf) = at_the_link_page(&stack, "eve", "ann@example.com").await;
            meanwhile.happens(&stack, "ann");
            let start = work("link");
            let fields = [("csrf", csrf.as_str()), ("password", "not-her-password")];
            browser.post("/auth/amazon/link", &fields).await;
            if round > 0 {
                spent.push((meanwhile, work("link") - start));
            }
        }
    }
    let least = |wanted| {
        let times = spent.iter().filter(|(meanwhile, _)| *meanwhile == wanted);
        times.map(|(_, time)| *time).min().unwrap()
    };
    let there = least(Meanwhile::Nothing);
    // An account without a password is told apart by the answer, and costs none.
    let without_a_hash = least(Meanwhile::Passwordless);
    assert!(there > without_a_hash + Duration::from_millis(8), "{there:?} {without_a_hash:?}");
    for meanwhile in [Meanwhile::Vanished, Meanwhile::Disabled, Meanwhile::Locked] {
        let took = least(meanwhile);
        let middle = (there + without_a_hash) / 2;
        assert!(took > middle, "{meanwhile:?} took {took:?}, not {there:?}");
    }
}

#[tokio::test]
async fn d12_a_ticket_that_is_unknown_used_or_somebody_elses_is_one_and_the_same() {
    let stack = stack().await;
    let (eve, _) = at_the_link_page(&stack, "eve", "ann@example.com").await;
    let ticket = eve.cookie(TICKET).unwrap();
    let (tag, secret) = ticket.split_once('.').unwrap();
    let (other, _) = at_the_link_page(&stack, "mallory", "ann@example.com").await;
    let others = other.cookie(TICKET).unwrap();
    let nobodys = "A".repeat(43);
    eve.get("/auth/amazon/register").await;
    let mut answers = Vec::new();
    for (number, unknown) in [
        format!("{nobodys}.{nobodys}"),
        // Of a customer who has tickets, and a secret that opens one elsewhere.
        format!("{tag}.{nobodys}"),
        format!("{nobodys}.{secret}"),
        format!("{}.{secret}", others.split_once('.').unwrap().0),
    ]
    .into_iter()
    .enumerate()
    {
        for path in ["/auth/amazon/link", "/auth/amazon/register"] {
            let holder = Browser::new(&stack);
            holder.keep_cookie(TICKET, &unknown);
            let trace = format!("Root=1-{number}-{}", path.len());
            let answer = holder.ask("GET", path).traced(&trace).send().await;
            assert_eq!((answer.status, answer.code()), (410, "ticket_expired"), "{unknown}");
            answers.push((masked(&answer, &[]), asked(&stack, &trace)));
        }
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(answers[0].1, ["GetItem tickets"]);
}

#[tokio::test]
async fn d11_whoever_has_not_been_at_amazon_learns_nothing_of_any_address() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.get("/auth/amazon/link").await;
    browser.get("/auth/amazon/register").await;
    browser.account().await;
    stack.dynamodb.reset_requests();
    for path in ["/auth/amazon/link", "/auth/amazon/register", "/auth/session", "/auth/verify"] {
        let mut answers = Vec::new();
        for email in ["ann@example.com", "dora@example.com", "nobody@example.com"] {
            let email: String = form_urlencoded::byte_serialize(email.as_bytes()).collect();
            let get = browser.get(&format!("{path}?email={email}&username={email}")).await;
            let fields = [("csrf", "A"), ("email", "ann@example.com")];
            let post = browser.post(&format!("{path}?email={email}"), &fields).await;
            answers.push([&get, &post].map(|answer| (answer.status, masked(answer, &[&email]))));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}: {answers:?}");
    }
    assert_eq!(stack.dynamodb.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn d11_what_amazons_customer_is_told_is_what_the_contract_promises_and_no_more() {
    let stack = stack().await;
    for (email, status, code) in [
        ("otto@example.com", 403, "no_password"),
        ("dora@example.com", 403, "account_closed"),
        ("kim@example.com", 403, "account_closed"),
    ] {
        pretend(&stack, "eve", email);
        let browser = Browser::new(&stack);
        let answer = browser.sign_in_at_amazon("eve", "/").await;
        assert_eq!((answer.status, answer.code()), (status, code));
        let names = ["Otto", "Dora", "Kim", "otto", "dora", "kim", "amzn1."];
        for name in names {
            assert!(!answer.says(name), "{email}: {name}: {}", answer.text);
        }
        assert!(answer.header("set-cookie").is_none(), "no ticket to try passwords with");
    }
    // A disabled and a locked account are told in the same words.
    let mut texts = Vec::new();
    for email in ["dora@example.com", "kim@example.com"] {
        stack.amazon.change("eve", |eve: &mut Customer| eve.email = Some(email.to_owned()));
        let answer = Browser::new(&stack).sign_in_at_amazon("eve", "/").await;
        texts.push(masked(&answer, &[]));
    }
    assert_eq!(texts[0], texts[1]);
}
