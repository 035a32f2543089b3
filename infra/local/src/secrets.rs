//! A Secrets Manager on this machine, as far as the functions use it: `GetSecretValue`.

use std::{
    collections::HashMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{Error, server::Server};

/// A running Secrets Manager; it stops listening when dropped.
pub struct Secrets {
    /// Where it listens: `http://127.0.0.1:PORT`; what `AWS_ENDPOINT_URL_SECRETS_MANAGER` is set to.
    pub url: String,
    safe: Arc<Mutex<Safe>>,
    _server: Server,
}

/// What can go wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The answer is 500.
    Broken,
    /// It refuses with this error, such as `AccessDeniedException`.
    Refused(&'static str),
    /// The right answer comes this much later.
    Late(Duration),
    /// Nobody answers for as long as the connection lives.
    Silent,
    /// The secret is there, and is no text.
    Binary,
}

#[derive(Default)]
struct Safe {
    secrets: HashMap<String, String>,
    calls: usize,
    fault: Option<Fault>,
}

impl Secrets {
    /// Starts on this port (a free one if it is 0), without any secret.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub async fn start(port: u16) -> Result<Self, Error> {
        let safe = Arc::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&safe));
        let server = Server::start(port, router).await?;
        Ok(Self { url: server.url.clone(), safe, _server: server })
    }

    /// Gives the secret of this ARN this value from now on.
    pub fn set(&self, arn: &str, value: &str) {
        hold(&self.safe).secrets.insert(arn.to_owned(), value.to_owned());
    }

    /// How often anybody asked for a secret, whatever the answer.
    pub fn calls(&self) -> usize {
        hold(&self.safe).calls
    }

    /// Lets every request fail (500), or none any more.
    pub fn break_down(&self, broken: bool) {
        self.fault(broken.then_some(Fault::Broken));
    }

    /// Lets this go wrong with every request, or nothing any more.
    pub fn fault(&self, fault: Option<Fault>) {
        hold(&self.safe).fault = fault;
    }
}

async fn answer(State(safe): State<Arc<Mutex<Safe>>>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = {
        let mut safe = hold(&safe);
        safe.calls += 1;
        safe.fault.clone()
    };
    match fault {
        Some(Fault::Broken) => {
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError");
        }
        Some(Fault::Refused(error)) => return refuse(StatusCode::BAD_REQUEST, error),
        Some(Fault::Late(late)) => tokio::time::sleep(late).await,
        Some(Fault::Silent) => pending().await,
        None | Some(Fault::Binary) => {}
    }
    let safe = hold(&safe);
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if target != Some("secretsmanager.GetSecretValue") {
        return refuse(StatusCode::BAD_REQUEST, "UnknownOperationException");
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some((arn, value)) =
        asked["SecretId"].as_str().and_then(|id| safe.secrets.get_key_value(id))
    else {
        return refuse(StatusCode::BAD_REQUEST, "ResourceNotFoundException");
    };
    let name = arn.rsplit(':').next().unwrap_or_default();
    let mut secret = json!({
        "ARN": arn,
        "Name": name,
        "VersionId": "00000000-0000-4000-8000-000000000000",
        "VersionStages": ["AWSCURRENT"],
    });
    if matches!(fault, Some(Fault::Binary)) {
        secret["SecretBinary"] = STANDARD.encode(value).into();
    } else {
        secret["SecretString"] = value.as_str().into();
    }
    reply(StatusCode::OK, &secret)
}

fn refuse(status: StatusCode, error: &str) -> Response {
    reply(status, &json!({"__type": error, "Message": "no"}))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, kind, body.to_string()).into_response()
}

fn hold(safe: &Mutex<Safe>) -> MutexGuard<'_, Safe> {
    safe.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::server;

    async fn ask(secrets: &Secrets, body: &'static str) -> (u16, String) {
        let request = server::http().unwrap().post(&secrets.url);
        let request = request.header("x-amz-target", "secretsmanager.GetSecretValue").body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn a_secret_may_be_refused_late_silent_or_no_text() {
        let secrets = Secrets::start(0).await.unwrap();
        secrets.set("arn:x", "one");
        let asked = || ask(&secrets, r#"{"SecretId":"arn:x"}"#);

        secrets.fault(Some(Fault::Refused("AccessDeniedException")));
        let (status, body) = asked().await;
        assert_eq!((status, body.contains("AccessDeniedException")), (400, true));

        secrets.fault(Some(Fault::Late(Duration::from_millis(300))));
        let before = Instant::now();
        assert!(asked().await.1.contains("SecretString"));
        assert!(before.elapsed() >= Duration::from_millis(300));

        secrets.fault(Some(Fault::Silent));
        assert!(tokio::time::timeout(Duration::from_millis(300), asked()).await.is_err());

        secrets.fault(Some(Fault::Binary));
        let (_, body) = asked().await;
        assert!(body.contains(r#""SecretBinary":"b25l""#) && !body.contains("SecretString"));
        secrets.fault(None);
        assert!(asked().await.1.contains("SecretString"));
    }

    #[tokio::test]
    async fn a_secret_is_told_as_it_is_now_until_everything_breaks() {
        let secrets = Secrets::start(0).await.unwrap();
        secrets.set("arn:x", "one");
        assert!(
            ask(&secrets, r#"{"SecretId":"arn:x"}"#).await.1.contains(r#""SecretString":"one""#)
        );

        secrets.set("arn:x", "two");
        assert!(
            ask(&secrets, r#"{"SecretId":"arn:x"}"#).await.1.contains(r#""SecretString":"two""#)
        );

        let (status, body) = ask(&secrets, r#"{"SecretId":"arn:y"}"#).await;
        assert_eq!((status, body.contains("ResourceNotFoundException")), (400, true));
        secrets.break_down(true);
        assert_eq!(ask(&secrets, r#"{"SecretId":"arn:x"}"#).await.0, 500);
        assert_eq!(secrets.calls(), 4);
    }
}
