//! An account system that is asked over a wire stumbles, lies or dies, and so do those who ask it.

use std::time::Duration;

use local_stack::{Stack, accounts::Fault, dynamodb};
use serde_json::json;
use tests::{
    Flow, Scale,
    stage::{Findings, Stage, careless, code, side_by_side_with, timed},
};

/// The ways of asking.
const WIRES: [&str; 2] = ["webhook", "function"];

/// What asks something about accounts.
const FLOWS: [Flow; 14] = [
    Flow::Known,
    Flow::Newcomer,
    Flow::NewcomerInCapitals,
    Flow::SameEmail,
    Flow::NoPassword,
    Flow::ProveAgain,
    Flow::RightPassword,
    Flow::WrongPassword,
    Flow::ProvenAgain,
    Flow::Register,
    Flow::RegisterTaken,
    Flow::Reauthenticate,
    Flow::Attach,
    Flow::Unlink,
];

/// What opens an account.
const CREATING: [Flow; 3] = [Flow::Newcomer, Flow::NewcomerInCapitals, Flow::Register];

/// Everything that a site can do instead of answering. What takes seconds to find out, and what a
/// function has in common with a webhook, is tried at full scale.
fn faults(wire: &str) -> Vec<Fault> {
    let text = |text: &str| Fault::Text(text.to_owned());
    let (few, all) = (vec![Fault::Failed, Fault::AnswerLost, text("{}")], all_faults());
    match (wire, Scale::wanted().pick(false, true)) {
        (_, true) => all,
        ("function", false) => few,
        (_, false) => all.into_iter().filter(|fault| !matches!(fault, Fault::Late(_))).collect(),
    }
}

fn all_faults() -> Vec<Fault> {
    let text = |text: &str| Fault::Text(text.to_owned());
    vec![
        Fault::Status(500),
        Fault::Status(403),
        Fault::Status(307),
        Fault::Failed,
        Fault::Cut,
        Fault::AnswerLost,
        Fault::Late(Duration::from_millis(50)),
        text("<html>Please log in</html>"),
        text("{}"),
        Fault::Says(json!({ "verdict": "yes", "outcome": "ok", "accounts": null })),
        Fault::Says(json!({ "error": "not now" })),
        Fault::Silent,
        Fault::Late(Duration::from_secs(4)),
    ]
}

/// What is asked in a flow when nothing goes wrong.
async fn questions(stack: &Stack, stage: &Stage<'_>) -> Vec<String> {
    let visitor = stage.visitor();
    stack.accounts.forget();
    visitor.act().await;
    stack.accounts.questions()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_of_an_account_system_lets_anybody_in_or_does_half_of_anything() {
    for wire in WIRES {
        let name = format!("faults of a {wire}");
        let work: Vec<_> = faults(wire)
            .into_iter()
            .flat_map(|fault| FLOWS.map(|flow| (flow, fault.clone())))
            .collect();
        let accounts = [("Accounts", wire)];
        side_by_side_with(&accounts, &name, &work, async |stack, seed, work, findings| {
            let (flow, fault) = work;
            let stage = Stage::set(stack, seed, *flow).await;
            let asked = questions(stack, &stage).await;
            for (number, question) in asked.iter().enumerate() {
                for times in [Some(1), None] {
                    let lasts = if times.is_none() { ", and so on" } else { "" };
                    let what =
                        format!("{flow:?}, question {number} ({question}): {fault:?}{lasts}");
                    let visitor = stage.visitor();
                    let skip = u32::try_from(number).unwrap();
                    stack.accounts.fault("", skip, times, fault.clone());

                    let (answer, late) = timed(visitor.act()).await;

                    stack.accounts.clear_faults();
                    let mut wrong: Vec<_> = late.into_iter().chain(careless(&answer)).collect();
                    let as_ever = (answer.status, answer.code()) == flow.ending();
                    if !as_ever && code(&answer) != "unavailable" {
                        wrong.push(format!("ends with {} {}", answer.status, answer.text));
                    }
                    wrong.extend(stage.wrong(&visitor).await);
                    wrong.extend(stage.wrong_when_repeated(visitor).await);
                    findings.run(&what, wrong);
                }
            }
        })
        .await;
    }
}

/// When a process ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Before,
    After,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_a_process_that_is_killed_while_it_creates_an_account_leaves_none_that_nobody_enters() {
    let accounts = [("Accounts", "webhook")];
    let name = "processes killed over a wire";
    side_by_side_with(&accounts, name, &CREATING, async |stack, seed, flow, findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        let asked = questions(stack, &stage).await.len();
        for end in [End::Before, End::After] {
            for number in 0..asked {
                let event = stack.killing(flow.function());
                let fault = match end {
                    End::Before => Fault::Instead(event),
                    End::After => Fault::Then(event),
                };
                let what = format!("{flow:?}, killed {end:?} question {number}");
                stack.accounts.fault("", u32::try_from(number).unwrap(), Some(1), fault);
                killed(&stage, &what, findings).await;
            }
            for number in 0..stage.calls.len() {
                let event = stack.killing(flow.function());
                let fault = match end {
                    End::Before => dynamodb::Fault::Instead(event),
                    End::After => dynamodb::Fault::Then(event),
                };
                let what = format!("{flow:?}, killed {end:?} call {number}");
                // The row that a new process reads first is none of the flow's.
                stack.dynamodb.fault("", u32::try_from(number).unwrap(), Some(1), fault);
                killed(&stage, &what, findings).await;
            }
        }
    })
    .await;
}

