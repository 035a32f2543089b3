//! Attacks on the real binaries behind the gateway: what a visitor would never send.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

mod codes;
mod guessing;

use local_stack::{Options, Stack};

/// The site as it is seeded.
async fn stack() -> Stack {
    stack_with(&[]).await
}

/// The site with some of the template's parameters.
async fn stack_with(parameters: &[(&str, &str)]) -> Stack {
    Options::with(parameters).start().await.unwrap()
}
