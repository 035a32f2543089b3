//! What a function calls: first the real ones of the local stack, which is recorded; then their answers
//! from the tape, at once and as often as one likes.
//!
//! A request that is on the tape as it is gets that answer. One that holds something random, such as
//! a new session, gets the answer of the last one of its kind: nothing is checked, so the same callback
//! succeeds a thousand times.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    io::{BufReader, Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::{
    Error,
    http::{Message, Server},
};

/// A request, and what was answered.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) to: Whom,
    pub(crate) request: Message,
    pub(crate) answer: Message,
    /// Read and write request units, as the database counts them.
    pub(crate) units: (f64, f64),
}

/// Whom a function calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    Dynamodb,
    Amazon,
    /// Secrets Manager, a queue, a function.
    Other,
}

/// What was exchanged so far.
pub(crate) type Exchanges = Arc<Mutex<Vec<Exchange>>>;

/// Where a function calls somebody; closed when dropped.
pub(crate) struct Door {
    server: Server,
    scheme: &'static str,
}

impl Door {
    /// `http://localhost:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.server.address.port())
    }

    /// Passes everything on, and writes it down.
    pub(crate) fn recording(
        to: Whom,
        upstream: &str,
        exchanges: &Exchanges,
    ) -> Result<Self, Error> {
        let address = upstream.trim_start_matches("http://").to_owned();
        let exchanges = Arc::clone(exchanges);
        let server = Server::start(move |stream| {
            let recorded = |request: &Message| {
                let exchange = pass_on(to, &address, request).ok()?;
                let answer = exchange.answer.clone();
                hold(&exchanges).push(exchange);
                Some(answer)
            };
            serve(&stream, &stream, recorded);
        })?;
        Ok(Self { server, scheme: "http" })
    }

    /// Answers from a tape, so much later.
    pub(crate) fn playing(tape: &Arc<Tape>, late: Duration) -> Result<Self, Error> {
        let tape = Arc::clone(tape);
        let server = Server::start(move |stream| {
            serve(&stream, &stream, |request| tape.play(request, late));
        })?;
        Ok(Self { server, scheme: "http" })
    }

    /// The same over TLS.
    pub(crate) fn playing_over_tls(
        tape: &Arc<Tape>,
        tls: &Arc<ServerConfig>,
    ) -> Result<Self, Error> {
        let (tape, tls) = (Arc::clone(tape), Arc::clone(tls));
        let server = Server::start(move |stream: TcpStream| {
            let Ok(connection) = ServerConnection::new(Arc::clone(&tls)) else { return };
            let stream = RefCell::new(StreamOwned::new(connection, stream));
            serve(Shared(&stream), Shared(&stream), |request| tape.play(request, Duration::ZERO));
        })?;
        Ok(Self { server, scheme: "https" })
    }
}

/// One end of a connection that cannot be split: whoever reads has nothing to write.
struct Shared<'a, T>(&'a RefCell<T>);

impl<T: Read> Read for Shared<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl<T: Write> Write for Shared<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// Answers until either side has enough.
fn serve(from: impl Read, mut to: impl Write, answer: impl Fn(&Message) -> Option<Message>) {
    let mut from = BufReader::new(from);
    while let Ok(Some(request)) = Message::read(&mut from)
        && let Some(answer) = answer(&request)
        && answer.send(&mut to).is_ok()
    {}
}

fn pass_on(to: Whom, address: &str, request: &Message) -> Result<Exchange, Error> {
    let mut asked = request.clone();
    asked.headers.push(("connection".to_owned(), "close".to_owned()));
    if to == Whom::Dynamodb {
        let mut body: Value = serde_json::from_slice(&asked.body)?;
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        asked.body = body.to_string().into_bytes();
    }
    let mut stream = TcpStream::connect(address)?;
    asked.send(&mut stream)?;
    let answer = Message::read(&mut BufReader::new(stream))?;
    let mut answer = answer.ok_or("no answer")?;
    let mut units = (0.0, 0.0);
    if to == Whom::Dynamodb {
        let mut body: Value = serde_json::from_slice(&answer.body)?;
        let consumed = body.as_object_mut().and_then(|body| body.remove("ConsumedCapacity"));
        let consumed = consumed.map_or(0.0, |consumed| total(&consumed));
        units = if reads(request) { (consumed, 0.0) } else { (0.0, consumed) };
        answer.body = body.to_string().into_bytes();
        answer.headers.retain(|(name, _)| name != "x-amz-crc32");
    }
    Ok(Exchange { to, request: request.clone(), answer, units })
}

