//! Amazon's endpoints for televisions do not answer, or not as documented.

use local_stack::{
    Options, Stack, Timestamp,
    amazon::{Endpoint, Fault},
    dynamodb::Snapshot,
};
use serde_json::{Value, json};
use tests::{
    Answer, Browser, Tables,
    stage::{careless, timed},
};

const NOON: Timestamp = Timestamp(1_800_000_000);

/// A television, in a house where nothing has happened yet.
struct Television<'a> {
    stack: &'a Stack,
    browser: Browser<'a>,
    seed: Snapshot,
}

impl<'a> Television<'a> {
    fn new(stack: &'a Stack) -> Self {
        Self { stack, browser: Browser::new(stack), seed: stack.dynamodb.snapshot().unwrap() }
    }

    /// Everything is as at first.
    fn reset(&self) {
        self.stack.dynamodb.restore(&self.seed).unwrap();
        self.stack.amazon.reset();
        self.stack.set_clock(NOON).unwrap();
    }

    async fn ask(&self, path: &str, body: &Value) -> (Answer, Vec<String>) {
        let ask = self.browser.ask("POST", path).header("accept", "application/json");
        let ask = ask.body("application/json", body.to_string());
        let (answer, late) = timed(ask.send()).await;
        (answer, late.into_iter().collect())
    }

    async fn begin(&self) -> (Answer, Vec<String>) {
        self.ask("/auth/amazon/device", &json!({})).await
    }

    async fn poll(&self, handle: &str) -> (Answer, Vec<String>) {
        self.ask("/auth/amazon/device/poll", &json!({ "device_code": handle })).await
    }

    /// Begins, and Lin allows it: the handle.
    async fn allowed(&self) -> String {
        let told = self.begin().await.0.json();
        assert!(self.stack.amazon.allow_code(told["user_code"].as_str().unwrap(), "lin"));
        self.stack.amazon.forget_calls();
        told["device_code"].as_str().unwrap().to_owned()
    }

    /// The rows of televisions, and how many sessions there are.
    fn rows(&self) -> (Vec<Value>, usize) {
        let mut grants = self.stack.dynamodb.scan("tickets").unwrap();
        grants.retain(|row| row["sk"]["S"] == "DEVICE");
        (grants, self.stack.dynamodb.scan("sessions").unwrap().len())
    }

    /// What of a failure is not as it was promised.
    fn wrong_with(&self, answer: &Answer) -> Vec<String> {
        let mut wrong = careless(answer);
        wrong.extend(Tables::of(self.stack).broken());
        let told = answer.json();
        if (answer.status, told["code"].as_str()) != (503, Some("unavailable")) {
            wrong.push(format!("{} {}", answer.status, answer.text));
        }
        if answer.header("retry-after") != Some("5") || answer.headers.contains_key("set-cookie") {
            wrong.push(format!("{:?}", answer.headers));
        }
        wrong
    }
}

async fn stack() -> Stack {
    Options { stopped_at: Some(NOON), ..Options::default() }.start().await.unwrap()
}

