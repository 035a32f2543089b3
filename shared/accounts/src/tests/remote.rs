//! An account system over a wire: what it says, what it does not say, and what goes wrong on the way.

use std::time::Duration;

use domain::{
    AccountId, Clock, CreationKey, Status, Timestamp,
    registration::Wrong,
    sync::{Changes, Held},
    webhook::{self, Headers, Key},
};
use local_stack::{Stack, WEBHOOK_SECRET, accounts::Fault};
use secret::Secret;
use serde_json::{Value, json};

use super::email;
use crate::{
    ByEmail, Creation, Done, Error, Function, NewAccount, Proof, Remote, System as _, Verdict,
    Webhook,
};

const SECRET: &str = WEBHOOK_SECRET;

fn webhook_at(url: String, secret: &str) -> Remote {
    let webhook = Webhook::new(url, Secret::given(secret.to_owned()), Clock::System).unwrap();
    Remote::Webhook(webhook)
}

fn function_at(url: &str) -> Remote {
    let config = aws_sdk_lambda::config::Builder::from(&local_stack::sdk(url).unwrap());
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:accounts".to_owned();
    Remote::Function(Function::new(config, arn))
}

/// The same site by each way of asking it.
async fn site() -> (Stack, [Remote; 2]) {
    let stack = Stack::doors().await.unwrap();
    let webhook = webhook_at(stack.accounts.webhook_url(), SECRET);
    let function = function_at(&stack.accounts.url);
    (stack, [webhook, function])
}

fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn newcomer() -> NewAccount {
    NewAccount {
        email: Some(email("New@Example.com")),
        name: Some("New".into()),
        postal_code: None,
        fields: vec![("phone".into(), "1".into()), ("size".into(), String::new())],
        consents: vec![("terms".into(), "2026-11".into())],
    }
}

#[tokio::test]
async fn accounts_are_found_as_in_a_table() {
    let (_stack, remotes) = site().await;
    for remote in remotes {
        for (address, account) in [
            ("ann@example.com", Some("ann")),
            ("ANN@Example.com", Some("ann")),
            ("mia@example.com", Some("mia")),
            ("nobody@example.com", None),
        ] {
            let found = match remote.find_by_email(&email(address)).await.unwrap() {
                ByEmail::One(record) => Some(record.account.id.as_str().to_owned()),
                ByEmail::Nobody => None,
                ByEmail::Several => panic!("{address}"),
            };
            assert_eq!(found.as_deref(), account, "{address}");
        }
        let ann = remote.find_by_id(&id("ann")).await.unwrap().unwrap();
        assert_eq!(ann.account.status, Status::Active);
        assert!(ann.account.has_password && ann.held.postal_code == Held::Nothing);
        let dora = remote.find_by_id(&id("dora")).await.unwrap().unwrap();
        assert_eq!(dora.account.status, Status::Disabled);
        assert!(remote.find_by_id(&id("nobody")).await.unwrap().is_none());
        // Nothing of it can be part of a transaction.
        let changes = Changes { name: Some("x".into()), postal_code: None };
        assert!(remote.entering(&ann, &changes).unwrap().is_none());
        assert!(remote.linking(&ann, &changes).unwrap().is_none());
        assert!(!remote.capabilities().joins_transactions);
    }
}

#[tokio::test]
async fn d18_a_password_is_compared_there_and_a_second_factor_asked_for() {
    let (stack, remotes) = site().await;
    stack.dynamodb.set("accounts", &[("id", "bob")], "second_factor", "246810").unwrap();
    for remote in remotes {
        for (account, password, code, expected) in [
            ("ann", "ann-local-password", None, Verdict::Match),
            ("ann", "ann-local-password", Some("1"), Verdict::Match),
            ("ann", "wrong", None, Verdict::Mismatch),
            ("ann", "ann-local-password ", None, Verdict::Mismatch),
            ("bob", "bob-local-password", None, Verdict::MfaRequired),
            ("bob", "bob-local-password", Some("1"), Verdict::MfaRequired),
            ("bob", "bob-local-password", Some("246810"), Verdict::Match),
            ("bob", "wrong", Some("246810"), Verdict::Mismatch),
            ("otto", "wrong", None, Verdict::NoPassword),
            ("nobody", "wrong", None, Verdict::Mismatch),
        ] {
            let proof = Proof { password, code };
            let verdict = remote.verify(&id(account), None, proof).await.unwrap();
            assert_eq!(verdict, expected, "{account} {password} {code:?}");
        }
    }
}

