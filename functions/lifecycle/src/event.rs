//! What the account system says, and how.

use domain::{
    AccountId, Timestamp,
    lifecycle::{Event, Kind},
    session::How,
};
use serde::Deserialize;
use serde_json::Value;
use web::Failure;

/// How far the account system's clock may be ahead of ours.
const AHEAD: std::time::Duration = std::time::Duration::from_mins(5);

/// What the account system says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Something happened to an account.
    Happened(Event),
    /// Somebody has signed in at the site's own door.
    SignedIn {
        /// To which account.
        account: AccountId,
        /// How they proved who they are.
        how: How,
        /// When.
        at: Timestamp,
    },
}

/// The members that matter; an event may have others for other listeners.
#[derive(Deserialize)]
struct Message {
    r#type: String,
    account_id: String,
    at: String,
    how: Option<String>,
}

impl Said {
    /// Reads a message, by itself or as the detail of an EventBridge event.
    ///
    /// # Errors
    ///
    /// `bad_request` where it is none, or tells of the future.
    pub(crate) fn read(message: Value, now: Timestamp) -> Result<Self, Failure> {
        let message = match message {
            Value::Object(mut event) if event.contains_key("detail-type") => {
                event.remove("detail").unwrap_or_default()
            }
            message => message,
        };
        let wrong = Failure::bad_request;
        let message: Message = serde_json::from_value(message)
            // serde's own words would quote what was sent.
            .map_err(|_| wrong("the message is not of the expected shape"))?;
        let account = AccountId::parse(&message.account_id).ok_or(wrong("account_id is none"))?;
        let at = Timestamp::parse_rfc3339(&message.at).ok_or(wrong("at is not RFC 3339"))?;
        if at.since(now) > AHEAD {
            return Err(wrong("at lies in the future"));
        }
        let at = at.min(now);
        if message.r#type == "signed_in" {
            let how = match message.how.as_deref() {
                Some("password") => How::Password,
                None | Some("site") => How::Site,
                Some(_) => return Err(wrong("how is neither password nor site")),
            };
            return Ok(Self::SignedIn { account, how, at });
        }
        let kind = Kind::parse(&message.r#type).ok_or(wrong("type is none that we know"))?;
        Ok(Self::Happened(Event { kind, account, at }))
    }
}
