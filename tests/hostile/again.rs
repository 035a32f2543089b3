//! The same request once more: double clicks, reloads, retries of browsers and gateways.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use local_stack::{Options, Stack, Timestamp, amazon::Endpoint, seed::ACCOUNTS};
use serde_json::Value;
use tests::{Answer, Browser, LOGIN, SESSION, TICKET};

use crate::{
    NOON,
    back::{Back, Untouched, ending},
    stack,
    walk::walk,
};

const MANY: usize = 20;

fn count(stack: &Stack, table: &str) -> usize {
    stack.dynamodb.scan(table).unwrap().len()
}

/// How many sessions there are; what is kept of an account beside its sessions is none.
pub(crate) fn sessions(stack: &Stack) -> usize {
    let rows = stack.dynamodb.scan("sessions").unwrap();
    rows.iter().filter(|row| row["sk"]["S"] != "META").count()
}

/// How many Amazon identities are linked.
fn links(stack: &Stack) -> usize {
    let rows = stack.dynamodb.scan("identities").unwrap();
    rows.iter().filter(|row| row["pk"]["S"].as_str().unwrap().starts_with("AMAZON#")).count()
}

#[tokio::test]
async fn login_twice_a_second_start_leaves_the_first_one_good() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let untouched = Untouched::now(&stack);
    let (one, two) = (browser.begin("/checkout").await, browser.begin("/checkout").await);
    untouched.check("for a start");
    assert_ne!(one, two);
    for url in [one, two] {
        let answer = browser.allow(&url, "lin").await;
        assert_eq!(answer.location(), format!("{}/checkout", stack.url));
    }

    // At once, each answer knows of itself alone, and the browser keeps the one that came last.
    browser.drop_cookie(LOGIN);
    let begun = join_all((0..MANY).map(|_| browser.begin("/checkout"))).await;
    assert_eq!(begun.iter().collect::<BTreeSet<_>>().len(), MANY);
    let mut finished = 0;
    for url in begun {
        let answer = browser.allow(&url, "lin").await;
        match ending(&answer) {
            (303, _) => finished += 1,
            told => assert_eq!(told, (400, "start_over")),
        }
    }
    assert!(finished >= 1);
}

#[tokio::test]
async fn cb_twice_a_callback_that_comes_again_leads_on_and_redeems_nothing() {
    let stack = stack().await;
    for customer in ["lin", "nora"] {
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, customer).await;
        let before = browser.copy();
        browser.come_back(&back.url).await;
        let session = browser.cookie(SESSION);
        let untouched = Untouched::now(&stack);

        for again in join_all((0..MANY).map(|_| browser.come_back(&back.url))).await {
            assert_eq!(again.location(), format!("{}/checkout", stack.url));
            assert!(again.header("set-cookie").is_none());
        }
        // Without the session that came of it: a retry of somebody who never got the answer.
        for again in join_all((0..MANY).map(|_| before.come_back(&back.url))).await {
            assert_eq!(ending(&again), (400, "start_over"));
            assert_eq!(again.link("Try again"), "/auth/amazon/login?return_to=%2Fcheckout");
        }
        untouched.check("for a callback that came again");
        assert_eq!(browser.cookie(SESSION), session);
        let retried = before.sign_in_at_amazon(customer, "/").await;
        assert_eq!(retried.status, 303, "trying again helps");
        assert_eq!(
            before.account().await,
            browser.account().await,
            "and leads to the same account"
        );
    }
    assert_eq!(count(&stack, "accounts"), ACCOUNTS.len() + 1);
}

#[tokio::test]
async fn cb_twice_a_callback_that_waits_for_its_visitor_opens_one_ticket() {
    let stack = stack().await;
    for customer in ["ann", "noa"] {
        let browser = Browser::new(&stack);
        let back = Back::begin(&browser, &stack, customer).await;
        let tickets = count(&stack, "tickets");
        let calls = stack.amazon.calls_of(Endpoint::Token).len();

        let answers = join_all((0..MANY).map(|_| browser.come_back(&back.url))).await;

        assert_eq!(answers.iter().filter(|answer| answer.status == 303).count(), 1, "{customer}");
        // A state and a ticket; and a note in the partition of the account that the ticket is about.
        let rows = if customer == "ann" { 3 } else { 2 };
        assert_eq!(count(&stack, "tickets"), tickets + rows, "{customer}");
        assert_eq!(stack.amazon.calls_of(Endpoint::Token).len(), calls + 1, "{customer}");
        let page = if customer == "ann" { "link" } else { "register" };
        let page = browser.get(&format!("/auth/amazon/{page}")).await;
        assert_eq!(ending(&page), (200, "ok"), "{customer}: the others have not taken it away");
    }
}

