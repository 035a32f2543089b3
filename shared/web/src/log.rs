//! One line of log per request, and nothing that anybody sent.

use std::{fmt::Write as _, panic, time::Duration};

use lambda_http::http::Method;
use serde_json::json;

use crate::{Failure, Reply, Request, reply::Ending};

/// Writes the one line of a request: what was asked and how it ended.
///
/// We print our own lines and subscribe to nobody else's, so no log level of any library can ever
/// put a password, a code or a cookie into the log. What callers sent is left out altogether.
pub(crate) fn request(request: &Request, reply: &Reply, failure: Option<&Failure>, took: Duration) {
    let ending = reply.extensions().get::<Ending>().map_or("ok", |ending| ending.0);
    let mut line = json!({
        "level": if reply.status().is_server_error() { "ERROR" } else { "INFO" },
        "request_id": request.id,
        "method": method(&request.method),
        "route": route(&request.path),
        "status": reply.status().as_u16(),
        "code": ending,
        "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(failure) = failure {
        line["why"] = why(failure).into();
    }
    print(&line.to_string());
}

/// Writes the one line of an invocation that is no request: how it ended.
pub(crate) fn invocation(failure: Option<&Failure>, took: Duration) {
    let broken = failure.is_some_and(|failure| failure.code.status().is_server_error());
    let mut line = json!({
        "level": if broken { "ERROR" } else { "INFO" },
        "code": failure.map_or("ok", |failure| failure.code.as_str()),
        "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(failure) = failure {
        line["why"] = why(failure).into();
    }
    print(&line.to_string());
}

/// Writes a line about something that went wrong without failing the request.
pub fn warning(message: &'static str, cause: &dyn std::error::Error) {
    print(&json!({ "level": "WARN", "message": message, "why": chain(cause) }).to_string());
}

/// Writes a line about a part of the work that failed while the rest goes on.
pub fn failure(message: &'static str, failure: &Failure) {
    print(&json!({ "level": "ERROR", "message": message, "why": why(failure) }).to_string());
}

/// Writes a line about something in a request that whoever watches over accounts may want to know.
pub fn event(request: &Request, message: &'static str) {
    print(&json!({ "level": "INFO", "request_id": request.id, "message": message }).to_string());
}

/// From now on a panic is logged by its place alone: its message may hold anything.
pub(crate) fn panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        print(&json!({ "level": "ERROR", "message": "panic", "place": place }).to_string());
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

#[expect(clippy::print_stdout, reason = "Lambda's log is the standard output")]
fn print(line: &str) {
    println!("{line}");
}
