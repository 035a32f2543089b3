//! A queue of SQS on this machine, as far as the functions use it: `SendMessage`. The site reads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::{Error, id, server::Server};

/// A running queue; it stops listening when dropped.
pub struct Queue {
    /// Where it listens: what `AWS_ENDPOINT_URL_SQS` is set to.
    pub url: String,
    state: Shared,
    _server: Server,
}

/// What is in it, for whoever reads it.
#[derive(Clone)]
pub(crate) struct Reader(Shared);

type Shared = Arc<Mutex<Held>>;

#[derive(Default)]
struct Held {
    messages: Vec<Value>,
    broken: bool,
}

impl Queue {
    /// Starts on a free port, empty.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start() -> Result<Self, Error> {
        let state = Shared::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let server = Server::start(0, router).await?;
        Ok(Self { url: server.url.clone(), state, _server: server })
    }

    /// Every message that was sent, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        hold(&self.state).messages.clone()
    }

    /// Lets every request fail (500), or none any more.
    pub fn break_down(&self, broken: bool) {
        hold(&self.state).broken = broken;
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.state))
    }
}

impl Reader {
    /// Every message that was sent, oldest first.
    pub(crate) fn messages(&self) -> Vec<Value> {
        hold(&self.0).messages.clone()
    }

    /// Puts a message there that came another way.
    pub(crate) fn push(&self, message: Value) {
        hold(&self.0).messages.push(message);
    }
}

async fn answer(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut held = hold(&state);
    if held.broken {
        return reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "__type": "InternalFailure" }));
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = asked["MessageBody"].as_str().and_then(|text| serde_json::from_str(text).ok());
    match (target, message) {
        (Some("AmazonSQS.SendMessage"), Some(message)) => {
            held.messages.push(message);
            reply(StatusCode::OK, &json!({ "MessageId": id() }))
        }
        _ => reply(StatusCode::BAD_REQUEST, &json!({ "__type": "InvalidParameterValueException" })),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, kind, body.to_string()).into_response()
}

fn hold(state: &Mutex<Held>) -> MutexGuard<'_, Held> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
