//! The shop moves to another developer account of Amazon's, where every customer has another `user_id`.
//! Runbook, "Move to another LWA developer account".

use local_stack::{
    CLIENT_SECRET_ARN, Stack,
    amazon::{FOREIGN_CLIENT_ID, FOREIGN_CLIENT_SECRET},
};
use tests::Browser;

use crate::{passwords::reset, rows_with, stack};

/// Step 2: the new client, and its secret.
fn deploy_with_another_client(stack: &Stack) {
    let back = format!("{}/auth/amazon/callback", stack.url);
    let mut world = stack.amazon.world();
    world.client_mut(FOREIGN_CLIENT_ID).unwrap().allow_return_url(&back).unwrap();
    drop(world);
    stack.secrets.set(CLIENT_SECRET_ARN, FOREIGN_CLIENT_SECRET);
    for function in ["login", "callback", "connections", "reauthenticate", "handoff"] {
        stack.set(function, "LWA_CLIENT_ID", Some(FOREIGN_CLIENT_ID));
    }
}

/// Step 3: both rows of every link go, and claims to addresses stay.
fn remove_the_old_links(stack: &Stack) {
    for row in stack.dynamodb.scan("identities").unwrap() {
        let pk = row["pk"]["S"].as_str().unwrap();
        if pk.starts_with("AMAZON#") || pk.starts_with("ACCOUNT#") {
            stack.dynamodb.delete("identities", &[("pk", pk)]).unwrap();
        }
    }
}

#[tokio::test]
async fn after_a_move_everybody_proves_the_password_once_and_nobody_is_moved_by_address() {
    let stack = stack().await;
    let stays = Browser::new(&stack);
    stays.sign_in_at_amazon("lin", "/").await;
    let before = rows_with(&stack, "identities", "account_id", "lin");
    deploy_with_another_client(&stack);
    remove_the_old_links(&stack);

    assert_eq!(stays.account().await.as_deref(), Some("lin"), "who is signed in stays so");
    let lin = Browser::new(&stack);
    let page = lin.asked_after_amazon("lin", "/checkout").await;
    assert_eq!(lin.account().await, None, "the address alone opens nothing");
    let page = lin.prove(&page, "lin-local-password").await;
    assert_eq!(lin.land(page).await.page(), "checkout");

    let again = Browser::new(&stack);
    again.sign_in_at_amazon("lin", "/").await;
    assert_eq!(again.account().await.as_deref(), Some("lin"), "from then on as before");
    let after = rows_with(&stack, "identities", "account_id", "lin");
    assert_ne!(before[0]["pk"], after[0]["pk"], "by another user_id");
}

#[tokio::test]
async fn before_the_old_links_are_removed_nobody_takes_the_place_of_one() {
    let stack = stack().await;
    let before = rows_with(&stack, "identities", "account_id", "lin");
    deploy_with_another_client(&stack);

    let lin = Browser::new(&stack);
    let page = lin.asked_after_amazon("lin", "/").await;
    let refused = lin.prove(&page, "lin-local-password").await;

    assert_eq!((refused.status, refused.code()), (409, "already_linked"));
    assert_eq!(lin.account().await, None);
    assert_eq!(rows_with(&stack, "identities", "account_id", "lin"), before);
}

#[tokio::test]
async fn an_account_that_amazon_opened_needs_a_password_of_its_own_before_it_moves() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    browser.sign_in_at_amazon("nora", "/").await;
    let account = browser.account().await.unwrap();
    deploy_with_another_client(&stack);
    remove_the_old_links(&stack);

    let nora = Browser::new(&stack);
    let refused = nora.sign_in_at_amazon("nora", "/").await;
    let refused = nora.land(refused).await;
    assert_eq!(refused.code(), "no_password", "{}", refused.text);

    reset(&nora, "nora@example.com", "nora-new-password").await;
    let page = nora.asked_after_amazon("nora", "/checkout").await;
    let page = nora.prove(&page, "nora-new-password").await;
    assert_eq!(nora.land(page).await.page(), "checkout");
    assert_eq!(nora.account().await, Some(account), "it is the account that she had");
}
