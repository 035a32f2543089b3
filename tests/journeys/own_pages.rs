//! Sites with pages of their own instead of ours: their scripts speak JSON with the same routes.

use serde_json::json;
use tests::{Answer, Browser};

use crate::stack_with;

const FIELDS: &str =
    r#"[{"name":"phone","label":"Phone","type":"tel","required":true,"pattern":"[0-9]{5,15}"}]"#;

fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let json = answer.json();
    assert_eq!(json["status"], answer.status);
    assert!(json["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{json}");
    (answer.status, json["code"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_page_of_the_sites_own_links() {
    let stack = stack_with(&[("LinkPagePath", "/my/link")]).await;
    let browser = Browser::new(&stack);
    let answer = browser.sign_in_at_amazon("ann", "/checkout").await;
    assert_eq!(answer.location(), format!("{}/my/link", stack.url));

    let told = browser.fetch("/auth/amazon/link", None).await.json();
    assert_eq!((&told["email"], &told["attempts_left"]), (&"ann@example.com".into(), &5.into()));
    let csrf = &told["csrf"];
    let path = "/auth/amazon/link";

    let forged = browser.fetch(path, Some(json!({ "password": "ann-local-password" }))).await;
    assert_eq!(problem(&forged), (403, "csrf".into()));
    let odd = json!({ "csrf": csrf, "password": "ann-local-password", "admin": "yes" });
    assert_eq!(problem(&browser.fetch(path, Some(odd)).await), (400, "bad_request".into()));
    let wrong = browser.fetch(path, Some(json!({ "csrf": csrf, "password": "x" }))).await;
    assert_eq!(problem(&wrong), (401, "wrong_password".into()));
    assert_eq!(wrong.json()["attempts_left"], 4);

    let right = json!({ "csrf": csrf, "password": "ann-local-password" });
    let right = browser.fetch(path, Some(right)).await;
    assert_eq!(right.status, 200);
    let told = right.json();
    assert_eq!((&told["status"], &told["return_to"]), (&"signed_in".into(), &"/checkout".into()));
    assert_eq!(told["account"], json!({ "id": "ann", "name": "Ann Local" }));
    assert_eq!(browser.account().await.as_deref(), Some("ann"));

    assert_eq!(problem(&browser.fetch(path, None).await), (410, "ticket_expired".into()));
}

#[tokio::test]
async fn a_page_of_the_sites_own_registers() {
    let parameters = [("RegisterPagePath", "/my/registration"), ("RegistrationFields", FIELDS)];
    let stack = stack_with(&parameters).await;
    let browser = Browser::new(&stack);
    let answer = browser.sign_in_at_amazon("nora", "/checkout").await;
    assert_eq!(answer.location(), format!("{}/my/registration", stack.url));
    let path = "/auth/amazon/register";

    let told = browser.fetch(path, None).await.json();
    assert_eq!(told["email"], "nora@example.com");
    assert_eq!(told["fields"][0]["name"], "phone");
    assert_eq!(told["fields"][0]["required"], true);
    let csrf = &told["csrf"];

    let wrong =
        browser.fetch(path, Some(json!({ "csrf": csrf, "fields": { "phone": "-" } }))).await;
    assert_eq!(problem(&wrong), (422, "invalid_fields".into()));
    assert_eq!(wrong.json()["fields"], json!({ "phone": "invalid" }));

    let right = json!({ "csrf": csrf, "fields": { "phone": "0123456" } });
    let right = browser.fetch(path, Some(right)).await;
    assert_eq!((right.status, &right.json()["status"]), (200, &"signed_in".into()));
    assert_eq!(right.json()["return_to"], "/checkout");
    assert!(browser.account().await.is_some());
}

#[tokio::test]
async fn a_script_is_told_of_limits_in_seconds() {
    let stack = stack_with(&[]).await;
    for round in 0..2 {
        let browser = Browser::new(&stack);
        browser.sign_in_at_amazon("ann", "/checkout").await;
        let told = browser.fetch("/auth/amazon/link", None).await.json();
        let guess = json!({ "csrf": told["csrf"], "password": "not-her-password" });
        let mut last = browser.fetch("/auth/amazon/link", Some(guess.clone())).await;
        for _ in 0..4 * (1 - round) {
            last = browser.fetch("/auth/amazon/link", Some(guess.clone())).await;
        }
        if round == 0 {
            assert_eq!(problem(&last), (410, "ticket_expired".into()));
            assert_eq!(last.json()["return_to"], "/checkout");
            crate::passwords::fill_the_next_window_too(&stack);
        } else {
            assert_eq!(problem(&last), (429, "too_many_attempts".into()));
            let header = last.header("retry-after").unwrap().to_owned();
            assert_eq!(last.json()["retry_after"].to_string(), header);
        }
    }
}
