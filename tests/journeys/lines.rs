//! The lines of requests: what they count, and that nothing makes a function say more.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use local_stack::{Options, Stack, amazon::Endpoint, dynamodb};
use serde_json::Value;
use tests::Browser;

use crate::{stack, stack_with};

/// The line of this request, once it is there.
async fn line(stack: &Stack, id: &str) -> Value {
    let start = Instant::now();
    loop {
        let lines = stack.logs().into_iter().filter_map(|line| serde_json::from_str(&line).ok());
        let of_request = |line: &Value| line["request_id"] == id && line["ms"].is_u64();
        if let Some(line) = lines.into_iter().find(of_request) {
            return line;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{id} has no line");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn calls(line: &Value, service: &str) -> usize {
    line[service]["calls"].as_u64().unwrap_or(0).try_into().unwrap()
}

/// Follows a visitor through a sign-in with everything, and compares each line with what was counted at
/// the other end.
async fn compare(stack: &Stack) {
    let visitor = Browser::new(stack);
    // Functions read a row when they start.
    for path in ["amazon/login", "amazon/callback", "amazon/link", "amazon/register", "session"] {
        visitor.get(&format!("/auth/{path}")).await;
    }
    stack.dynamodb.reset_requests();
    stack.amazon.forget_calls();
    stack.accounts.forget();
    let secrets = stack.secrets.calls();
    let mut asked = [0; 3];
    let mut note = async |answer: tests::Answer| {
        let line = line(stack, answer.header("apigw-requestid").unwrap()).await;
        for (count, service) in asked.iter_mut().zip(["dynamodb", "amazon", "accounts"]) {
            *count += calls(&line, service);
        }
        let counted = [
            stack.dynamodb.calls().len(),
            stack.amazon.calls().iter().filter(|call| call.endpoint().is_some()).count(),
            stack.accounts.asked().len(),
        ];
        assert_eq!(asked, counted, "{line}");
        let ids = line["amazon"]["request_ids"].as_array().map_or(0, Vec::len);
        assert_eq!(ids, calls(&line, "amazon"), "{line}");
        // What goes on at once is waited for once, so no part is longer than the whole.
        for service in ["dynamodb", "amazon", "accounts", "secrets"] {
            assert!(line[service]["ms"].as_u64() <= line["ms"].as_u64(), "{line}");
            assert!(!line[service].is_object() || line[service]["failed"] == 0, "{line}");
        }
        (answer, calls(&line, "secrets"))
    };
    let (_, read) = note(visitor.sign_in_at_amazon("ann", "/").await).await;
    assert_eq!(read, stack.secrets.calls() - secrets);
    let (page, _) = note(visitor.get("/auth/amazon/link").await).await;
    let (wrong, _) = note(visitor.prove(&page, "not-her-password").await).await;
    assert_eq!(wrong.status, 401);
    let (right, _) = note(visitor.prove(&page, "ann-local-password").await).await;
    assert_eq!(right.status, 303);
    note(visitor.fetch("/auth/session", None).await).await;
    let nora = Browser::new(stack);
    note(nora.sign_in_at_amazon("nora", "/").await).await;
    let again = Browser::new(stack);
    note(again.sign_in_at_amazon("nora", "/").await).await;
}

#[tokio::test]
async fn a_line_counts_what_dynamodb_amazon_and_the_account_system_were_asked() {
    for parameters in [&[][..], &[("Accounts", "webhook")], &[("Accounts", "function")]] {
        compare(&stack_with(parameters).await).await;
    }
}

#[tokio::test]
async fn what_is_tried_again_and_what_fails_is_counted() {
    let stack = stack().await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    let told = async |status: u16| {
        let answer = lin.fetch("/auth/session", None).await;
        assert_eq!(answer.status, status);
        line(&stack, answer.header("apigw-requestid").unwrap()).await
    };
    let fine = told(200).await;
    assert_eq!((&fine["dynamodb"]["calls"], &fine["dynamodb_failures"]), (&1.into(), &Value::Null));

    let throttled = dynamodb::Fault::Refused("ThrottlingException");
    stack.dynamodb.fault("GetItem sessions", 0, Some(1), throttled);
    let again = told(200).await;
    assert_eq!((&again["dynamodb"]["calls"], &again["dynamodb"]["failed"]), (&2.into(), &1.into()));
    assert_eq!((&again["dynamodb_failures"], &again["throttled"]), (&1.into(), &1.into()));

    // Nobody answers, and the SDK gives up on it.
    stack.dynamodb.fault("GetItem sessions", 0, None, dynamodb::Fault::Silent);
    let late = told(503).await;
    assert_eq!(late["dynamodb"]["calls"], late["dynamodb_failures"], "{late}");
    assert!(late["dynamodb"]["ms"].as_u64().unwrap() > 2000, "{late}");
    stack.dynamodb.clear_faults();
    assert_eq!(told(200).await["dynamodb"]["calls"], 1, "nothing is left over");

    let down = local_stack::amazon::Fault::Status(503);
    stack.amazon.fault(Endpoint::Profile, down, Some(1));
    let other = Browser::new(&stack);
    let answer = other.sign_in_at_amazon("lin", "/").await;
    let line = line(&stack, answer.header("apigw-requestid").unwrap()).await;
    assert_eq!((&line["amazon"]["calls"], &line["amazon_failures"]), (&4.into(), &1.into()));
}

/// What a line may be counted by, and its units: the embedded metric format's own words.
const UNITS: [&str; 3] = ["Count", "Milliseconds", "Seconds"];

#[tokio::test]
async fn every_metric_is_valid_by_the_embedded_metric_format() {
    let stack = stack().await;
    let ann = Browser::new(&stack);
    let page = ann.asked_after_amazon("ann", "/").await;
    ann.prove(&page, "not-her-password").await;
    ann.prove(&page, "ann-local-password").await;
    assert!(stack.deliver_notices().await.is_some());
    for id in ann.requests() {
        line(&stack, &id).await;
    }
    let mut metrics: BTreeMap<String, usize> = BTreeMap::new();
    for line in stack.logs() {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["log_group"], "/lwa-bridge/local", "{line}");
        let aws = &line["_aws"];
        assert_eq!(aws.as_object().unwrap().len(), 2, "{aws}");
        // Milliseconds, neither two weeks ago nor to come in two hours.
        let ago = stack.now().0 - aws["Timestamp"].as_i64().unwrap() / 1000;
        assert!((-60..600).contains(&ago), "{aws}");
        let directives = aws["CloudWatchMetrics"].as_array().unwrap();
        assert!(!directives.is_empty());
        for directive in directives {
            assert_eq!(directive["Namespace"], "lwa-bridge");
            for set in directive["Dimensions"].as_array().unwrap() {
                let set = set.as_array().unwrap();
                assert!((1..=30).contains(&set.len()), "{set:?}");
                for dimension in set {
                    let value = line[dimension.as_str().unwrap()].as_str().unwrap();
                    let fits = (1..=1024).contains(&value.len()) && !value.starts_with(':');
                    assert!(fits && value.is_ascii(), "{dimension}: {value}");
                }
            }
            let named = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&named.len()), "{named:?}");
            for metric in named {
                let name = metric["Name"].as_str().unwrap();
                assert!(line[name].is_number() && !name.contains(':'), "{name}: {line}");
                assert!(UNITS.contains(&metric["Unit"].as_str().unwrap()), "{metric}");
                *metrics.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    let seen: Vec<_> = metrics.keys().map(String::as_str).collect();
    assert_eq!(seen, ["amazon_ms", "events", "outbox_age", "requests"]);
}

#[tokio::test]
async fn the_log_tells_how_old_the_oldest_notice_is_that_waits() {
    let stack = stack().await;
    for (id, ago) in [("one", 7200), ("two", 60)] {
        let at = stack.now().0 - ago;
        let row = serde_json::json!({
            "pk": { "S": "OUTBOX" },
            "sk": { "S": format!("{at:012}#{id}") },
            "id": { "S": id },
            "kind": { "S": "unlinked" },
            "account_id": { "S": "ann" },
            "at": { "N": at.to_string() },
        });
        stack.dynamodb.put("tickets", &row).unwrap();
    }
    let told = || {
        let lines = stack.logs_of("notices").into_iter();
        let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.filter_map(|line| line["outbox_age"].as_u64()).collect::<Vec<_>>()
    };
    stack.queue.break_down(true);
    assert!(stack.deliver_notices().await.is_none(), "the invocation fails");
    stack.queue.break_down(false);
    assert!(stack.deliver_notices().await.is_some());
    let start = Instant::now();
    while told().len() < 2 {
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", told());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let [waiting, none] = told()[..] else { panic!("{:?}", told()) };
    assert!((7200..7260).contains(&waiting), "{waiting}");
    assert_eq!(none, 0);
}

#[tokio::test]
async fn k01_no_log_level_makes_a_function_say_more() {
    let loudest = [
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("RUST_LOG", "trace"),
    ];
    let environment = loudest.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = Options { environment, ..Options::default() };
    let stack = options.start().await.unwrap();
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/checkout").await;
    assert_eq!(lin.account().await.as_deref(), Some("lin"));
    let requests = lin.requests();
    for id in &requests {
        line(&stack, id).await;
    }
    // The lines of the requests and one event: somebody is in.
    let lines = stack.logs();
    assert_eq!(lines.len(), requests.len() + 1, "{lines:#?}");
    assert!(
        lines.iter().all(|line| line.starts_with(r#"{"level":"INFO","timestamp":"#)),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn what_a_function_answers_while_it_starts_is_told_nobody() {
    let stack = stack().await;
    let nobody = Browser::new(&stack);
    for (path, status, seen) in [("/auth/session", 401, 1), ("/api/orders", 403, 2)] {
        assert_eq!(nobody.fetch(path, None).await.status, status);
        assert_eq!(stack.dynamodb.requests(), vec!["GetItem sessions"; seen]);
    }
    let requests = nobody.requests();
    let mut codes = BTreeSet::new();
    for id in &requests {
        let line = line(&stack, id).await;
        assert_eq!(calls(&line, "dynamodb"), 0, "nothing was asked for this request: {line}");
        codes.insert(line["code"].to_string());
    }
    assert!(codes.iter().eq([r#""not_signed_in""#, r#""ok""#]), "{codes:?}");
    // Both lines, and the event of the refusal.
    assert_eq!(stack.logs().len(), 3, "{:#?}", stack.logs());
}
