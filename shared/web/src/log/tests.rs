use std::time::Duration;

use domain::{AccountId, AmazonUserId, session::How};
use serde_json::{Map, Value, json};
use tally::{Outcome, Service};

use super::{Author, Event, Level, Line, at_hand, begin, ended, event, metrics, outbox_age};
use crate::{Code, Failure, Settings};

fn author(pairs: &[(&str, &str)]) -> Author {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Author::of(&pairs.collect::<Settings>())
}

fn lambdas() -> Author {
    author(&[
        ("AWS_LAMBDA_FUNCTION_NAME", "shop-CallbackFunction-1A2B"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/lwa-bridge/shop"),
    ])
}

fn told(line: &Line) -> Value {
    serde_json::from_str(&line.text()).unwrap()
}

/// The members that a moment is in, by which it is told that there is one.
fn without_time(line: &Line) -> Value {
    let mut line = told(line);
    let timestamp = line["timestamp"].take();
    assert!(domain::Timestamp::parse_rfc3339(timestamp.as_str().unwrap()).is_some(), "{line}");
    if line["_aws"].is_object() {
        assert!(line["_aws"]["Timestamp"].take().as_u64().unwrap() > 1_700_000_000_000, "{line}");
    }
    line
}

#[test]
fn a_line_tells_who_wrote_it_how_it_ended_and_whom_it_asked_for_what() {
    begin(&lambdas(), "Ab1=");
    for outcome in [Outcome::Answered, Outcome::Throttled] {
        tally::begin(Service::Dynamodb).end(outcome);
    }
    tally::begin(Service::Amazon).end(Outcome::Failed);
    tally::note_request_id("0f1e");
    let failure = Failure::new(Code::Unavailable, "x");
    let line = ended("unavailable", true, Some(&failure), Duration::from_millis(12));
    let expected = json!({
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "lwa-bridge",
                    "Dimensions": [["log_group", "code"]],
                    "Metrics": [{ "Name": "requests", "Unit": "Count" }],
                },
                {
                    "Namespace": "lwa-bridge",
                    "Dimensions": [["log_group"]],
                    "Metrics": [
                        { "Name": "amazon_ms", "Unit": "Milliseconds" },
                        { "Name": "amazon_failures", "Unit": "Count" },
                        { "Name": "dynamodb_failures", "Unit": "Count" },
                        { "Name": "throttled", "Unit": "Count" },
                    ],
                },
            ],
            "Timestamp": null,
        },
        "amazon": { "calls": 1, "ms": 0, "failed": 1, "request_ids": ["0f1e"] },
        "amazon_failures": 1,
        "amazon_ms": 0,
        "code": "unavailable",
        "dynamodb": { "calls": 2, "ms": 0, "failed": 1 },
        "dynamodb_failures": 1,
        "function": "shop-CallbackFunction-1A2B",
        "level": "ERROR",
        "log_group": "/lwa-bridge/shop",
        "ms": 12,
        "request_id": "Ab1=",
        "requests": 1,
        "throttled": 1,
        "timestamp": null,
        "version": "7",
        "why": "x",
    });
    assert_eq!(without_time(&line), expected);

    // What was asked is told once, and a quiet line is short.
    let line = without_time(&ended("ok", false, None, Duration::ZERO));
    let members: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let quiet = [
        "_aws",
        "code",
        "function",
        "level",
        "log_group",
        "ms",
        "request_id",
        "requests",
        "timestamp",
        "version",
    ];
    assert_eq!(members, quiet);
    assert!(line.to_string().len() < 400, "{line}");
}

#[test]
fn what_is_said_twice_is_in_a_line_once() {
    let mut line = Line::new();
    line.put("how", "Amazon \"A\"");
    line.put("count", 1);
    line.put("how", ["a", "b"]);
    assert_eq!(line.text(), r#"{"how":["a","b"],"count":1}"#);
}

#[test]
fn where_lambda_names_no_log_group_nothing_is_measured() {
    begin(&author(&[("AWS_LAMBDA_FUNCTION_NAME", "x")]), "");
    let line = without_time(&ended("ok", false, None, Duration::ZERO));
    let expected = json!({
        "code": "ok", "function": "x", "level": "INFO", "ms": 0, "timestamp": null,
    });
    assert_eq!(line, expected);
    outbox_age(Duration::ZERO);
}

#[test]
fn k08_an_event_tells_nobodys_address_and_not_amazons_name_for_anybody() {
    begin(&lambdas(), "id");
    let customer = AmazonUserId::parse("amzn1.account.AE2LIN").unwrap();
    for (account, member) in [
        ("ann", "account_id"),
        ("auth0|7.a-b_c:d", "account_id"),
        ("ann@x.example", "account_pseudonym"),
    ] {
        let id = AccountId::parse(account).unwrap();
        let line = event(Event::SignedIn).account(&id).customer(&customer).how(How::Linked).0;
        let line = without_time(&line);
        assert!(line[member].is_string(), "{line}");
        assert!(!line.to_string().contains('@') && !line.to_string().contains("AE2LIN"), "{line}");
        assert_eq!(line["amr"], json!(["amazon", "password"]));
        assert_eq!((&line["event"], &line["outcome"]), (&"signed_in".into(), &"success".into()));
        assert_eq!(line["customer"].as_str().unwrap().len(), 43);
    }
}

#[test]
fn whatever_is_measured_is_a_number_in_the_line_counted_by_texts() {
    begin(&lambdas(), "id");
    for service in Service::ALL {
        tally::begin(service).end(Outcome::Throttled);
    }
    let request = ended("ok", false, None, Duration::ZERO);
    let mut event = event(Event::Linked).0;
    metrics::of_event(&mut event);
    let mut outbox = at_hand::line(Level::Info);
    metrics::of_outbox(&mut outbox, Duration::from_secs(60));
    assert_eq!(told(&outbox)["outbox_age"], 60);
    for line in [request, event, outbox] {
        let line: Map<String, Value> = serde_json::from_str(&line.text()).unwrap();
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            for dimension in directive["Dimensions"][0].as_array().unwrap() {
                assert!(line[dimension.as_str().unwrap()].is_string(), "{dimension}");
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                assert!(line[metric["Name"].as_str().unwrap()].is_u64(), "{metric}");
            }
        }
    }
}
