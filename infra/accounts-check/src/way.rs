//! The three ways to an account system, and what they have in common: a question, and an answer.

mod function;
mod table;
mod webhook;

use std::time::Duration;

use serde_json::Value;

use self::table::Table;
pub(crate) use self::{
    function::Function,
    webhook::{Answer, Message, Webhook},
};
use crate::{Error, arguments::System, aws};

/// How long this waits, which is longer than a function does: so that it can say how long it took.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read, which is more than a function reads.
const MOST_BYTES: usize = 1 << 20;

/// A way to an account system.
pub(crate) enum Way {
    Webhook(Box<Webhook>),
    Function(Function),
    Table(Box<Table>),
}

/// An answer to a question, however it came.
pub(crate) struct Heard {
    pub(crate) value: Value,
    pub(crate) bytes: usize,
}

/// There is no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody is there.
    Unreachable(String),
    /// It says that the question is wrong, with a status (400 to 499) where there are any.
    Refused(Option<u16>, String),
    /// Anything else that is no answer.
    Broken(String),
}

impl Way {
    pub(crate) fn to(system: System) -> Result<Self, Error> {
        Ok(match system {
            System::Webhook { url, secret } => {
                Self::Webhook(Box::new(Webhook::new(&url, &secret)?))
            }
            System::Function { arn } => Self::Function(Function::new(&aws("LAMBDA")?, arn)),
            System::Table(place) => Self::Table(Box::new(Table::new(*place)?)),
        })
    }

    pub(crate) async fn ask(&self, question: &Value) -> Result<Heard, Fault> {
        match self {
            Self::Webhook(webhook) => webhook.ask(question).await,
            Self::Function(function) => function.ask(question).await,
            Self::Table(table) => table.ask(question).await,
        }
    }
}

impl Fault {
    /// What happened.
    pub(crate) fn said(&self) -> &str {
        match self {
            Self::Unreachable(said) | Self::Refused(_, said) | Self::Broken(said) => said,
        }
    }
}

/// What an error and its causes say, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let said: Vec<String> =
        std::iter::once(error.to_string()).chain(causes.map(|cause| cause.to_string())).collect();
    said.join(": ")
}
