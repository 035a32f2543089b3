//! Visitors who look after the ways into their own accounts.

use tests::{Browser, SESSION};

use crate::visitor::{Habits, USUAL, Visitor};

pub(crate) const LINK: &str = "form[action='/auth/connections/amazon/link'] button";
pub(crate) const UNLINK: &str = "form[action='/auth/connections/amazon/unlink'] button";
pub(crate) const PROVE: &str = "form[action='/auth/reauthenticate'] button";
/// The way from a letter to the page that undoes a link.
pub(crate) const UNDO: &str = "main a[href*='/auth/connections/undo?token=']";
/// The way from the page that says that a proof is missing.
pub(crate) const TO_THE_PROOF: &str =
    "main[data-code='reauthentication_required'] a[href^='/auth/reauth']";

impl Visitor {
    /// Fills in the shop's own form, where it is shown.
    pub(crate) async fn signs_in_at_the_desk(&self, email: &str, password: &str) {
        self.types("main[data-page='sign-in'] #email", email).await;
        self.types("#password", password).await;
        self.click("#submit").await;
        // Guests are called something too, but lead nowhere.
        self.sees("a#who").await;
    }

    /// Follows the shop's links to the connections.
    pub(crate) async fn goes_to_the_connections(&self) {
        self.click("a#who").await;
        self.click("main[data-page='account'] #connections").await;
        self.sees("main[data-code='ok'] form[action^='/auth/connections/']").await;
    }

    /// Asks the shop for a new password, reads the mail and chooses one.
    pub(crate) async fn resets_the_password(&self, email: &str, password: &str) {
        self.types("main[data-page='reset-password'] #email", email).await;
        self.click("#submit").await;
        self.click("#reset-link").await;
        self.types("main[data-page='new-password'] #password", password).await;
        self.click("#submit").await;
        self.sees("main[data-page='password-changed']").await;
    }

    /// Confirms with the account's password, on the page that asks for it.
    async fn confirms(&self, password: &str) {
        self.types("#password", password).await;
        self.click(PROVE).await;
    }
}

#[tokio::test]
async fn bob_attaches_amazon_and_comes_back_by_amazon_alone() {
    let bob = Visitor::start("bob", USUAL, &[]).await;
    bob.goto("/").await;
    bob.click("#sign-in").await;
    bob.signs_in_at_the_desk("bob@example.com", "bob-local-password").await;
    assert_eq!(bob.is_called().await, "Bob Local");
    bob.click("a#who").await;
    bob.sees("main[data-page='account'] #connections").await;
    bob.keep("1-account").await;
    bob.goes_to_the_connections().await;
    bob.sees(LINK).await;
    bob.keep("2-not-connected").await;

    bob.click(LINK).await;
    bob.click("#persona-nora").await;
    bob.click("#cancel").await;
    bob.sees("main[data-code='ok'] [role='status']").await;
    bob.sees(LINK).await;
    bob.keep("3-cancelled").await;

    bob.click(LINK).await;
    // Amazon knows her by now.
    bob.click("#allow").await;
    bob.sees(UNLINK).await;
    bob.keep("4-connected").await;
    assert!(bob.text().await.contains("Its address is nora@example.com."));

    bob.goto("/").await;
    bob.click("#sign-out").await;
    bob.sees("main[data-page='home'] #amazon").await;
    assert_eq!(bob.is_called().await, "Guest");
    assert!(!bob.has_cookie(SESSION).await);
    bob.goto("/auth/connections").await;
    bob.sees("main[data-code='not_signed_in'] a[href='/sign-in']").await;
    bob.keep("5-not-signed-in").await;

    bob.goto("/checkout").await;
    bob.click("#amazon").await;
    bob.sees("main[data-page='checkout'] #deliver").await;
    assert_eq!(bob.is_called().await, "Bob Local", "Amazon is enough");
    bob.leaves().await;
}

#[tokio::test]
async fn lin_proves_her_password_before_she_detaches_amazon_on_her_telephone_at_night() {
    let habits = Habits { language: "de-DE", dark: true, narrow: true, ..USUAL };
    let lin = Visitor::start("lin-detaches", habits, &[]).await;
    lin.goto("/").await;
    lin.signs_in_at_amazon("lin", true).await;
    lin.goes_to_the_connections().await;
    lin.keep("1-connected").await;
    assert!(lin.fits().await, "nothing is cut off at 320 pixels");

    lin.click(UNLINK).await;
    lin.sees(&format!("html[lang='de'] {TO_THE_PROOF}")).await;
    lin.keep("2-proof-needed").await;
    assert!(lin.fits().await);
    lin.click(TO_THE_PROOF).await;
    lin.sees("main[data-code='ok'] #password").await;
    lin.keep("3-password").await;
    assert!(lin.fits().await);
    let active = lin.client.active_element().await.unwrap();
    assert_eq!(active.attr("id").await.unwrap().as_deref(), Some("password"), "ready to type");

    lin.confirms("mein-amazon-passwort").await;
    lin.sees("main[data-code='wrong_password'] [role='alert']").await;
    lin.keep("4-wrong-password").await;
    assert!(lin.fits().await);
    assert!(lin.client.title().await.unwrap().starts_with("Fehler: "));
    lin.confirms("lin-local-password").await;
    lin.click(UNLINK).await;
    lin.sees(LINK).await;
    lin.keep("5-detached").await;
    assert!(lin.fits().await);

    lin.goto("/").await;
    assert_eq!(lin.is_called().await, "Lin Linked", "she is in still");
    lin.click("#sign-out").await;
    lin.click("#amazon").await;
    lin.sees("main[data-code='ok'] form[action='/auth/amazon/link'] #password").await;
    lin.leaves().await;
}

