//! Customers who sign in at the shop's own desk, and attach Amazon to the account that they are in.

use local_stack::Stack;
use tests::{Answer, Browser};

use crate::{passwords::sign_in_at_the_desk, stack, stack_with};

/// Presses one of the buttons of the connections page.
pub(crate) async fn press(browser: &Browser<'_>, button: &str) -> Answer {
    let page = browser.get("/auth/connections").await;
    assert_eq!((page.status, page.code()), (200, "ok"), "{}", page.text);
    browser.post(&format!("/auth/connections/{button}"), &[("csrf", page.input("csrf"))]).await
}

/// Signs out wherever somebody is signed in.
async fn leave(browser: &Browser<'_>) {
    let session = browser.fetch("/auth/session", None).await.json();
    let csrf = session["csrf"].as_str().unwrap_or_default();
    let left = browser.post("/sign-out", &[("csrf", csrf), ("return_to", "/")]).await;
    assert_eq!((left.status, left.location()), (307, "/auth/logout"));
    let left = browser.post("/auth/logout", &[("csrf", csrf), ("return_to", "/")]).await;
    assert_eq!(left.status, 303);
    assert_eq!(browser.who().await, "Guest");
}

/// Who Amazon's customer is, as the shop's account has it.
async fn comes_back_by_amazon(stack: &Stack, customer: &str) -> Option<String> {
    let browser = Browser::new(stack);
    browser.sign_in_at_amazon(customer, "/").await;
    browser.account().await
}

#[tokio::test]
async fn a_customer_of_the_shop_attaches_amazon_and_comes_back_by_amazon_alone() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let entered = sign_in_at_the_desk(&browser, "bob@example.com", "bob-local-password").await;
    assert_eq!(entered.status, 303);
    let session = browser.fetch("/auth/session", None).await.json();
    assert_eq!(
        (&session["account"]["id"], &session["session"]["how"]),
        (&"bob".into(), &"password".into())
    );
    let settings = browser.get("/account").await;
    assert!(settings.text.contains("href=\"/auth/connections\""));
    let before = browser.cookie("__Host-lwa_session").unwrap();

    let to_amazon = press(&browser, "amazon/link").await;
    assert_eq!(to_amazon.status, 303);
    let back = browser.allow(to_amazon.location(), "nora").await;

    let page = browser.land(back).await;
    assert!(page.says("Your Amazon account has been connected since"), "{}", page.text);
    assert_ne!(browser.cookie("__Host-lwa_session").unwrap(), before, "the session is new");
    leave(&browser).await;
    browser.sign_in_at_amazon("nora", "/checkout").await;
    assert_eq!(browser.account().await.as_deref(), Some("bob"), "Amazon is enough");
    assert_eq!(comes_back_by_amazon(&stack, "nora").await.as_deref(), Some("bob"));
}

#[tokio::test]
async fn a_customer_detaches_amazon_and_keeps_the_password() {
    let stack = stack().await;
    let elsewhere = Browser::new(&stack);
    elsewhere.sign_in_at_amazon("lin", "/").await;
    let browser = Browser::new(&stack);
    sign_in_at_the_desk(&browser, "lin@example.com", "lin-local-password").await;

    let page = browser.land(press(&browser, "amazon/unlink").await).await;

    assert!(page.says("No Amazon account is connected"), "{}", page.text);
    assert_eq!(browser.account().await.as_deref(), Some("lin"), "this browser stays");
    assert_eq!(elsewhere.account().await, None, "what Amazon opened has ended");
    let asked = Browser::new(&stack).sign_in_at_amazon("lin", "/").await;
    assert!(asked.location().ends_with("/auth/amazon/link"), "it is asked for the password again");
}

#[tokio::test]
async fn without_a_fresh_proof_the_password_is_asked_for_first() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;

    let refused = press(&browser, "amazon/unlink").await;

    assert_eq!((refused.status, refused.code()), (403, "reauthentication_required"));
    let page = browser.get(&refused.link("Confirm that it is you")).await;
    let fields = |password| [("csrf", page.input("csrf")), ("password", password)];
    let wrong = browser.post("/auth/reauthenticate", &fields("amazon-password")).await;
    assert_eq!((wrong.status, wrong.code()), (401, "wrong_password"));
    let proven = browser.post("/auth/reauthenticate", &fields("lin-local-password")).await;
    assert_eq!(browser.land(proven).await.url, format!("{}/auth/connections", stack.url));
    let page = browser.land(press(&browser, "amazon/unlink").await).await;
    assert!(page.says("No Amazon account is connected"), "{}", page.text);
}

#[tokio::test]
async fn an_account_without_a_password_is_proven_at_amazon_and_keeps_its_only_way_in() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("nora", "/").await;
    let account = browser.account().await.unwrap();
    let page = browser.get("/auth/reauthenticate").await;
    let proof = browser.post("/auth/reauthenticate", &[("csrf", page.input("csrf"))]).await;
    let back = browser.allow(proof.location(), "nora").await;
    assert_eq!(browser.land(back).await.url, format!("{}/auth/connections", stack.url));

    let refused = press(&browser, "amazon/unlink").await;

    assert_eq!((refused.status, refused.code()), (409, "last_sign_in_method"));
    assert_eq!(comes_back_by_amazon(&stack, "nora").await, Some(account));
}

