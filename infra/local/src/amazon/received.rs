//! A request as it came in, and its parameters.

use axum::{
    body::{Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, header},
};
use serde_json::Value;

/// Nothing that anybody sends here is longer.
const LONGEST_BODY: usize = 64 * 1024;

/// A request, read whole.
pub(super) struct Received {
    pub(super) method: Method,
    /// In lower case: Amazon does not mind `/auth/O2/token`.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Parameters, of which none that matters may come twice.
#[derive(Clone)]
pub(super) struct Params(Vec<(String, String)>);

/// A parameter came twice.
pub(super) struct Repeated;

impl Received {
    pub(super) async fn read(request: Request) -> Result<Self, axum::Error> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            method: parts.method,
            path: parts.uri.path().to_ascii_lowercase(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: to_bytes(body, LONGEST_BODY).await?,
        })
    }

    /// A header, if it comes once and is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        let pairs =
            self.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    pub(super) fn query(&self) -> Params {
        Params::parse(self.query.as_bytes())
    }

    /// The body's fields, if it is what its type says: a form, or a JSON object of strings.
    pub(super) fn fields(&self) -> Option<Params> {
        let kind = self.header(header::CONTENT_TYPE.as_str())?.split(';').next()?.trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Some(Params::parse(&self.body)),
            "application/json" => {
                let Ok(Value::Object(members)) = serde_json::from_slice(&self.body) else {
                    return None;
                };
                let texts = members.into_iter().map(|(name, value)| match value {
                    Value::String(text) => Some((name, text)),
                    _ => None,
                });
                texts.collect::<Option<_>>().map(Params)
            }
            _ => None,
        }
    }
}

impl Params {
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of this parameter; an empty one counts as none (RFC 6749 section 3.1).
    pub(super) fn one<'a>(&'a self, name: &str) -> Result<Option<&'a str>, Repeated> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|text| !text.is_empty())),
            _ => Err(Repeated),
        }
    }

    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What may be told of parameters: their names.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }
}
