#![doc = include_str!("../README.md")]

mod attributes;
mod function;
#[cfg(test)]
mod properties;
mod remote;
mod table;
#[cfg(test)]
mod tests;
mod webhook;
mod wire;

use std::{collections::BTreeMap, fmt};

use domain::{
    Account, AccountId, CreationKey, Email, Timestamp,
    registration::Wrong,
    sync::{Changes, Holdings},
};
use serde_json::Value;

pub use attributes::Attributes;
/// A write or a check of the account system, to be part of a transaction.
pub use aws_sdk_dynamodb::types::TransactWriteItem as Item;
pub use function::Function;
pub use remote::Remote;
pub use table::Table;
pub use webhook::Webhook;

/// What can be asked of an account system.
///
/// Outcomes are values and faults are errors: a fault is never a wrong password, and a lookup never
/// changes anything. An address that comes back is compared again with the one asked for.
pub trait System: Sync {
    /// What it can do beyond finding accounts and comparing passwords.
    fn capabilities(&self) -> Capabilities;

    /// The account with this address.
    fn find_by_email(&self, email: &Email) -> impl Future<Output = Result<ByEmail, Error>> + Send;

    /// The account of this id.
    fn find_by_id(
        &self,
        id: &AccountId,
    ) -> impl Future<Output = Result<Option<Record>, Error>> + Send;

    /// Compares a password with the account's, as it was just found. Where there is no account (any
    /// more) this costs the same.
    fn verify(
        &self,
        id: &AccountId,
        found: Option<&Record>,
        proof: Proof<'_>,
    ) -> impl Future<Output = Result<Verdict, Error>> + Send;

    /// Creates an account. The same key again is the same account.
    fn create(
        &self,
        key: &CreationKey,
        new: &NewAccount,
        now: Timestamp,
    ) -> impl Future<Output = Result<Creation, Error>> + Send;

    /// Writes fields of an account, where [`entering`](Self::entering) did not.
    fn update(
        &self,
        id: &AccountId,
        changes: &Changes,
    ) -> impl Future<Output = Result<Done, Error>> + Send;

    /// Tells the owner of an account something: a notice, as JSON.
    fn notify(&self, notice: &Value) -> impl Future<Output = Result<Done, Error>> + Send;

    /// The item that makes sure that an account may still be entered, and writes what the sign-in
    /// changes; nothing where it cannot join a transaction. Its password may have been changed meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    fn entering(&self, _record: &Record, _changes: &Changes) -> Result<Option<Item>, Error> {
        Ok(None)
    }

    /// The same, which makes sure of the password that was just compared as well.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    fn linking(&self, _record: &Record, _changes: &Changes) -> Result<Option<Item>, Error> {
        Ok(None)
    }
}

/// What an account system can do beyond finding accounts and comparing passwords. Whether one that is
/// asked over a wire creates and updates is told by its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Its writes can be part of a DynamoDB transaction.
    pub joins_transactions: bool,
    /// It can tell owners of accounts something.
    pub notifies: bool,
}

/// An account as it was found, to compare a password with and to build on.
pub struct Record {
    /// What signing in needs to know of it.
    pub account: Account,
    /// What it holds of what Amazon tells too.
    pub held: Holdings,
    /// As the table holds it; nothing if it came over a wire.
    stored: Option<table::Stored>,
}

/// A hash stays out of logs, and so does whatever else is held.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", self.account.id)
    }
}

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

impl ByEmail {
    /// From the accounts that were found with this address. What has another one does not count.
    fn among(records: impl IntoIterator<Item = Record>, email: &Email) -> Self {
        let mut matching: Option<Record> = None;
        for record in records {
            let account = &record.account;
            if account.email.as_ref() != Some(email) {
                continue;
            }
            match &matching {
                Some(other) if other.account.id != account.id => return Self::Several,
                _ => matching = Some(record),
            }
        }
        matching.map_or(Self::Nobody, |record| Self::One(Box::new(record)))
    }
}

/// What somebody proves with that an account is theirs.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// The account's password.
    pub password: &'a str,
    /// The code of its second factor, if they were asked for one.
    pub code: Option<&'a str>,
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
    /// It is, and the code of the second factor is missing or wrong.
    MfaRequired,
    /// Nobody may enter, whatever the password.
    Closed,
}

