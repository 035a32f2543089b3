//! Guesses at passwords, by many, at once, and for long.

use std::time::Duration;

use futures_util::future::join_all;
use local_stack::{Options, Stack, Timestamp};
use tests::{Answer, Browser, TICKET, cheap_passwords};

use crate::{
    NOON,
    pretenders::{at_the_link_page, counted, pretend, work},
    stack,
};

/// A quarter of an hour in which five guesses fit.
const WINDOW: i64 = 900;
const DAY: i64 = 86_400;

async fn stopped_at(now: Timestamp) -> Stack {
    Options { stopped_at: Some(now), ..Options::default() }.start().await.unwrap()
}

fn at(stack: &Stack, now: i64) {
    stack.set_clock(Timestamp(now)).unwrap();
}

/// A guess, with a token that was read on the page.
async fn guess(browser: &Browser<'_>, csrf: &str, password: &str) -> Answer {
    browser.post("/auth/amazon/link", &[("csrf", csrf), ("password", password)]).await
}

/// Somebody with this address at Amazon guesses wrongly for as long as one ticket lets them.
async fn burn(stack: &Stack, login: &str, email: &str) -> Vec<u16> {
    let (browser, csrf) = at_the_link_page(stack, login, email).await;
    let mut statuses = Vec::new();
    for number in 0..6 {
        statuses.push(guess(&browser, &csrf, &format!("guess-{number}")).await.status);
    }
    statuses
}

/// The only guess on a fresh ticket; whether it was refused because of a limit, and for how long.
async fn limited(stack: &Stack, login: &str, email: &str, password: &str) -> Option<i64> {
    let (browser, csrf) = at_the_link_page(stack, login, email).await;
    let before = counted(stack);
    let answer = guess(&browser, &csrf, password).await;
    if answer.status != 429 {
        assert_eq!(counted(stack), before + 1, "{}", answer.status);
        return None;
    }
    assert_eq!((answer.code(), counted(stack)), ("too_many_attempts", before));
    assert_eq!(browser.account().await, None);
    Some(answer.header("retry-after").unwrap().parse().unwrap())
}

