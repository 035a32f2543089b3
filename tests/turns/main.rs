//! Two releases at once: what one of them has begun the other finishes, as it must while a new version
//! takes over step by step, or is taken back. `tests/run previous` builds the one before.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod apps;
mod freeze;
mod same;
mod visitors;

use local_stack::{Options, Release, Stack, Timestamp};
use tests::{Answer, named};

const NOON: Timestamp = Timestamp(1_800_000_000);

/// Who begins, and who finishes.
const PAIRS: [[Release; 2]; 4] = [
    [Release::This, Release::This],
    [Release::Previous, Release::This],
    [Release::This, Release::Previous],
    [Release::Previous, Release::Previous],
];

/// A site that has both releases.
async fn stack() -> Stack {
    let turns = vec![Release::This, Release::Previous];
    let options = Options { stopped_at: Some(NOON), turns, ..Options::default() };
    options.start().await.unwrap()
}

/// How an answer ended.
fn end(answer: &Answer) -> (u16, &'static str) {
    (answer.status, named(answer).unwrap_or("?"))
}