/// An account to be created for a newcomer. It gets no password: not a blank one, not a random one.
#[derive(Clone, Default)]
pub struct NewAccount {
    /// The address, not known to be verified.
    pub email: Option<Email>,
    /// What to call its owner.
    pub name: Option<String>,
    /// The postal code that Amazon told.
    pub postal_code: Option<String>,
    /// What the registration page asked for beyond that, by field name.
    pub fields: Vec<(String, String)>,
    /// What its owner agreed to: the version of the text, by field name.
    pub consents: Vec<(String, String)>,
}

/// What came of creating an account.
pub enum Creation {
    /// It is there once this item is written.
    Item(Account, Box<Item>),
    /// It is there.
    Opened(Account),
    /// An account has the address.
    EmailTaken,
    /// These fields are not right.
    Invalid(BTreeMap<String, Wrong>),
    /// Accounts are not created here.
    Unsupported,
}

/// What an account holds stays out of logs.
impl fmt::Debug for Creation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Item(..) => "Item(…)",
            Self::Opened(_) => "Opened(…)",
            Self::EmailTaken => "EmailTaken",
            Self::Invalid(_) => "Invalid(…)",
            Self::Unsupported => "Unsupported",
        })
    }
}

/// Whether something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was.
    Yes,
    /// The account system does not do such things.
    Unsupported,
}

/// The account system did not answer, or not in a way that can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not answer, or refused.
    #[error("the account system failed to {0}")]
    Unavailable(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered otherwise than it may.
    #[error("asked to {0}, the account system {1}")]
    Answer(&'static str, &'static str),
    /// An account lacks what every account has.
    #[error("an account has no proper {0}")]
    Account(&'static str),
    /// The table has no such index by address as the settings say.
    #[error(
        "the table of accounts has no index that fits: see ACCOUNTS_EMAIL_INDEX and email_key in ACCOUNTS_ATTRIBUTES"
    )]
    Index(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored password hash cannot be compared with: its format is unknown, it is damaged, or it
    /// would cost more than is allowed.
    #[error("an account's password hash is not supported")]
    Hash,
}

/// The account system that the settings name.
#[expect(clippy::large_enum_variant, reason = "there is one for each function")]
pub enum Accounts {
    /// A table of DynamoDB.
    Table(Table),
    /// Somebody who is asked over a wire.
    Remote(Remote),
}

impl System for Accounts {
    fn capabilities(&self) -> Capabilities {
        match self {
            Self::Table(table) => table.capabilities(),
            Self::Remote(remote) => remote.capabilities(),
        }
    }

    async fn find_by_email(&self, email: &Email) -> Result<ByEmail, Error> {
        match self {
            Self::Table(table) => table.find_by_email(email).await,
            Self::Remote(remote) => remote.find_by_email(email).await,
        }
    }

    async fn find_by_id(&self, id: &AccountId) -> Result<Option<Record>, Error> {
        match self {
            Self::Table(table) => table.find_by_id(id).await,
            Self::Remote(remote) => remote.find_by_id(id).await,
        }
    }

    async fn verify(
        &self,
        id: &AccountId,
        found: Option<&Record>,
        proof: Proof<'_>,
    ) -> Result<Verdict, Error> {
        match self {
            Self::Table(table) => table.verify(id, found, proof).await,
            Self::Remote(remote) => remote.verify(id, found, proof).await,
        }
    }

    async fn create(
        &self,
        key: &CreationKey,
        new: &NewAccount,
        now: Timestamp,
    ) -> Result<Creation, Error> {
        match self {
            Self::Table(table) => table.create(key, new, now).await,
            Self::Remote(remote) => remote.create(key, new, now).await,
        }
    }

    async fn update(&self, id: &AccountId, changes: &Changes) -> Result<Done, Error> {
        match self {
            Self::Table(table) => table.update(id, changes).await,
            Self::Remote(remote) => remote.update(id, changes).await,
        }
    }

    async fn notify(&self, notice: &Value) -> Result<Done, Error> {
        match self {
            Self::Table(table) => table.notify(notice).await,
            Self::Remote(remote) => remote.notify(notice).await,
        }
    }

    fn entering(&self, record: &Record, changes: &Changes) -> Result<Option<Item>, Error> {
        match self {
            Self::Table(table) => table.entering(record, changes),
            Self::Remote(remote) => remote.entering(record, changes),
        }
    }

    fn linking(&self, record: &Record, changes: &Changes) -> Result<Option<Item>, Error> {
        match self {
            Self::Table(table) => table.linking(record, changes),
            Self::Remote(remote) => remote.linking(record, changes),
        }
    }
}

fn unavailable<E>(to: &'static str) -> impl FnOnce(E) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| Error::Unavailable(to, error.into())
}