#[tokio::test]
async fn nora_who_has_no_password_confirms_at_amazon_and_sets_one_before_she_detaches_it() {
    let nora = Visitor::start("nora-detaches", USUAL, &[]).await;
    nora.goto("/").await;
    nora.signs_in_at_amazon("nora", true).await;
    nora.goes_to_the_connections().await;
    // Whoever has just come is confirmed already, by registering.
    nora.goto("/auth/reauthenticate").await;
    nora.sees("main[data-code='ok'] form[action='/auth/reauthenticate']").await;
    nora.keep("1-confirm-at-amazon").await;
    assert!(nora.text().await.contains("Confirm at Amazon"));
    nora.click(PROVE).await;
    nora.click(UNLINK).await;
    nora.sees("main[data-code='last_sign_in_method']").await;
    nora.keep("2-only-way-in").await;

    nora.click("a[href='/reset-password']").await;
    nora.resets_the_password("nora@example.com", "nora-first-password").await;
    assert_eq!(nora.is_called().await, "Guest", "a new password ends what the old one opened");
    nora.click("#continue").await;
    nora.signs_in_at_the_desk("nora@example.com", "nora-first-password").await;
    nora.goes_to_the_connections().await;
    nora.keep("3-to-prove-again").await;
    assert!(nora.text().await.contains("we ask for your password here once"));
    nora.click(UNLINK).await;
    nora.sees(LINK).await;
    nora.leaves().await;
}

#[tokio::test]
async fn lin_signs_another_browser_out() {
    let lin = Visitor::start("lin-here", USUAL, &[]).await;
    let there = lin.elsewhere("lin-there", USUAL).await;
    // Amazon asks her once whether it may tell us who she is.
    for (browser, consents) in [(&lin, true), (&there, false)] {
        browser.goto("/").await;
        browser.signs_in_at_amazon("lin", consents).await;
        browser.sees("#sign-out").await;
    }
    lin.goes_to_the_connections().await;
    lin.keep("1-two-browsers").await;
    let text = lin.text().await;
    assert_eq!(text.matches("Signed in: ").count(), 2, "{text}");
    assert_eq!(text.matches("(this one)").count(), 1, "{text}");

    // The first is the one that she sits at.
    lin.click("main li:nth-child(2) form button").await;
    lin.sees("main li:only-child").await;
    lin.keep("2-one-browser").await;
    there.goto("/").await;
    assert_eq!(there.is_called().await, "Guest");

    there.click("#amazon").await;
    there.sees("#sign-out").await;
    lin.goto("/auth/connections").await;
    lin.click("form:has(input[name='all_others']) button").await;
    lin.sees("main li:only-child").await;
    there.goto("/").await;
    assert_eq!(there.is_called().await, "Guest");
    lin.goto("/").await;
    assert_eq!(lin.is_called().await, "Lin Linked");

    lin.goes_to_the_connections().await;
    lin.click("main li form button").await;
    lin.sees("main[data-code='not_signed_in']").await;
    lin.goto("/").await;
    assert_eq!(lin.is_called().await, "Guest", "she can leave from here too");
    there.leaves().await;
    lin.leaves().await;
}

#[tokio::test]
async fn ann_undoes_a_link_that_was_not_hers() {
    let ann = Visitor::start("ann-undoes", USUAL, &[]).await;
    // Somebody knew her password, and was asked for it after Amazon.
    let thief = Browser::new(&ann.stack);
    let page = thief.asked_after_amazon("ann", "/").await;
    assert_eq!(thief.prove(&page, "ann-local-password").await.status, 303);
    assert_eq!(thief.account().await.as_deref(), Some("ann"));

    ann.goto("/mailbox").await;
    ann.signs_in_at_the_desk("ann@example.com", "ann-local-password").await;
    ann.sees("main[data-page='mailbox']").await;
    ann.keep("1-mailbox").await;
    ann.click(UNDO).await;
    ann.sees("main[data-code='ok'] form[action='/auth/connections/undo']").await;
    ann.keep("2-undo").await;
    assert_eq!(thief.account().await.as_deref(), Some("ann"), "to look changes nothing");
    let asked = ann.client.current_url().await.unwrap();

    ann.click("form[action='/auth/connections/undo'] button").await;
    ann.sees("main[data-code='ok'] a[href='/reset-password']").await;
    ann.keep("3-undone").await;
    assert_eq!(thief.account().await, None);
    ann.client.goto(asked.as_str()).await.unwrap();
    ann.sees("main[data-code='ticket_expired'] a.button[href='/auth/connections']").await;
    ann.keep("4-undone-before").await;

    ann.goto("/mailbox").await;
    ann.keep("5-mailbox").await;
    assert!(ann.text().await.contains("The Amazon account was disconnected."));
    ann.goto("/reset-password").await;
    ann.resets_the_password("ann@example.com", "ann-second-password").await;
    let page = thief.asked_after_amazon("ann", "/").await;
    assert_eq!(thief.prove(&page, "ann-local-password").await.code(), "wrong_password");
    ann.leaves().await;
}
