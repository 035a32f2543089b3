//! The whole stack on one machine, without Docker, an AWS account or anything of Amazon's.
//!
//! A visitor talks to the gateway at `http://localhost:PORT`, which plays API Gateway and gives what
//! is below `/auth/` to the functions' real binaries, run as Lambda runs them; the rest is the shop.
//! They talk to a DynamoDB, a Secrets Manager, a queue, an account system and an Amazon of this machine. Routes, settings and
//! tables are those of `infra/template.yaml`. [`Stack`] is all of it, for a test or for `cargo local`.

pub mod accounts;
pub mod amazon;
pub mod deployments;
pub mod dynamodb;
pub mod queue;
pub mod secrets;
pub mod seed;
pub mod shop;
pub mod sites;
pub mod specimen;
pub mod template;

mod clock;
mod event;
mod faults;
mod gateway;
mod logs;
mod release;
mod runtime;
mod server;
mod settings;
mod stack;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

pub use domain::Timestamp;

pub use self::{
    deployments::Deployments,
    dynamodb::Dynamodb,
    faults::Event,
    queue::Queue,
    release::Release,
    secrets::Secrets,
    settings::{CLIENT_SECRET_ARN, WEBHOOK_SECRET_ARN},
    stack::{Options, Stack, WEBHOOK_SECRET},
};

/// What went wrong, in a sentence for the person at this machine.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The region that this machine plays.
const REGION: &str = "us-east-1";
/// The AWS account that this machine plays.
const ACCOUNT: &str = "000000000000";

/// How an SDK asks the service of this machine that is at this address.
///
/// # Errors
///
/// Never seen.
pub fn sdk(url: &str) -> Result<aws::Config, Error> {
    let place = aws::Place { region: REGION.to_owned(), endpoint: Some(url.to_owned()) };
    let credentials = Credentials::new("local", "local", None, None, "local");
    let credentials = SharedCredentialsProvider::new(credentials);
    Ok(aws::config(place)?.into_builder().credentials_provider(credentials).build())
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "AWS tells milliseconds, domain::Clock seconds")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A name for one request: a random UUID.
fn id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the name is not unique, which nothing here depends on.
    let _ = getrandom::fill(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
