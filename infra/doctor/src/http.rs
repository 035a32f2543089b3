//! Requests as a visitor's browser sends them, and what comes back with its headers.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use domain::Clock;
use reqwest::{Client, RequestBuilder, header::HeaderMap};
use serde_json::Value;

use crate::Error;

/// Longer than a function may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of an answer is read.
const MOST_BYTES: usize = 1 << 20;

/// Headers of a request.
type Headers<'a> = &'a [(&'a str, &'a str)];

/// What sends requests; it remembers what servers say the time is.
pub(crate) struct Http {
    client: Client,
    /// Hosts, and how many seconds their clocks are ahead of this machine's.
    pub(crate) clocks: Vec<(String, i64)>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { client: https::client(Duration::from_secs(5))?, clocks: Vec::new() })
    }

    /// Asks for a page.
    pub(crate) async fn get(&mut self, url: &str, headers: Headers<'_>) -> Result<Answer, String> {
        self.send(self.client.get(url), headers).await
    }

    /// Posts nothing.
    pub(crate) async fn post(&mut self, url: &str, headers: Headers<'_>) -> Result<Answer, String> {
        self.send(self.client.post(url).header("content-length", "0"), headers).await
    }

    async fn send(
        &mut self,
        mut request: RequestBuilder,
        headers: Headers<'_>,
    ) -> Result<Answer, String> {
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.timeout(PATIENCE).send().await.map_err(said)?;
        let now = Clock::System.now();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if let (Some(host), Some(date)) = (response.url().host_str(), date(&headers)) {
            self.clocks.push((host.to_owned(), date - now.0));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(said)? {
            body.extend(chunk);
            if body.len() > MOST_BYTES {
                break;
            }
        }
        Ok(Answer { status, headers, body })
    }
}

impl Answer {
    /// A header, if it is a text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, if it is a JSON object.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }

    /// The word that our functions say what happened with, where it is one of their answers.
    pub(crate) fn code(&self) -> Option<String> {
        let json = self.json()?;
        json["request_id"].as_str()?;
        json["code"].as_str().map(str::to_owned)
    }

    /// The status, and what kind of thing came, for people.
    pub(crate) fn said(&self) -> String {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let kind: String = kind.chars().filter(char::is_ascii_graphic).take(40).collect();
        let of = if kind.is_empty() { String::new() } else { format!(" and {kind}") };
        format!("it answered {}{of}", self.status)
    }
}

/// When the server says it is; a kept answer's date is none.
fn date(headers: &HeaderMap) -> Option<i64> {
    if headers.contains_key("age") {
        return None;
    }
    let date = headers.get("date")?.to_str().ok()?;
    Some(DateTime::from_str(date, DateTimeFormat::HttpDate).ok()?.secs())
}

/// What happened instead, without the URL: it may hold what is nobody's business.
fn said(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return format!("nothing came within {} seconds", PATIENCE.as_secs());
    }
    let first: &dyn std::error::Error = &error;
    let last = std::iter::successors(Some(first), |error| error.source()).last();
    let last = last.map(ToString::to_string).unwrap_or_default();
    if error.is_connect() {
        format!("nobody is there ({last})")
    } else {
        format!("the connection broke ({last})")
    }
}
