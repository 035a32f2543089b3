//! What AWS refuses or delays for a while: DynamoDB that throttles, and Secrets Manager before a
//! function has its secret. Whoever asks gets a named answer in time, and the right one afterwards.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use local_stack::{Options, Stack, amazon::APP_CLIENT_ID, dynamodb, secrets::Fault};
use serde_json::{Value, json};
use tests::{
    Answer, Browser, Flow, named,
    stage::{Stage, careless, timed},
};

const PROXY_ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:proxy";
const PROXY_SECRET: &str = "what only the proxy knows";

/// How DynamoDB says that there was too much.
const THROTTLED: [&str; 3] =
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

/// What comes to a function that is no visitor's browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Caller {
    /// A customer who is sent back by Amazon, whose code takes the client secret.
    Callback,
    /// An app that hands a token over, by a proxy.
    Token,
    /// A television that is switched on, by a proxy.
    Device,
    /// The site that tells something, signed.
    Lifecycle,
    /// Whoever asks the site for something that the authorizer guards.
    Guarded,
}

/// A site behind a proxy that tells the client's address, and somebody who is signed in there.
async fn stack() -> Stack {
    let proxy = [("TrustedProxyHeader", "x-real-ip"), ("TrustedProxySecretArn", PROXY_ARN)];
    let stack = Options::with(&proxy).start().await.unwrap();
    stack.secrets.set(PROXY_ARN, PROXY_SECRET);
    stack
}

impl Caller {
    const ALL: [Self; 5] =
        [Self::Callback, Self::Token, Self::Device, Self::Lifecycle, Self::Guarded];

    /// The function that answers, if it needs a secret.
    fn with_a_secret(self) -> Option<&'static str> {
        match self {
            Self::Callback => Some("callback"),
            Self::Token => Some("handoff"),
            Self::Device => Some("device"),
            Self::Lifecycle => Some("lifecycle"),
            Self::Guarded => None,
        }
    }

    async fn ask(self, stack: &Stack, lin: &Browser<'_>) -> Answer {
        let anybody = Browser::new(stack);
        let app = |to: &str, body: &Value| {
            let ask = anybody.ask("POST", to).header("accept", "application/json");
            let ask = ask.without("sec-fetch-dest").without("sec-fetch-mode");
            let ask = ask.without("sec-fetch-site").header("x-real-ip", "192.0.2.7");
            let ask = ask.header("x-lwa-proxy-secret", PROXY_SECRET);
            ask.body("application/json", body.to_string())
        };
        match self {
            Self::Callback => {
                let at_amazon = anybody.begin("/").await;
                anybody.allow(&at_amazon, "lin").await
            }
            Self::Token => {
                let token = stack.amazon.token("lin", APP_CLIENT_ID, "profile");
                app("/auth/amazon/token", &json!({ "access_token": token })).send().await
            }
            Self::Device => app("/auth/amazon/device", &json!({})).send().await,
            Self::Lifecycle => {
                let at = stack.now().rfc3339();
                let event = json!({ "type": "enabled", "account_id": "ann", "at": at }).to_string();
                let mut ask = anybody.ask("POST", "/auth/lifecycle");
                for (name, value) in stack.sign("limits", &event).unwrap() {
                    ask = ask.header(name, &value);
                }
                ask.body("application/json", event).send().await
            }
            Self::Guarded => lin.fetch("/api/orders", None).await,
        }
    }
}

/// How an answer ended.
fn end(answer: &Answer) -> (u16, &'static str) {
    (answer.status, named(answer).unwrap_or("?"))
}

/// What is wrong with an answer to somebody who is to come again.
fn wrong_with(answer: &Answer) -> Vec<String> {
    let mut wrong = careless(answer);
    if end(answer) != (503, "unavailable") || answer.header("retry-after").is_none() {
        wrong.push(format!("{:?} {:?} {}", end(answer), answer.headers, answer.text));
    }
    wrong
}

