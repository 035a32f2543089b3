//! Amazon does not answer, or not as documented.

use local_stack::{
    Options,
    amazon::{Endpoint, Fault},
};
use tests::Browser;

#[tokio::test]
async fn r06_a_token_endpoint_that_fails_is_asked_once() {
    let stack = Options::default().start().await.unwrap();
    let browser = Browser::new(&stack);
    stack.amazon.fault(Endpoint::Token, Fault::Status(500), None);
    let page = browser.sign_in_at_amazon("lin", "/").await;
    assert_eq!((page.status, page.code()), (503, "unavailable"));
    assert_eq!(stack.amazon.calls_of(Endpoint::Token).len(), 1);
}