#[tokio::test]
async fn an_account_is_created_once_for_each_key_and_for_each_address() {
    let (stack, remotes) = site().await;
    let before = stack.dynamodb.scan("accounts").unwrap().len();
    let [first, second] = ["first", "second"].map(|key| CreationKey::parse(key).unwrap());
    let mut ids = Vec::new();
    for remote in &remotes {
        for _ in 0..2 {
            match remote.create(&first, &newcomer(), Timestamp(0)).await.unwrap() {
                Creation::Opened(account) => {
                    assert_eq!(account.email, Some(email("new@example.com")));
                    assert!(!account.has_password);
                    ids.push(account.id);
                }
                other => panic!("{other:?}"),
            }
        }
        let taken = remote.create(&second, &newcomer(), Timestamp(0)).await.unwrap();
        assert!(matches!(taken, Creation::EmailTaken));
    }
    ids.dedup();
    assert_eq!((ids.len(), stack.dynamodb.scan("accounts").unwrap().len()), (1, before + 1));
    // As the site was told.
    let told = stack.accounts.asked().into_iter().find(|asked| asked.question["type"] == "create");
    let consents = json!({ "terms": { "version": "2026-11", "at": "1970-01-01T00:00:00Z" } });
    assert_eq!(
        told.unwrap().question,
        json!({
            "type": "create", "key": "first", "email": "New@Example.com", "name": "New",
            "fields": { "phone": "1" }, "consents": consents,
        })
    );
}

#[tokio::test]
async fn fields_are_written_and_notices_taken() {
    let (stack, remotes) = site().await;
    for (at, remote) in remotes.iter().enumerate() {
        let name = Some(format!("Ann {at}"));
        let changes = Changes { name: name.clone(), postal_code: None };
        assert_eq!(remote.update(&id("ann"), &changes).await.unwrap(), Done::Yes);
        let ann = stack.dynamodb.get("accounts", &[("id", "ann")]).unwrap();
        assert_eq!(ann["name"]["S"].as_str(), name.as_deref());
        let notice = json!({ "id": "n", "type": "linked" });
        assert_eq!(remote.notify(&notice).await.unwrap(), Done::Yes);
        assert_eq!(stack.queue.messages().last(), Some(&notice));
        let unsupported = json!({ "outcome": "unsupported" });
        stack.accounts.fault("", 0, Some(3), Fault::Says(unsupported));
        assert_eq!(remote.update(&id("ann"), &changes).await.unwrap(), Done::Unsupported);
        assert_eq!(remote.notify(&notice).await.unwrap(), Done::Unsupported);
        let key = CreationKey::parse("k").unwrap();
        let created = remote.create(&key, &newcomer(), Timestamp(0)).await.unwrap();
        assert!(matches!(created, Creation::Unsupported));
    }
}

