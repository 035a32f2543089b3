//! Where a visitor lands who has signed in.

use tests::Browser;

use crate::{stack, stack_with};

#[tokio::test]
async fn b01_a_visitor_lands_where_they_were_going_and_nowhere_else() {
    let stack = stack().await;
    for (asked, landed) in [
        ("/checkout", "/checkout"),
        ("/checkout?step=2&gift=yes", "/checkout?step=2&gift=yes"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/auth/logout", "/"),
        ("/%2e%2e/auth/logout", "/"),
        ("", "/"),
    ] {
        let browser = Browser::new(&stack);
        let answer = browser.sign_in_at_amazon("lin", asked).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.location(), format!("{}{landed}", stack.url), "{asked}");
        assert_eq!(browser.account().await.as_deref(), Some("lin"), "{asked}");
    }
}

#[tokio::test]
async fn the_shop_knows_who_came_back_on_every_page() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.post("/basket", &[("product", "0")]).await;

    let page = browser.sign_in_at_amazon("lin", "/checkout").await;
    let page = browser.land(page).await;

    assert_eq!((page.page(), page.who()), ("checkout", "Lin Linked"));
    assert!(page.says("Basket (1)"), "the basket came along");
    for path in ["/", "/account", "/reset-password"] {
        assert_eq!(browser.get(path).await.who(), "Lin Linked", "{path}");
    }
    assert_eq!(Browser::new(&stack).who().await, "Guest", "nobody else is");
}

#[tokio::test]
async fn a_site_may_want_every_sign_in_to_pass_a_page_of_its_own() {
    let stack = stack_with(&[("SignedInPath", "/account")]).await;
    let passes = format!("{}/account?return_to=%2Fcheckout", stack.url);

    let lin = Browser::new(&stack);
    assert_eq!(lin.sign_in_at_amazon("lin", "/checkout").await.location(), passes);

    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/checkout").await;
    assert_eq!(ann.prove(&page, "ann-local-password").await.location(), passes);
}

#[tokio::test]
async fn a18_a_visitor_whom_another_site_sends_to_the_sign_in_is_asked_first() {
    let stack = stack().await;
    let browser = Browser::new(&stack);

    let url = format!("{}/auth/amazon/login?return_to=/checkout", stack.url);
    let page = browser.come_back(&url).await;

    assert_eq!((page.status, page.code()), (200, "ok"));
    assert!(browser.cookie(tests::LOGIN).is_none(), "nothing has begun");
    let left = browser.get(&page.link("Login with Amazon")).await;
    let page = browser.allow(left.location(), "lin").await;
    assert_eq!(page.location(), format!("{}/checkout", stack.url));
}
