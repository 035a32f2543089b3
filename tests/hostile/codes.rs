//! Codes and states that are somebody else's.

use tests::Browser;

use crate::stack;

#[tokio::test]
async fn a01_a_callback_without_a_state_calls_nobody() {
    let stack = stack().await;
    let browser = Browser::new(&stack);
    let page = browser.come_back(&format!("{}/auth/amazon/callback?code=ANx", stack.url)).await;
    assert_eq!((page.status, page.code()), (400, "start_over"));
    assert!(stack.amazon.calls().is_empty());
    assert!(page.header("set-cookie").is_none());
}
