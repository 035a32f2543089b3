//! The shop's accounts, for whoever asks over a wire: the questions of `shared/accounts/README.md`, at a
//! URL for signed requests and as a Lambda function. What it knows is in the table of accounts.

use std::{
    collections::HashMap,
    fmt,
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
    routing::post,
};
use domain::{
    Email,
    webhook::{self, Headers, Key},
};
use dynoxide::Database;
use serde_json::{Value, json};

use crate::{
    Error,
    faults::{Event, Faults, broken_off},
    id, queue,
    server::Server,
};

/// The path of signed requests.
const PATH: &str = "/lwa-accounts";

/// A running account system; it stops listening when dropped.
pub struct AccountSystem {
    /// Where it listens: `http://127.0.0.1:PORT`; what `AWS_ENDPOINT_URL_LAMBDA` is set to.
    pub url: String,
    desk: Arc<Desk>,
    _server: Server,
}

/// What can go wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not done, and the answer is this status.
    Status(u16),
    /// It is not done, and the answer says this.
    Says(Value),
    /// It is not done, and the answer is this text.
    Text(String),
    /// It is done, and the answer has this in place of what is true: a member's path, and its value.
    Lies(&'static str, Value),
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
    /// A Lambda function's own error.
    Failed,
}

/// A question that was asked.
#[derive(Clone)]
pub struct Asked {
    /// What was asked.
    pub question: Value,
    /// The headers, if it was a request.
    pub headers: HashMap<String, String>,
}

/// A question stays out of logs: it may hold a password.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asked({})", self.question["type"])
    }
}

struct Desk {
    database: Database,
    mailbox: queue::Reader,
    keys: Vec<Key>,
    clock: Box<dyn Fn() -> domain::Timestamp + Send + Sync>,
    asked: Mutex<Vec<Asked>>,
    faults: Faults<Fault>,
    /// Held from looking an address up to writing it.
    registering: tokio::sync::Mutex<()>,
}

impl AccountSystem {
    /// Starts on a free port.
    pub(crate) async fn start(
        database: Database,
        mailbox: queue::Reader,
        keys: Vec<Key>,
        clock: Box<dyn Fn() -> domain::Timestamp + Send + Sync>,
    ) -> Result<Self, Error> {
        let (asked, faults, registering) = Default::default();
        let desk = Desk { database, mailbox, keys, clock, asked, faults, registering };
        let desk = Arc::new(desk);
        let router = Router::new()
            .route(PATH, post(answer_request))
            .route("/2015-03-31/functions/{arn}/invocations", post(answer_invocation))
            .with_state(Arc::clone(&desk));
        let server = Server::start(0, router).await?;
        Ok(Self { url: server.url.clone(), desk, _server: server })
    }

    /// What `ACCOUNTS_WEBHOOK_URL` is set to.
    pub fn webhook_url(&self) -> String {
        format!("{}{PATH}", self.url)
    }

    /// Every question so far, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        hold(&self.desk.asked).clone()
    }

    /// What was asked for so far, oldest first.
    pub fn questions(&self) -> Vec<String> {
        let kind = |asked: Asked| asked.question["type"].as_str().unwrap_or("?").to_owned();
        self.asked().into_iter().map(kind).collect()
    }

    /// Forgets the questions so far.
    pub fn forget(&self) {
        hold(&self.desk.asked).clear();
    }

    /// Lets something go wrong with questions of this type, all of them if it is empty: not with the first
    /// few (`skip`), then so many times, or for good.
    pub fn fault(&self, matching: &str, skip: u32, times: Option<u32>, fault: Fault) {
        self.desk.faults.add(matching, skip, times, fault);
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.desk.faults.clear();
    }
}

