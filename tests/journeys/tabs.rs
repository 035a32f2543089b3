//! What browsers do that no diagram shows: closed tabs, back buttons, reloads, double clicks.

use tests::{Browser, LOGIN, TICKET};

use crate::{accounts, rows_with, stack};
use local_stack::seed::ACCOUNTS;

#[tokio::test]
async fn a_visitor_who_closed_the_tab_at_amazon_signs_in_anew() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.begin("/account").await;

    let page = browser.sign_in_at_amazon("lin", "/checkout").await;
    assert_eq!(browser.land(page).await.page(), "checkout");
}

#[tokio::test]
async fn a_visitor_who_closed_the_tab_at_the_link_page_signs_in_anew() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let closed = browser.asked_after_amazon("ann", "/account").await;

    let page = browser.asked_after_amazon("ann", "/checkout").await;
    let page = browser.prove(&page, "ann-local-password").await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Ann Local"));
    let late = browser.prove(&closed, "ann-local-password").await;
    assert_eq!((late.status, late.code()), (410, "ticket_expired"));
    assert_eq!(browser.account().await.as_deref(), Some("ann"), "no harm is done");
}

#[tokio::test]
async fn d07_the_back_button_after_linking_shows_the_way_on() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let form = browser.asked_after_amazon("ann", "/checkout").await;
    let ticket = browser.cookie(TICKET).unwrap();
    browser.prove(&form, "ann-local-password").await;
    assert!(browser.cookie(TICKET).is_none(), "the ticket is taken back");

    let page = browser.get("/auth/amazon/link").await;
    assert_eq!((page.status, page.code()), (410, "ticket_expired"));
    assert!(page.link("Try again").starts_with("/auth/amazon/login"));
    let page = browser.prove(&form, "ann-local-password").await;
    assert_eq!((page.status, page.code()), (410, "ticket_expired"));

    // Some browsers bring the old cookie back along with the page.
    browser.keep_cookie(TICKET, &ticket);
    let page = browser.get("/auth/amazon/link").await;
    assert_eq!((page.status, page.code()), (410, "ticket_expired"));
    assert_eq!(page.link("Try again"), "/auth/amazon/login?return_to=%2Fcheckout");
    let page = browser.prove(&form, "ann-local-password").await;
    assert_eq!(page.location(), format!("{}/checkout", stack.url), "it has done its work");
    assert_eq!(browser.account().await.as_deref(), Some("ann"));

    let thief = Browser::new(&stack);
    thief.keep_cookie(TICKET, &ticket);
    let page = thief.prove(&form, "ann-local-password").await;
    assert_eq!((page.status, page.code()), (410, "ticket_expired"));
    assert_eq!(thief.account().await, None, "a used ticket opens nothing");
}

#[tokio::test]
async fn of_two_link_pages_the_newer_one_counts() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let first = browser.asked_after_amazon("ann", "/account").await;
    let second = browser.asked_after_amazon("ann", "/checkout").await;

    let page = browser.prove(&first, "ann-local-password").await;
    assert_eq!((page.status, page.code()), (403, "csrf"));
    assert_eq!(browser.account().await, None);

    let page = browser.prove(&second, "ann-local-password").await;
    assert_eq!(page.location(), format!("{}/checkout", stack.url));
}

#[tokio::test]
async fn a05_b13_a_callback_that_is_loaded_again_leads_on_and_does_nothing() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let url = browser.begin("/checkout").await;
    let back = stack.amazon.allow(&url, "nora").unwrap();
    browser.come_back(&back).await;
    let account = browser.account().await.unwrap();
    let calls = stack.amazon.calls().len();

    for _ in 0..2 {
        let again = browser.come_back(&back).await;
        assert_eq!(again.location(), format!("{}/checkout", stack.url));
    }

    assert_eq!(browser.account().await, Some(account));
    assert_eq!(stack.amazon.calls().len(), calls, "Amazon is not asked again");
    assert_eq!(accounts(&stack), ACCOUNTS.len() + 1);
    let guest = Browser::new(&stack);
    guest.keep_cookie(LOGIN, &browser.cookie(LOGIN).unwrap());
    let page = guest.come_back(&back).await;
    assert_eq!((page.status, page.code()), (400, "start_over"), "but lets nobody in");
    assert_eq!(page.link("Try again"), "/auth/amazon/login?return_to=%2Fcheckout");
    assert_eq!(guest.account().await, None);
}

#[tokio::test]
async fn a03_a_callback_in_another_browser_does_nothing() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let url = browser.begin("/checkout").await;
    let back = stack.amazon.allow(&url, "lin").unwrap();

    let other = Browser::new(&stack);
    let page = other.come_back(&back).await;
    assert_eq!((page.status, page.code()), (400, "start_over"));
    assert_eq!(other.account().await, None);

    let page = browser.come_back(&back).await;
    assert_eq!(page.status, 303, "the one who began can still finish");
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn confirm_twice_a_double_click_on_the_link_button_ends_signed_in() {
    let stack = stack().await;
    for _ in 0..2 {
        // Two functions are running by now, so that the second time both clicks really meet.
        let browser = Browser::new(&stack);
        let page = browser.asked_after_amazon("ann", "/checkout").await;

        let click = || browser.prove(&page, "ann-local-password");
        let (one, two) = tokio::join!(click(), click());

        assert!(one.status == 303 || two.status == 303);
        assert_eq!(browser.account().await.as_deref(), Some("ann"));
        let links = rows_with(&stack, "identities", "account_id", "ann");
        assert_eq!(links.iter().filter(|row| is_amazon(row)).count(), 1);
        for row in links {
            stack
                .dynamodb
                .delete("identities", &[("pk", row["pk"]["S"].as_str().unwrap())])
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a21_six_tabs_finish_in_any_order() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let mut tabs = Vec::new();
    for tab in 0..6 {
        tabs.push((tab, browser.begin(&format!("/checkout?tab={tab}")).await));
    }

    for at in [3, 0, 3, 2, 0, 0] {
        let (tab, url) = tabs.remove(at);
        let answer = browser.allow(&url, "lin").await;
        assert_eq!(answer.location(), format!("{}/checkout?tab={tab}", stack.url));
        assert_eq!(browser.account().await.as_deref(), Some("lin"));
    }
}

fn is_amazon(row: &serde_json::Value) -> bool {
    row["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("AMAZON#"))
}
