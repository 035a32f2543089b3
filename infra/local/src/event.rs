//! Requests and answers in API Gateway's words: payload format 2.0 of HTTP APIs.
//!
//! Where AWS's documents leave it open which bodies are text, this follows what was measured: only
//! `text/*` and three of `application/*` are; a form is not, nor is a body of no type.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Timestamp;
use serde_json::{Map, Value, json};

use crate::ACCOUNT;

/// What a function may be told in all of a request's first line and headers, in bytes.
pub(crate) const MOST_OF_A_HEAD: usize = 10_240;

/// Where a request came in, and when.
pub(crate) struct Arrival<'a> {
    /// The key of the route, such as `ANY /auth/session`.
    pub(crate) route: &'a str,
    /// The other end of the connection.
    pub(crate) source_ip: String,
    /// A name for this request alone.
    pub(crate) request_id: &'a str,
    /// What the request is called in the logs of all that it passes through: see [`trace`].
    pub(crate) trace: &'a str,
    /// Milliseconds since 1970.
    pub(crate) epoch_ms: i64,
}

/// The `X-Amzn-Trace-Id` of a request: the one that it brought along, or a new one.
pub(crate) fn trace(head: &Parts, request_id: &str, epoch_ms: i64) -> String {
    let brought = head.headers.get("x-amzn-trace-id").and_then(|trace| trace.to_str().ok());
    brought.map(str::to_owned).unwrap_or_else(|| {
        let random: String = request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
        format!("Root=1-{:08x}-{random}", epoch_ms / 1000)
    })
}

/// The size of a request's first line and headers, in bytes.
pub(crate) fn size(head: &Parts) -> usize {
    let line =
        head.method.as_str().len() + head.uri.path_and_query().map_or(0, |p| p.as_str().len());
    line + head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
}

/// The event that a function is given for a request.
pub(crate) fn from_request(head: &Parts, body: &[u8], arrival: &Arrival<'_>) -> Value {
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let mut headers =
        joined(head.headers.iter().filter(|(name, _)| passes(name)).map(|(name, value)| {
            (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        }));
    let host = headers.get("host").and_then(Value::as_str).unwrap_or_default();
    let (domain, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    let (domain, port) = (domain.to_owned(), port.to_owned());
    let forwarded_for = match headers.get("x-forwarded-for").and_then(Value::as_str) {
        Some(before) => format!("{before}, {}", arrival.source_ip),
        None => arrival.source_ip.clone(),
    };
    for (name, value) in [
        ("content-length", body.len().to_string()),
        ("x-amzn-trace-id", arrival.trace.to_owned()),
        ("x-forwarded-for", forwarded_for),
        ("x-forwarded-port", port),
        ("x-forwarded-proto", "http".to_owned()),
    ] {
        headers.insert(name.to_owned(), value.into());
    }
    let user_agent = headers.get("user-agent").cloned().unwrap_or_else(|| "".into());

    let mut event = json!({
        "version": "2.0",
        "routeKey": arrival.route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", head.version),
                "sourceIp": arrival.source_ip,
                "userAgent": user_agent,
            },
            "requestId": arrival.request_id,
            "routeKey": arrival.route,
            "stage": "$default",
            "time": log_time(Timestamp(arrival.epoch_ms / 1000)),
            "timeEpoch": arrival.epoch_ms,
        },
        "isBase64Encoded": false,
    });
    let cookies: Vec<_> = head
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()))
        .collect();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let pairs = pairs.iter().map(|(name, value)| (name.as_ref(), value.clone().into_owned()));
        event["queryStringParameters"] = joined(pairs).into();
    }
    if !body.is_empty() {
        match std::str::from_utf8(body).ok().filter(|_| is_text(head)) {
            Some(text) => event["body"] = text.into(),
            None => {
                event["body"] = STANDARD.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Everything but the cookies, which have a place of their own, and what concerns one connection.
fn passes(name: &HeaderName) -> bool {
    ![
        header::COOKIE,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ]
    .contains(name)
}

/// Values of the same name in one, with commas between them.
fn joined<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> Map<String, Value> {
    let mut all = BTreeMap::<&str, String>::new();
    for (name, value) in pairs {
        all.entry(name).and_modify(|so_far| *so_far = format!("{so_far},{value}")).or_insert(value);
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn is_text(head: &Parts) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"]
            .contains(&kind.as_str())
}

/// As in the logs of web servers: `12/Mar/2020:19:03:58 +0000`.
fn log_time(now: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = now.rfc3339();
    let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or_default();
    let mut date = date.split('-');
    let (year, month, day) = (date.next(), date.next(), date.next());
    let month = month.and_then(|month| month.parse::<usize>().ok());
    let month = month.and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"Jan");
    format!("{}/{month}/{}:{time} +0000", day.unwrap_or_default(), year.unwrap_or_default())
}

/// The answer that a visitor gets for what a function returned; nothing if that is not understood,
/// which is an error of the function's.
pub(crate) fn to_response(returned: &[u8]) -> Option<Response<Body>> {
    let returned: Value = serde_json::from_slice(returned).ok()?;
    let Some(status) = returned.get("statusCode") else {
        // A function may also return nothing but the body.
        let body = returned.as_str().map_or_else(|| returned.to_string(), str::to_owned);
        let response = Response::builder().header(header::CONTENT_TYPE, "application/json");
        return response.body(body.into()).ok();
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(u16::try_from(status.as_u64()?).ok()?).ok()?;
    let headers = returned.get("headers").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in headers {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = HeaderName::try_from(name).ok()?;
        // How long it is, only this end of the connection knows.
        if name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name, HeaderValue::try_from(value).ok()?);
        }
    }
    for cookie in returned.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        let cookie = HeaderValue::try_from(cookie.as_str()?).ok()?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    if let Some(body) = returned.get("body").and_then(Value::as_str).filter(|body| !body.is_empty())
    {
        let text = HeaderValue::from_static("text/plain;charset=UTF-8");
        response.headers_mut().entry(header::CONTENT_TYPE).or_insert(text);
        *response.body_mut() = match returned["isBase64Encoded"] == true {
            true => STANDARD.decode(body).ok()?.into(),
            false => body.to_owned().into(),
        };
    }
    Some(response)
}
