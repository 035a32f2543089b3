//! The six people on the sign-in page of Amazon's stand-in, each with another story.

use local_stack::seed::ACCOUNTS;
use tests::Browser;

use crate::{accounts, rows_with, stack};

#[tokio::test]
async fn nora_is_new_and_has_an_account_at_once() {
    let stack = stack().await;
    let browser = Browser::new(&stack);

    let page = browser.sign_in_at_amazon("nora", "/").await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("home", "Nora New"));
    let account = browser.account().await.unwrap();
    let rows = rows_with(&stack, "accounts", "id", &account);
    assert_eq!(rows[0]["email"]["S"], "nora@example.com");
    assert!(rows[0]["password_hash"].is_null(), "no password was made up for her");

    let phone = Browser::new(&stack);
    phone.sign_in_at_amazon("nora", "/").await;
    assert_eq!(phone.account().await, Some(account), "it is hers the next time too");
    assert_eq!(accounts(&stack), ACCOUNTS.len() + 1);
}

#[tokio::test]
async fn ann_has_an_account_with_her_address_and_proves_it_once() {
    let stack = stack().await;
    let browser = Browser::new(&stack);

    let page = browser.asked_after_amazon("ann", "/").await;

    assert!(page.says("ann@example.com") && page.says("not your Amazon password"));
    assert_eq!(browser.who().await, "Guest", "an address alone opens nothing");
    let page = browser.prove(&page, "ann-local-password").await;
    let page = browser.land(page).await;
    assert_eq!((page.page(), page.who()), ("home", "Ann Local"));
    assert_eq!(browser.account().await.as_deref(), Some("ann"));

    let phone = Browser::new(&stack);
    let page = phone.sign_in_at_amazon("ann", "/checkout").await;
    let page = phone.land(page).await;
    assert_eq!((page.page(), page.who()), ("checkout", "Ann Local"), "nobody asks again");
    assert_eq!(accounts(&stack), ACCOUNTS.len());
}

#[tokio::test]
async fn lin_was_linked_before_and_clicks_through_amazons_pages() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let shop = browser.get("/checkout").await;

    let page = browser.get(&shop.link("Login with Amazon")).await;
    let page = browser.follow(&page).await;
    let at = |path: &str| format!("{}{path}", stack.amazon.url);
    let query = page.input("query").replace("&#38;", "&");
    let fields = [("query", &*query), ("persona", "lin")];
    let page = browser.post(&at("/ap/signin"), &fields).await;
    let page = browser.follow(&page).await;
    assert!(page.says("would like to know"), "{}", page.text);
    let fields = [("query", &*query), ("scope", "profile"), ("answer", "allow")];
    let page = browser.post(&at("/ap/consent"), &fields).await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Lin Linked"));
    assert_eq!(browser.account().await.as_deref(), Some("lin"));
    let again = browser.get("/account").await;
    assert!(again.says(r#"id="how">amazon<"#), "{}", again.text);
}

#[tokio::test]
async fn noa_shares_no_address_and_is_asked_for_one() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("noa", "/checkout").await;
    assert!(page.url.ends_with("/auth/amazon/register"), "{}", page.url);

    let fields = [("csrf", page.input("csrf")), ("email", "noa@home.example")];
    let page = browser.post("/auth/amazon/register", &fields).await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Noa Nomail"));
    let rows = rows_with(&stack, "accounts", "email", "noa@home.example");
    assert_eq!(rows.len(), 1);
    let phone = Browser::new(&stack);
    phone.sign_in_at_amazon("noa", "/").await;
    assert_eq!(phone.account().await, browser.account().await);
}

#[tokio::test]
async fn max_says_no_and_is_back_at_the_sign_in_page() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let url = browser.begin("/checkout").await;

    let page = browser.come_back(&stack.amazon.cancel(&url).unwrap()).await;
    let page = browser.land(page).await;

    assert_eq!((page.status, page.page(), page.who()), (200, "sign-in", "Guest"));
    assert!(page.says("You did not sign in with Amazon"));
    assert_eq!(accounts(&stack), ACCOUNTS.len());
    assert!(stack.amazon.calls().is_empty(), "Amazon was asked nothing");
}

#[tokio::test]
async fn ida_shares_only_her_id_and_still_gets_an_account() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.asked_after_amazon("ida", "/").await;
    assert_eq!(page.input("email"), "");

    let fields = [("csrf", page.input("csrf")), ("email", "ida@home.example")];
    let page = browser.post("/auth/amazon/register", &fields).await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("home", "you"), "nobody knows her name");
    assert!(browser.account().await.is_some());
}
