//! Logging out, and what others are told about who is signed in.

use tests::{Browser, SESSION};

use crate::stack;

#[tokio::test]
async fn c09_a_visitor_who_logs_out_is_out_at_once_everywhere() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;
    let copy = Browser::new(&stack);
    copy.keep_cookie(SESSION, &browser.cookie(SESSION).unwrap());
    assert_eq!(copy.account().await.as_deref(), Some("lin"));
    let form = browser.get("/").await;
    let fields = [("csrf", form.input("csrf")), ("return_to", "/checkout")];

    let bye = browser.post("/auth/logout", &fields).await;

    assert_eq!(bye.location(), format!("{}/checkout", stack.url));
    assert!(browser.cookie(SESSION).is_none());
    let session = browser.fetch("/auth/session", None).await;
    assert_eq!((session.status, session.json()["signed_in"].clone()), (401, false.into()));
    assert_eq!(copy.account().await, None, "a saved copy of the cookie is dead");
    assert_eq!(copy.who().await, "Guest");
    let again = browser.post("/auth/logout", &fields).await;
    assert_eq!(again.status, 303, "once more is fine");
    let again = copy.post("/auth/logout", &fields).await;
    assert_eq!(again.status, 303, "with a dead cookie too");
}

#[tokio::test]
async fn c10_logging_out_ends_one_session_and_takes_a_form_of_its_own() {
    let stack = stack().await;
    let (browser, phone) = (Browser::new(&stack), Browser::new(&stack));
    browser.sign_in_at_amazon("lin", "/").await;
    phone.sign_in_at_amazon("lin", "/").await;
    let of_phone = phone.get("/").await.input("csrf").to_owned();

    for fields in [vec![], vec![("csrf", of_phone.as_str())]] {
        let refused = browser.post("/auth/logout", &fields).await;
        assert_eq!((refused.status, refused.code()), (403, "csrf"));
        assert_eq!(browser.account().await.as_deref(), Some("lin"));
    }

    browser.log_out().await;
    assert_eq!(browser.account().await, None);
    assert_eq!(phone.account().await.as_deref(), Some("lin"));
}

#[tokio::test]
async fn a_proxy_is_told_who_is_signed_in() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let nobody = browser.fetch("/auth/verify", None).await;
    assert_eq!((nobody.status, nobody.header("remote-user")), (401, None));

    browser.sign_in_at_amazon("lin", "/").await;
    let lin = browser.fetch("/auth/verify", None).await;
    assert_eq!((lin.status, &*lin.text), (200, ""));
    assert_eq!(lin.header("remote-user"), Some("lin"));
    assert_eq!(lin.header("x-auth-request-user"), Some("lin"));

    browser.log_out().await;
    assert_eq!(browser.fetch("/auth/verify", None).await.status, 401);
}

#[tokio::test]
async fn a_site_is_told_whose_session_it_is_and_since_when() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("lin", "/").await;

    let told = browser.fetch("/auth/session", None).await.json();

    assert_eq!(told["account"], serde_json::json!({ "id": "lin", "name": "Lin Linked" }));
    assert_eq!(
        (&told["session"]["kind"], &told["session"]["how"]),
        (&"browser".into(), &"amazon".into())
    );
    assert!(told["session"]["started_at"].as_str() < told["session"]["expires_at"].as_str());
    let secret = browser.cookie(SESSION).unwrap();
    assert!(!told.to_string().contains(&secret), "the cookie itself is not told");
}