#[tokio::test]
async fn e02_e03_who_planted_a_link_and_kept_a_session_has_nothing_after_a_new_password() {
    let stack = stack().await;
    // Somebody knew Bob's old password.
    let thief = Browser::new(&stack);
    sign_in_at_the_desk(&thief, "bob@example.com", "bob-local-password").await;
    let to_amazon = press(&thief, "amazon/link").await;
    let back = thief.allow(to_amazon.location(), "max").await;
    assert_eq!(back.status, 303);
    assert_eq!(comes_back_by_amazon(&stack, "max").await.as_deref(), Some("bob"));

    let bob = Browser::new(&stack);
    let page = crate::passwords::reset(&bob, "bob@example.com", "bob-second-password").await;
    assert_eq!(page.page(), "password-changed");

    assert_eq!(thief.account().await, None, "the session has ended");
    assert_eq!(thief.who().await, "Guest", "at the desk too");
    assert_eq!(comes_back_by_amazon(&stack, "max").await, None);
    let page = thief.asked_after_amazon("max", "/").await;
    let wrong = thief.prove(&page, "bob-local-password").await;
    assert_eq!((wrong.status, wrong.code()), (401, "wrong_password"));
    // Bob sees what was planted, and removes it.
    sign_in_at_the_desk(&bob, "bob@example.com", "bob-second-password").await;
    let page = bob.get("/auth/connections").await;
    assert!(page.says("Your Amazon account has been connected since"));
    let page = bob.land(press(&bob, "amazon/unlink").await).await;
    assert!(page.says("No Amazon account is connected"), "{}", page.text);
}

#[tokio::test]
async fn the_shop_opens_its_own_session_after_ours() {
    let stack = stack_with(&[("SignedInPath", "/signed-in")]).await;
    let browser = Browser::new(&stack);
    let back = browser.sign_in_at_amazon("lin", "/checkout").await;
    assert!(back.location().ends_with("/signed-in?return_to=%2Fcheckout"), "{}", back.location());

    let page = browser.land(back).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Lin Linked"));
    assert!(browser.cookie("shop_session").is_some());
    browser.drop_cookie("__Host-lwa_session");
    assert_eq!(browser.who().await, "Lin Linked", "the shop knows her by itself");
}

#[tokio::test]
async fn an_owner_is_told_of_a_link_and_undoes_it_from_the_mailbox() {
    let stack = stack().await;
    // Somebody knew Ann's password.
    let thief = Browser::new(&stack);
    let page = thief.asked_after_amazon("ann", "/").await;
    assert_eq!(thief.prove(&page, "ann-local-password").await.status, 303);
    let ann = Browser::new(&stack);
    sign_in_at_the_desk(&ann, "ann@example.com", "ann-local-password").await;

    let mailbox = ann.get("/mailbox").await;
    assert!(mailbox.says("An Amazon account was connected"), "{}", mailbox.text);
    let url = mailbox.link("This was not me");
    // Ann reads her mail on a telephone that is signed in nowhere.
    let phone = Browser::new(&stack);
    let page = phone.get(&url).await;
    assert_eq!((page.status, page.code()), (200, "ok"), "{}", page.text);
    assert_eq!(thief.account().await.as_deref(), Some("ann"), "to look changes nothing");
    let done = phone.post("/auth/connections/undo", &[("token", page.input("token"))]).await;

    assert!(done.says("The Amazon account is disconnected"), "{}", done.text);
    assert_eq!(thief.account().await, None);
    assert_eq!(comes_back_by_amazon(&stack, "ann").await, None);
    assert!(ann.get("/mailbox").await.says("The Amazon account was disconnected"));
    let again = phone.post("/auth/connections/undo", &[("token", page.input("token"))]).await;
    assert_eq!((again.status, again.code()), (410, "ticket_expired"));
}

#[tokio::test]
async fn d20_an_owner_is_told_of_guesses_and_of_a_link_that_must_be_proven_again() {
    let stack = stack().await;
    let guesser = Browser::new(&stack);
    stack.amazon.change("nora", |nora| nora.email = Some("bob@example.com".to_owned()));
    let page = guesser.asked_after_amazon("nora", "/").await;
    for _ in 0..5 {
        guesser.prove(&page, "not-his-password").await;
    }
    crate::passwords::fill_the_next_window_too(&stack);
    for _ in 0..2 {
        let page = guesser.asked_after_amazon("nora", "/").await;
        assert_eq!(guesser.prove(&page, "not-his-password").await.status, 429);
    }
    let bob = Browser::new(&stack);
    sign_in_at_the_desk(&bob, "bob@example.com", "bob-local-password").await;
    let mailbox = bob.get("/mailbox").await;
    assert_eq!(mailbox.text.matches("Somebody tried passwords").count(), 1, "{}", mailbox.text);
    let page = guesser.asked_after_amazon("nora", "/").await;
    assert_eq!(guesser.prove(&page, "not-his-password").await.status, 429);
    bob.get("/mailbox").await;
    let told = stack.queue.messages();
    let told = told.iter().filter(|message| message["type"] == "attempts_throttled");
    assert_eq!(told.count(), 1, "once in a window, though it was delivered meanwhile");

    let lin = Browser::new(&stack);
    crate::passwords::reset(&lin, "lin@example.com", "lin-second-password").await;
    sign_in_at_the_desk(&lin, "lin@example.com", "lin-second-password").await;
    assert!(lin.get("/mailbox").await.says("You have a new password"));
}

#[tokio::test]
async fn r32_where_the_queue_is_down_everything_else_goes_on_and_nothing_is_lost() {
    let stack = stack().await;
    stack.queue.break_down(true);
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ann", "/").await;
    assert_eq!(browser.prove(&page, "ann-local-password").await.status, 303);
    assert!(stack.deliver_notices().await.is_none(), "it fails, which an alarm sees");
    assert!(browser.get("/mailbox").await.says("There is nothing"));
    stack.queue.break_down(false);
    assert!(browser.get("/mailbox").await.says("An Amazon account was connected"));
}
