//! Pages in the visitor's language.

use tests::Browser;

use crate::{stack, stack_with};

const FIELDS: &str =
    r#"[{"name":"phone","label":{"en":"Phone","de":"Telefon"},"type":"tel","required":true}]"#;

#[tokio::test]
async fn a_visitor_who_prefers_german_gets_german_pages() {
    let stack = stack_with(&[("RegistrationFields", FIELDS)]).await;
    let browser = Browser::new(&stack).preferring("de-DE,de;q=0.9,en;q=0.5");

    let url = format!("{}/auth/amazon/login", stack.url);
    let start = browser.come_back(&url).await;
    assert!(start.says(r#"<html lang="de">"#) && start.says("Mit Ihrem Amazon-Konto anmelden"));

    let link = browser.asked_after_amazon("ann", "/").await;
    assert!(link.says(r#"<html lang="de">"#) && link.says("Passwort vergessen?"));
    let wrong = browser.prove(&link, "falsch").await;
    assert!(wrong.says("Das ist nicht das Passwort dieses Kontos."));

    let register = browser.asked_after_amazon("nora", "/").await;
    assert!(register.says("Konto eröffnen") && register.says("Telefon"));
    let csrf = [("csrf", register.input("csrf"))];
    let wrong = browser.post("/auth/amazon/register", &csrf).await;
    assert!(wrong.says("Bitte füllen Sie dieses Feld aus."));

    let problem = browser.get("/auth/amazon/callback").await;
    assert!(problem.says(r#"<html lang="de">"#) && problem.says("Noch einmal versuchen"));

    stack.link("ann", "ann").await.unwrap();
    browser.sign_in_at_amazon("lin", "/").await;
    let switch = browser.sign_in_at_amazon("ann", "/").await;
    assert!(switch.says(r#"<html lang="de">"#) && switch.says("Konto wechseln"));
}

#[tokio::test]
async fn a_visitor_whose_language_we_do_not_speak_gets_english() {
    let stack = stack().await;
    for language in ["fr-FR,fr;q=0.9", "en-GB", "*", "q=;,,"] {
        let browser = Browser::new(&stack).preferring(language);
        let page = browser.get("/auth/amazon/link").await;
        assert!(page.says(r#"<html lang="en">"#), "{language}");
    }
}
