//! Passwords that are wrong, guessed or forgotten, while an account waits to be linked.

use local_stack::Stack;
use tests::{Answer, Browser};

use crate::stack;

#[tokio::test]
async fn d01_after_five_wrong_passwords_the_visitor_starts_over() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/checkout").await;

    for left in ["You can try <bdi>4</bdi> more times", "<bdi>3</bdi>", "<bdi>2</bdi>", "once more"]
    {
        let again = browser.prove(&page, "not-her-password").await;
        assert_eq!((again.status, again.code()), (401, "wrong_password"));
        assert!(again.says(left), "{left}: {}", again.text);
        assert!(!again.says("not-her-password"), "nothing typed is shown");
    }
    let over = browser.prove(&page, "not-her-password").await;
    assert_eq!((over.status, over.code()), (410, "ticket_expired"));
    let right = browser.prove(&page, "ann-local-password").await;
    assert_eq!((right.status, right.code()), (410, "ticket_expired"), "now it is too late");
    assert_eq!(browser.account().await, None);

    assert_eq!(over.link("Try again"), "/auth/amazon/login?return_to=%2Fcheckout");
    let page = browser.asked_after_amazon("ann", "/checkout").await;
    assert!(page.says("ann@example.com"), "a new sign-in gets a new page");
}

#[tokio::test]
async fn a_wrong_password_does_not_spoil_the_right_one() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/checkout").await;

    let page = browser.prove(&page, "not-her-password").await;
    let page = browser.prove(&page, "ann-local-password").await;

    let page = browser.land(page).await;
    assert_eq!((page.page(), page.who()), ("checkout", "Ann Local"));
}

#[tokio::test]
async fn d04_who_guesses_at_an_account_does_not_lock_its_owner_out() {
    let stack = stack().await;
    // Somebody gave Amazon the address of Lin, who is linked.
    stack.amazon.change("nora", |nora| nora.email = Some("lin@example.com".to_owned()));
    let guesser = Browser::new(&stack);
    let page = guesser.asked_after_amazon("nora", "/").await;
    for _ in 0..5 {
        guesser.prove(&page, "not-her-password").await;
    }
    fill_the_next_window_too(&stack);

    let page = guesser.asked_after_amazon("nora", "/checkout").await;
    let limited = guesser.prove(&page, "lin-local-password").await;

    assert_eq!((limited.status, limited.code()), (429, "too_many_attempts"));
    let wait: u32 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1800).contains(&wait), "{wait}");
    assert_eq!(limited.link("Try again"), "/auth/amazon/login?return_to=%2Fcheckout");
    assert_eq!(guesser.account().await, None, "not even the right one helps now");

    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    assert_eq!(lin.account().await.as_deref(), Some("lin"), "her own link is not slowed down");
    let desk = Browser::new(&stack);
    assert_eq!(
        sign_in_at_the_desk(&desk, "lin@example.com", "lin-local-password").await.status,
        303
    );
    assert_eq!(desk.who().await, "Lin Linked", "nor is the shop's own desk");
}

#[tokio::test]
async fn a_visitor_who_forgot_the_password_resets_it_and_goes_on_linking() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/checkout").await;
    let page = browser.prove(&page, "what was it").await;
    let expires_at = browser.fetch("/auth/amazon/link", None).await.json()["expires_at"].clone();

    let forgot = [("csrf", page.input("csrf"))];
    let page = browser.post("/auth/amazon/link/forgot", &forgot).await;
    let page = browser.land(page).await;
    assert_eq!(page.page(), "reset-password");
    let page = reset(&browser, "ann@example.com", "ann-second-password").await;
    assert_eq!(page.page(), "password-changed");

    let way_on = page.link("Continue linking");
    assert_eq!(way_on, "/auth/amazon/link");
    let page = browser.get(&way_on).await;
    assert_eq!((page.status, page.code()), (200, "ok"));
    let later = browser.fetch(&way_on, None).await.json()["expires_at"].clone();
    assert!(later.as_str() > expires_at.as_str(), "it waits longer now: {expires_at} {later}");
    let old = browser.prove(&page, "ann-local-password").await;
    assert_eq!((old.status, old.code()), (401, "wrong_password"));
    let page = browser.prove(&page, "ann-second-password").await;

    let page = browser.land(page).await;
    assert_eq!((page.page(), page.who()), ("checkout", "Ann Local"));
    let phone = Browser::new(&stack);
    phone.sign_in_at_amazon("ann", "/").await;
    assert_eq!(phone.account().await.as_deref(), Some("ann"));
}

