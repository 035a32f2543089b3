//! Newcomers of whom the site wants to know more than Amazon tells.

use local_stack::seed::ACCOUNTS;
use tests::Browser;

use crate::{accounts, rows_with, stack, stack_with};

const FIELDS: &str = r#"[
    {"name":"phone","label":{"en":"Phone","de":"Telefon"},"type":"tel","required":true,"pattern":"[0-9]{5,15}"},
    {"name":"city","label":"City","type":"text"},
    {"name":"terms","label":"I agree","type":"checkbox","required":true}
]"#;

#[tokio::test]
async fn what_is_missing_is_said_beside_its_field_and_what_was_typed_stays() {
    let stack = stack_with(&[("RegistrationFields", FIELDS)]).await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("nora", "/checkout").await;
    assert!(page.says("nora@example.com"));
    assert_eq!(accounts(&stack), ACCOUNTS.len(), "nothing is created yet");
    let csrf = page.input("csrf");

    let typed = [("csrf", csrf), ("phone", "call <me>"), ("city", "Köln & Bonn")];
    let page = browser.post("/auth/amazon/register", &typed).await;

    assert_eq!((page.status, page.code()), (422, "invalid_fields"));
    assert!(page.says(r#"id="field-phone-wrong""#) && page.says(r#"id="field-terms-wrong""#));
    assert!(!page.says(r#"id="field-city-wrong""#));
    assert_eq!(page.input("phone"), "call &#60;me&#62;");
    assert_eq!(page.input("city"), "Köln &#38; Bonn");
    assert_eq!((browser.account().await, accounts(&stack)), (None, ACCOUNTS.len()));

    let typed = [("csrf", csrf), ("phone", "0123456"), ("city", "Köln & Bonn"), ("terms", "yes")];
    let page = browser.post("/auth/amazon/register", &typed).await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Nora New"));
    let row = &rows_with(&stack, "accounts", "email", "nora@example.com")[0];
    assert_eq!((&row["phone"]["S"], &row["city"]["S"]), (&"0123456".into(), &"Köln & Bonn".into()));
    let phone = Browser::new(&stack);
    phone.sign_in_at_amazon("nora", "/").await;
    assert_eq!(phone.account().await, browser.account().await, "Amazon is enough from now on");
}

#[tokio::test]
async fn reg_twice_the_back_button_after_registering_creates_nothing_more() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("noa", "/checkout").await;
    let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];
    let ticket = browser.cookie(tests::TICKET).unwrap();

    let click = || browser.post("/auth/amazon/register", &fields);
    let (one, two) = tokio::join!(click(), click());
    assert!(one.status == 303 || two.status == 303);
    let account = browser.account().await.unwrap();

    browser.keep_cookie(tests::TICKET, &ticket);
    let back = click().await;
    assert_eq!(back.location(), format!("{}/checkout", stack.url));
    assert_eq!(browser.account().await, Some(account));
    assert_eq!(accounts(&stack), ACCOUNTS.len() + 1);
}

#[tokio::test]
async fn e21_an_address_that_has_an_account_leads_to_the_link_page() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("noa", "/checkout").await;

    let fields = [("csrf", page.input("csrf")), ("email", "Ann@Example.com")];
    let page = browser.post("/auth/amazon/register", &fields).await;
    assert_eq!(page.location(), format!("{}/auth/amazon/link", stack.url));
    let page = browser.land(page).await;
    assert_eq!(browser.account().await, None, "typing an address opens nothing");

    let page = browser.prove(&page, "ann-local-password").await;
    assert_eq!(browser.land(page).await.page(), "checkout");
    assert_eq!(browser.account().await.as_deref(), Some("ann"));
    let phone = Browser::new(&stack);
    phone.sign_in_at_amazon("noa", "/").await;
    assert_eq!(phone.account().await.as_deref(), Some("ann"));
    assert_eq!(accounts(&stack), ACCOUNTS.len());
}

#[tokio::test]
async fn e20_amazons_address_cannot_be_exchanged_for_another_one() {
    let stack = stack_with(&[("RegistrationFields", FIELDS)]).await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("nora", "/").await;

    let typed = [
        ("csrf", page.input("csrf")),
        ("email", "somebody@else.example"),
        ("phone", "0123456"),
        ("terms", "yes"),
    ];
    let page = browser.post("/auth/amazon/register", &typed).await;

    assert_eq!((page.status, page.code()), (400, "bad_request"));
    assert_eq!((browser.account().await, accounts(&stack)), (None, ACCOUNTS.len()));
}

#[tokio::test]
async fn e26_where_registration_is_closed_only_those_with_an_account_come_in() {
    let stack = stack_with(&[("Registration", "closed")]).await;

    let nora = Browser::new(&stack);
    let page = nora.sign_in_at_amazon("nora", "/").await;
    assert_eq!((page.status, page.code()), (403, "registration_closed"));
    assert_eq!((nora.account().await, accounts(&stack)), (None, ACCOUNTS.len()));

    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/").await;
    ann.prove(&page, "ann-local-password").await;
    assert_eq!(ann.account().await.as_deref(), Some("ann"));
}
