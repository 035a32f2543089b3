//! Visitors of a site whose accounts are asked about over a wire: all they notice is that it works.

use local_stack::{Stack, accounts::Fault, seed::ACCOUNTS};
use serde_json::json;
use tests::Browser;

use crate::{accounts, rows_with, stack_with};

const WIRES: [&str; 2] = ["webhook", "function"];

async fn stack_of(wire: &str) -> Stack {
    stack_with(&[("Accounts", wire), ("ProfileSync", "name=always,postal_code=always")]).await
}

#[tokio::test]
async fn whoever_is_known_new_or_asked_for_a_password_gets_in() {
    for wire in WIRES {
        let stack = stack_of(wire).await;
        let lin = Browser::new(&stack);
        lin.sign_in_at_amazon("lin", "/").await;
        assert_eq!(lin.account().await.as_deref(), Some("lin"), "{wire}");

        let ann = Browser::new(&stack);
        let page = ann.asked_after_amazon("ann", "/checkout").await;
        let page = ann.prove(&page, "not-her-password").await;
        assert_eq!((page.status, page.code()), (401, "wrong_password"));
        let page = ann.prove(&page, "ann-local-password").await;
        assert_eq!(
            (ann.land(page).await.page(), ann.account().await),
            ("checkout", Some("ann".into()))
        );
        let again = Browser::new(&stack);
        again.sign_in_at_amazon("ann", "/").await;
        assert_eq!(again.account().await.as_deref(), Some("ann"), "Amazon is enough from now on");

        let nora = Browser::new(&stack);
        nora.sign_in_at_amazon("nora", "/").await;
        let account = nora.account().await;
        assert!(account.is_some() && accounts(&stack) == ACCOUNTS.len() + 1);
        let again = Browser::new(&stack);
        again.sign_in_at_amazon("nora", "/").await;
        assert_eq!((again.account().await, accounts(&stack)), (account, ACCOUNTS.len() + 1));
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_a_locked_account_stays_shut() {
    let stack = stack_of("webhook").await;
    stack.dynamodb.set("accounts", &[("id", "ann")], "second_factor", "246810").unwrap();
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    let page = ann.prove(&page, "ann-local-password").await;
    assert_eq!((page.status, page.code()), (401, "mfa_required"));
    let fields =
        [("csrf", page.input("csrf")), ("password", "ann-local-password"), ("code", "246810")];
    let page = ann.post("/auth/amazon/link", &fields).await;
    assert_eq!(
        (ann.land(page).await.page(), ann.account().await),
        ("checkout", Some("ann".into()))
    );

    let locked = Fault::Says(json!({ "verdict": "locked" }));
    let bob = Browser::new(&stack);
    stack.amazon.change("nora", |nora| nora.email = Some("bob@example.com".to_owned()));
    let page = bob.asked_after_amazon("nora", "/").await;
    stack.accounts.fault("verify_password", 0, Some(1), locked);
    let page = bob.prove(&page, "bob-local-password").await;
    assert_eq!((page.status, page.code(), bob.account().await), (403, "account_closed", None));
}

#[tokio::test]
async fn who_registers_is_told_what_the_site_does_not_take_and_what_amazon_tells_is_followed() {
    let stack = stack_of("webhook").await;
    let says = json!({ "outcome": "invalid", "fields": { "email": "invalid" } });
    stack.accounts.fault("create", 0, Some(1), Fault::Says(says));
    let noa = Browser::new(&stack);
    let page = noa.asked_after_amazon("noa", "/checkout").await;
    let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];
    let page = noa.post("/auth/amazon/register", &fields).await;
    assert_eq!((page.status, page.code()), (422, "invalid_fields"));
    assert_eq!(page.input("email"), "noa@home.example");
    let page = noa.post("/auth/amazon/register", &fields).await;
    assert_eq!(noa.land(page).await.page(), "checkout");
    let row = || rows_with(&stack, "accounts", "email", "noa@home.example").remove(0);
    stack.amazon.change("noa", |noa| noa.name = Some("Noa Renamed".to_owned()));
    let again = Browser::new(&stack);
    again.sign_in_at_amazon("noa", "/").await;
    assert_eq!(row()["name"]["S"], "Noa Renamed");
}

#[tokio::test]
async fn settings_that_lead_nowhere_are_refused_by_their_names() {
    for (wire, setting, wrong) in [
        ("webhook", "ACCOUNTS_WEBHOOK_URL", Some("http://www.example.com/lwa-accounts")),
        ("webhook", "ACCOUNTS_WEBHOOK_URL", Some("https://user:secret@www.example.com/")),
        ("webhook", "ACCOUNTS_WEBHOOK_URL", None),
        ("webhook", "ACCOUNTS_WEBHOOK_SECRET_ARN", None),
        ("function", "ACCOUNTS_FUNCTION_ARN", None),
    ] {
        let stack = stack_of(wire).await;
        stack.set("callback", setting, wrong);
        let page = Browser::new(&stack).sign_in_at_amazon("lin", "/").await;
        assert_eq!((page.status, page.code()), (503, "unavailable"), "{setting} {wrong:?}");
        let named = stack.logs_of("callback").iter().any(|line| line.contains(setting));
        assert!(named, "the log does not name {setting}");
        let told = stack.logs().iter().any(|line| line.contains("user:secret"));
        assert!(!told, "a setting's value is in the log");
    }
}
