//! What whoever is signed in asks for twice: by a double click, a second tab, a page that was left open.

use futures_util::future::join_all;
use local_stack::Stack;
use tests::{Answer, Browser, SESSION};

use crate::stack;

/// A browser that has just given the password at the shop's desk.
async fn at_the_desk<'a>(stack: &'a Stack, who: &str) -> Browser<'a> {
    let browser = Browser::new(stack);
    let (email, password) = (format!("{who}@example.com"), format!("{who}-local-password"));
    let fields = [("email", email.as_str()), ("password", password.as_str())];
    assert_eq!(browser.post("/sign-in", &fields).await.status, 303);
    assert_eq!(browser.account().await.as_deref(), Some(who));
    browser
}

async fn csrf(browser: &Browser<'_>, page: &str) -> String {
    browser.get(page).await.input("csrf").to_owned()
}

async fn press(browser: &Browser<'_>, to: &str, csrf: &str) -> Answer {
    browser.post(to, &[("csrf", csrf)]).await
}

/// The rows about links.
fn links(stack: &Stack) -> Vec<serde_json::Value> {
    stack.dynamodb.scan("identities").unwrap()
}

#[tokio::test]
async fn lstart_twice_beginning_to_link_writes_nothing_and_either_way_links() {
    let stack = stack().await;
    let bob = at_the_desk(&stack, "bob").await;
    let csrf = csrf(&bob, "/auth/connections").await;
    let before = stack.dynamodb.snapshot().unwrap();

    let one = press(&bob, "/auth/connections/amazon/link", &csrf).await;
    let other = press(&bob, "/auth/connections/amazon/link", &csrf).await;

    assert_eq!((one.status, other.status), (303, 303));
    assert_ne!(one.location(), other.location(), "each has a state of its own");
    assert!(stack.dynamodb.snapshot().unwrap() == before);
    // Both go on: the second to come back finds what the first has done.
    let first = bob.allow(other.location(), "nora").await;
    assert!(first.location().ends_with("/auth/connections"), "{}", first.text);
    let linked = links(&stack);
    let second = bob.allow(one.location(), "nora").await;
    assert_eq!((second.status, second.code()), (401, "not_signed_in"), "the session is another");
    assert_eq!(links(&stack), linked);
    assert_eq!(bob.account().await.as_deref(), Some("bob"));
}

#[tokio::test]
async fn unlink_twice_unlinked_is_unlinked() {
    let stack = stack().await;
    let lin = at_the_desk(&stack, "lin").await;
    let token = csrf(&lin, "/auth/connections").await;
    assert_eq!(links(&stack).len(), 2);

    let clicks = (0..8).map(|_| press(&lin, "/auth/connections/amazon/unlink", &token));
    let (mut done, mut sessions) = (0, 0);
    for answer in join_all(clicks).await {
        match (answer.status, answer.code()) {
            (303, _) => done += 1,
            // They came with the session that the first one has replaced, or all at once.
            (401, "not_signed_in") | (503, "unavailable") => {}
            other => panic!("{other:?}"),
        }
        let cookies = answer.headers.get_all("set-cookie").iter();
        sessions += cookies.filter(|one| one.to_str().unwrap().starts_with(SESSION)).count();
    }
    assert!(done >= 1);
    assert_eq!((sessions, links(&stack)), (1, Vec::new()), "no click brings a cookie back");
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
    let token = csrf(&lin, "/auth/connections").await;
    let again = press(&lin, "/auth/connections/amazon/unlink", &token).await;

    assert_eq!((again.status, links(&stack)), (303, Vec::new()));
    assert_eq!(lin.account().await.as_deref(), Some("lin"), "she is still in");
    let page = lin.land(again).await;
    assert!(page.says("No Amazon account is connected"), "{}", page.text);
}

#[tokio::test]
async fn reauth_twice_a_proof_is_a_proof_and_one_session_is_left() {
    let stack = stack().await;
    let lin = Browser::new(&stack);
    assert_eq!(lin.sign_in_at_amazon("lin", "/").await.status, 303);
    let csrf = csrf(&lin, "/auth/reauthenticate").await;
    let clicked = lin.copy();
    let fields = [("csrf", csrf.as_str()), ("password", "lin-local-password")];

    let first = lin.post("/auth/reauthenticate", &fields).await;
    let second = clicked.post("/auth/reauthenticate", &fields).await;

    assert_eq!(first.status, 303, "{}", first.text);
    // The second click came with the session that the first one has replaced.
    assert_eq!((second.status, second.code()), (401, "not_signed_in"), "{}", second.text);
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
    assert_eq!(clicked.account().await, None);
    // Once more, on purpose: a newer proof, another session, and the one before is over.
    let (before, csrf) = (lin.copy(), crate::twice::csrf(&lin, "/auth/reauthenticate").await);
    let fields = [("csrf", csrf.as_str()), ("password", "lin-local-password")];
    assert_eq!(lin.post("/auth/reauthenticate", &fields).await.status, 303);
    assert_ne!(lin.cookie(SESSION), before.cookie(SESSION));
    assert_eq!(before.account().await, None);
    let rows = stack.dynamodb.scan("sessions").unwrap();
    assert_eq!(rows.iter().filter(|row| row["sk"]["S"] != "META").count(), 1);
}
