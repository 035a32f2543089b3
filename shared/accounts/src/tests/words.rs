//! What is written down for other people is what is asked and understood.

use std::collections::BTreeMap;

use domain::{registration::Wrong, sync::Changes};
use serde_json::Value;

use super::*;
use crate::{
    Done,
    wire::{Answer, Question},
};

fn document() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/accounts-webhook.openapi.yaml");
    serde_norway::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn examples(of: &Value) -> BTreeMap<String, Value> {
    let examples = of["content"]["application/json"]["examples"].as_object().unwrap();
    examples.iter().map(|(name, example)| (name.clone(), example["value"].clone())).collect()
}

#[test]
fn every_question_is_asked_as_the_document_shows_it() {
    let document = document();
    let post = &document["paths"]["/lwa-accounts"]["post"];
    let mut shown = examples(&post["requestBody"]);
    let mut is = |name: &str, question: Question<'_>| {
        let asked: Value = serde_json::from_slice(&question.print().unwrap()).unwrap();
        assert_eq!(shown.remove(name), Some(asked), "{name}");
    };
    let ann = AccountId::parse("42").unwrap();
    is("find_by_email", Question::FindByEmail { email: "ann@example.com" });
    is("find_by_id", Question::FindById { account_id: "42" });
    let proof = |code| Proof { password: "correct horse", code };
    is("verify_password", Question::verify(&ann, proof(None)));
    is("verify_code", Question::verify(&ann, proof(Some("123456"))));
    let key = CreationKey::parse("0c3f6a9d-1f0e-4f3e-9d53-0f6f1f0b9a11").unwrap();
    let new = NewAccount {
        email: Some(email("nora@example.com")),
        name: Some("Nora Newcomer".into()),
        postal_code: Some("98101".into()),
        fields: vec![("phone".into(), "+12065550100".into())],
        consents: vec![("terms".into(), "2026-11".into())],
    };
    let at = Timestamp::parse_rfc3339("2026-11-25T09:30:00Z").unwrap();
    is("create", Question::create(&key, &new, at).unwrap());
    let changes = Changes { name: Some("Ann Author".into()), postal_code: None };
    is("update", Question::update(&ann, &changes));
    let notice = post["requestBody"]["content"]["application/json"]["examples"]["notify"]["value"]
        ["notice"]
        .clone();
    is("notify", Question::Notify { notice: &notice });
    assert!(shown.is_empty(), "{shown:?} are never asked");
}

#[test]
fn every_answer_that_the_document_shows_is_understood() {
    let document = document();
    let post = &document["paths"]["/lwa-accounts"]["post"];
    let mut shown = examples(&post["responses"]["200"]);
    let mut read = |name: &str| {
        let body = shown.remove(name).unwrap().to_string();
        Answer::read("be tested", body.as_bytes()).unwrap()
    };
    assert_eq!(read("found").found().unwrap()[0].account.id.as_str(), "42");
    assert!(read("nobody").found().unwrap().is_empty());
    assert_eq!(read("compared").verdict().unwrap(), Verdict::Match);
    match read("created").creation().unwrap() {
        Creation::Opened(account) => assert_eq!(account.email, Some(email("nora@example.com"))),
        other => panic!("{other:?}"),
    }
    assert!(matches!(read("email_taken").creation().unwrap(), Creation::EmailTaken));
    match read("invalid").creation().unwrap() {
        Creation::Invalid(fields) => assert_eq!(fields["phone"], Wrong::Invalid),
        other => panic!("{other:?}"),
    }
    assert_eq!(read("updated").done("updated").unwrap(), Done::Yes);
    assert_eq!(read("taken").done("taken").unwrap(), Done::Yes);
    assert_eq!(read("unsupported").done("taken").unwrap(), Done::Unsupported);
    assert!(shown.is_empty(), "{shown:?} are never understood");
    // Each verdict is a word of ours, and there are no others.
    let verdicts = document["components"]["schemas"]["Compared"]["properties"]["verdict"].clone();
    for verdict in verdicts["enum"].as_array().unwrap() {
        let body = json!({ "verdict": verdict }).to_string();
        assert!(Answer::read("be tested", body.as_bytes()).unwrap().verdict().is_ok(), "{verdict}");
    }
}
