//! Our own three tables, one file each.
//!
//! Every read is strongly consistent, every write says under what condition, and whatever an expiry
//! decides is compared with the clock: DynamoDB removes rows days after their `ttl`.

mod admission;
mod codes;
mod creations;
mod devices;
mod handed;
mod identities;
mod lifecycle;
mod limits;
mod notices;
#[cfg(test)]
mod properties;
mod row;
mod sessions;
mod tickets;
mod write;

use std::error::Error as StdError;

pub use aws_sdk_dynamodb::Client;

pub use admission::{Admission, Bond};
pub use codes::{CODE_LIVES, LocalSignIn};
pub use handed::{Earlier, Handed};
pub use identities::{Identities, Identity, Known, Link};
pub use lifecycle::{Done, Kept, Lifecycle};
pub use limits::Taken;
pub use notices::{Undo, Waiting};
pub use sessions::{Listed, Live, Sessions};
pub use tickets::{Attempt, Tickets};
pub use write::{Commit, Part, Write, commit};

/// DynamoDB did not do what we asked, or a row is not what we wrote.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// DynamoDB did not answer, or refused.
    #[error("DynamoDB failed to {0}")]
    Failed(&'static str, #[source] Box<dyn StdError + Send + Sync>),
    /// A row lacks an attribute, or holds one that cannot be.
    #[error("a row has no proper {0}")]
    Row(&'static str),
}

/// A client for all of a function's tables.
pub fn connect(config: impl Into<aws_sdk_dynamodb::Config>) -> Client {
    Client::from_conf(config.into())
}

/// For `map_err`, with what we were about to do.
fn failed<E: StdError + Send + Sync + 'static>(to: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Failed(to, error.into())
}
