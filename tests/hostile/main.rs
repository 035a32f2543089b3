//! Attacks on the real binaries behind the gateway: what a visitor would never send.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

mod again;
mod apps;
mod authorizer;
mod back;
mod buttons;
mod bytes;
mod canaries;
mod codes;
mod cookies;
mod csrf;
mod edge;
mod endings;
mod entries;
mod enumeration;
mod floods;
mod forms;
mod guessing;
mod handoff;
mod headers;
mod logs;
mod names;
mod origins;
mod pollution;
mod prehijack;
mod pretenders;
mod raw;
mod redirects;
mod sessions;
mod sizes;
mod states;
mod tables;
mod tampering;
mod televisions;
mod tickets;
mod twice;
mod walk;
mod ways_in;

use local_stack::{Options, Stack, Timestamp};

/// A moment at which clocks are stopped.
const NOON: Timestamp = Timestamp(1_795_867_200);

/// The site as it is seeded.
async fn stack() -> Stack {
    stack_with(&[]).await
}

/// The site with some of the template's parameters.
async fn stack_with(parameters: &[(&str, &str)]) -> Stack {
    Options::with(parameters).start().await.unwrap()
}