#[tokio::test]
async fn prompt_twice_the_page_that_asks_is_the_same_and_costs_nothing() {
    let stack = stack().await;
    for (customer, page) in [("ann", "link"), ("noa", "register")] {
        let browser = Browser::new(&stack);
        browser.sign_in_at_amazon(customer, "/").await;
        let ticket = browser.cookie(TICKET);
        let untouched = Untouched::now(&stack);
        let path = format!("/auth/amazon/{page}");
        let first = browser.get(&path).await;
        for again in join_all((0..MANY).map(|_| browser.get(&path))).await {
            assert_eq!(ending(&again), (200, "ok"), "{page}");
            assert_eq!(again.input("csrf"), first.input("csrf"), "{page}");
            assert!(again.header("set-cookie").is_none(), "{page}");
        }
        let json = browser.fetch(&path, None).await;
        let again = browser.fetch(&path, None).await;
        assert_eq!(json.text, again.text, "{page}");
        untouched.check(page);
        assert_eq!(browser.cookie(TICKET), ticket);
    }
}

/// How many guesses at a password were counted, by the limit that counts the most.
fn guesses(stack: &Stack) -> u64 {
    let rows = stack.dynamodb.scan("tickets").unwrap();
    let taken = rows.iter().filter_map(|row| row["taken"]["N"].as_str()?.parse().ok());
    taken.max().unwrap_or(0)
}

#[tokio::test]
async fn confirm_twice_a_password_that_has_linked_links_and_costs_nothing_more() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/checkout").await;
    let before = browser.copy();
    for left in [4, 4 - 1] {
        let again = browser.prove(&page, "not-the-one").await;
        assert_eq!(ending(&again), (401, "wrong_password"), "each of two wrong ones costs one");
        let told = browser.fetch("/auth/amazon/link", None).await.json();
        assert_eq!(told["attempts_left"], left);
    }
    let answer = browser.prove(&page, "ann-local-password").await;
    assert_eq!(answer.location(), format!("{}/checkout", stack.url));
    let session = browser.cookie(SESSION).unwrap();
    browser.keep_cookie(TICKET, &before.cookie(TICKET).unwrap());
    let untouched = Untouched::now(&stack);

    for password in ["ann-local-password", "not-the-one"] {
        let click = || browser.prove(&page, password);
        for again in join_all((0..MANY).map(|_| click())).await {
            assert_eq!(again.location(), format!("{}/checkout", stack.url), "it has done its work");
            assert!(again.header("set-cookie").is_none());
        }
        // The one who never got the answer, and whoever has the old cookie.
        for again in join_all((0..MANY).map(|_| before.prove(&page, password))).await {
            assert_eq!(ending(&again), (410, "ticket_expired"));
        }
    }
    untouched.check("for a form that has done its work");
    assert_eq!(browser.cookie(SESSION).unwrap(), session);
    assert_eq!((links(&stack), guesses(&stack)), (2, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirm_twice_right_and_wrong_passwords_at_once_are_five_guesses_and_one_link() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/").await;
    let copies: Vec<_> = (0..MANY).map(|_| browser.copy()).collect();
    let guess = |number: usize| match number % 4 {
        3 => "ann-local-password",
        _ => "not-the-one",
    };
    let clicks = copies.iter().enumerate().map(|(number, copy)| copy.prove(&page, guess(number)));
    let answers = join_all(clicks).await;

    assert!(guesses(&stack) <= 5, "{}", guesses(&stack));
    assert!(links(&stack) <= 2);
    let compared = answers.iter().filter(|answer| [303, 401].contains(&answer.status)).count();
    assert!(compared <= 5, "{compared}");
    for (copy, answer) in copies.iter().zip(&answers) {
        let signed_in = answer.status == 303;
        assert!(signed_in || [401, 410, 429].contains(&answer.status), "{}", answer.text);
        assert_eq!(copy.account().await.is_some(), signed_in);
    }
    assert!(answers.iter().enumerate().all(|(n, answer)| answer.status != 303 || n % 4 == 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reg_twice_many_clicks_at_once_open_one_account() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("noa", "/checkout").await;
    let before = browser.copy();
    let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];

    let clicks = (0..MANY).map(|_| browser.post("/auth/amazon/register", &fields));
    let answers = join_all(clicks).await;

    let opened: Vec<_> = answers.iter().filter(|answer| sets(answer, SESSION)).collect();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].location(), format!("{}/checkout", stack.url));
    let told = |answer: &&Answer| matches!(ending(answer), (303, _) | (410, "ticket_expired"));
    assert!(answers.iter().all(|answer| told(&answer)));
    assert_eq!(count(&stack, "accounts"), ACCOUNTS.len() + 1);
    assert_eq!((links(&stack), sessions(&stack)), (2, 1));
    let account = browser.account().await;
    assert!(account.is_some());

    let untouched = Untouched::now(&stack);
    browser.keep_cookie(TICKET, &before.cookie(TICKET).unwrap());
    let other = [fields[0], ("email", "another@home.example")];
    for fields in [&fields, &other] {
        let again = browser.post("/auth/amazon/register", fields).await;
        assert_eq!(again.location(), format!("{}/checkout", stack.url));
        let again = before.post("/auth/amazon/register", fields).await;
        assert_eq!(ending(&again), (410, "ticket_expired"), "another browser");
    }
    untouched.check("for a form that has done its work");
}