/// The units of one table, or of several.
fn total(consumed: &Value) -> f64 {
    match consumed {
        Value::Array(tables) => tables.iter().map(total).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    }
}

fn operation(request: &Message) -> &str {
    let target = request.header("x-amz-target").and_then(|target| target.split_once('.'));
    target.map_or("", |(_, operation)| operation)
}

fn reads(request: &Message) -> bool {
    ["GetItem", "Query", "Scan", "BatchGetItem"].contains(&operation(request))
}

/// Answers by what was asked.
#[derive(Default)]
pub(crate) struct Tape {
    to_the_letter: HashMap<(String, String, String), Message>,
    of_the_kind: HashMap<String, Message>,
}

impl Tape {
    pub(crate) fn of<'a>(exchanges: impl IntoIterator<Item = &'a Exchange>) -> Arc<Self> {
        let mut tape = Self::default();
        for Exchange { request, answer, .. } in exchanges {
            tape.to_the_letter.insert(letter(request), answer.clone());
            tape.of_the_kind.insert(kind(request), answer.clone());
        }
        Arc::new(tape)
    }

    fn play(&self, request: &Message, late: Duration) -> Option<Message> {
        let same = self.to_the_letter.get(&letter(request));
        let answer = same.or_else(|| self.of_the_kind.get(&kind(request)))?.clone();
        if !late.is_zero() {
            thread::sleep(late);
        }
        Some(answer)
    }
}

fn letter(request: &Message) -> (String, String, String) {
    let body = match serde_json::from_slice::<Value>(&request.body) {
        // Members come in any order, and go in one.
        Ok(json) => json.to_string(),
        Err(_) => String::from_utf8_lossy(&request.body).into_owned(),
    };
    (request.start.clone(), operation(request).to_owned(), body)
}

/// What is asked of which tables.
fn kind(request: &Message) -> String {
    let path = request.target().split('?').next().unwrap_or_default();
    let body = serde_json::from_slice(&request.body).unwrap_or_default();
    let mut tables = BTreeSet::new();
    find_tables(&body, &mut tables);
    format!("{path} {} {tables:?}", operation(request))
}

fn find_tables(body: &Value, tables: &mut BTreeSet<String>) {
    match body {
        Value::Object(members) => {
            let named = members.get("TableName").and_then(Value::as_str);
            tables.extend(named.map(str::to_owned));
            members.values().for_each(|member| find_tables(member, tables));
        }
        Value::Array(items) => items.iter().for_each(|item| find_tables(item, tables)),
        _ => {}
    }
}

pub(crate) fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(body: &str, answer: &str) -> Exchange {
        let mut request = Message::json("", body);
        request.start = "POST / HTTP/1.1".to_owned();
        request.headers.push(("x-amz-target".to_owned(), "DynamoDB_20120810.GetItem".to_owned()));
        let answer = Message::json("200 OK", answer);
        Exchange { to: Whom::Dynamodb, request, answer, units: (1.0, 0.0) }
    }

    fn played(tape: &Tape, body: &str) -> Option<Vec<u8>> {
        Some(tape.play(&exchange(body, "").request, Duration::ZERO)?.body)
    }

    #[test]
    fn a_request_gets_its_own_answer_in_whatever_order_its_members_come() {
        let tape = Tape::of(&[
            exchange(r#"{"TableName":"rows","Key":{"pk":1,"sk":2}}"#, "first"),
            exchange(r#"{"TableName":"rows","Key":{"pk":3,"sk":4}}"#, "second"),
        ]);
        let asked = r#"{"Key":{"sk":2,"pk":1},"TableName":"rows"}"#;
        assert_eq!(played(&tape, asked).unwrap(), b"first");
    }

    #[test]
    fn a_request_that_was_never_made_gets_the_last_answer_of_its_kind() {
        let tape = Tape::of(&[
            exchange(r#"{"TableName":"rows","Key":1}"#, "first"),
            exchange(r#"{"TableName":"rows","Key":2}"#, "second"),
        ]);
        assert_eq!(played(&tape, r#"{"TableName":"rows","Key":3}"#).unwrap(), b"second");
        assert_eq!(played(&tape, r#"{"TableName":"others","Key":1}"#), None);
    }
}
