//! Hands notices to the site: to a queue of SQS or a bus of EventBridge, which it reads.
//!
//! A notice may come more than once, always by the same `id`:
//!
//! ```json
//! {"id":"…","type":"linked","account_id":"ann","at":"2026-11-20T09:30:00Z","undo_url":"https://…"}
//! ```
//!
//! On a bus it is the detail of an event of the source `lwa-bridge`, whose detail type is the notice's.

use std::error::Error as StdError;

use domain::notice::{Destination, Notice};
use serde_json::{Value, json};

/// Who takes notices.
pub enum Messenger {
    /// A queue.
    Queue(aws_sdk_sqs::Client, String),
    /// A bus.
    Bus(aws_sdk_eventbridge::Client, String),
}

/// A notice was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The queue or the bus did not answer, or refused.
    #[error("the notice was not taken")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
    /// The bus answered, and took nothing.
    #[error("the bus did not take the notice")]
    Refused,
}

impl Messenger {
    /// Who takes notices at this destination, if it is one of AWS's.
    pub fn new<C>(config: &C, destination: Destination) -> Option<Self>
    where
        for<'a> aws_sdk_sqs::Config: From<&'a C>,
        for<'a> aws_sdk_eventbridge::Config: From<&'a C>,
    {
        Some(match destination {
            Destination::Nowhere | Destination::Account => return None,
            Destination::Queue { url } => {
                Self::Queue(aws_sdk_sqs::Client::from_conf(config.into()), url)
            }
            Destination::Bus { arn } => {
                Self::Bus(aws_sdk_eventbridge::Client::from_conf(config.into()), arn)
            }
        })
    }

    /// Hands a notice over, as [`message`] has it.
    ///
    /// # Errors
    ///
    /// [`Error`]; it may have been taken or not.
    pub async fn deliver(&self, notice: &Notice, message: &Value) -> Result<(), Error> {
        let message = message.to_string();
        match self {
            Self::Queue(client, url) => {
                let sent = client.send_message().queue_url(url).message_body(message).send().await;
                sent.map(drop).map_err(|error| Error::Failed(error.into()))
            }
            Self::Bus(client, arn) => {
                let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
                    .source("lwa-bridge")
                    .detail_type(notice.kind.as_str())
                    .detail(message)
                    .event_bus_name(arn)
                    .build();
                let sent = client.put_events().entries(entry).send().await;
                let sent = sent.map_err(|error| Error::Failed(error.into()))?;
                if sent.failed_entry_count > 0 { Err(Error::Refused) } else { Ok(()) }
            }
        }
    }
}

/// A notice as the site reads it. Where it offers to undo something, `undo_url` leads there.
pub fn message(notice: &Notice, undo_url: Option<&str>) -> Value {
    let mut message = json!({
        "id": notice.id,
        "type": notice.kind.as_str(),
        "account_id": notice.account.as_str(),
        "at": notice.at.rfc3339(),
    });
    if let Some(url) = undo_url {
        message["undo_url"] = url.into();
    }
    message
}
