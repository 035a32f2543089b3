//! Answers of Amazon's API, in Amazon's words.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::{Value, json};

/// A status and a JSON body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    /// A profile is English, and says so in headers of its own.
    pub(super) english: bool,
}

impl Answer {
    pub(super) fn good(body: Value) -> Self {
        Self { status: 200, body, english: false }
    }

    pub(super) fn error(status: u16, code: &str, description: &str) -> Self {
        let body = json!({"error": code, "error_description": description});
        Self { status, body, english: false }
    }

    /// A required parameter is not there.
    pub(super) fn missing(name: &str) -> Self {
        let description = format!("The request is missing a required parameter : {name}");
        Self::error(400, "invalid_request", &description)
    }

    /// A parameter came twice, or the client authenticated twice.
    pub(super) fn malformed() -> Self {
        Self::error(400, "invalid_request", "Malformed request")
    }

    pub(super) fn into_response(self, request_id: &str) -> Response {
        let error_type = self.body["error"].as_str().map(error_type);
        let mut response = raw(self.status, self.body.to_string());
        let headers = response.headers_mut();
        if let Some(value) = error_type.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert("x-amzn-errortype", value);
        }
        if self.english {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en-US"));
        }
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert("x-amzn-requestid", value);
        }
        response
    }
}

/// Any body, with the headers that every answer of the API carries.
pub(super) fn raw(status: u16, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json;charset=UTF-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
        (header::PRAGMA, "no-cache"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `invalid_grant` → `OA2InvalidGrantException:…`
fn error_type(code: &str) -> String {
    let words = code.split('_').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        first.to_ascii_uppercase() + rest
    });
    let name = words.collect::<String>();
    format!("OA2{name}Exception:http://internal.amazon.com/coral/com.amazon.panda/")
}
