//! How a callback ends, and whether it ends as was promised.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use local_stack::Stack;
use tests::{
    Answer, Flow, Scene,
    stage::{Stage, careless, code},
};

/// Who comes back from Amazon: a customer who was linked before, the same while signed in already, a
/// newcomer, and somebody whose address an account has.
pub(crate) const VISITORS: [Flow; 4] =
    [Flow::Known, Flow::KnownAgain, Flow::Newcomer, Flow::SameEmail];

/// What visitors do that Amazon has no part in.
pub(crate) fn without_amazon() -> impl Iterator<Item = Flow> {
    Flow::ALL.into_iter().filter(|flow| {
        !matches!(
            flow,
            Flow::Known
                | Flow::KnownAgain
                | Flow::Newcomer
                | Flow::NewcomerInCapitals
                | Flow::SameEmail
                | Flow::Disabled
                | Flow::NoPassword
                | Flow::Incomplete
                | Flow::ProveAgain
                | Flow::SomebodyElse
                | Flow::Attach
        )
    })
}

/// How a callback ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As if nothing had gone wrong.
    AsEver,
    /// As if the customer shared no address.
    WithoutAddress,
    /// With this status and code.
    Fails(u16, &'static str),
}

/// Amazon, or the secret for it, is not to be had.
pub(crate) const UNAVAILABLE: Ending = Ending::Fails(503, "unavailable");

/// Every failing page that was seen, by its code and kind: there is one for each.
#[derive(Default)]
pub(crate) struct Pages(Mutex<HashMap<String, String>>);

/// Comes back from Amazon, as somebody who reads pages or as a script that reads JSON.
pub(crate) async fn come_back(stack: &Stack, visitor: &Scene<'_>, json: bool) -> Answer {
    let customer = match visitor.flow {
        Flow::Newcomer => "nora",
        Flow::SameEmail => "ann",
        _ => "lin",
    };
    let at_amazon = visitor.browser.begin("/checkout").await;
    let back = stack.amazon.allow(&at_amazon, customer).unwrap();
    let ask = visitor.browser.ask("GET", &back).header("sec-fetch-site", "cross-site");
    if json { ask.header("accept", "application/json").send().await } else { ask.send().await }
}

/// Every row of every table, with its table's name.
pub(crate) fn rows(stack: &Stack) -> BTreeSet<String> {
    let tables = ["accounts", "identities", "sessions", "tickets"];
    let of_table = |table| {
        let rows = stack.dynamodb.scan(table).unwrap().into_iter();
        rows.map(move |row| format!("{table} {row}"))
    };
    tables.into_iter().flat_map(of_table).collect()
}

/// What of a callback's ending is not as it should be.
pub(crate) async fn wrong_with_ending(
    stage: &Stage<'_>,
    visitor: &Scene<'_>,
    (answer, ending): (&Answer, Ending),
    (pages, before): (&Pages, &BTreeSet<String>),
) -> Vec<String> {
    let known = matches!(visitor.flow, Flow::Known | Flow::KnownAgain);
    let ending = if known && ending == Ending::WithoutAddress { Ending::AsEver } else { ending };
    let (mut wrong, end) = match ending {
        Ending::AsEver => (Vec::new(), (303, "")),
        Ending::WithoutAddress => (wrong_unless_asked(answer), (303, "")),
        Ending::Fails(status, code) => {
            (wrong_with_failure(stage.stack, answer, pages, before), (status, code))
        }
    };
    if (answer.status, code(answer).as_str()) != end {
        wrong.push(format!("{} {}, not {end:?}", answer.status, answer.text));
    }
    let standing = visitor.standing().await;
    let expected = if ending == Ending::AsEver { &stage.clean } else { &stage.before };
    if standing != *expected {
        wrong.push(format!("{standing:?}, not {expected:?}"));
    }
    wrong
}

fn wrong_unless_asked(answer: &Answer) -> Vec<String> {
    let asked = answer.header("location").is_some_and(|to| to.ends_with("/auth/amazon/register"));
    (!asked).then(|| format!("not asked: {:?}", answer.headers)).into_iter().collect()
}

/// What of a failure is not as it should be: it tells of itself, or leaves something half done.
fn wrong_with_failure(
    stack: &Stack,
    answer: &Answer,
    pages: &Pages,
    before: &BTreeSet<String>,
) -> Vec<String> {
    let mut wrong = careless(answer);
    let retry_after = (answer.status == 503).then_some("5");
    if answer.header("retry-after") != retry_after {
        wrong.push(format!("when to try again: {:?}", answer.headers));
    }
    if answer.headers.contains_key("set-cookie") {
        wrong.push(format!("a cookie is set: {:?}", answer.headers));
    }
    wrong.extend(pages.wrong_with(stack, answer));
    let now = rows(stack);
    let new: Vec<_> = now.difference(before).collect();
    let gone: Vec<_> = before.difference(&now).collect();
    let used_state = |row: &&String| row.starts_with("tickets ") && row.contains("\"STATE#");
    if !gone.is_empty() || new.len() != 1 || !new.iter().all(used_state) {
        wrong.push(format!("half done: {new:?} instead of {gone:?}"));
    }
    wrong
}

impl Pages {
    /// Whatever lies behind a failure, its page reads the same, letter for letter, and has the
    /// request's id.
    pub(crate) fn wrong_with(&self, stack: &Stack, answer: &Answer) -> Option<String> {
        let Some(id) = answer.header("apigw-requestid").filter(|id| answer.text.contains(*id))
        else {
            return Some(format!("the request's id is not told: {}", answer.text));
        };
        let text = answer.text.replace(id, "(id)").replace(&stack.url, "(site)");
        let kind = answer.header("content-type").unwrap_or_default();
        let mut pages = self.0.lock().unwrap();
        let page = pages.entry(format!("{} {kind}", code(answer))).or_insert_with(|| text.clone());
        (*page != text).then(|| format!("another page than before: {text}"))
    }
}
