use std::{collections::HashMap, error::Error as StdError, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        CancellationReason, ConditionCheck, Delete, DeleteRequest, Put, TransactWriteItem, Update,
        WriteRequest,
    },
};

use crate::{Error, failed, row::s};

/// How often a write is tried that met a transaction.
const TRIES: u64 = 4;

/// One item of a transaction, and what it is about.
#[derive(Clone)]
pub struct Write {
    part: Part,
    item: TransactWriteItem,
}

/// What an item of a transaction is about, to tell which condition did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The account, in the account system's own table.
    Account,
    /// A code that the site got for a visitor.
    Code,
    /// A television that waits for its person.
    Device,
    /// The e-mail address that belongs to one account.
    Email,
    /// The account's epoch.
    Epoch,
    /// What is remembered of a token that was handed over.
    Handed,
    /// The link from the Amazon identity to the account.
    Identity,
    /// A limit on guesses.
    Limit,
    /// A signed message.
    Message,
    /// A notice for the owner.
    Notice,
    /// The session that another one takes the place of.
    Replaced,
    /// The link from the account back to the Amazon identity.
    Reverse,
    /// A session.
    Session,
    /// A ticket.
    Ticket,
    /// What a token from a notice undoes.
    Undo,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All of it is written.
    Done,
    /// Nothing is written, because these conditions did not hold.
    Refused(Vec<Part>),
}

impl Commit {
    /// Whether this condition was among those that did not hold.
    pub fn refused(&self, part: Part) -> bool {
        matches!(self, Self::Refused(parts) if parts.contains(&part))
    }
}

impl Write {
    /// An item that the account system hands out for its own table.
    pub fn account(item: TransactWriteItem) -> Self {
        Self { part: Part::Account, item }
    }

    pub(crate) fn put(part: Part, put: Put) -> Self {
        Self { part, item: TransactWriteItem::builder().put(put).build() }
    }

    pub(crate) fn update(part: Part, update: Update) -> Self {
        Self { part, item: TransactWriteItem::builder().update(update).build() }
    }

    pub(crate) fn delete(part: Part, delete: Delete) -> Self {
        Self { part, item: TransactWriteItem::builder().delete(delete).build() }
    }

    pub(crate) fn check(part: Part, check: ConditionCheck) -> Self {
        Self { part, item: TransactWriteItem::builder().condition_check(check).build() }
    }
}

/// Sends one write, again a little later where it merely met a transaction. Gives the answer, if its
/// condition held.
pub(crate) async fn answer<T, E, F>(
    to: &'static str,
    write: impl Fn() -> F,
) -> Result<Option<T>, Error>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    for attempt in 1.. {
        let error = match write().await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        match error.code() {
            Some("ConditionalCheckFailedException") => return Ok(None),
            Some("TransactionConflictException") if attempt < TRIES => {
                tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
            }
            _ => return Err(failed(to)(error)),
        }
    }
    Ok(None)
}

/// The same, where nothing of the answer matters but whether the condition held.
pub(crate) async fn send<T, E, F>(to: &'static str, write: impl Fn() -> F) -> Result<bool, Error>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    answer(to, write).await.map(|answer| answer.is_some())
}

/// Deletes rows by their keys, twenty-five at a time as DynamoDB has it. Deleting one twice is fine.
pub(crate) async fn delete_all(
    client: &Client,
    table: &str,
    keys: Vec<(String, String)>,
    to: &'static str,
) -> Result<(), Error> {
    for keys in keys.chunks(25) {
        let mut requests = Vec::new();
        for (pk, sk) in keys {
            let delete = DeleteRequest::builder().key("pk", s(pk)).key("sk", s(sk));
            let delete = delete.build().map_err(failed(to))?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        let mut left = HashMap::from([(table.to_owned(), requests)]);
        for attempt in 1.. {
            let sent = client.batch_write_item().set_request_items(Some(left)).send().await;
            // What there was no capacity for comes back, to be asked again a little later.
            left = sent.map_err(failed(to))?.unprocessed_items.unwrap_or_default();
            left.retain(|_, requests| !requests.is_empty());
            if left.is_empty() {
                break;
            }
            if attempt == TRIES {
                return Err(Error::Failed(to, "DynamoDB left rows undeleted".into()));
            }
            tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
        }
    }
    Ok(())
}

/// Writes all of it, or nothing.
///
/// A transaction that merely met another one is tried again, a little later each time; whichever
/// way the other one went, the conditions decide. The SDK's own retries carry one idempotency token,
/// so an answer that got lost on the way does no harm.
///
/// # Errors
///
/// [`Error::Failed`], after which it may have been written or not.
pub async fn commit(client: &Client, writes: Vec<Write>) -> Result<Commit, Error> {
    let parts: Vec<Part> = writes.iter().map(|write| write.part).collect();
    let items: Vec<TransactWriteItem> = writes.into_iter().map(|write| write.item).collect();
    for attempt in 1.. {
        let sent =
            client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
        let Err(error) = sent else { return Ok(Commit::Done) };
        let reasons = reasons(&error);
        let gave = |code: &str, reason: &CancellationReason| reason.code() == Some(code);
        let refused: Vec<Part> = parts
            .iter()
            .zip(reasons)
            .filter(|(_, reason)| gave("ConditionalCheckFailed", reason))
            .map(|(part, _)| *part)
            .collect();
        if !refused.is_empty() {
            return Ok(Commit::Refused(refused));
        }
        let met_another = reasons.iter().any(|reason| gave("TransactionConflict", reason));
        if !met_another || attempt == TRIES {
            return Err(failed("commit a transaction")(error));
        }
        tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
    }
    Ok(Commit::Refused(Vec::new()))
}

fn reasons(error: &SdkError<TransactWriteItemsError>) -> &[CancellationReason] {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        _ => &[],
    }
}