#[tokio::test]
async fn each_message_has_its_own_name_and_is_signed_by_every_secret() {
    let stack = Stack::doors().await.unwrap();
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    // While a secret is replaced, both sides know both.
    let remote = webhook_at(stack.accounts.webhook_url(), &format!("{other} {SECRET}"));
    stack.accounts.fault("", 0, Some(1), Fault::Status(500));
    assert!(remote.find_by_id(&id("ann")).await.unwrap().is_some());
    let asked = stack.accounts.asked();
    assert_eq!(asked.len(), 2, "what failed is asked once more");
    assert_ne!(asked[0].headers["webhook-id"], asked[1].headers["webhook-id"]);
    for asked in asked {
        let headers = Headers {
            id: &asked.headers["webhook-id"],
            timestamp: &asked.headers["webhook-timestamp"],
            signature: &asked.headers["webhook-signature"],
        };
        let body = br#"{"type":"find_by_id","account_id":"ann"}"#;
        for key in [other, SECRET] {
            let key = Key::parse(key).unwrap();
            assert_eq!(webhook::verify(&[key], headers, body, Clock::System.now()), Ok(()));
        }
        assert_eq!(asked.headers["content-type"], "application/json");
    }
    // A secret that the site does not know opens nothing.
    let stranger = webhook_at(stack.accounts.webhook_url(), other);
    let error = stranger.find_by_id(&id("ann")).await.unwrap_err();
    assert!(matches!(error, Error::Answer("read an account", "refused our signature")), "{error}");
    let broken = webhook_at(stack.accounts.webhook_url(), "not a secret");
    assert!(matches!(broken.find_by_id(&id("ann")).await, Err(Error::Answer(..))));
}

/// Asks everything once, and gives what went wrong.
async fn ask_all(remote: &Remote) -> Vec<Option<Error>> {
    let (ann, key) = (id("ann"), CreationKey::parse("k").unwrap());
    let changes = Changes { name: Some("x".into()), postal_code: None };
    let proof = Proof { password: "wrong", code: None };
    vec![
        remote.find_by_email(&email("ann@example.com")).await.err(),
        remote.find_by_id(&ann).await.err(),
        remote.verify(&ann, None, proof).await.err(),
        remote.create(&key, &newcomer(), Timestamp(0)).await.err(),
        remote.update(&ann, &changes).await.err(),
        remote.notify(&json!({})).await.err(),
    ]
}

#[tokio::test]
async fn whatever_is_no_clear_answer_is_a_fault_and_never_a_verdict() {
    let (stack, remotes) = site().await;
    let long = "x".repeat(16 * 1024);
    let texts = [
        "",
        "null",
        "[]",
        "\"match\"",
        "true",
        "{}",
        "{\"accounts\":",
        "<html>",
        r#"{"verdict":null,"outcome":null,"accounts":null}"#,
        r#"{"verdict":"MATCH","outcome":"Created","accounts":{}}"#,
        r#"{"verdict":true,"outcome":true,"accounts":[1]}"#,
        r#"{"verdict":["match"],"outcome":{"created":{}},"accounts":[{"id":"ann"}]}"#,
        r#"{"match":true,"created":true,"account":{"id":"ann","has_password":false}}"#,
        r#"{"verdict":"match ","outcome":"","accounts":[{"id":"","has_password":true}]}"#,
        r#"{"verdict":"ok","outcome":"ok","accounts":[{"id":"ann","has_password":"yes"}]}"#,
        r#"{"verdict":1,"outcome":"created","accounts":[{"id":7,"has_password":true}]}"#,
        r#"{"outcome":"created","account":{"id":"a\u0000","has_password":false},"accounts":[{}]}"#,
        r#"{"outcome":"invalid","fields":{}}"#,
        r#"{"outcome":"invalid","fields":{"phone":"wrong"}}"#,
    ];
    let mut faults: Vec<_> = texts.iter().map(|text| Fault::Text((*text).to_owned())).collect();
    faults.push(Fault::Says(json!({
        "verdict": "match", "outcome": "updated", "accounts": [], "more": long,
    })));
    faults.extend([Fault::Cut]);
    for (at, remote) in remotes.iter().enumerate() {
        let statuses = [201, 204, 301, 303, 307, 400, 401, 403, 404, 429, 500, 503];
        let mut faults = faults.clone();
        match at {
            0 => faults.extend(statuses.map(Fault::Status)),
            _ => faults.extend([Fault::Status(500), Fault::Failed]),
        }
        for fault in faults {
            stack.accounts.forget();
            stack.accounts.fault("", 0, None, fault.clone());
            let ended = ask_all(remote).await;
            assert!(ended.iter().all(Option::is_some), "{fault:?}: {ended:?}");
            let said: String = ended.iter().flatten().map(ToString::to_string).collect();
            assert!(!said.contains("wrong\"") && !said.contains("example.com"), "{said}");
            // What only asks may be asked twice; nothing else ever is.
            let asked = stack.accounts.questions();
            let times = |kind: &str| asked.iter().filter(|one| *one == kind).count();
            for kind in ["verify_password", "create", "update", "notify"] {
                assert_eq!(times(kind), 1, "{fault:?}: {asked:?}");
            }
            assert!(times("find_by_email") <= 2 && times("find_by_id") <= 2, "{asked:?}");
            stack.accounts.clear_faults();
        }
    }
}

