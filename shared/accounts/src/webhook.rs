//! Questions over HTTPS, signed as Standard Webhooks has it.

use std::time::Duration;

use domain::{
    Clock,
    webhook::{Key, message_id},
};
use https::Service;
use rand_core::UnwrapErr;
use secret::Secret;

use crate::{Error, unavailable, wire::LONGEST};

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A site that answers at a URL.
pub struct Webhook {
    http: reqwest::Client,
    url: String,
    secret: Secret,
    clock: Clock,
}

impl Webhook {
    /// The site that answers at this URL, and knows this secret.
    ///
    /// # Errors
    ///
    /// Where TLS cannot be set up at all.
    pub fn new(url: String, secret: Secret, clock: Clock) -> Result<Self, https::Error> {
        Ok(Self { http: https::client(CONNECT_WITHIN)?, url, secret, clock })
    }

    /// What messages are signed with now.
    pub(crate) async fn keys(&self, to: &'static str) -> Result<Vec<Key>, Error> {
        let text = self.secret.read(self.clock.now()).await.map_err(unavailable(to))?;
        let keys = Key::parse_all(&text);
        keys.ok_or(Error::Answer(to, "has a secret that is not whsec_ and base64"))
    }

    /// Sends a question, and gives the body of an answer that counts. Each try is a message of its own.
    pub(crate) async fn ask(
        &self,
        to: &'static str,
        keys: &[Key],
        body: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let now = self.clock.now();
        let id = message_id(&mut UnwrapErr(getrandom::SysRng));
        let signatures: Vec<_> = keys.iter().map(|key| key.sign(&id, now, body)).collect();
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.0.to_string())
            .header("webhook-signature", signatures.join(" "))
            .body(body.to_vec());
        match https::send(Service::Accounts, request, LONGEST).await {
            Ok((200, answer)) => Ok(answer),
            Ok((300..=399, _)) => Err(Error::Answer(to, "answered with a redirect")),
            Ok((401, _)) => Err(Error::Answer(to, "refused our signature")),
            Ok(_) => Err(Error::Answer(to, "answered with a status other than 200")),
            Err(problem) => Err(Error::Answer(to, problem)),
        }
    }
}