/// Does the flow's request, whose process ends, and looks at what is left.
async fn killed(stage: &Stage<'_>, what: &str, findings: &mut Findings) {
    let visitor = stage.visitor();
    let (answer, late) = timed(visitor.act()).await;
    stage.stack.accounts.clear_faults();
    stage.stack.dynamodb.clear_faults();
    let mut wrong: Vec<_> = late.into_iter().collect();
    // What API Gateway says for a function that is gone.
    if (answer.status, &*answer.text) != (500, r#"{"message":"Internal Server Error"}"#) {
        wrong.push(format!("was not killed: {} {}", answer.status, answer.text));
    }
    wrong.extend(stage.wrong(&visitor).await);
    wrong.extend(stage.wrong_when_repeated(visitor).await);
    findings.run(what, wrong);
}

/// What a site may say that is not so, and that nobody can see through from here: it lets in nobody whom
/// the site itself would not let in, and never anybody into another account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_lies_lets_nobody_into_another_account() {
    let lies = [
        (Flow::SameEmail, "find_by_email", "/accounts/0/email", json!("other@example.com")),
        (Flow::SameEmail, "find_by_email", "/accounts/0/has_password", json!("yes")),
        (Flow::Known, "find_by_id", "/accounts/0/id", json!("bob")),
        (Flow::Known, "find_by_id", "/accounts/0/status", json!("frozen")),
        (Flow::Known, "find_by_id", "/accounts", json!([])),
        (Flow::RightPassword, "find_by_id", "/accounts/0/id", json!("bob")),
        (Flow::RightPassword, "verify_password", "/verdict", json!("matches")),
        (Flow::Newcomer, "create", "/account/email", json!("bob@example.com")),
        (Flow::Newcomer, "create", "/account/has_password", json!(true)),
        (Flow::Newcomer, "create", "/account/status", json!("locked")),
        (Flow::Newcomer, "create", "/outcome", json!("email_taken")),
        (Flow::Register, "create", "/account/email", json!("bob@example.com")),
        (Flow::Register, "create", "/account/id", json!("")),
    ];
    let accounts = [("Accounts", "webhook")];
    side_by_side_with(&accounts, "lies", &lies, async |stack, seed, lie, findings| {
        let (flow, question, path, value) = lie;
        let stage = Stage::set(stack, seed, *flow).await;
        let visitor = stage.visitor();
        stack.accounts.fault(question, 0, None, Fault::Lies(path, value.clone()));
        let (answer, late) = timed(visitor.act()).await;
        stack.accounts.clear_faults();
        let mut wrong: Vec<_> = late.into_iter().chain(careless(&answer)).collect();
        if visitor.standing().await.signed_in != stage.before.signed_in {
            wrong.push(format!("is let in: {} {}", answer.status, answer.text));
        }
        let links = visitor.standing().await.links;
        if links != stage.before.links {
            wrong.push(format!("is linked: {links:?}"));
        }
        findings.run(&format!("{flow:?}: {question} {path} {value}"), wrong);
    })
    .await;
}
