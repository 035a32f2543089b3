//! What functions write to their log: lines of JSON, and in them nothing that anybody sent.
//!
//! We print our own lines and subscribe to nobody else's, so no log level of any library can ever put a
//! password, a code or a cookie into the log; the runtime's `TRACE` would be whole events. There is no
//! level to be set here. Every line tells `level`, `timestamp` (UTC), `function`, `version` and
//! `request_id`: the gateway's name for a request, Lambda's own for other invocations.
//!
//! 1. One line for each request and each invocation, when it has ended: `code` is how, `ms` how long it
//!    took; of a request also `method`, `route` and `status`; where it failed, `why`. Whom it has asked for
//!    something is told by `dynamodb`, `amazon`, `accounts` (the account system), `secrets` and `others`:
//!    `calls` with those tried again, the `ms` there was at least one, and how many `failed`; of Amazon
//!    also its `request_ids`.
//! 2. One line for each [`Event`] that whoever watches over accounts wants to know, when it has become
//!    true (see `event.rs`).
//! 3. Lines with a `message` about what went wrong without failing the request, or as a part of it.
//!
//! The first two are also documents of CloudWatch's embedded metric format (see `metrics.rs`).

mod at_hand;
mod event;
mod line;
mod metrics;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, panic, time::Duration};

use domain::{Clock, Timestamp};
use lambda_http::http::Method;
use serde::Serialize;
use tally::{Service, Tally};

use crate::{Failure, Reply, Request, reply::Ending};

use at_hand::Level;
pub(crate) use at_hand::{Author, begin, silently};
pub(crate) use event::refusal;
pub use event::{Audit, Event, event};
use line::Line;

/// Writes the one line of a request: what was asked and how it ended.
pub(crate) fn request(request: &Request, reply: &Reply, failure: Option<&Failure>, took: Duration) {
    let ending = reply.extensions().get::<Ending>().map_or("ok", |ending| ending.0);
    let mut line = ended(ending, reply.status().is_server_error(), failure, took);
    line.put("method", method(&request.method));
    line.put("route", route(&request.path));
    line.put("status", reply.status().as_u16());
    line.print();
}

/// Writes the one line of an invocation that is no request: how it ended.
pub(crate) fn invocation(failure: Option<&Failure>, took: Duration) {
    let broken = failure.is_some_and(|failure| failure.code.status().is_server_error());
    let code = failure.map_or("ok", |failure| failure.code.as_str());
    ended(code, broken, failure, took).print();
}

/// What both have in common; what the request has asked of others is told by it, and so told once.
fn ended(code: &'static str, broken: bool, failure: Option<&Failure>, took: Duration) -> Line {
    let mut line = at_hand::line(if broken { Level::Error } else { Level::Info });
    line.put("code", code);
    line.put("ms", millis(took));
    if let Some(failure) = failure {
        line.put("why", why(failure));
    }
    let tally = tally::take();
    asked(&mut line, &tally);
    metrics::of_request(&mut line, &tally);
    line
}

/// What was asked of one of them.
#[derive(Serialize)]
struct Asked<'a> {
    calls: u32,
    ms: u64,
    failed: u32,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    request_ids: &'a [String],
}

/// Adds what was asked of whom.
fn asked(line: &mut Line, tally: &Tally) {
    for service in Service::ALL {
        let count = tally.of(service);
        if count.calls > 0 {
            let (calls, ms, failed) = (count.calls, millis(count.waited), count.failed);
            let of_amazon = service == Service::Amazon;
            let request_ids = if of_amazon { &tally.request_ids[..] } else { &[] };
            line.put(service.as_str(), Asked { calls, ms, failed, request_ids });
        }
    }
}

/// Writes a line about something that went wrong without failing the request.
pub fn warning(message: &'static str, cause: &dyn std::error::Error) {
    let mut line = at_hand::line(Level::Warn);
    line.put("message", message);
    line.put("why", chain(cause));
    line.print();
}

/// Writes a line about a part of the work that failed while the rest goes on.
pub fn failure(message: &'static str, failure: &Failure) {
    let mut line = at_hand::line(Level::Error);
    line.put("message", message);
    line.put("why", why(failure));
    line.print();
}

/// Writes how old the oldest notice is that still waits; 0 where none does.
pub fn outbox_age(age: Duration) {
    let mut line = at_hand::line(Level::Info);
    metrics::of_outbox(&mut line, age);
    line.print();
}

/// From now on a panic is logged by its place alone: its message may hold anything.
pub(crate) fn panics() {
    panic::set_hook(Box::new(|info| {
        let mut line = at_hand::line(Level::Error);
        line.put("message", "panic");
        line.put("place", info.location().map(ToString::to_string));
        line.print();
    }));
}

fn why(failure: &Failure) -> String {
    match &failure.cause {
        None => failure.why.to_owned(),
        Some(cause) => format!("{}: {}", failure.why, chain(&**cause)),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// When a line is written.
fn now() -> Timestamp {
    Clock::System.now()
}

/// The method, if it is one that everybody knows; others may hold anything.
fn method(method: &Method) -> &str {
    const METHODS: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if METHODS.contains(method) { method.as_str() } else { "-" }
}

/// The path, if it is one of ours; others may hold anything.
fn route(path: &str) -> &str {
    const ROUTES: &[&str] = &[
        "/auth/amazon/callback",
        "/auth/amazon/device",
        "/auth/amazon/device/poll",
        "/auth/amazon/link",
        "/auth/amazon/link/cancel",
        "/auth/amazon/link/forgot",
        "/auth/amazon/login",
        "/auth/amazon/register",
        "/auth/amazon/switch",
        "/auth/amazon/token",
        "/auth/connections",
        "/auth/connections/amazon/link",
        "/auth/connections/amazon/unlink",
        "/auth/connections/sessions/revoke",
        "/auth/connections/undo",
        "/auth/lifecycle",
        "/auth/logout",
        "/auth/reauthenticate",
        "/auth/session",
        "/auth/session/accept",
        "/auth/verify",
    ];
    ROUTES.iter().copied().find(|known| *known == path).unwrap_or("-")
}
