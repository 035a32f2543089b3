//! Stands in front of the database: writes down who asks for what, and lets things go wrong.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::gate::Held;
use crate::{
    Error,
    faults::{Event, Faults, broken_off},
    server,
};

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `Operation table`: `GetItem sessions`, or `TransactWriteItems identities,sessions` with each
    /// table once.
    pub what: String,
    /// The trace of the visitor's request that the function was handling; nothing where the function
    /// was only starting, or where it was no function that asked.
    pub trace: Option<String>,
    /// How many items a transaction has.
    pub items: usize,
    /// Whether it is a read that may be answered with what was true a while ago.
    pub may_lag: bool,
    /// What it takes, in the words of IAM, and of which table or index: `GetItem sessions`, `Query
    /// accounts/index/by_email`; for a transaction, of each of its items.
    pub takes: Vec<String>,
}

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
    /// It is not done, and the connection breaks instead of an answer.
    Cut,
    /// It is done, and then the connection breaks instead of an answer.
    AnswerLost,
    /// It is not done and nobody answers for as long as the connection lives.
    Silent,
    /// It is done and answered this much later.
    Late(Duration),
    /// It is not done; this happens instead, and nobody answers.
    Instead(Event),
    /// It is done; then this happens, and nobody answers.
    Then(Event),
}

/// The front, as requests share it.
pub(super) struct Front {
    database: String,
    http: reqwest::Client,
    calls: Mutex<Vec<Call>>,
    pub(super) faults: Faults<Fault>,
    /// Where requests wait until they are let through.
    pub(super) gate: Mutex<Option<UnboundedSender<Held>>>,
    /// The database as it was a while ago, for reads that may lag.
    pub(super) past: Mutex<Option<String>>,
}

impl Front {
    pub(super) fn new(database: String) -> Result<Self, Error> {
        Ok(Self {
            database,
            http: server::http()?,
            calls: Mutex::default(),
            faults: Faults::default(),
            gate: Mutex::default(),
            past: Mutex::default(),
        })
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        hold(&self.calls).clone()
    }

    pub(super) fn reset(&self) {
        hold(&self.calls).clear();
    }

    async fn wait(&self, call: &Call) {
        let held = match &*hold(&self.gate) {
            None => return,
            Some(gate) => {
                let (held, passed) = Held::new(call.clone());
                // A gate that has just been taken away holds nobody.
                gate.send(held).ok().map(|()| passed)
            }
        };
        if let Some(passed) = held
            && passed.await.is_err()
        {
            pending::<()>().await;
        }
    }

    async fn forward(&self, call: &Call, mut headers: HeaderMap, body: Bytes) -> Response {
        for hop in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH] {
            headers.remove(hop);
        }
        let past = hold(&self.past).clone().filter(|_| call.may_lag);
        let database = past.as_deref().unwrap_or(&self.database);
        let answer = self.http.post(database).headers(headers).body(body).send().await;
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
    let call = describe(&headers, &body);
    hold(&front.calls).push(call.clone());
    front.wait(&call).await;
    match front.faults.take(&call.what) {
        None => front.forward(&call, headers, body).await,
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
        Some(Fault::Cut) => broken_off(),
        Some(Fault::AnswerLost) => {
            front.forward(&call, headers, body).await;
            broken_off()
        }
        Some(Fault::Silent) => pending().await,
        Some(Fault::Late(late)) => {
            let answer = front.forward(&call, headers, body).await;
            tokio::time::sleep(late).await;
            answer
        }
        Some(Fault::Instead(event)) => {
            event.happen();
            pending().await
        }
        Some(Fault::Then(event)) => {
            front.forward(&call, headers, body).await;
            event.happen();
            pending().await
        }
    }
}

fn refuse(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status, kind, body.to_string()).into_response()
}

/// A request in the words of the journal.
fn describe(headers: &HeaderMap, body: &[u8]) -> Call {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let operation = header("x-amz-target").and_then(|target| Some(target.split_once('.')?.1));
    let operation = operation.unwrap_or("?");
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut tables = BTreeSet::new();
    find_tables(&body, &mut tables);
    let tables = tables.into_iter().collect::<Vec<_>>().join(",");
    Call {
        what: format!("{operation} {tables}").trim_end().to_owned(),
        trace: header("x-amzn-trace-id").map(str::to_owned),
        items: body["TransactItems"].as_array().map_or(0, Vec::len),
        may_lag: matches!(operation, "GetItem" | "Query" | "Scan")
            && body["ConsistentRead"] != true,
        takes: takes(operation, &body),
    }
}

/// What somebody must be allowed to do who sends this.
fn takes(operation: &str, body: &Value) -> Vec<String> {
    let one = |action: &str, body: &Value| {
        let table = body["TableName"].as_str().unwrap_or("?");
        let index = body["IndexName"].as_str().map(|index| format!("/index/{index}"));
        format!("{action} {table}{}", index.unwrap_or_default())
    };
    if let Some(tables) = body["RequestItems"].as_object() {
        return tables.keys().map(|table| format!("{operation} {table}")).collect();
    }
    let Some(items) = body["TransactItems"].as_array() else { return vec![one(operation, body)] };
    let items = items.iter().filter_map(Value::as_object).flatten();
    items.map(|(action, body)| one(&format!("{action}Item"), body)).collect()
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

pub(super) fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