#[tokio::test]
async fn nobody_waits_longer_than_three_seconds() {
    let (stack, remotes) = site().await;
    for remote in &remotes {
        stack.accounts.fault("", 0, None, Fault::Silent);
        let started = tokio::time::Instant::now();
        let (ann, address) = (id("ann"), email("ann@example.com"));
        let proof = Proof { password: "wrong", code: None };
        let (one, two, three) = tokio::join!(
            remote.find_by_id(&ann),
            remote.find_by_email(&address),
            remote.verify(&ann, None, proof),
        );
        assert!(one.is_err() && two.is_err() && three.is_err());
        let took = started.elapsed();
        assert!(took < Duration::from_millis(3500), "{took:?}");
        stack.accounts.clear_faults();
    }
    let nobody = webhook_at("http://127.0.0.1:9/lwa-accounts".into(), SECRET);
    assert!(nobody.find_by_id(&id("ann")).await.is_err());
}

#[tokio::test]
async fn what_comes_back_is_compared_again() {
    let (stack, [remote, _]) = site().await;
    let lie = |path, value: Value| stack.accounts.fault("", 0, Some(1), Fault::Lies(path, value));
    let ann = email("ann@example.com");

    // MySQL takes í for i.
    lie("/accounts/0/email", json!("\u{e1}nn@example.com"));
    assert!(matches!(remote.find_by_email(&ann).await.unwrap(), ByEmail::Nobody));
    lie("/accounts/0/email", Value::Null);
    assert!(matches!(remote.find_by_email(&ann).await.unwrap(), ByEmail::Nobody));
    lie(
        "/accounts",
        json!([
            { "id": "a", "email": "ann@example.com", "has_password": true },
            { "id": "b", "email": "ANN@example.com", "has_password": true },
        ]),
    );
    assert!(matches!(remote.find_by_email(&ann).await.unwrap(), ByEmail::Several));
    lie("/accounts/0/id", json!("bob"));
    assert!(matches!(remote.find_by_id(&id("ann")).await, Err(Error::Answer(..))));
    lie("/accounts/0/status", json!("vip"));
    let record = remote.find_by_id(&id("ann")).await.unwrap().unwrap();
    assert_eq!(record.account.status, Status::Disabled, "e22: what is not known keeps out");
    lie("/accounts/0/name", json!("A\u{202e}nn\n<b>"));
    let record = remote.find_by_id(&id("ann")).await.unwrap().unwrap();
    assert_eq!(record.account.name.as_deref(), Some("Ann<b>"));
}

#[tokio::test]
async fn a_field_that_the_site_does_not_take_is_told_by_its_name() {
    let (stack, [remote, _]) = site().await;
    let says =
        json!({ "outcome": "invalid", "fields": { "phone": "missing", "size": "too_long" } });
    stack.accounts.fault("create", 0, Some(1), Fault::Says(says));
    let key = CreationKey::parse("k").unwrap();
    match remote.create(&key, &newcomer(), Timestamp(0)).await.unwrap() {
        Creation::Invalid(fields) => {
            assert_eq!((fields["phone"], fields["size"]), (Wrong::Missing, Wrong::TooLong));
        }
        other => panic!("{other:?}"),
    }
    let nobody = NewAccount { email: None, ..newcomer() };
    assert!(remote.create(&key, &nobody, Timestamp(0)).await.is_err());
}