/// Whether an answer gives the browser a cookie of this name.
fn sets(answer: &Answer, name: &str) -> bool {
    let mut cookies = answer.headers.get_all("set-cookie").iter();
    let start = format!("{name}=");
    cookies.any(|cookie| {
        let rest = cookie.to_str().unwrap().strip_prefix(&start);
        rest.is_some_and(|rest| !rest.starts_with(';'))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sess_twice_asking_who_is_signed_in_changes_nothing_but_when_that_was() {
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let first = browser.fetch("/auth/session", None).await;
    let ask_many_times = async || {
        for again in join_all((0..MANY).map(|_| browser.fetch("/auth/session", None))).await {
            assert_eq!((again.status, &again.text), (200, &first.text));
            assert!(again.header("set-cookie").is_none());
        }
        for again in join_all((0..MANY).map(|_| browser.fetch("/auth/verify", None))).await {
            assert_eq!((again.status, again.header("remote-user")), (200, Some("lin")));
        }
    };
    let untouched = Untouched::now(&stack);
    let row = stack.dynamodb.scan("sessions").unwrap().remove(0);

    stack.set_clock(Timestamp(NOON.0 + 299)).unwrap();
    ask_many_times().await;
    untouched.check("for who asks within five minutes");

    // When its use is due to be noted, that is all that changes.
    stack.set_clock(Timestamp(NOON.0 + 300)).unwrap();
    ask_many_times().await;
    let mut noted = stack.dynamodb.scan("sessions").unwrap().remove(0);
    assert_eq!(noted["last_seen"]["N"], (NOON.0 + 300).to_string());
    noted["last_seen"] = row["last_seen"].clone();
    assert_eq!(noted, row);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logout_twice_and_twenty_times_at_once_is_fine_and_ends_one_session() {
    let stack = stack().await;
    let (browser, phone) = (Browser::new(&stack), Browser::new(&stack));
    browser.sign_in_at_amazon("lin", "/").await;
    phone.sign_in_at_amazon("lin", "/").await;
    let told = browser.fetch("/auth/session", None).await.json();
    let csrf = told["csrf"].as_str().unwrap().to_owned();
    let session = browser.cookie(SESSION).unwrap();
    let kept = || {
        let copy = browser.copy();
        copy.keep_cookie(SESSION, &session);
        copy
    };
    let copies: Vec<_> = (0..MANY).map(|_| kept()).collect();
    let fields = [("csrf", csrf.as_str()), ("return_to", "/checkout")];
    for _ in 0..2 {
        let clicks = copies.iter().map(|copy| copy.post("/auth/logout", &fields));
        for bye in join_all(clicks).await {
            assert_eq!(bye.location(), format!("{}/checkout", stack.url));
        }
        let json = serde_json::json!({ "csrf": csrf });
        let bye = kept().fetch("/auth/logout", Some(json)).await;
        assert_eq!((bye.status, &*bye.text), (204, ""));
    }
    assert_eq!(kept().account().await, None);
    assert_eq!(phone.account().await.as_deref(), Some("lin"));
    assert_eq!(sessions(&stack), 1);
}

/// What a row is, without the moment at which its session was used last.
fn lasting(mut row: Value) -> String {
    row["last_seen"] = Value::Null;
    row.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_r26_every_request_of_a_walk_may_come_twice_at_once_and_again_an_hour_later() {
    let stack = Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap();
    let walk = walk(&stack, 2).await;

    assert_eq!(count(&stack, "accounts"), ACCOUNTS.len() + 2, "noa's and nora's");
    assert_eq!(links(&stack), 4, "theirs, ann's, and lin's from before");
    let callbacks = walk.events.iter().filter(|(event, _)| event.to.contains("callback?code="));
    let redeemed = stack.amazon.calls_of(Endpoint::Token).len();
    assert_eq!(redeemed, callbacks.count(), "each code once");
    for (event, answers) in &walk.events {
        assert_eq!(answers.len(), 2);
        assert!(answers.iter().all(|answer| answer.status < 500), "{}", event.to);
        let opened = answers.iter().filter(|answer| sets(answer, SESSION)).count();
        // Who presses the link button twice at once is let in twice, by one link.
        let most = if event.to == "/auth/amazon/link" { 2 } else { 1 };
        assert!(opened <= most, "{}", event.to);
    }

    stack.set_clock(Timestamp(NOON.0 + 3600)).unwrap();
    let rows = |table| {
        let rows = stack.dynamodb.scan(table).unwrap();
        rows.into_iter().map(lasting).collect::<BTreeSet<_>>()
    };
    let tables = ["accounts", "identities", "sessions", "tickets"];
    let before = tables.map(rows);
    for (event, _) in &walk.events {
        let browser = Browser::new(&stack);
        let answer = event.send(&browser, &stack).await;
        assert!(answer.status < 500, "{}", event.to);
        assert!(!sets(&answer, SESSION) && !sets(&answer, TICKET), "{}", event.to);
    }
    for (table, before) in tables.into_iter().zip(&before) {
        assert!(rows(table) == *before, "{table} has changed");
    }
    assert_eq!(stack.amazon.calls_of(Endpoint::Token).len(), redeemed);
}
