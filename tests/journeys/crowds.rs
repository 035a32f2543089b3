//! Many at once.

use std::time::Duration;

use futures_util::future::join_all;
use local_stack::{Stack, dynamodb::Fault, seed::ACCOUNTS};
use tests::Browser;
use tokio::time::sleep;

use crate::{accounts, rows_with, stack};

const MANY: usize = 50;

/// In slow motion what happens to some of the fifty below: between the look at the links and the look
/// at the addresses another browser of the same customer gets an account.
#[tokio::test]
async fn f01_a_newcomer_who_was_quicker_in_another_browser_is_let_in() {
    let stack = stack().await;
    let (slow, quick) = (Browser::new(&stack), Browser::new(&stack));
    let (left, right) = (slow.begin("/").await, quick.begin("/").await);
    let late = Fault::Late(Duration::from_millis(800));
    stack.dynamodb.fault("GetItem identities", 0, Some(1), late);
    let has_looked = || stack.dynamodb.requests().iter().any(|r| r == "GetItem identities");

    let meanwhile = async {
        while !has_looked() {
            sleep(Duration::from_millis(2)).await;
        }
        quick.allow(&right, "nora").await
    };
    let (slow_one, quick_one) = tokio::join!(slow.allow(&left, "nora"), meanwhile);

    assert_eq!(quick_one.status, 303);
    assert_eq!((slow_one.status, slow_one.code()), (303, ""));
    assert_eq!(slow.account().await, quick.account().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_fifty_browsers_of_one_newcomer_share_one_account() {
    let stack = stack().await;
    let browsers: Vec<_> = (0..MANY).map(|_| Browser::new(&stack)).collect();
    let begun = join_all(browsers.iter().map(|browser| browser.begin("/"))).await;

    let back = browsers.iter().zip(&begun).map(|(browser, url)| browser.allow(url, "nora"));
    for answer in join_all(back).await {
        assert_eq!((answer.status, answer.code()), (303, ""));
    }

    assert_eq!(accounts(&stack), ACCOUNTS.len() + 1);
    let mut ids = join_all(browsers.iter().map(Browser::account)).await;
    ids.dedup();
    assert!(matches!(&ids[..], [Some(_)]), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_fifty_tabs_of_one_newcomer_share_one_account() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let mut begun = Vec::new();
    for _ in 0..MANY {
        begun.push(browser.begin("/").await);
    }

    let answers = join_all(begun.iter().map(|url| browser.allow(url, "nora"))).await;

    // The cookie has room for some forty; the oldest tabs are told to start over.
    assert!(answers.iter().filter(|answer| answer.status == 303).count() >= 35);
    for answer in answers.iter().filter(|answer| answer.status != 303) {
        assert_eq!((answer.status, answer.code()), (400, "start_over"));
    }
    assert_eq!(accounts(&stack), ACCOUNTS.len() + 1);
    assert!(browser.account().await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_fifty_right_passwords_at_once_make_one_link() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/").await;

    let answers = join_all((0..MANY).map(|_| browser.prove(&page, "ann-local-password"))).await;

    assert!(answers.iter().any(|answer| answer.status == 303));
    assert_eq!(browser.account().await.as_deref(), Some("ann"));
    let links = rows_with(&stack, "identities", "account_id", "ann");
    let links = links.iter().filter(|row| row["pk"]["S"].as_str().unwrap().starts_with("AMAZON#"));
    assert_eq!(links.count(), 1);
    assert!(guesses(&stack) <= 5, "{}", guesses(&stack));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d05_fifty_wrong_passwords_at_once_are_five_guesses() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/").await;

    let answers = join_all((0..MANY).map(|_| browser.prove(&page, "not-her-password"))).await;

    assert_eq!(guesses(&stack), 5);
    let asked_again = answers.iter().filter(|answer| answer.code() == "wrong_password").count();
    assert!(asked_again <= 5, "{asked_again}");
    assert!(answers.iter().all(|answer| [401, 410, 429].contains(&answer.status)));
    let page = browser.get("/auth/amazon/link").await;
    assert_eq!((page.status, page.code()), (410, "ticket_expired"));
    assert_eq!(browser.account().await, None);
}

/// How many guesses were counted, by the limit that counts the most.
fn guesses(stack: &Stack) -> u64 {
    let rows = stack.dynamodb.scan("tickets").unwrap();
    let taken = rows.iter().filter_map(|row| row["taken"]["N"].as_str()?.parse().ok());
    taken.max().unwrap_or(0)
}