#[tokio::test]
async fn a_visitor_who_would_rather_not_link_is_back_at_the_sign_in_page() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/checkout").await;

    let cancel = [("csrf", page.input("csrf"))];
    let back = browser.post("/auth/amazon/link/cancel", &cancel).await;
    assert_eq!(browser.land(back).await.page(), "sign-in");

    let late = browser.prove(&page, "ann-local-password").await;
    assert_eq!((late.status, late.code()), (410, "ticket_expired"));
    assert_eq!(browser.account().await, None);
}

#[tokio::test]
async fn an_account_that_cannot_prove_itself_is_told_why() {
    let stack = stack().await;
    for (email, code) in [
        ("otto@example.com", "no_password"),
        ("dora@example.com", "account_closed"),
        ("kim@example.com", "account_closed"),
    ] {
        stack.amazon.change("nora", |nora| nora.email = Some(email.to_owned()));
        let browser = Browser::new(&stack);
        let page = browser.sign_in_at_amazon("nora", "/").await;
        assert_eq!((page.status, page.code()), (403, code), "{email}");
        assert!(page.link("sign-in").starts_with("/sign-in"));
        assert_eq!(browser.account().await, None, "{email}");
    }
}

#[tokio::test]
async fn every_password_that_the_shop_ever_stored_can_be_proven() {
    let stack = stack().await;
    for account in ["bob", "sam", "mia"] {
        let email = if account == "mia" { "Mia@Example.com" } else { account };
        let email = if email.contains('@') { email.into() } else { format!("{email}@example.com") };
        stack.amazon.world().customers.push(local_stack::amazon::Customer {
            email: Some(email),
            ..local_stack::amazon::Customer::new(account)
        });
        let browser = Browser::new(&stack);
        let page = browser.asked_after_amazon(account, "/").await;
        let wrong = browser.prove(&page, "not-the-password").await;
        assert_eq!(wrong.code(), "wrong_password", "{account}");
        browser.prove(&page, &format!("{account}-local-password")).await;
        assert_eq!(browser.account().await.as_deref(), Some(account));
    }
}

/// Gives an account another password, as the shop's page does for whoever reads its mail.
pub(crate) async fn reset(browser: &Browser<'_>, email: &str, password: &str) -> Answer {
    let mailed = browser.post("/reset-password", &[("email", email)]).await;
    let form = browser.get(&mailed.link("Choose a new password")).await;
    let fields = [("token", form.input("token")), ("password", password)];
    browser.post("/reset-password/new", &fields).await
}

pub(crate) async fn sign_in_at_the_desk(
    browser: &Browser<'_>,
    email: &str,
    password: &str,
) -> Answer {
    browser.post("/sign-in", &[("email", email), ("password", password)]).await
}

/// Fills the windows that follow, should a quarter of an hour end while the test runs.
pub(crate) fn fill_the_next_window_too(stack: &Stack) {
    for mut row in stack.dynamodb.scan("tickets").unwrap() {
        if row["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("LIMIT#")) {
            let window: i64 = row["sk"]["S"].as_str().unwrap().parse().unwrap();
            row["sk"]["S"] = (window + 1).to_string().into();
            stack.dynamodb.put("tickets", &row).unwrap();
        }
    }
}
