//! The seam to the account system that was there before us.
//!
//! An account system can find an account by e-mail address or by id, compare a password, create an
//! account, and fill in fields. Outcomes are values and faults are errors: a fault is never a wrong
//! password, and a lookup never changes anything. Account ids are opaque. An address that comes back
//! is compared again with the one asked for, because databases fold more than ASCII case.
//!
//! The one adapter so far is [`Table`], an existing DynamoDB table. Its writes are handed out as
//! items of a transaction, so that account, link and session are written together or not at all.

#[cfg(test)]
mod properties;
mod sync;
mod table;
#[cfg(test)]
mod tests;

/// A write or a check of the account system, to be part of a transaction.
pub use aws_sdk_dynamodb::types::TransactWriteItem as Item;
pub use sync::{ProfileSync, Rule};
pub use table::{Attributes, Record, Table};

/// Which accounts have an e-mail address.
#[derive(Debug)]
pub enum ByEmail {
    /// None has.
    Nobody,
    /// This one has.
    One(Box<Record>),
    /// More than one has: which of them is meant, only the site can say.
    Several,
}

/// How a password compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the account's.
    Match,
    /// It is not.
    Mismatch,
    /// The account has none.
    NoPassword,
}

/// An account to be created for a newcomer. It gets no password: not a blank one, not a random one.
#[derive(Default)]
pub struct NewAccount {
    /// The address, not known to be verified.
    pub email: Option<domain::Email>,
    /// What to call its owner.
    pub name: Option<String>,
    /// The postal code that Amazon told.
    pub postal_code: Option<String>,
    /// What the registration page asked for beyond that, by field name.
    pub fields: Vec<(String, String)>,
}

/// What a sign-in changes in an account, by field.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// What to call its owner.
    pub name: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
}

/// The account system did not answer, or not in a way that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not answer, or refused.
    #[error("the account system failed to {0}")]
    Unavailable(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// An account lacks what every account has.
    #[error("an account has no proper {0}")]
    Account(&'static str),
    /// A stored password hash cannot be compared with: its format is unknown, it is damaged, or it
    /// would cost more than is allowed.
    #[error("an account's password hash is not supported")]
    Hash,
}
