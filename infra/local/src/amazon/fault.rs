//! What goes wrong at Amazon when a test says so.
//!
//! A fault comes either *instead of* an answer, and then nothing was done, or it *spoils* the answer,
//! and then what was asked for is done: the code is spent, the token is out.

use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    FOREIGN_CLIENT_ID, SHOP_CLIENT_ID,
    answer::{Answer, raw},
    bomb,
    wire::Wire,
};

/// A part of Amazon that our server calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// `POST /auth/o2/token`
    Token,
    /// `GET /auth/o2/tokeninfo`
    TokenInfo,
    /// `GET /user/profile`
    Profile,
    /// `POST /auth/o2/create/codepair`
    CodePair,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Instead of an answer: the connection is reset.
    Refuse,
    /// Instead of an answer: silence, for as long as the caller waits.
    Hang,
    /// Instead of an answer: this status, as `ServerError` for 500, else empty.
    Status(u16),
    /// Instead of an answer: a redirect with this status to `/elsewhere`, where nobody should go.
    Redirect(u16),
    /// Instead of an answer: Amazon's error with this status and code, such as `invalid_client`.
    Error(u16, String),
    /// The request is obeyed, then the connection is reset.
    Cut,
    /// The answer comes at one byte a second, headers included.
    Drip,
    /// The answer comes this many milliseconds late.
    Late(u64),
    /// The answer has these members as well, or instead of its own.
    Set(Map<String, Value>),
    /// The answer lacks this member.
    Without(String),
    /// The answer has an `error` beside its members, and still status 200.
    ErrorInside,
    /// Every member of the answer has another type.
    WrongTypes,
    /// The answer ends in the middle.
    Truncated,
    /// Status 200 with this body; `<` at its beginning makes it HTML.
    Body(String),
    /// Status 200 with JSON ten thousand levels deep.
    Deep,
    /// Status 200 with a gigabyte of spaces, gzipped to seven megabytes.
    GzipBomb,
    /// Status 200 with a gigabyte of JSON.
    Endless,
}

/// Faults that wait for their turn, for each endpoint.
#[derive(Default)]
pub(super) struct Faults(HashMap<Endpoint, VecDeque<(Fault, Option<u32>)>>);

impl Endpoint {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/auth/o2/token" => Some(Self::Token),
            "/auth/o2/tokeninfo" => Some(Self::TokenInfo),
            "/user/profile" => Some(Self::Profile),
            "/auth/o2/create/codepair" => Some(Self::CodePair),
            _ => None,
        }
    }
}

impl Fault {
    /// The answer has this member, as well or instead of its own.
    pub fn set(member: &str, value: impl Into<Value>) -> Self {
        Self::Set(Map::from_iter([(member.to_owned(), value.into())]))
    }

    /// Every fault after which there is no answer that anybody could use, whichever the endpoint.
    pub fn fatal() -> Vec<Self> {
        let mut all = vec![Self::Refuse, Self::Hang, Self::Cut, Self::Drip];
        all.extend([500, 502, 503, 504, 429].map(Self::Status));
        all.extend([301, 302, 303, 307, 308].map(Self::Redirect));
        all.extend(Self::garbage());
        all
    }

    /// Every answer of status 200 that says nothing.
    pub fn garbage() -> Vec<Self> {
        let bodies = [
            "",
            " ",
            "null",
            "true",
            "0",
            "\"\"",
            "[]",
            "[{}]",
            "{}",
            "{\"",
            "{]",
            "\u{feff}{}",
            "<!DOCTYPE html><title>Sign in</title>",
            "access_token=Atza%7C&token_type=bearer",
        ];
        let mut all: Vec<_> = bodies.map(|body| Self::Body(body.to_owned())).into();
        all.extend([Self::Truncated, Self::WrongTypes, Self::ErrorInside]);
        all.extend([Self::Deep, Self::GzipBomb, Self::Endless]);
        all
    }

