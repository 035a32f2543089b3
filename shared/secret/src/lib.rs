//! Secrets, read from Secrets Manager when they are needed and kept for a few minutes.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sdk_secretsmanager::Client;
use domain::Timestamp;
use serde::Deserialize;

/// A value is taken for current for so long.
const FRESH: Duration = Duration::from_mins(5);
/// A value is used for so long when Secrets Manager does not answer.
const STALE: Duration = Duration::from_hours(1);

/// A secret could not be read. The message holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Secrets Manager did not answer, or refused.
    #[error("Secrets Manager did not give the secret")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The secret is empty, binary, or JSON without the expected member.
    #[error("the secret is neither a plain string nor JSON with the member `{0}`")]
    Shape(&'static str),
}

/// One secret.
pub struct Secret {
    source: Source,
    member: &'static str,
    kept: Mutex<Option<(String, Timestamp)>>,
}

enum Source {
    Given(String),
    Stored { client: Client, arn: String },
}

impl Secret {
    /// A secret that needs no looking up, for development.
    pub fn given(text: String) -> Self {
        Self { source: Source::Given(text), member: "", kept: Mutex::new(None) }
    }

    /// A secret in Secrets Manager: a plain string, or JSON with this member.
    pub fn stored(
        config: impl Into<aws_sdk_secretsmanager::Config>,
        arn: String,
        member: &'static str,
    ) -> Self {
        let client = Client::from_conf(config.into());
        Self { source: Source::Stored { client, arn }, member, kept: Mutex::new(None) }
    }

    /// The secret, at most five minutes old; an hour if Secrets Manager does not answer.
    ///
    /// # Errors
    ///
    /// [`Error`] where it cannot be read and none is kept.
    pub async fn read(&self, now: Timestamp) -> Result<String, Error> {
        let kept = self.kept().clone();
        match kept {
            Some((text, read_at)) if now.since(read_at) < FRESH => Ok(text),
            Some((text, read_at)) if now.since(read_at) < STALE => {
                Ok(self.read_anew(now).await.unwrap_or(text))
            }
            _ => self.read_anew(now).await,
        }
    }

    /// The secret as it is now, for when the one at hand was refused: it may have been rotated.
    ///
    /// # Errors
    ///
    /// [`Error`] where it cannot be read.
    pub async fn read_anew(&self, now: Timestamp) -> Result<String, Error> {
        let (client, arn) = match &self.source {
            Source::Given(text) => return Ok(text.clone()),
            Source::Stored { client, arn } => (client, arn),
        };
        let answer = client.get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| Error::Unavailable(error.into()))?;
        let text = answer.secret_string.as_deref().and_then(|text| self.value(text));
        let text = text.ok_or(Error::Shape(self.member))?;
        *self.kept() = Some((text.clone(), now));
        Ok(text)
    }

    fn value(&self, text: &str) -> Option<String> {
        let value = if text.trim_start().starts_with('{') {
            serde_json::from_str::<Members>(text).ok()?.0.remove(self.member)?
        } else {
            text.trim().to_owned()
        };
        (!value.is_empty()).then_some(value)
    }

    fn kept(&self) -> MutexGuard<'_, Option<(String, Timestamp)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
struct Members(std::collections::HashMap<String, String>);

/// A secret stays out of logs.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
