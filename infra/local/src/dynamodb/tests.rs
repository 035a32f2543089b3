use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use serde_json::json;

use super::*;
use crate::Event;

fn tables() -> Vec<Table> {
    let definition = |name: &str| {
        json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        })
    };
    let table = |name: &str, ttl: Option<&str>| Table {
        name: name.to_owned(),
        definition: definition(name),
        ttl: ttl.map(str::to_owned),
    };
    vec![table("rows", Some("ttl")), table("marks", None)]
}

async fn dynamodb() -> Dynamodb {
    Dynamodb::start(0, None, &tables()).await.unwrap()
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put(dynamodb: &Dynamodb, pk: &str) -> bool {
    let put = dynamodb.client().put_item().table_name("rows").item("pk", s(pk));
    put.send().await.is_ok()
}

async fn is_there(dynamodb: &Dynamodb, pk: &str) -> bool {
    let get = dynamodb.client().get_item().table_name("rows").key("pk", s(pk));
    get.consistent_read(true).send().await.unwrap().item.is_some()
}

#[tokio::test]
async fn requests_are_written_down_with_their_tables() {
    let dynamodb = dynamodb().await;
    assert!(put(&dynamodb, "a").await);
    assert!(is_there(&dynamodb, "a").await);
    let items = ["rows", "marks", "rows"].iter().zip(["b", "c", "d"]).map(|(table, pk)| {
        let put = Put::builder().table_name(*table).item("pk", s(pk)).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    });
    let items = Some(items.collect());
    dynamodb.client().transact_write_items().set_transact_items(items).send().await.unwrap();

    assert_eq!(
        dynamodb.requests(),
        ["PutItem rows", "GetItem rows", "TransactWriteItems marks,rows"]
    );
    dynamodb.reset_requests();
    assert!(dynamodb.requests().is_empty());
}

#[tokio::test]
async fn a_directory_keeps_the_rows() {
    let directory = std::env::temp_dir().join(format!("local-stack-{}", crate::id()));
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("dynamodb.sqlite");
    let first = Dynamodb::start(0, Some(&file), &tables()).await.unwrap();
    assert!(put(&first, "a").await);
    drop(first);

    let second = Dynamodb::start(0, Some(&file), &tables()).await.unwrap();

    assert!(is_there(&second, "a").await);
    drop(second);
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn rows_go_when_their_time_to_live_is_over_and_somebody_sweeps() {
    let dynamodb = dynamodb().await;
    let ttl = AttributeValue::N("1".to_owned());
    let put = dynamodb.client().put_item().table_name("rows").item("pk", s("a")).item("ttl", ttl);
    put.send().await.unwrap();
    assert!(is_there(&dynamodb, "a").await);

    assert_eq!(dynamodb.sweep().unwrap(), 1);

    assert!(!is_there(&dynamodb, "a").await);
}

#[tokio::test]
async fn faults_hit_the_requests_they_are_meant_for() {
    let dynamodb = dynamodb().await;
    // The SDK tries three times.
    dynamodb.fault("PutItem rows", 1, Some(3), Fault::Broken);

    assert!(put(&dynamodb, "a").await);
    assert!(!put(&dynamodb, "b").await);
    assert!(put(&dynamodb, "c").await);

    assert!(!is_there(&dynamodb, "b").await);
    assert!(is_there(&dynamodb, "c").await);
}

#[tokio::test]
async fn a_refusal_is_the_exception_it_names() {
    let dynamodb = dynamodb().await;
    dynamodb.fault("", 0, None, Fault::Refused("ConditionalCheckFailedException"));
    let put = dynamodb.client().put_item().table_name("rows").item("pk", s("a"));

    let error = put.send().await.unwrap_err().into_service_error();

    assert!(error.is_conditional_check_failed_exception(), "{error:?}");
    dynamodb.clear_faults();
    assert!(!is_there(&dynamodb, "a").await);
}

#[tokio::test]
async fn a_cancelled_transaction_gives_its_reasons_and_writes_nothing() {
    let dynamodb = dynamodb().await;
    let reasons = vec!["TransactionConflict"];
    dynamodb.fault("TransactWriteItems", 0, Some(1), Fault::Cancelled(reasons));
    let put = Put::builder().table_name("rows").item("pk", s("a")).build().unwrap();
    let put = TransactWriteItem::builder().put(put).build();

    let error = dynamodb.client().transact_write_items().transact_items(put).send().await;

    let error = error.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        panic!("{error:?}")
    };
    assert_eq!(cancelled.cancellation_reasons()[0].code(), Some("TransactionConflict"));
    assert!(!is_there(&dynamodb, "a").await);
}

#[tokio::test]
async fn an_answer_is_lost_after_the_deed() {
    let dynamodb = dynamodb().await;
    dynamodb.fault("PutItem", 0, None, Fault::AnswerLost);

    assert!(!put(&dynamodb, "a").await);

    assert!(is_there(&dynamodb, "a").await);
}

#[tokio::test]
async fn the_templates_tables_can_be_created() {
    let needed = [
        ("PublicUrl", "http://localhost:3000"),
        ("LwaClientId", "amzn1.application-oa2-client.1"),
        ("LwaClientSecretArn", crate::CLIENT_SECRET_ARN),
    ];
    let parameters: BTreeMap<_, _> =
        needed.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let template = crate::template::Template::read(&parameters).unwrap();

    let dynamodb = Dynamodb::start(0, None, &template.tables).await.unwrap();

    let names = dynamodb.client().list_tables().send().await.unwrap().table_names.unwrap();
    assert_eq!(names, ["accounts", "identities", "sessions", "tickets"]);
    let ttl = dynamodb.client().describe_time_to_live().table_name("sessions").send().await;
    let ttl = ttl.unwrap().time_to_live_description.unwrap();
    assert_eq!(ttl.attribute_name(), Some("ttl"));
}

#[tokio::test]
async fn a_gate_lets_requests_through_in_the_order_that_a_test_chooses() {
    let dynamodb = dynamodb().await;
    let mut gate = dynamodb.gate();
    let (first, second) = (put(&dynamodb, "a"), put(&dynamodb, "b"));
    let keeper = async {
        let (one, other) = (gate.next().await.unwrap(), gate.next().await.unwrap());
        assert_eq!((&*one.call.what, &*other.call.what), ("PutItem rows", "PutItem rows"));
        assert!(dynamodb.scan("rows").unwrap().is_empty(), "nothing is done before its time");
        other.pass();
        one.pass();
        // What comes after the gate has gone waits for nobody.
        drop(gate);
    };

    assert_eq!(tokio::join!(first, second, keeper), (true, true, ()));
    assert!(put(&dynamodb, "c").await);
    assert_eq!(dynamodb.scan("rows").unwrap().len(), 3);
}

#[tokio::test]
async fn a_request_that_is_dropped_at_the_gate_is_never_done() {
    let dynamodb = dynamodb().await;
    let mut gate = dynamodb.gate();
    let keeper = async {
        while let Some(held) = gate.next().await {
            drop(held);
        }
    };
    tokio::select! {
        done = put(&dynamodb, "a") => assert!(!done),
        () = keeper => {}
    }
    assert!(dynamodb.scan("rows").unwrap().is_empty());
}

#[tokio::test]
async fn reads_that_may_lag_tell_what_was_true_and_others_what_is() {
    let dynamodb = dynamodb().await;
    assert!(put(&dynamodb, "a").await);
    let lag = dynamodb.lag().await.unwrap();
    assert!(put(&dynamodb, "b").await);
    let lagging = async |pk| {
        let get = dynamodb.client().get_item().table_name("rows").key("pk", s(pk));
        get.send().await.unwrap().item.is_some()
    };

    assert!(lagging("a").await && !lagging("b").await);
    assert!(is_there(&dynamodb, "b").await);
    let may_lag = dynamodb.calls().into_iter().filter(|call| call.may_lag).count();
    assert_eq!(may_lag, 2);
    drop(lag);
    assert!(lagging("b").await);
}

#[tokio::test]
async fn tables_can_be_put_back_to_how_they_were() {
    let dynamodb = dynamodb().await;
    put(&dynamodb, "stays").await;
    put(&dynamodb, "changes").await;
    put(&dynamodb, "goes").await;
    let before = dynamodb.snapshot().unwrap();
    dynamodb.set("rows", &[("pk", "changes")], "more", 7).unwrap();
    dynamodb.delete("rows", &[("pk", "goes")]).unwrap();
    put(&dynamodb, "comes").await;
    assert_ne!(dynamodb.snapshot().unwrap(), before);

    dynamodb.restore(&before).unwrap();

    assert_eq!(dynamodb.scan("rows").unwrap().len(), 3);
    let row = dynamodb.get("rows", &[("pk", "changes")]).unwrap();
    assert_eq!(row, json!({ "pk": { "S": "changes" } }));
}

#[tokio::test]
async fn something_may_happen_instead_of_a_request_or_after_it() {
    let dynamodb = dynamodb().await;
    for (row, fault, there) in [
        ("before", Fault::Instead as fn(Event) -> Fault, false),
        ("after", Fault::Then as fn(Event) -> Fault, true),
    ] {
        let (happens, mut happened) = tokio::sync::mpsc::unbounded_channel();
        let event = Event::new(move || happens.send(()).unwrap());
        dynamodb.fault("PutItem", 0, Some(1), fault(event));
        tokio::select! {
            _ = put(&dynamodb, row) => panic!("nobody answers"),
            Some(()) = happened.recv() => {}
        }
        assert_eq!(is_there(&dynamodb, row).await, there, "{row}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_before_a_request_leaves_nothing_behind() {
    let dynamodb = dynamodb().await;
    dynamodb.fault("PutItem", 0, None, Fault::Cut);
    assert!(!put(&dynamodb, "a").await);
    assert!(dynamodb.scan("rows").unwrap().is_empty());
}
