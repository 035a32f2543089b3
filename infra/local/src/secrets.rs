//! A Secrets Manager on this machine, as far as the functions use it: `GetSecretValue`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{Error, server::Server};

/// A running Secrets Manager; it stops listening when dropped.
pub struct Secrets {
    /// Where it listens: `http://127.0.0.1:PORT`; what `AWS_ENDPOINT_URL_SECRETS_MANAGER` is set to.
    pub url: String,
    safe: Arc<Mutex<Safe>>,
    _server: Server,
}

#[derive(Default)]
struct Safe {
    secrets: HashMap<String, String>,
    calls: usize,
    broken: bool,
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
        hold(&self.safe).broken = broken;
    }
}

async fn answer(State(safe): State<Arc<Mutex<Safe>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut safe = hold(&safe);
    safe.calls += 1;
    let refuse = |status, error: &str| reply(status, &json!({"__type": error, "Message": "no"}));
    if safe.broken {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError");
    }
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
    let secret = json!({
        "ARN": arn,
        "Name": name,
        "SecretString": value,
        "VersionId": "00000000-0000-4000-8000-000000000000",
        "VersionStages": ["AWSCURRENT"],
    });
    reply(StatusCode::OK, &secret)
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
    use super::*;
    use crate::server;

    async fn ask(secrets: &Secrets, body: &'static str) -> (u16, String) {
        let request = server::http().unwrap().post(&secrets.url);
        let request = request.header("x-amz-target", "secretsmanager.GetSecretValue").body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
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
