//! The metrics in the lines: CloudWatch's embedded metric format. What is counted is a member of the line,
//! a number; `_aws` names it, and by which members, texts, it is counted.
//!
//! | metric | unit | by |
//! |---|---|---|
//! | `requests` | Count | `log_group`, `code` |
//! | `events` | Count | `log_group`, `event` |
//! | `amazon_ms`, `accounts_ms` | Milliseconds | `log_group`; where there was a call |
//! | `amazon_failures`, `accounts_failures`, `dynamodb_failures` | Count | `log_group`; where there was one |
//! | `throttled` | Count | `log_group`; where DynamoDB said that it is too much |
//! | `outbox_age` | Seconds | `log_group` |
//!
//! All functions of a stack write to one log group, so its name says which stack it is. All else by which
//! is counted is a word of ours. Where Lambda names no log group, nothing is measured.

use std::time::Duration;

use serde::Serialize;
use tally::{Service, Tally};

use super::{Line, at_hand, millis, now};

const NAMESPACE: &str = "lwa-bridge";

/// A name, its unit and how much it is.
type Metric = (&'static str, &'static str, u64);

/// The member by which CloudWatch finds the metrics of a line.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Embedded {
    timestamp: i64,
    cloud_watch_metrics: Vec<Directive>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [Vec<&'static str>; 1],
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: &'static str,
}

pub(super) fn of_request(line: &mut Line, tally: &Tally) {
    let [dynamodb, amazon, accounts] =
        [Service::Dynamodb, Service::Amazon, Service::Accounts].map(|service| tally.of(service));
    let waits = [("amazon_ms", amazon), ("accounts_ms", accounts)];
    let waits = waits.iter().filter(|(_, count)| count.calls > 0);
    let waits = waits.map(|(name, count)| (*name, "Milliseconds", millis(count.waited)));
    let faults = [
        ("accounts_failures", accounts.failed),
        ("amazon_failures", amazon.failed),
        ("dynamodb_failures", dynamodb.failed),
        ("throttled", dynamodb.throttled),
    ];
    let faults = faults.iter().filter(|(_, count)| *count > 0);
    let faults = faults.map(|(name, count)| (*name, "Count", u64::from(*count)));
    let others: Vec<Metric> = waits.chain(faults).collect();
    measure(line, &[(Some("code"), &[("requests", "Count", 1)]), (None, &others)]);
}

pub(super) fn of_event(line: &mut Line) {
    measure(line, &[(Some("event"), &[("events", "Count", 1)])]);
}

pub(super) fn of_outbox(line: &mut Line, age: Duration) {
    measure(line, &[(None, &[("outbox_age", "Seconds", age.as_secs())])]);
}

/// Adds metrics, by the log group and perhaps another member of the line.
fn measure(line: &mut Line, sets: &[(Option<&'static str>, &[Metric])]) {
    let Some(log_group) = at_hand::log_group() else { return };
    let sets = sets.iter().filter(|(_, metrics)| !metrics.is_empty());
    let mut directives = Vec::new();
    for (member, metrics) in sets {
        let dimensions = [["log_group"].into_iter().chain(*member).collect()];
        for (name, _, much) in *metrics {
            line.put(name, much);
        }
        let metrics = metrics.iter().map(|(name, unit, _)| Definition { name, unit }).collect();
        directives.push(Directive { namespace: NAMESPACE, dimensions, metrics });
    }
    line.put("log_group", log_group);
    let timestamp = now().0.saturating_mul(1000);
    line.put("_aws", Embedded { timestamp, cloud_watch_metrics: directives });
}
