//! The Runtime API, where the processes of functions come for their requests: every environment has a
//! seat.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::hold;
use crate::{ACCOUNT, REGION, logs::Logs};

/// An event, on its way to a function.
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) trace: String,
    pub(super) deadline_ms: i64,
    pub(super) event: Bytes,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What a function posts: what it returned, or an error.
pub(super) type Answer = Result<Bytes, Bytes>;

/// All seats.
#[derive(Default)]
pub(super) struct Desk {
    seats: Mutex<HashMap<u64, Arc<Seat>>>,
}

struct Seat {
    function: String,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
}

impl Desk {
    /// A seat for the environment of this number, and what brings it invocations.
    pub(super) fn seat_for(&self, number: u64, function: &str) -> mpsc::Sender<Invocation> {
        let (invocations, incoming) = mpsc::channel(1);
        let seat = Seat {
            function: function.to_owned(),
            incoming: tokio::sync::Mutex::new(incoming),
            current: Mutex::default(),
        };
        hold(&self.seats).insert(number, Arc::new(seat));
        invocations
    }

    /// The environment of this number is gone.
    pub(super) fn leave(&self, number: u64) {
        hold(&self.seats).remove(&number);
    }

    pub(super) fn router(self: &Arc<Self>, logs: Arc<Logs>) -> Router {
        Router::new()
            .route("/{environment}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{environment}/2018-06-01/runtime/invocation/{id}/{what}", post(done))
            .route("/{environment}/2018-06-01/runtime/init/error", post(failed_to_start))
            // Lambda's own limit for what a function returns.
            .layer(axum::extract::DefaultBodyLimit::max(6 << 20))
            .with_state((Arc::clone(self), logs))
    }

    fn seat(&self, environment: u64) -> Option<Arc<Seat>> {
        hold(&self.seats).get(&environment).cloned()
    }
}

type Shared = State<(Arc<Desk>, Arc<Logs>)>;

async fn next(State((desk, _)): Shared, Path(environment): Path<u64>) -> Response {
    let Some(seat) = desk.seat(environment) else { return gone() };
    let Some(invocation) = seat.incoming.lock().await.recv().await else { return gone() };
    let Invocation { id, trace, deadline_ms, event, answer } = invocation;
    *hold(&seat.current) = Some((id.clone(), answer));
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", seat.function);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn),
        // From here the SDK passes it on to every service that it calls.
        ("lambda-runtime-trace-id", trace),
    ];
    (headers, event).into_response()
}

async fn done(
    State((desk, _)): Shared,
    Path((environment, id, what)): Path<(u64, String, String)>,
    body: Bytes,
) -> Response {
    let Some(seat) = desk.seat(environment) else { return gone() };
    let answer = match what.as_str() {
        "response" => Ok(body),
        "error" => Err(body),
        _ => return refuse(StatusCode::NOT_FOUND, "NotFound"),
    };
    match hold(&seat.current).take_if(|(current, _)| *current == id) {
        Some((_, waiting)) => {
            // Whoever asked may have given up.
            let _ = waiting.send(answer);
            accepted()
        }
        None => refuse(StatusCode::BAD_REQUEST, "InvalidRequestID"),
    }
}

async fn failed_to_start(
    State((desk, logs)): Shared,
    Path(environment): Path<u64>,
    body: Bytes,
) -> Response {
    let Some(seat) = desk.seat(environment) else { return gone() };
    logs.write(&seat.function, format!("INIT {}", String::from_utf8_lossy(&body)));
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn gone() -> Response {
    refuse(StatusCode::GONE, "EnvironmentGone")
}

fn refuse(status: StatusCode, kind: &str) -> Response {
    let body: Value = json!({"errorMessage": "refused", "errorType": kind});
    (status, Json(body)).into_response()
}