/// What visitors of these flows meet while every call to DynamoDB is throttled.
async fn throttled(flows: &[Flow]) -> Vec<String> {
    let stack = Options::default().start().await.unwrap();
    tests::cheap_passwords(&stack);
    let seed = stack.dynamodb.snapshot().unwrap();
    let mut wrong = Vec::new();
    for (turn, flow) in flows.iter().enumerate() {
        let stage = Stage::set(&stack, &seed, *flow).await;
        let visitor = stage.visitor();
        let refused = THROTTLED[turn % THROTTLED.len()];
        stack.dynamodb.fault("", 0, None, dynamodb::Fault::Refused(refused));
        let (answer, late) = timed(visitor.act()).await;
        stack.dynamodb.clear_faults();
        let mut odd = Vec::from_iter(late);
        if stage.calls.is_empty() {
            let as_ever = (answer.status, answer.code()) == flow.ending();
            odd.extend((!as_ever).then(|| format!("ends {:?}", end(&answer))));
        } else {
            odd.extend(wrong_with(&answer));
            if visitor.standing().await != stage.before {
                odd.push("changes something".to_owned());
            }
        }
        odd.extend(stage.wrong_when_repeated(visitor).await);
        wrong.extend(odd.into_iter().map(|odd| format!("{flow:?}, {refused}: {odd}")));
    }
    wrong
}

#[tokio::test]
async fn while_tables_are_throttled_every_way_through_is_unavailable_and_works_again_afterwards() {
    let wrong = join_all(Flow::ALL.chunks(9).map(throttled)).await.concat();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What this caller meets while every call to DynamoDB is throttled.
async fn throttled_for(caller: Caller) {
    let stack = stack().await;
    let lin = Browser::new(&stack);
    lin.sign_in_at_amazon("lin", "/").await;
    for refused in THROTTLED {
        stack.dynamodb.fault("", 0, None, dynamodb::Fault::Refused(refused));
        let (answer, late) = timed(caller.ask(&stack, &lin)).await;
        stack.dynamodb.clear_faults();
        assert_eq!(late, None, "{caller:?}, {refused}");
        match caller {
            // Whomever the authorizer cannot look up it lets through to nothing.
            Caller::Guarded => {
                assert_eq!((answer.status, &*answer.text), (403, r#"{"message":"Forbidden"}"#));
            }
            _ => assert_eq!(wrong_with(&answer), [""; 0], "{caller:?}, {refused}"),
        }
        let answer = caller.ask(&stack, &lin).await;
        assert!(matches!(end(&answer), (200 | 303, "ok")), "{caller:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn while_tables_are_throttled_apps_televisions_and_the_site_are_told_to_come_again() {
    join_all(Caller::ALL.map(throttled_for)).await;
}

/// What can be wrong with Secrets Manager for a while, and whether the secret comes all the same.
fn troubles() -> [(&'static str, Fault, bool); 5] {
    [
        ("answers after 2 s", Fault::Late(Duration::from_secs(2)), true),
        ("answers after 8 s", Fault::Late(Duration::from_secs(8)), false),
        ("answers nobody", Fault::Silent, false),
        ("is down", Fault::Broken, false),
        ("throttles", Fault::Refused("ThrottlingException"), false),
    ]
}

/// What a function's first requests meet while its secret cannot be had.
async fn cold(caller: Caller) -> Vec<(Caller, &'static str, (u16, &'static str))> {
    let Some(function) = caller.with_a_secret() else { return Vec::new() };
    let stack = stack().await;
    let lin = Browser::new(&stack);
    let mut met = Vec::new();
    for (what, fault, comes) in troubles() {
        stack.restart(function);
        stack.secrets.fault(Some(fault));
        let (answer, late) = timed(caller.ask(&stack, &lin)).await;
        stack.secrets.fault(None);
        assert_eq!(late, None, "{caller:?}, Secrets Manager {what}");
        let as_ever = matches!(end(&answer), (200 | 303, "ok"));
        assert!(as_ever == comes, "{caller:?}, Secrets Manager {what}: {}", answer.text);
        if !comes {
            assert_eq!(wrong_with(&answer), [""; 0], "{caller:?}, Secrets Manager {what}");
        }
        met.push((caller, what, end(&answer)));
        let answer = caller.ask(&stack, &lin).await;
        assert!(matches!(end(&answer), (200 | 303, "ok")), "{caller:?}: {}", answer.text);
    }
    met
}

#[tokio::test]
async fn a_function_whose_first_request_finds_no_secret_says_so_in_time_and_has_it_for_the_next() {
    let met = join_all(Caller::ALL.map(cold)).await.concat();
    let mut table = BTreeMap::new();
    for (caller, what, end) in met {
        table.entry(what).or_insert_with(Vec::new).push(format!("{caller:?} {end:?}"));
    }
    for (what, ends) in table {
        println!("| Secrets Manager {what} | {} |", ends.join(", "));
    }
}
