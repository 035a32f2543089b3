//! One stack after the other's example: a visitor comes to the point of a flow again and again, and
//! each time something else goes wrong.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::{Answer, Flow, Scene, Standing, Tables, cheap_passwords};
use futures_util::future::join_all;
use local_stack::{
    Options, Stack, Timestamp,
    dynamodb::{Call, Snapshot},
};
use tokio::sync::Mutex;

/// How many stacks work side by side: most of the time they wait.
const STACKS: usize = 32;
/// How long a visitor may have to wait, whatever goes wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// When the clock of these stacks stands still.
const NOON: Timestamp = Timestamp(1_800_000_000);

/// A visitor at the point of a flow, and how things stand there and would stand afterwards.
pub struct Stage<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The visitor.
    pub scene: Scene<'a>,
    /// How things stand.
    pub before: Standing,
    /// How things stand when the flow has gone as it should.
    pub clean: Standing,
    /// What the flow's request asks of DynamoDB when nothing goes wrong.
    pub calls: Vec<Call>,
    /// How often it asks something of Amazon.
    pub amazon: usize,
    rows: Snapshot,
}

impl<'a> Stage<'a> {
    /// Brings a visitor to the point, lets them do it once without trouble, and goes back.
    pub async fn set(stack: &'a Stack, seed: &Snapshot, flow: Flow) -> Self {
        stack.dynamodb.restore(seed).unwrap();
        stack.amazon.reset();
        let scene = flow.prepare(stack).await;
        let before = scene.standing().await;
        let rows = stack.dynamodb.snapshot().unwrap();
        // Twice, because a process that was only just started asks for more.
        for _ in 0..2 {
            stack.dynamodb.restore(&rows).unwrap();
            stack.dynamodb.reset_requests();
            stack.amazon.forget_calls();
            let visitor = scene.copy();
            let answer = visitor.act().await;
            let (calls, amazon) = (stack.dynamodb.calls(), stack.amazon.calls().len());
            assert_eq!((answer.status, answer.code()), flow.ending(), "{flow:?}: {}", answer.text);
            let broken = Tables::of(stack).broken();
            assert!(broken.is_empty(), "{flow:?}:\n{}", broken.join("\n"));
            let clean = visitor.standing().await;
            stack.dynamodb.restore(&rows).unwrap();
            if calls.iter().all(|call| call.trace.is_some()) {
                return Self { stack, scene, before, clean, calls, amazon, rows };
            }
        }
        panic!("{flow:?}: somebody else asks DynamoDB for something");
    }

    /// The visitor at the point, as if nothing had happened yet.
    pub fn visitor(&self) -> Scene<'a> {
        self.stack.dynamodb.restore(&self.rows).unwrap();
        self.scene.copy()
    }

    /// What does not hold after trouble, though it should whatever it was: something is half done, or
    /// the visitor is where the flow would not have led them.
    pub async fn wrong(&self, visitor: &Scene<'_>) -> Vec<String> {
        let mut wrong = Tables::of(self.stack).broken();
        let now = visitor.standing().await;
        let possible = [&self.before, &self.clean];
        let as_one = |one: &&Standing| (&one.links, one.accounts) == (&now.links, now.accounts);
        // An account system that is asked first has the account before we have the link.
        let begun = (&self.before.links, self.clean.accounts) == (&now.links, now.accounts)
            && Tables::of(self.stack).is_pending();
        if !begun && !possible.iter().any(as_one) {
            wrong.push(format!("half done: {now:?} is neither of {possible:?}"));
        }
        if now.signed_in.is_some() && !possible.iter().any(|one| one.signed_in == now.signed_in) {
            wrong.push(format!("signed in as {:?}", now.signed_in));
        }
        wrong
    }

    /// The trouble is over: the visitor does it again, and must get where they wanted.
    pub async fn wrong_when_repeated(&self, mut visitor: Scene<'_>) -> Vec<String> {
        let answer = visitor.act_again().await;
        let mut wrong = Tables::of(self.stack).broken();
        let now = visitor.standing().await;
        if answer.status >= 500 || now != self.clean {
            let end = (answer.status, answer.code());
            wrong.push(format!("repeated: {end:?} leads to {now:?}, not to {:?}", self.clean));
        }
        wrong
    }
}

