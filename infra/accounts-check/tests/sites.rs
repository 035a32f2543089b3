//! The sample sites of `infra/sites` keep the contract: the real program asks them, as their owner would.

#![cfg(test)]

mod asking;
mod ended;
mod run;

use std::time::Duration;

use domain::{Clock, webhook::Key};
use local_stack::sites::{Sample, Site};
use serde_json::{Value, json};

use crate::asking::{SECRET, ask, code};

const PASSWORD: &str = "ann-local-password";
/// What is not run about an account whose code opens once: no right password ends a row of wrong ones
/// then, and the account is locked.
const LOCKED_OUT: [&str; 9] = ["C46", "C47", "C48", "C49", "C50", "C51", "C52", "C54", "C56"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_in_python_is_right() {
    is_right(Sample::Python).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_in_node_is_right() {
    is_right(Sample::Node).await;
}

async fn is_right(sample: Sample) {
    let mut site = sample.start(SECRET).await.unwrap();

    let ran = ask(&site.webhook_url, &["--email", "ann@example.com"], PASSWORD).await;
    assert_eq!(ran.ended("failed"), [""; 0], "{}", ran.out);
    assert_eq!(ran.ended("advice"), [""; 0], "{}", ran.out);
    // Ann's address has no letter that another alphabet shares, her password is short, and there is no
    // second factor.
    assert_eq!(ran.ended("not_run"), ["C27", "C48", "C55"], "{}", ran.out);
    assert_eq!(ran.status, 0);

    let twofold = ["--email", "tess@example.com", "--code", &code(b"12345678901234567890")];
    let ran = ask(&site.webhook_url, &twofold, "tess-local-password").await;
    assert_eq!(ran.ended("failed"), [""; 0], "{}", ran.out);
    assert_eq!(ran.ended("not_run"), LOCKED_OUT, "{}", ran.out);
    assert!(ran.ended("passed").contains(&"C55".to_owned()), "{}", ran.out);

    site.lose_database().await.unwrap();
    let verify = json!({ "type": "verify_password", "account_id": "ann", "password": PASSWORD });
    assert_eq!(status(&site, &verify).await, 500, "a database that is gone makes nobody wrong");
    let ran = ask(&site.webhook_url, &["--email", "ann@example.com"], PASSWORD).await;
    assert_eq!((ran.ended("failed"), ran.status), (vec!["C01".to_owned()], 1), "{}", ran.out);
    assert_eq!(ran.ended("passed"), ["C02"], "{}", ran.out);
    assert_eq!(ran.json()["checks"][0]["seen"], "it answered 500");
}

/// The status of its answer to one question, signed as it should be.
async fn status(site: &Site, question: &Value) -> u16 {
    let (id, now, body) = ("msg_of_its_own", Clock::System.now(), question.to_string());
    let signature = Key::parse(SECRET).unwrap().sign(id, now, body.as_bytes());
    let request = https::client(Duration::from_secs(5)).unwrap().post(&site.webhook_url);
    let request = request
        .header("webhook-id", id)
        .header("webhook-timestamp", now.0.to_string())
        .header("webhook-signature", signature)
        .header("content-type", "application/json")
        .body(body);
    https::send(https::Service::Accounts, request, 1 << 14).await.unwrap().0
}