async fn answer_request(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Headers {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    if webhook::verify(&desk.keys, signed, &body, (desk.clock)()).is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    let headers = headers.iter().map(text).collect();
    desk.answer(headers, body).await
}

async fn answer_invocation(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    desk.answer(HashMap::new(), body).await
}

impl Desk {
    async fn answer(&self, headers: HashMap<String, String>, body: Bytes) -> Response {
        let Some(question) = serde_json::from_slice(&body).ok().filter(Value::is_object) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let kind = question["type"].as_str().unwrap_or_default().to_owned();
        hold(&self.asked).push(Asked { question: question.clone(), headers });
        let fault = self.faults.take(&kind);
        match fault {
            Some(Fault::Status(status)) => {
                let status = StatusCode::from_u16(status).unwrap_or_default();
                return (status, [(header::LOCATION, "/elsewhere")], "no").into_response();
            }
            Some(Fault::Says(value)) => return reply(&value),
            Some(Fault::Text(text)) => return text.into_response(),
            Some(Fault::Cut) => return broken_off(),
            Some(Fault::Silent) => return pending().await,
            Some(Fault::Instead(event)) => {
                event.happen();
                return pending().await;
            }
            Some(Fault::Failed) => {
                let headers = [("x-amz-function-error", "Unhandled")];
                return (headers, r#"{"errorMessage":"on request"}"#).into_response();
            }
            _ => {}
        }
        let mut answer = match self.obey(&kind, &question).await {
            Ok(answer) => answer,
            Err(error) => {
                eprintln!("shop: its accounts are out of reach: {error}");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        match fault {
            Some(Fault::Lies(path, value)) => {
                if let Some(place) = answer.pointer_mut(path) {
                    *place = value;
                }
                reply(&answer)
            }
            Some(Fault::AnswerLost) => broken_off(),
            Some(Fault::Late(late)) => {
                tokio::time::sleep(late).await;
                reply(&answer)
            }
            Some(Fault::Then(event)) => {
                event.happen();
                pending().await
            }
            _ => reply(&answer),
        }
    }

    async fn obey(&self, kind: &str, question: &Value) -> Result<Value, Error> {
        let text = |name: &str| question[name].as_str().unwrap_or_default();
        Ok(match kind {
            "find_by_email" => {
                let found = self.with_email(text("email"))?;
                json!({ "accounts": found.iter().map(told).collect::<Vec<_>>() })
            }
            "find_by_id" => {
                let found = self.row(text("account_id"))?;
                json!({ "accounts": found.iter().map(told).collect::<Vec<_>>() })
            }
            "verify_password" => {
                let row = self.row(text("account_id"))?;
                let verdict = compare(row, text("password").to_owned(), text("code")).await?;
                json!({ "verdict": verdict })
            }
            "create" => self.create(question).await?,
            "update" => {
                let Some(mut row) = self.row(text("account_id"))? else {
                    return Err("there is no such account".into());
                };
                for (name, value) in question["set"].as_object().into_iter().flatten() {
                    if matches!(name.as_str(), "name" | "postal_code") {
                        row[name] = json!({ "S": value });
                    }
                }
                self.put(&row)?;
                json!({ "outcome": "updated" })
            }
            "notify" => {
                self.mailbox.push(question["notice"].clone());
                json!({ "outcome": "taken" })
            }
            _ => json!({ "outcome": "unsupported" }),
        })
    }

    /// Looks for the key before it looks at the address: whoever comes again gets the same account.
    async fn create(&self, question: &Value) -> Result<Value, Error> {
        let _one_at_a_time = self.registering.lock().await;
        let rows = self.rows()?;
        let same = |row: &&Value| row["creation_key"]["S"] == question["key"];
        if let Some(row) = rows.iter().find(same) {
            return Ok(json!({ "outcome": "created", "account": told(row) }));
        }
        let Some(email) = question["email"].as_str().and_then(Email::parse) else {
            return Ok(json!({ "outcome": "invalid", "fields": { "email": "invalid" } }));
        };
        if !self.with_email(email.as_str())?.is_empty() {
            return Ok(json!({ "outcome": "email_taken" }));
        }
        let now = (self.clock)().rfc3339();
        let mut row = json!({
            "id": { "S": id() },
            "email": { "S": email.lowercase() },
            "email_verified": { "BOOL": false },
            "created_at": { "S": now },
            "creation_key": { "S": question["key"] },
        });
        for (name, value) in question["fields"].as_object().into_iter().flatten() {
            row[name] = json!({ "S": value });
        }
        for (name, consent) in question["consents"].as_object().into_iter().flatten() {
            let consent =
                json!({ "version": { "S": consent["version"] }, "at": { "S": consent["at"] } });
            row[name] = json!({ "M": consent });
        }
        for name in ["name", "postal_code"] {
            if let Some(value) = question[name].as_str() {
                row[name] = json!({ "S": value });
            }
        }
        self.put(&row)?;
        Ok(json!({ "outcome": "created", "account": told(&row) }))
    }

    fn with_email(&self, email: &str) -> Result<Vec<Value>, Error> {
        let mut rows = self.rows()?;
        let same =
            |row: &Value| row["email"]["S"].as_str().is_some_and(|e| e.eq_ignore_ascii_case(email));
        rows.retain(same);
        Ok(rows)
    }

    fn rows(&self) -> Result<Vec<Value>, Error> {
        let request = json!({ "TableName": "accounts", "ConsistentRead": true });
        let answer = self.database.scan(serde_json::from_value(request)?)?;
        let rows = serde_json::to_value(answer)?["Items"].take();
        Ok(serde_json::from_value(rows).unwrap_or_default())
    }

    fn row(&self, id: &str) -> Result<Option<Value>, Error> {
        Ok(self.rows()?.into_iter().find(|row| row["id"]["S"] == id))
    }

    fn put(&self, row: &Value) -> Result<(), Error> {
        let request = json!({ "TableName": "accounts", "Item": row });
        self.database.put_item(serde_json::from_value(request)?)?;
        Ok(())
    }
}

/// Compares a password as the shop's own desk does, and the code of a second factor where the account
/// has one. It takes as long where there is no account.
async fn compare(row: Option<Value>, password: String, code: &str) -> Result<&'static str, Error> {
    let member = |name: &str| {
        row.as_ref().and_then(|row| row[name]["S"].as_str()).filter(|text| !text.is_empty())
    };
    let hash = member("password_hash");
    if row.is_some() && hash.is_none() {
        return Ok("no_password");
    }
    let stored = passwords::Stored::parse(hash.unwrap_or(passwords::decoy()))?;
    let right = tokio::task::spawn_blocking(move || stored.verify(&password)).await?;
    if !right || row.is_none() {
        return Ok("mismatch");
    }
    match (member("status").map(str::to_ascii_lowercase).as_deref(), member("second_factor")) {
        (Some("locked"), _) => Ok("locked"),
        (Some(status), _) if status != "active" => Ok("disabled"),
        (_, Some(second)) if second != code => Ok("mfa_required"),
        _ => Ok("match"),
    }
}

/// An account as it is told.
fn told(row: &Value) -> Value {
    let text = |name: &str| row[name]["S"].as_str();
    let status = match (text("status").map(str::to_ascii_lowercase).as_deref(), row.get("status")) {
        (_, None) | (Some("active"), _) => "active",
        (Some("locked"), _) => "locked",
        _ => "disabled",
    };
    let has_password = text("password_hash").is_some_and(|hash| !hash.is_empty());
    json!({
        "id": text("id"),
        "email": text("email"),
        "name": text("name"),
        "postal_code": text("postal_code"),
        "status": status,
        "has_password": has_password,
    })
}

fn reply(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