    /// Everything that tokeninfo might say, with status 200, of a token that is not good for the shop.
    pub fn lies() -> Vec<Self> {
        let mut all = vec![
            Self::set("aud", FOREIGN_CLIENT_ID),
            Self::set("aud", format!("{SHOP_CLIENT_ID} ")),
            Self::set("aud", ""),
            Self::set("aud", Value::Null),
            Self::set("aud", vec![SHOP_CLIENT_ID]),
            Self::Without("aud".to_owned()),
            Self::set("user_id", "amzn1.account.ASOMEBODYELSE"),
            Self::Without("user_id".to_owned()),
            Self::set("iss", "https://www.evil.example"),
        ];
        all.extend([0, -1].map(|left| Self::set("exp", left)));
        all
    }

    /// Answers, or not: `obey` does what was asked for.
    pub(super) async fn answer(
        self,
        obey: impl FnOnce() -> Answer,
        request_id: &str,
        wire: &Wire,
    ) -> Response {
        match self {
            Self::Refuse => {
                wire.cut();
                raw(503, "")
            }
            Self::Hang => pending().await,
            Self::Status(500) => {
                Answer::error(500, "ServerError", "Internal failure").into_response(request_id)
            }
            Self::Status(status) => with(raw(status, ""), header::RETRY_AFTER, "1"),
            Self::Redirect(status) => with(raw(status, ""), header::LOCATION, "/elsewhere"),
            Self::Error(status, code) => {
                Answer::error(status, &code, "Amazon was told to say so").into_response(request_id)
            }
            Self::Body(body) if body.starts_with('<') => {
                with(raw(200, body), header::CONTENT_TYPE, "text/html;charset=UTF-8")
            }
            Self::Body(body) => raw(200, body),
            Self::Deep => raw(200, "{\"user_id\":".repeat(10_000) + "{}" + &"}".repeat(10_000)),
            Self::GzipBomb => {
                with(raw(200, repeated(bomb::chunks())), header::CONTENT_ENCODING, "gzip")
            }
            Self::Endless => {
                let a = Bytes::from("a".repeat(65_536));
                let first = Bytes::from("{\"user_id\":\"");
                raw(200, repeated(std::iter::once(first).chain(std::iter::repeat_n(a, 16_384))))
            }
            Self::Cut => {
                let response = obey().into_response(request_id);
                wire.cut();
                response
            }
            Self::Drip => {
                let response = obey().into_response(request_id);
                wire.drip();
                with(response, header::CONNECTION, "close")
            }
            Self::Late(ms) => {
                let response = obey().into_response(request_id);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                response
            }
            Self::Truncated => {
                let text = obey().body.to_string();
                raw(200, text[..text.len() / 2].to_owned())
            }
            spoils => {
                let mut answer = obey();
                if let Value::Object(members) = &mut answer.body {
                    spoils.spoil(members);
                }
                answer.into_response(request_id)
            }
        }
    }

    fn spoil(self, members: &mut Map<String, Value>) {
        match self {
            Self::Set(others) => members.extend(others),
            Self::Without(name) => {
                members.remove(&name);
            }
            Self::ErrorInside => {
                members.insert("error".to_owned(), json!("invalid_request"));
            }
            Self::WrongTypes => {
                for value in members.values_mut() {
                    *value = if value.is_string() { json!(7) } else { json!(["seven"]) };
                }
            }
            _ => {}
        }
    }
}

impl Faults {
    /// Lets this go wrong so many times, or for good, once those before it are through.
    pub(super) fn push(&mut self, endpoint: Endpoint, fault: Fault, times: Option<u32>) {
        self.0.entry(endpoint).or_default().push_back((fault, times));
    }

    /// Forgets what was to go wrong there.
    pub(super) fn clear(&mut self, endpoint: Endpoint) {
        self.0.remove(&endpoint);
    }

    /// What goes wrong this time.
    pub(super) fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let queue = self.0.get_mut(&endpoint)?;
        while let Some((fault, times)) = queue.front_mut() {
            match times {
                None => return Some(fault.clone()),
                Some(0) => {
                    queue.pop_front();
                }
                Some(left) => {
                    *left -= 1;
                    return Some(fault.clone());
                }
            }
        }
        None
    }
}

fn repeated(chunks: impl Iterator<Item = Bytes> + Send + 'static) -> Body {
    Body::from_stream(stream::iter(chunks).map(Ok::<_, std::convert::Infallible>))
}

fn with(mut response: Response, name: HeaderName, value: &'static str) -> Response {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}