/// What comes back, and whether it took too long.
pub async fn timed(act: impl Future<Output = Answer>) -> (Answer, Option<String>) {
    let started = Instant::now();
    let answer = act.await;
    let took = started.elapsed();
    (answer, (took > PATIENCE).then(|| format!("answered after {took:?}")))
}

/// The word for how a request ended: the code of a page or of a problem, else empty.
pub fn code(answer: &Answer) -> String {
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("application/problem")) {
        return answer.json()["code"].as_str().unwrap_or_default().to_owned();
    }
    answer.code().to_owned()
}

/// What an answer lacks that protects every answer of ours, in trouble too, or tells of our insides.
pub fn careless(answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        if answer.header(name) != Some(value) {
            wrong.push(format!("{name} is not {value}: {} {}", answer.status, answer.text));
        }
    }
    let policy = answer.header("content-security-policy").unwrap_or_default();
    if !policy.starts_with("default-src 'none'") {
        wrong.push(format!("the policy is {policy}"));
    }
    let insides = ["arn:", "panicked", "src/", "Exception", "identities", "TransactWrite"];
    let told = insides.iter().filter(|word| answer.text.contains(**word));
    wrong.extend(told.map(|word| format!("{word} is told: {}", answer.text)));
    wrong
}

/// Does all of this on several stacks side by side; each takes the next piece when it is ready.
///
/// Tells everything that went wrong at the end, all of it, and how many runs there were.
pub async fn side_by_side<T>(
    what: &str,
    work: &[T],
    each: impl AsyncFn(&Stack, &Snapshot, &T, &mut Findings),
) {
    side_by_side_with(&[], what, work, each).await;
}

/// The same on stacks with these parameters.
pub async fn side_by_side_with<T>(
    parameters: &[(&str, &str)],
    what: &str,
    work: &[T],
    each: impl AsyncFn(&Stack, &Snapshot, &T, &mut Findings),
) {
    let (next, turn) = (AtomicUsize::new(0), Mutex::new(()));
    let stacks = (0..STACKS.min(work.len())).map(|_| async {
        // A clock that stands still: no window of a limit ends between two requests.
        let options = Options { stopped_at: Some(NOON), ..Options::with(parameters) };
        // One after the other: all at once they would wait for each other until they give up.
        let starting = turn.lock().await;
        let stack = options.start().await.unwrap();
        drop(starting);
        cheap_passwords(&stack);
        let seed = stack.dynamodb.snapshot().unwrap();
        let mut findings = Findings::default();
        while let Some(piece) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            each(&stack, &seed, piece, &mut findings).await;
        }
        findings
    });
    let all = join_all(stacks).await;
    let runs = all.iter().map(|findings| findings.runs).sum();
    let wrong = all.into_iter().flat_map(|findings| findings.wrong).collect();
    Findings { runs, wrong }.tell(what);
}

/// What came of some runs.
#[derive(Default)]
pub struct Findings {
    runs: usize,
    wrong: Vec<String>,
}

impl Findings {
    /// One run more, in which all of this was wrong.
    pub fn run(&mut self, what: &str, wrong: Vec<String>) {
        self.runs += 1;
        self.wrong.extend(wrong.into_iter().map(|one| format!("{what}: {one}")));
    }

    /// Tells how many runs there were, and fails with all that was wrong in them.
    ///
    /// # Panics
    ///
    /// Where anything was.
    pub fn tell(&self, what: &str) {
        println!("{what}: {} runs, {} violations", self.runs, self.wrong.len());
        assert!(self.wrong.is_empty(), "\n{}\n", self.wrong.join("\n"));
    }
}