#[tokio::test]
async fn d01_d05_guesses_at_once_from_many_tickets_tabs_and_browsers_are_five() {
    let stack = stack().await;
    // An account whose password costs as much to compare as the one that is attacked.
    let row = stack.dynamodb.get("accounts", &[("id", "mia")]).unwrap();
    let gauge = serde_json::json!({
        "id": {"S": "gauge"},
        "email": {"S": "gauge@example.com"},
        "password_hash": row["password_hash"],
    });
    stack.dynamodb.put("accounts", &gauge).unwrap();
    let (browser, csrf) = at_the_link_page(&stack, "gauge", "gauge@example.com").await;
    guess(&browser, &csrf, "warm-up").await;
    let before = work("link");
    assert_eq!(guess(&browser, &csrf, "not-the-password").await.status, 401);
    let one = work("link") - before;
    assert!(one > Duration::from_millis(50), "a guess is not dear enough to be seen: {one:?}");

    let mut holders = Vec::new();
    for number in 0..6 {
        let login = format!("guesser{number}");
        let (browser, csrf) = at_the_link_page(&stack, &login, "Mia@Example.com").await;
        // Another ticket of the same customer's, in a tab that was opened earlier.
        let earlier = browser.copy();
        let page = browser.asked_after_amazon(&login, "/").await;
        assert_ne!(earlier.cookie(TICKET), browser.cookie(TICKET));
        holders.push((earlier, csrf));
        holders.push((browser, page.input("csrf").to_owned()));
    }
    let (counted_before, before) = (counted(&stack), work("link"));
    let guesses = (0..60).map(|number| {
        let (browser, csrf) = &holders[number % holders.len()];
        async move { guess(browser, csrf, &format!("guess-{number}")).await.status }
    });
    let statuses = join_all(guesses).await;

    assert_eq!(counted(&stack) - counted_before, 5);
    let wrong = statuses.iter().filter(|status| **status == 401).count();
    // The fifth of one ticket is told that it was the last.
    assert!(wrong == 5 || wrong == 4, "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 410, 429].contains(status)), "{statuses:?}");
    let spent = work("link") - before;
    assert!(spent < one * 9, "five guesses of {one:?} took {spent:?}");

    // Now the right one comes too late, whoever sends it.
    for (browser, csrf) in &holders {
        let answer = guess(browser, csrf, "mia-local-password").await;
        assert!([410, 429].contains(&answer.status), "{}", answer.status);
        assert_eq!(browser.account().await, None);
    }
    assert_eq!(counted(&stack) - counted_before, 5);
}

#[tokio::test]
async fn d01_d05_a_ticket_that_waits_for_a_day_has_five_guesses_in_all() {
    let stack = stopped_at(NOON).await;
    let (eve, csrf) = at_the_link_page(&stack, "eve", "ann@example.com").await;
    let forgot = [("csrf", csrf.as_str())];
    // Never as many in one quarter of an hour as would be too many for the account.
    for window in 0..2 {
        at(&stack, NOON.0 + window * WINDOW);
        // To press it again brings no more.
        assert_eq!(eve.post("/auth/amazon/link/forgot", &forgot).await.status, 303);
        for _ in 0..2 {
            assert_eq!(guess(&eve, &csrf, "not-hers").await.status, 401, "in window {window}");
        }
    }
    // All of these find that one is left.
    at(&stack, NOON.0 + 2 * WINDOW);
    let guesses = (0..20).map(|_| guess(&eve, &csrf, "not-hers"));
    let answers = join_all(guesses).await;
    assert!(answers.iter().all(|answer| answer.status == 410));
    assert_eq!(counted(&stack), 5);
    assert_eq!(eve.post("/auth/amazon/link/forgot", &forgot).await.status, 410);

    at(&stack, NOON.0 + 3 * WINDOW);
    assert_eq!(guess(&eve, &csrf, "ann-local-password").await.status, 410);
    assert_eq!((eve.account().await, counted(&stack)), (None, 5));
}

#[tokio::test]
async fn d02_an_amazon_account_has_twenty_guesses_a_day_ten_of_them_at_one_account() {
    let today = NOON.0 - NOON.0 % DAY;
    let stack = stopped_at(Timestamp(today)).await;
    cheap_passwords(&stack);
    let (ann, lin, bob) = ("ann@example.com", "lin@example.com", "bob@example.com");
    let five = [401, 401, 401, 401, 410, 410];

    assert_eq!(burn(&stack, "eve", ann).await, five);
    assert_eq!(limited(&stack, "eve", ann, "ann-local-password").await, Some(WINDOW));
    at(&stack, today + WINDOW - 1);
    assert_eq!(limited(&stack, "eve", ann, "ann-local-password").await, Some(1));
    at(&stack, today + WINDOW);
    assert_eq!(burn(&stack, "eve", ann).await, five);

    // Ten at this account: until tomorrow, although the account itself is free again.
    at(&stack, today + 2 * WINDOW);
    let until_tomorrow = limited(&stack, "eve", ann, "ann-local-password").await;
    assert_eq!(until_tomorrow, Some(DAY - 2 * WINDOW));
    assert_eq!(burn(&stack, "eve", lin).await, five);
    at(&stack, today + 3 * WINDOW);
    assert_eq!(burn(&stack, "eve", lin).await, five);

    // Twenty in all: until tomorrow, at whatever account.
    at(&stack, today + 4 * WINDOW);
    let until_tomorrow = limited(&stack, "eve", bob, "bob-local-password").await;
    assert_eq!(until_tomorrow, Some(DAY - 4 * WINDOW));
    at(&stack, today + DAY - 1);
    assert_eq!(limited(&stack, "eve", bob, "bob-local-password").await, Some(1));
    assert_eq!(counted(&stack), 20);

    at(&stack, today + DAY);
    assert_eq!(limited(&stack, "eve", ann, "not-her-password").await, None);
    assert_eq!(limited(&stack, "eve", bob, "not-his-password").await, None);
}

#[tokio::test]
async fn d03_d22_thirty_amazon_accounts_with_leaked_passwords_have_five_guesses_in_a_window() {
    let stack = stopped_at(NOON).await;
    cheap_passwords(&stack);
    for window in 0..4 {
        at(&stack, NOON.0 + window * WINDOW);
        let mut evaluated = Vec::new();
        let thieves = if window == 0 { 30 } else { 7 };
        for number in 0..thieves {
            let login = format!("thief{number}");
            // The right one is on the list, in the sixth place.
            let leaked = match number {
                5 => "ann-local-password".to_owned(),
                _ => format!("leaked-{window}-{number}"),
            };
            match limited(&stack, &login, "ann@example.com", &leaked).await {
                None => evaluated.push(number),
                Some(wait) => assert_eq!(wait, WINDOW),
            }
        }
        assert_eq!(evaluated, [0, 1, 2, 3, 4], "in window {window}");
    }
    assert_eq!(counted(&stack), 20, "in an hour");
    let links = stack.dynamodb.scan("identities").unwrap();
    assert!(!links.iter().any(|row| row["account_id"]["S"] == "ann"), "{links:?}");
}

#[tokio::test]
async fn d04_whose_account_is_attacked_still_comes_in_and_links_a_quarter_of_an_hour_later() {
    let stack = stopped_at(NOON).await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    for (login, email) in [("eve", "ann@example.com"), ("mallory", "lin@example.com")] {
        assert_eq!(burn(&stack, login, email).await, [401, 401, 401, 401, 410, 410]);
        assert_eq!(limited(&stack, login, email, "ann-local-password").await, Some(WINDOW));
    }

    // Who is linked and signed in notices nothing, and comes in anew.
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
    assert_eq!(lin.fetch("/auth/verify", None).await.status, 200);
    let elsewhere = Browser::new(&stack);
    assert_eq!(elsewhere.sign_in_at_amazon("lin", "/checkout").await.status, 303);
    assert_eq!(elsewhere.account().await.as_deref(), Some("lin"));
    // Nor does anybody at the shop's own desk.
    let desk = Browser::new(&stack);
    let fields = [("email", "ann@example.com"), ("password", "ann-local-password")];
    assert_eq!(desk.post("/sign-in", &fields).await.status, 303);
    assert_eq!(desk.who().await, "Ann Local");

    // Who would like to link waits for the rest of the quarter of an hour, and no longer.
    let ann = Browser::new(&stack);
    at(&stack, NOON.0 + WINDOW - 1);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    let early = ann.prove(&page, "ann-local-password").await;
    assert_eq!((early.status, early.header("retry-after")), (429, Some("1")));
    at(&stack, NOON.0 + WINDOW);
    let linked = ann.prove(&page, "ann-local-password").await;
    assert_eq!(linked.status, 303, "the very page that was refused a second ago: {}", linked.text);
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn m10_no_address_that_a_caller_names_brings_another_guess() {
    let stack = stack().await;
    let (browser, csrf) = at_the_link_page(&stack, "eve", "ann@example.com").await;
    pretend(&stack, "mallory", "ann@example.com");
    let names = [
        "x-forwarded-for",
        "x-real-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "cloudfront-viewer-address",
        "fastly-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-originating-ip",
    ];
    let mut statuses = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let address = format!("198.51.100.{number}");
        let ask = browser.ask("POST", "/auth/amazon/link").header("origin", &stack.url);
        let ask = ask.header(name, &address).header("forwarded", &format!("for={address}"));
        let ask = ask.header("via", &format!("1.1 proxy{number}"));
        let ask = ask.form(&[("csrf", &csrf), ("password", &format!("guess-{number}"))]);
        statuses.push(ask.send().await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 410, 410, 410, 410, 410]);

    let mallory = Browser::new(&stack);
    let page = mallory.asked_after_amazon("mallory", "/").await;
    let ask = mallory.ask("POST", "/auth/amazon/link").header("origin", &stack.url);
    let ask = ask.header("x-forwarded-for", "203.0.113.7");
    let fields = [("csrf", page.input("csrf")), ("password", "ann-local-password")];
    assert_eq!(ask.form(&fields).send().await.status, 429);
    assert_eq!(counted(&stack), 5);
}
