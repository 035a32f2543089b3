//! A function's process is killed: before and after every call that it makes, in every flow.

use std::time::Duration;

use local_stack::{
    Stack,
    amazon::{Endpoint, Fault as AtAmazon},
    dynamodb::Fault,
    secrets,
};
use tests::{Flow, Scene};
use tokio::time::sleep;

use tests::stage::{Stage, side_by_side, timed};

/// A call that a flow makes.
#[derive(Clone, Debug)]
enum Call {
    /// The one of this number to DynamoDB.
    Dynamodb(u32),
    /// The one to this endpoint of Amazon's.
    Amazon(Endpoint),
    /// The one to Secrets Manager, which a new process makes.
    Secrets,
}

/// When the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The call has not been obeyed.
    Before,
    /// It has been, and the process never learns of it.
    After,
}

/// All calls of a flow, in no order in particular.
fn calls(stage: &Stage<'_>) -> Vec<Call> {
    let dynamodb = u32::try_from(stage.calls.len()).unwrap();
    let mut all: Vec<_> = (0..dynamodb).map(Call::Dynamodb).collect();
    if stage.amazon > 0 {
        let endpoints = [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile];
        all.extend(endpoints.map(Call::Amazon));
        all.push(Call::Secrets);
    }
    all
}

/// Does the flow's request while the process that handles it is killed at this call.
async fn killed(stack: &Stack, visitor: &Scene<'_>, call: &Call, end: End) -> Vec<String> {
    let function = visitor.flow.function();
    let kills = async {
        match call {
            Call::Dynamodb(_) => {}
            Call::Amazon(endpoint) => {
                while stack.amazon.calls_of(*endpoint).is_empty() {
                    sleep(Duration::from_millis(1)).await;
                }
                // Whoever holds the world is at work on the call; afterwards it is obeyed.
                drop(stack.amazon.world());
                stack.kill(function);
            }
            Call::Secrets => {
                let before = stack.secrets.calls();
                while stack.secrets.calls() == before {
                    sleep(Duration::from_millis(1)).await;
                }
                stack.kill(function);
            }
        }
    };
    match (call, end) {
        (Call::Dynamodb(number), End::Before) => {
            let fault = Fault::Instead(stack.killing(function));
            stack.dynamodb.fault("", *number, Some(1), fault);
        }
        (Call::Dynamodb(number), End::After) => {
            let fault = Fault::Then(stack.killing(function));
            stack.dynamodb.fault("", *number, Some(1), fault);
        }
        (Call::Amazon(endpoint), End::Before) => {
            stack.amazon.fault(*endpoint, AtAmazon::Hang, Some(1));
        }
        (Call::Amazon(endpoint), End::After) => {
            stack.amazon.fault(*endpoint, AtAmazon::Late(60_000), Some(1));
        }
        (Call::Secrets, _) => stack.secrets.fault(Some(secrets::Fault::Silent)),
    }
    let ((answer, late), ()) = tokio::join!(timed(visitor.act()), kills);
    stack.dynamodb.clear_faults();
    stack.secrets.fault(None);
    for endpoint in [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile] {
        stack.amazon.clear_faults(endpoint);
    }
    let mut wrong: Vec<_> = late.into_iter().collect();
    // What API Gateway says for a function that is gone.
    if (answer.status, &*answer.text) != (500, r#"{"message":"Internal Server Error"}"#) {
        wrong.push(format!("was not killed: {} {}", answer.status, answer.text));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_f09_m13_a_process_that_is_killed_at_any_call_leaves_nothing_half_done() {
    side_by_side("processes killed", &Flow::ALL, async |stack, seed, flow, findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        for call in calls(&stage) {
            for end in [End::Before, End::After] {
                let what = format!("{flow:?}, killed {end:?} {call:?}");
                let visitor = stage.visitor();
                let mut wrong = Vec::new();
                if let Call::Secrets = call {
                    // A process keeps the secret: this visitor has to meet a new one.
                    if end == End::After {
                        continue;
                    }
                    let first = Call::Dynamodb(0);
                    wrong.extend(killed(stack, &stage.visitor(), &first, End::Before).await);
                }
                stack.amazon.forget_calls();
                let visitor_ends = killed(stack, &visitor, &call, end).await;
                wrong.extend(visitor_ends);
                wrong.extend(stage.wrong(&visitor).await);
                wrong.extend(stage.wrong_when_repeated(visitor).await);
                findings.run(&what, wrong);
            }
        }
    })
    .await;
}
