//! A visitor who is signed in comes back from Amazon as somebody else.

use local_stack::Stack;
use tests::{Answer, Browser, SESSION};

use crate::stack;

/// Lin is signed in, and comes back from Amazon as Ann, who is linked too.
async fn asked(browser: &Browser<'_>, stack: &Stack) -> Answer {
    stack.link("ann", "ann").await.unwrap();
    browser.sign_in_at_amazon("lin", "/").await;
    let page = browser.sign_in_at_amazon("ann", "/checkout").await;
    assert_eq!((page.status, page.code()), (200, "ok"));
    assert!(page.says("Lin Linked") && page.says("Ann Local"), "{}", page.text);
    assert_eq!(browser.account().await.as_deref(), Some("lin"), "nothing has changed yet");
    page
}

#[tokio::test]
async fn a20_a_visitor_switches_accounts_by_pressing_a_button() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = asked(&browser, &stack).await;
    let before = Browser::new(&stack);
    before.keep_cookie(SESSION, &browser.cookie(SESSION).unwrap());

    let answer = browser.post("/auth/amazon/switch", &[("csrf", page.input("csrf"))]).await;

    assert_eq!(answer.location(), format!("{}/checkout", stack.url));
    assert_eq!(browser.account().await.as_deref(), Some("ann"));
    assert_eq!(before.account().await, None, "the old session is over");
    let again = browser.post("/auth/amazon/switch", &[("csrf", page.input("csrf"))]).await;
    assert_eq!((again.status, again.code()), (410, "ticket_expired"));
    assert_eq!(browser.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_visitor_stays_signed_in_as_before() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = asked(&browser, &stack).await;

    let stay = page.link("Stay signed in");
    let page = browser.get(&stay).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Lin Linked"));
}

#[tokio::test]
async fn a20_a_newcomer_does_not_leave_an_account_without_saying_so() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;

    let page = browser.asked_after_amazon("nora", "/").await;

    assert!(page.url.ends_with("/auth/amazon/register"), "{}", page.url);
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}
