//! Stands in front of the database: writes down who asks for what, and lets things go wrong.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use crate::{Error, server};

/// What can go wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// DynamoDB refuses with this error, such as `ThrottlingException`, and does nothing.
    Refused(&'static str),
    /// A transaction is cancelled for these reasons, one for each item: `None`,
    /// `ConditionalCheckFailed`, `TransactionConflict`, `ThrottlingError`, … Nothing is written.
    Cancelled(Vec<&'static str>),
    /// The answer is 500 and nothing was done.
    Broken,
    /// It is done, and then the connection breaks instead of an answer.
    AnswerLost,
    /// It is not done and nobody answers for as long as the connection lives.
    Silent,
    /// It is done and answered this much later.
    Late(Duration),
}

/// A fault that waits for its requests.
struct Waiting {
    matching: String,
    skip: u32,
    times: Option<u32>,
    fault: Fault,
}

/// The front, as requests share it.
pub(super) struct Front {
    database: String,
    http: reqwest::Client,
    requests: Mutex<Vec<String>>,
    faults: Mutex<Vec<Waiting>>,
}

impl Front {
    pub(super) fn new(database: String) -> Result<Self, Error> {
        let (requests, faults) = (Mutex::default(), Mutex::default());
        Ok(Self { database, http: server::http()?, requests, faults })
    }

    pub(super) fn requests(&self) -> Vec<String> {
        hold(&self.requests).clone()
    }

    pub(super) fn reset(&self) {
        hold(&self.requests).clear();
    }

    pub(super) fn fault(&self, matching: &str, skip: u32, times: Option<u32>, fault: Fault) {
        hold(&self.faults).push(Waiting { matching: matching.to_owned(), skip, times, fault });
    }

    pub(super) fn clear_faults(&self) {
        hold(&self.faults).clear();
    }

    /// What goes wrong with this request.
    fn fault_of(&self, request: &str) -> Option<Fault> {
        let mut faults = hold(&self.faults);
        let place = faults.iter().position(|waiting| request.starts_with(&waiting.matching))?;
        let waiting = &mut faults[place];
        if waiting.skip > 0 {
            waiting.skip -= 1;
            return None;
        }
        let fault = waiting.fault.clone();
        waiting.times = waiting.times.map(|times| times.saturating_sub(1));
        if waiting.times == Some(0) {
            faults.remove(place);
        }
        Some(fault)
    }

    async fn forward(&self, mut headers: HeaderMap, body: Bytes) -> Response {
        for hop in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH] {
            headers.remove(hop);
        }
        let answer = self.http.post(&self.database).headers(headers).body(body).send().await;
        let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove(header::CONNECTION);
        let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
        (status, headers, body).into_response()
    }
}

pub(super) fn router(front: Arc<Front>) -> Router {
    // DynamoDB's own limit.
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(16 << 20)).with_state(front)
}

async fn answer(State(front): State<Arc<Front>>, headers: HeaderMap, body: Bytes) -> Response {
    let request = describe(&headers, &body);
    hold(&front.requests).push(request.clone());
    match front.fault_of(&request) {
        None => front.forward(headers, body).await,
        Some(Fault::Refused(error)) => {
            let kind = format!("com.amazonaws.dynamodb.v20120810#{error}");
            refuse(StatusCode::BAD_REQUEST, &json!({"__type": kind, "message": "on request"}))
        }
        Some(Fault::Cancelled(reasons)) => {
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            let message = format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                reasons.join(", ")
            );
            let reasons: Vec<_> = reasons.iter().map(|code| json!({"Code": code})).collect();
            let body = json!({"__type": kind, "Message": message, "CancellationReasons": reasons});
            refuse(StatusCode::BAD_REQUEST, &body)
        }
        Some(Fault::Broken) => {
            let kind = "com.amazonaws.dynamodb.v20120810#InternalServerError";
            let body = json!({"__type": kind, "message": "on request"});
            refuse(StatusCode::INTERNAL_SERVER_ERROR, &body)
        }
        Some(Fault::AnswerLost) => {
            front.forward(headers, body).await;
            let broken = stream::once(async { Err::<Bytes, _>("on request") });
            (StatusCode::OK, Body::from_stream(broken)).into_response()
        }
        Some(Fault::Silent) => std::future::pending().await,
        Some(Fault::Late(late)) => {
            let answer = front.forward(headers, body).await;
            tokio::time::sleep(late).await;
            answer
        }
    }
}

fn refuse(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, kind, body.to_string()).into_response()
}

/// A request in the words of the journal.
fn describe(headers: &HeaderMap, body: &[u8]) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| Some(target.split_once('.')?.1)).unwrap_or("?");
    let mut tables = BTreeSet::new();
    if let Ok(body) = serde_json::from_slice(body) {
        find_tables(&body, &mut tables);
    }
    let tables = tables.into_iter().collect::<Vec<_>>().join(",");
    format!("{operation} {tables}").trim_end().to_owned()
}

/// Every `TableName` of a request, and the keys of `RequestItems`.
fn find_tables(body: &Value, tables: &mut BTreeSet<String>) {
    if let Some(name) = body["TableName"].as_str() {
        tables.insert(name.to_owned());
    }
    if let Some(items) = body["RequestItems"].as_object() {
        tables.extend(items.keys().cloned());
    }
    for item in body["TransactItems"].as_array().into_iter().flatten() {
        for action in item.as_object().into_iter().flatten() {
            find_tables(action.1, tables);
        }
    }
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
