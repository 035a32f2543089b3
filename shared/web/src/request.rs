use std::borrow::Cow;

use lambda_http::{
    Body, RequestExt as _,
    http::{HeaderMap, Method},
    request::RequestContext,
};

use crate::{Code, Failure, words::Language};

/// The most bytes of a body.
const LONGEST_BODY: usize = 8 * 1024;
/// The most cookies that are looked through.
const MOST_COOKIES: usize = 64;

/// One request, as API Gateway's payload 2.0 tells it.
///
/// The query is read from the raw query string and cookies from the array that the gateway keeps
/// them in: in its other views it joins duplicates with commas.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, not decoded.
    pub path: String,
    /// The gateway's name for this request, for people who ask for help.
    pub id: String,
    /// The language of the answer.
    pub language: Language,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// Reads what the gateway tells.
    pub fn read(request: lambda_http::Request) -> Self {
        let path = request.raw_http_path().to_owned();
        let id = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
            _ => None,
        };
        let query = request.uri().query().unwrap_or_default();
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let (parts, body) = request.into_parts();
        let language = parts.headers.get("accept-language").and_then(|value| value.to_str().ok());
        Self {
            method: parts.method,
            path,
            id: id.unwrap_or_default(),
            language: Language::preferred(language),
            query,
            headers: parts.headers,
            body: match body {
                Body::Text(text) => text.into_bytes(),
                Body::Binary(bytes) => bytes,
                _ => Vec::new(),
            },
        }
    }

    /// A header that has exactly one value, of visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// A parameter of the query.
    ///
    /// # Errors
    ///
    /// `bad_request` where it comes more than once, in any of the spellings that some frameworks
    /// take for the same: `code`, `Code`, `code[]`, `code[0]`.
    pub fn query(&self, name: &str) -> Result<Option<&str>, Failure> {
        let spelled =
            |key: &str| key.split('[').next().is_some_and(|key| key.eq_ignore_ascii_case(name));
        let mut found = self.query.iter().filter(|(key, _)| spelled(key));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Failure::bad_request("a parameter came twice")),
            (Some((key, value)), None) if key == name => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// A cookie; nothing where the browser sent two different ones of that name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = None;
        for header in self.headers.get_all("cookie") {
            for pair in header.to_str().ok()?.split(';').take(MOST_COOKIES) {
                match pair.trim().split_once('=') {
                    Some((key, value)) if key == name => match found {
                        Some(earlier) if earlier != value => return None,
                        _ => found = Some(value),
                    },
                    _ => {}
                }
            }
        }
        found
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether the caller would rather have JSON than a page; programs alone ask who is signed in.
    pub fn wants_json(&self) -> bool {
        if matches!(self.path.as_str(), "/auth/session" | "/auth/verify") {
            return true;
        }
        let accepts = self.header("accept").is_some_and(|types| {
            let mut types = types.split(',').map(|kind| media_type(kind));
            types.any(|kind| kind == "application/json" || kind == "application/problem+json")
        });
        accepts || self.content_type() == "application/json"
    }

    /// Whether the browser only looks ahead, or shows the answer inside of something else: such a
    /// request is not the visitor's own.
    pub fn is_not_a_visit(&self) -> bool {
        let ahead = |name| self.header(name).is_some_and(|value| value.contains("prefetch"));
        let elsewhere = self.header("sec-fetch-dest").is_some_and(|dest| dest != "document");
        ahead("sec-purpose") || ahead("purpose") || elsewhere
    }

    /// The body's type, without parameters; empty where none is told.
    pub fn content_type(&self) -> Cow<'_, str> {
        media_type(self.header("content-type").unwrap_or_default())
    }

    /// The body.
    ///
    /// # Errors
    ///
    /// `too_large` over 8 KiB.
    pub fn body(&self) -> Result<&[u8], Failure> {
        if self.body.len() > LONGEST_BODY {
            return Err(Failure::new(Code::TooLarge, "the body is over 8 KiB"));
        }
        Ok(&self.body)
    }
}

fn media_type(text: &str) -> Cow<'_, str> {
    let kind = text.split(';').next().unwrap_or_default().trim();
    if kind.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(kind.to_ascii_lowercase())
    } else {
        Cow::Borrowed(kind)
    }
}
