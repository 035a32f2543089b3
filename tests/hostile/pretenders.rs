//! Customers of Amazon's who gave somebody else's address, and what their guesses cost.

use std::{fs, time::Duration};

use local_stack::{Stack, amazon::Customer};
use tests::Browser;

/// Lets somebody have an account at Amazon with this address.
pub(crate) fn pretend(stack: &Stack, login: &str, email: &str) {
    let customer = Customer { email: Some(email.to_owned()), ..Customer::new(login) };
    let mut world = stack.amazon.world();
    world.customers.retain(|known| known.login != login);
    world.customers.push(customer);
}

/// A browser that has come as far as the link page of the account with this address, and the page's
/// token.
pub(crate) async fn at_the_link_page<'a>(
    stack: &'a Stack,
    login: &str,
    email: &str,
) -> (Browser<'a>, String) {
    pretend(stack, login, email);
    let browser = Browser::new(stack);
    let page = browser.asked_after_amazon(login, "/checkout").await;
    let csrf = page.input("csrf").to_owned();
    (browser, csrf)
}

/// How many guesses were counted so far, each of them in three places.
pub(crate) fn counted(stack: &Stack) -> u64 {
    let taken =
        |row: &serde_json::Value| row["taken"]["N"].as_str().unwrap().parse::<u64>().unwrap();
    let limits = stack.dynamodb.scan("tickets").unwrap().into_iter();
    let limits = limits.filter(|row| row["pk"]["S"].as_str().unwrap().starts_with("LIMIT#"));
    let all: u64 = limits.map(|row| taken(&row)).sum();
    assert_eq!(all % 3, 0, "a guess is counted in some places only");
    all / 3
}

/// The processor's time that the processes of a function of this test's stack have used.
pub(crate) fn work(function: &str) -> Duration {
    let ours = std::process::id().to_string();
    let mut nanoseconds = 0;
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
        // `12 (name) S 11 …`: its name, its state, its parent.
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(") "))
        else {
            continue;
        };
        if name != function || rest.split(' ').nth(1) != Some(&ours) {
            continue;
        }
        for thread in fs::read_dir(process.path().join("task")).unwrap().flatten() {
            // A thread may have gone meanwhile.
            let spent = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            nanoseconds += spent.split(' ').next().unwrap_or_default().parse().unwrap_or(0);
        }
    }
    Duration::from_nanos(nanoseconds)
}
