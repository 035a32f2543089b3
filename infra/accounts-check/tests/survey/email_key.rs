//! The lowercased attribute is written where it is missing, if that is what somebody wants.

use local_stack::Dynamodb;
use serde_json::json;

use crate::customers::{Tally, fill, survey, table};

/// What every row has as its lowercased attribute, after what its address is.
fn keys(dynamodb: &Dynamodb) -> Vec<(String, Option<String>)> {
    let rows = dynamodb.scan("customers").unwrap();
    let text = |row: &serde_json::Value, name: &str| row[name]["S"].as_str().map(str::to_owned);
    rows.iter().filter_map(|row| Some((text(row, "mail")?, text(row, "mail_key")))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_how_many_and_writes_none() {
    let dynamodb = table("mail_key").await;
    let expected = fill(&dynamodb, 500);
    let before = dynamodb.snapshot().unwrap();
    let ran = survey(&dynamodb, &["--write-email-key"]).await;
    assert_eq!(Tally::of(&ran.json()), expected);
    assert_eq!(ran.json()["email_keys_written"], 0);
    assert!(dynamodb.snapshot().unwrap() == before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn afterwards_every_usable_address_has_its_attribute_and_nothing_else_is_changed() {
    let dynamodb = table("mail_key").await;
    let expected = fill(&dynamodb, 500);
    let wrong = json!({ "user_id": { "S": "w" }, "mail": { "S": "W@x.example" }, "mail_key": { "S": "v@x.example" } });
    dynamodb.put("customers", &wrong).unwrap();
    let mut before = dynamodb.scan("customers").unwrap();

    let ran = survey(&dynamodb, &["--write-email-key", "--yes", "--segments", "2"]).await;
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let report = ran.json();
    assert_eq!(report["email_keys_written"], expected.need_email_key + 1);
    assert_eq!((&report["need_email_key"], &report["changed_meanwhile"]), (&json!(0), &json!(0)));
    for (mail, key) in keys(&dynamodb) {
        let usable = mail.is_ascii() && mail.contains('@');
        assert_eq!(key, usable.then(|| mail.to_ascii_lowercase()), "{mail}");
    }
    let mut after = dynamodb.scan("customers").unwrap();
    for row in before.iter_mut().chain(&mut after) {
        row.as_object_mut().unwrap().remove("mail_key");
    }
    assert_eq!(before, after);

    dynamodb.reset_requests();
    let ran = survey(&dynamodb, &["--write-email-key", "--yes"]).await;
    assert_eq!((ran.status, &ran.json()["email_keys_written"]), (0, &json!(0)));
    assert!(dynamodb.requests().iter().all(|what| !what.starts_with("Update")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_changes_meanwhile_is_left_alone() {
    let dynamodb = table("mail_key").await;
    let ann = json!({ "user_id": { "S": "ann" }, "mail": { "S": "Ann@x.example" } });
    dynamodb.put("customers", &ann).unwrap();
    let mut gate = dynamodb.gate();
    let asks = survey(&dynamodb, &["--write-email-key", "--yes"]);
    let meanwhile = async {
        while let Some(held) = gate.next().await {
            if held.call.what == "UpdateItem customers" {
                dynamodb.set("customers", &[("user_id", "ann")], "mail", "new@x.example").unwrap();
                held.pass();
                break;
            }
            held.pass();
        }
    };
    let (ran, ()) = tokio::join!(asks, meanwhile);
    let report = ran.json();
    assert_eq!(
        (&report["email_keys_written"], &report["changed_meanwhile"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(ran.status, 1, "one account still needs it");
    assert_eq!(keys(&dynamodb), [("new@x.example".to_owned(), None)]);
}
