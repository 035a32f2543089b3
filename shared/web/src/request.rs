use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayV2httpRequest,
    http::{HeaderMap, Method},
};

use crate::{Code, Failure, words::Language};

/// The most bytes of a body.
const LONGEST_BODY: usize = 8 * 1024;

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
    /// The other end of the connection to the gateway.
    pub source: IpAddr,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    cookies: Vec<String>,
    /// Nothing where it is not the base64 that the gateway says it is.
    body: Option<Vec<u8>>,
}

impl Request {
    /// What the gateway tells its authorizer of a request; nothing where it is no such event.
    pub fn of(event: serde_json::Value) -> Option<Self> {
        event.get("requestContext")?;
        serde_json::from_value(event).ok().map(Self::read)
    }

    /// Reads what the gateway tells.
    ///
    /// `lambda_http`'s own reading takes apart URIs and bodies that it expects to be well-formed, and
    /// panics where a caller made them otherwise.
    pub(crate) fn read(event: ApiGatewayV2httpRequest) -> Self {
        let body = event.body.unwrap_or_default();
        let query = event.raw_query_string.unwrap_or_default();
        let source = event.request_context.http.source_ip;
        let source = source.and_then(|address| address.parse().ok());
        let language = event.headers.get("accept-language").and_then(|value| value.to_str().ok());
        Self {
            method: event.request_context.http.method,
            path: event.raw_path.unwrap_or_default(),
            id: event.request_context.request_id.unwrap_or_default(),
            language: Language::preferred(language),
            // Were it none, all who have none would be limited as one.
            source: source.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: event.headers,
            cookies: event.cookies.unwrap_or_default(),
            body: match event.is_base64_encoded {
                true => STANDARD.decode(body).ok(),
                false => Some(body.into_bytes()),
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
    /// take for the same: `code`, `Code`, `code[]`, `code[0]`, `+code`, `code%00`.
    pub fn query(&self, name: &str) -> Result<Option<&str>, Failure> {
        let spelled = |key: &str| {
            let plain = key.split(['[', '\0']).next().unwrap_or_default();
            plain.trim().eq_ignore_ascii_case(name)
        };
        let mut found = self.query.iter().filter(|(key, _)| spelled(key));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Failure::bad_request("a parameter came twice")),
            (Some((key, value)), None) if key == name => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// A cookie; nothing where the browser sent two different ones of that name.
    ///
    /// All cookies are looked through, for the gateway takes no more than 10 KiB of headers: were it
    /// only the first few, a site's own cookies could push ours out, and the second of two.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let mut found = None;
        for cookie in &self.cookies {
            match cookie.split_once('=') {
                Some((key, value)) if key == name => match found {
                    Some(earlier) if earlier != value => return None,
                    _ => found = Some(value),
                },
                _ => {}
            }
        }
        found
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Whether the caller would rather have JSON than a page; programs alone ask who is signed in, or
    /// hand a token over.
    pub fn wants_json(&self) -> bool {
        let for_programs = [
            "/auth/session",
            "/auth/verify",
            "/auth/amazon/token",
            "/auth/amazon/device",
            "/auth/amazon/device/poll",
        ];
        if for_programs.contains(&self.path.as_str()) {
            return true;
        }
        let accepts = self.header("accept").is_some_and(|types| {
            let mut types = types.split(',').map(|kind| media_type(kind));
            types.any(|kind| kind == "application/json" || kind == "application/problem+json")
        });
        accepts || self.content_type() == "application/json"
    }

    /// Whether it carries what browsers add by themselves: cookies, or an `Origin`.
    pub fn is_a_browsers(&self) -> bool {
        let added = ["cookie", "origin"].into_iter().any(|name| self.headers.contains_key(name));
        added || !self.cookies.is_empty()
    }

    /// Whether the browser only looks ahead: its visitor may never come.
    pub fn looks_ahead(&self) -> bool {
        let ahead = |name| self.header(name).is_some_and(|value| value.contains("prefetch"));
        ahead("sec-purpose") || ahead("purpose")
    }

    /// Whether the browser only looks ahead, or shows the answer inside of something else: such a
    /// request is not the visitor's own.
    pub fn is_not_a_visit(&self) -> bool {
        let other = |name, own| self.header(name).is_some_and(|value| value != own);
        let inside = other("sec-fetch-dest", "document") || other("sec-fetch-mode", "navigate");
        self.looks_ahead() || inside
    }

    /// The body's type, without parameters; empty where none is told.
    pub fn content_type(&self) -> Cow<'_, str> {
        media_type(self.header("content-type").unwrap_or_default())
    }

    /// The body.
    ///
    /// # Errors
    ///
    /// `too_large` over 8 KiB; `bad_request` where the event contradicts itself.
    pub fn body(&self) -> Result<&[u8], Failure> {
        match &self.body {
            None => Err(Failure::bad_request("the body is not the base64 that it should be")),
            Some(body) if body.len() > LONGEST_BODY => {
                Err(Failure::new(Code::TooLarge, "the body is over 8 KiB"))
            }
            Some(body) => Ok(body),
        }
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
