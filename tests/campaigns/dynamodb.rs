//! DynamoDB stumbles: every call of every flow, in every way that AWS documents.

use std::time::Duration;

use local_stack::dynamodb::{Call, Fault};
use tests::{Flow, Scale};

use tests::stage::{Stage, careless, code, side_by_side_with, timed};

/// What may go wrong with one call.
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    /// Whether it goes on with every later call, or only this one fails.
    lasting: bool,
    /// The codes that the visitor may be told, besides what the flow ends with.
    codes: &'static [&'static str],
}

/// Somebody did not answer.
const OUT: &[&str] = &["unavailable"];
/// The same; or our own first try has come through, and looks like somebody else's.
const LOST: &[&str] = &["unavailable", "start_over", "ticket_expired"];
/// Somebody else seems to have been quicker.
const MET: &[&str] = &[
    "account_closed",
    "already_linked",
    "last_sign_in_method",
    "not_signed_in",
    "start_over",
    "ticket_expired",
    "too_many_attempts",
    "unavailable",
];

/// Everything that can go wrong with this call.
pub(crate) fn troubles(call: &Call) -> Vec<Trouble> {
    let mut all = Vec::new();
    let mut add = |fault: Fault, codes| {
        for lasting in Scale::wanted().pick(&[false][..], &[false, true]) {
            all.push(Trouble { fault: fault.clone(), lasting: *lasting, codes });
        }
    };
    for refused in [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "ResourceNotFoundException",
        "AccessDeniedException",
        "ValidationException",
        "UnrecognizedClientException",
    ] {
        add(Fault::Refused(refused), OUT);
    }
    add(Fault::Broken, OUT);
    add(Fault::Cut, OUT);
    add(Fault::AnswerLost, LOST);
    add(Fault::Late(Duration::from_millis(50)), OUT);
    let writes = !matches!(call.what.split(' ').next(), Some("GetItem" | "Query"));
    if writes && call.items == 0 {
        add(Fault::Refused("ConditionalCheckFailedException"), MET);
        add(Fault::Refused("TransactionConflictException"), OUT);
    }
    if call.items > 0 {
        for reason in [
            "ConditionalCheckFailed",
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
            "ItemCollectionSizeLimitExceeded",
            "ValidationError",
        ] {
            for position in 0..call.items {
                let mut reasons = vec!["None"; call.items];
                reasons[position] = reason;
                add(Fault::Cancelled(reasons), MET);
            }
        }
        add(Fault::Refused("TransactionInProgressException"), OUT);
        add(Fault::Refused("IdempotentParameterMismatchException"), OUT);
    }
    // What takes seconds each time, once each.
    for lasting in [false, true] {
        for fault in [Fault::Silent, Fault::Late(Duration::from_secs(3))] {
            all.push(Trouble { fault, lasting, codes: LOST });
        }
    }
    all
}

/// Into so many pieces the troubles of one flow are cut, so that all stacks have something to do.
const PIECES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_r2_r3_r4_r13_r14_r15_r16_r17_r18_r21_no_fault_of_dynamodb_does_half_of_anything() {
    all_faults(&[], "faults of DynamoDB", &Flow::ALL).await;
}

/// The same for what is done otherwise where accounts are asked about over a wire.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_r13_r14_r21_nor_where_accounts_are_asked_about_over_a_wire() {
    let flows = [Flow::Newcomer, Flow::Register, Flow::Known, Flow::RightPassword];
    all_faults(&[("Accounts", "webhook")], "faults of DynamoDB over a wire", &flows).await;
}

async fn all_faults(parameters: &[(&str, &str)], name: &str, flows: &[Flow]) {
    let pieces = |piece: usize| flows.iter().map(move |flow| (*flow, piece));
    let work: Vec<_> = (0..PIECES).flat_map(pieces).collect();
    side_by_side_with(parameters, name, &work, async |stack, seed, (flow, piece), findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        let all = stage.calls.iter().enumerate().flat_map(|(number, call)| {
            troubles(call).into_iter().map(move |trouble| (number, call, trouble))
        });
        for (number, call, Trouble { fault, lasting, codes }) in all.skip(*piece).step_by(PIECES) {
            let lasts = if lasting { ", and so on" } else { "" };
            let what = format!("{flow:?}, call {number} ({}): {fault:?}{lasts}", call.what);
            let visitor = stage.visitor();
            let times = (!lasting).then_some(1);
            stack.dynamodb.fault("", u32::try_from(number).unwrap(), times, fault);

            let (answer, late) = timed(visitor.act()).await;

            stack.dynamodb.clear_faults();
            let mut wrong: Vec<_> = late.into_iter().chain(careless(&answer)).collect();
            let code = code(&answer);
            let as_ever = (answer.status, answer.code()) == flow.ending();
            // Whoever is signed in already goes on as they are, where their sign-in seems to be used.
            let goes_on = codes == MET && answer.status == 303;
            if !as_ever && !goes_on && !codes.contains(&&*code) {
                wrong.push(format!("ends with {} {}", answer.status, answer.text));
            }
            wrong.extend(stage.wrong(&visitor).await);
            wrong.extend(stage.wrong_when_repeated(visitor).await);
            findings.run(&what, wrong);
        }
    })
    .await;
}
