//! A site, over HTTP, asked as `accounts` asks it: signed, one URL, no redirects.

use std::time::Duration;

use domain::{Clock, Timestamp, webhook::Key};
use reqwest::Method;
use serde_json::Value;
use url::{Host, Url};

use super::{Fault, Heard, MOST_BYTES, PATIENCE, chain};
use crate::{Error, kit::random};

/// A site's route, and the secret that it shares with us.
pub(crate) struct Webhook {
    http: reqwest::Client,
    url: Url,
    key: Key,
}

/// A question as it is sent, so that a check can change one thing about it.
pub(crate) struct Message {
    pub(crate) method: Method,
    pub(crate) id: String,
    pub(crate) timestamp: Timestamp,
    /// Without it none of the three headers is sent.
    pub(crate) signature: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) encoding: String,
    /// When the server says it is, as HTTP writes that.
    pub(crate) date: String,
    pub(crate) body: Vec<u8>,
}

impl Webhook {
    pub(crate) fn new(url: &str, secret: &str) -> Result<Self, Error> {
        let url = Url::parse(url).map_err(|error| format!("--url: {error}."))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("--url begins with https://.".into());
        }
        // While a secret is replaced there are two, the newest first.
        let keys = Key::parse_all(secret);
        let key = keys.and_then(|keys| keys.into_iter().next());
        let key = key.ok_or("The secret is not `whsec_` and base64 of at least 24 bytes.")?;
        Ok(Self { http: https::client(Duration::from_secs(5))?, url, key })
    }

    /// Whether questions travel encrypted; `None` where they do not travel at all.
    pub(crate) fn is_encrypted(&self) -> Option<bool> {
        let here = match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        (!here || self.url.scheme() == "https").then(|| self.url.scheme() == "https")
    }

    /// A question that is signed as it should be.
    pub(crate) fn sign(&self, body: impl Into<Vec<u8>>) -> Message {
        self.signed(&self.key, Clock::System.now(), body.into())
    }

    /// One that was sent this many seconds from now.
    pub(crate) fn sign_at(&self, away: i64, body: impl Into<Vec<u8>>) -> Message {
        self.signed(&self.key, Timestamp(Clock::System.now().0 + away), body.into())
    }

    /// One that somebody else signed.
    pub(crate) fn forge(&self, body: impl Into<Vec<u8>>) -> Option<Message> {
        // Of this program's own: 24 zeros.
        let other = Key::parse("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")?;
        Some(self.signed(&other, Clock::System.now(), body.into()))
    }

    fn signed(&self, key: &Key, timestamp: Timestamp, body: Vec<u8>) -> Message {
        let id = format!("msg_{}", random());
        let signature = Some(key.sign(&id, timestamp, &body));
        Message { method: Method::POST, id, timestamp, signature, body }
    }

    /// Not by `https::send`: the checks look at the answer's headers too, and tell what broke.
    pub(crate) async fn send(&self, message: Message) -> Result<Answer, Fault> {
        let Message { method, id, timestamp, signature, body } = message;
        let mut request = self.http.request(method, self.url.clone());
        request = request.header("content-type", "application/json").timeout(PATIENCE);
        if let Some(signature) = signature {
            request = request
                .header("webhook-id", id)
                .header("webhook-timestamp", timestamp.0.to_string())
                .header("webhook-signature", signature);
        }
        let mut response = request.body(body).send().await.map_err(fault)?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let mut answer = Answer {
            status: response.status().as_u16(),
            content_type: header("content-type"),
            encoding: header("content-encoding"),
            date: header("date"),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await.map_err(fault)? {
            answer.body.extend(chunk);
            if answer.body.len() > MOST_BYTES {
                return Err(Fault::Broken("it answered with more than 1 MiB".to_owned()));
            }
        }
        Ok(answer)
    }

    pub(super) async fn ask(&self, question: &Value) -> Result<Heard, Fault> {
        self.send(self.sign(question.to_string())).await?.heard()
    }
}

impl Answer {
    /// What this is as an answer, if it is one.
    pub(crate) fn heard(self) -> Result<Heard, Fault> {
        let status = self.status;
        match status {
            200 => {}
            300..400 => {
                return Err(Fault::Broken(format!("it answered with a redirect ({status})")));
            }
            400..500 => {
                return Err(Fault::Refused(Some(status), format!("it answered {status}")));
            }
            _ => return Err(Fault::Broken(format!("it answered {status}"))),
        }
        if !matches!(self.encoding.as_str(), "" | "identity") {
            let said = format!("its answer is compressed ({}), unasked", self.encoding);
            return Err(Fault::Broken(said));
        }
        let bytes = self.body.len();
        match serde_json::from_slice(&self.body) {
            Ok(value @ Value::Object(_)) => Ok(Heard { value, bytes }),
            _ => Err(Fault::Broken(
                "it answered 200 with something else than a JSON object".to_owned(),
            )),
        }
    }
}

fn fault(error: reqwest::Error) -> Fault {
    // The address of the site may hold what is nobody's business.
    let error = error.without_url();
    if error.is_connect() {
        Fault::Unreachable(chain(&error))
    } else if error.is_timeout() {
        Fault::Broken(format!("it did not answer within {} seconds", PATIENCE.as_secs()))
    } else {
        Fault::Broken(format!("the connection broke ({})", chain(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_be_asked_without_encryption() {
        for (url, expected) in [
            ("https://www.example.com/", Some(true)),
            ("http://www.example.com/", Some(false)),
            ("http://192.0.2.1/", Some(false)),
            ("http://localhost.example.com/", Some(false)),
            ("http://localhost:8000/", None),
            ("http://127.0.0.1/", None),
            ("http://[::1]/", None),
            ("https://localhost/", Some(true)),
        ] {
            let webhook = Webhook::new(url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
            assert_eq!(webhook.is_encrypted(), expected, "{url}");
        }
    }
}