fn none(what: &str, runs: usize, wrong: Vec<String>) {
    println!("{what}: {runs} runs, {} violations", wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Whether Amazon has done what was asked, though there is no answer of any use.
fn is_obeyed(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Cut | Fault::Drip | Fault::Truncated | Fault::WrongTypes | Fault::ErrorInside
    )
}

#[tokio::test]
async fn r12_without_codes_a_television_is_told_to_try_later_and_nothing_is_kept() {
    let stack = stack().await;
    let television = Television::new(&stack);
    let (mut runs, mut found) = (0, Vec::new());
    for fault in Fault::fatal() {
        television.reset();
        stack.amazon.fault(Endpoint::CodePair, fault.clone(), Some(1));
        let (answer, mut wrong) = television.begin().await;
        wrong.extend(television.wrong_with(&answer));
        if television.rows() != (Vec::new(), 0) {
            wrong.push(format!("half done: {:?}", television.rows()));
        }
        if stack.amazon.calls().len() != 1 {
            wrong.push(format!("{} calls", stack.amazon.calls().len()));
        }
        if television.begin().await.0.status != 200 {
            wrong.push("another try does not help".to_owned());
        }
        runs += 1;
        found.extend(wrong.into_iter().map(|one| format!("{fault:?}: {one}")));
    }
    none("codes", runs, found);
}

#[tokio::test]
async fn r12_r4_whatever_amazon_answers_a_television_it_waits_or_begins_anew_and_nobody_gets_in() {
    let stack = stack().await;
    let television = Television::new(&stack);
    let (mut runs, mut found) = (0, Vec::new());
    for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
        for fault in Fault::fatal() {
            television.reset();
            let handle = television.allowed().await;
            // What changes nothing is asked twice.
            let times = if endpoint == Endpoint::Token { 1 } else { 2 };
            stack.amazon.fault(endpoint, fault.clone(), Some(times));
            let (answer, mut wrong) = television.poll(&handle).await;
            wrong.extend(television.wrong_with(&answer));
            let (grants, sessions) = television.rows();
            if (grants.len(), sessions) != (1, 0) {
                wrong.push(format!("half done: {grants:?}, {sessions} sessions"));
            }
            let asked = stack.amazon.calls_of(endpoint).len();
            if asked != times as usize {
                wrong.push(format!("asked {asked} times"));
            }
            // The codes are good as long as no token is out.
            stack.set_clock(Timestamp(NOON.0 + 45)).unwrap();
            let (answer, _) = television.poll(&handle).await;
            let goes_on = endpoint == Endpoint::Token && !is_obeyed(&fault);
            let expected = if goes_on { (200, 1) } else { (400, 0) };
            if (answer.status, television.rows().1) != expected {
                wrong.push(format!("again: {} {}", answer.status, answer.text));
            }
            if !goes_on && answer.json() != json!({ "error": "expired_token" }) {
                wrong.push(format!("again: {}", answer.text));
            }
            wrong.extend(Tables::of(&stack).broken());
            runs += 1;
            found.extend(wrong.into_iter().map(|one| format!("{endpoint:?} {fault:?}: {one}")));
        }
    }
    none("televisions", runs, found);
}

#[tokio::test]
async fn r12_a_process_that_dies_in_the_middle_lets_nobody_in_twice() {
    let stack = stack().await;
    let television = Television::new(&stack);
    let handle = television.allowed().await;
    let calls = {
        stack.dynamodb.reset_requests();
        assert_eq!(television.poll(&handle).await.0.status, 200);
        stack.dynamodb.calls().len()
    };
    assert!(calls >= 6, "{calls}");
    for call in 0..calls {
        for done in [false, true] {
            television.reset();
            let handle = television.allowed().await;
            let event = stack.killing("device");
            let fault = match done {
                true => local_stack::dynamodb::Fault::Then(event),
                false => local_stack::dynamodb::Fault::Instead(event),
            };
            stack.dynamodb.fault("", u32::try_from(call).unwrap(), Some(1), fault);
            let (answer, _) = television.poll(&handle).await;
            stack.dynamodb.clear_faults();
            assert!(answer.status >= 500, "{call} {done}: {}", answer.text);
            stack.set_clock(Timestamp(NOON.0 + 45)).unwrap();
            let (answer, _) = television.poll(&handle).await;
            let broken = Tables::of(&stack).broken();
            assert!(broken.is_empty(), "{call} {done}: {broken:?}");
            match answer.status {
                200 => assert_eq!(television.rows().1, 1, "{call} {done}"),
                // The token was out, and with the process it is gone.
                _ => {
                    assert_eq!(answer.json(), json!({ "error": "expired_token" }), "{call} {done}");
                    assert_eq!(television.rows().1, 0, "{call} {done}");
                    assert!((call, done) == (2, false), "{call} {done}: it begins anew in vain");
                }
            }
        }
    }
}
