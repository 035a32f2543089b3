//! A page of the shop's that signs in by a script, and hands over what Amazon gave it.

use tests::{LOGIN, SESSION, TICKET};

use crate::visitor::{Habits, USUAL, Visitor};

const SCRIPTED: Habits = Habits { scripts: true, ..USUAL };

impl Visitor {
    /// Goes to the page with the script, and signs in at Amazon.
    async fn signs_in_by_script(&self, customer: &str) {
        self.goto("/sign-in").await;
        self.click("#app").await;
        self.sees("main[data-page='app'] #amazon:not([hidden])").await;
        self.keep("1-page").await;
        self.click("#amazon").await;
        self.click(&format!("#persona-{customer}")).await;
        self.click("#allow").await;
    }
}

#[tokio::test]
async fn lin_signs_in_by_a_script_that_never_sees_her_session() {
    let lin = Visitor::start("lin-script", SCRIPTED, &[]).await;
    lin.signs_in_by_script("lin").await;
    let how = lin.sees("main[data-page='account'] #how").await;
    assert_eq!(how.text().await.unwrap(), "amazon");
    lin.keep("2-account").await;
    assert_eq!(lin.is_called().await, "Lin Linked");
    assert!(lin.has_cookie(SESSION).await && !lin.has_cookie(LOGIN).await);
    let script =
        "return document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)";
    let seen = lin.client.execute(script, Vec::new()).await.unwrap().to_string();
    assert!(!seen.contains("__Host-") && !seen.contains("verifier"), "{seen}");
    lin.click("#sign-out").await;
    lin.sees("main[data-page='home'] #amazon").await;
    assert_eq!(lin.is_called().await, "Guest");
    lin.leaves().await;
}

#[tokio::test]
async fn ann_signs_in_by_a_script_and_is_asked_for_her_password() {
    let ann = Visitor::start("ann-script", SCRIPTED, &[]).await;
    ann.signs_in_by_script("ann").await;
    ann.sees("main[data-code='ok'] #password").await;
    ann.keep("2-link").await;
    assert!(ann.has_cookie(TICKET).await && !ann.has_cookie(SESSION).await);
    ann.proves("ann-local-password").await;
    ann.sees("main[data-page='home']").await;
    assert_eq!(ann.is_called().await, "Ann Local");
    ann.leaves().await;
}

#[tokio::test]
async fn noa_signs_in_by_a_script_and_is_asked_for_an_address() {
    let noa = Visitor::start("noa-script", SCRIPTED, &[]).await;
    noa.signs_in_by_script("noa").await;
    noa.sees("main[data-code='ok'] form[action='/auth/amazon/register']").await;
    noa.types("input[name='email']", "noa@example.org").await;
    noa.click("form[action='/auth/amazon/register'] button").await;
    noa.sees("main[data-page='home']").await;
    assert_eq!(noa.is_called().await, "Noa Nomail");
    noa.leaves().await;
}

#[tokio::test]
async fn g10_nothing_but_what_this_page_began_is_handed_over() {
    let lin = Visitor::start("lin-other-state", SCRIPTED, &[]).await;
    for answer in ["code=ANmadeup&state=made-up", "state=x", "error=access_denied&state=x"] {
        lin.goto(&format!("/app?{answer}")).await;
        let said = lin.sees("#said:not(:empty)").await;
        assert_eq!(said.text().await.unwrap(), "Nobody began this here.", "{answer}");
    }
    assert!(lin.stack.amazon.calls().iter().all(|call| call.endpoint().is_none()));
    assert!(!lin.has_cookie(SESSION).await);
    lin.keep("1-refused").await;
    lin.leaves().await;
}
