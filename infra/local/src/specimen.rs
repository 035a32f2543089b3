//! Specimens of requests, `events/*.json`, made to fit a test.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// One API Gateway event (payload 2.0).
#[derive(Clone)]
pub struct Specimen(Value);

impl Specimen {
    /// Reads `events/<name>.json`.
    ///
    /// # Panics
    ///
    /// Where there is no such specimen, as in every step that follows: this is for tests.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| unusable(&path, &error));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| unusable(&path, &error)))
    }

    /// The same request with another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.0["requestContext"]["http"]["method"] = method.into();
        self
    }

    /// The same request for another path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.0["rawPath"] = path.into();
        self.0["requestContext"]["http"]["path"] = path.into();
        self
    }

    /// The same request with another query.
    #[must_use]
    pub fn query(self, pairs: &[(&str, &str)]) -> Self {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.raw_query(&query)
    }

    /// The same request with another query, to the letter.
    #[must_use]
    pub fn raw_query(mut self, query: &str) -> Self {
        self.0["rawQueryString"] = query.into();
        // The gateway's own view of it, with duplicates joined, is of no use to anybody.
        self.0["queryStringParameters"] = json!({});
        self
    }

    /// A parameter of the query; empty if it is not there.
    pub fn query_of(&self, name: &str) -> String {
        let query = self.0["rawQueryString"].as_str().unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// The same request with this cookie, in place of one of that name.
    #[must_use]
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.without_cookie(name).another_cookie(name, value)
    }

    /// The same request with this cookie, beside one of that name.
    #[must_use]
    pub fn another_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies().push(format!("{name}={value}").into());
        self
    }

    /// The same request without this cookie.
    #[must_use]
    pub fn without_cookie(mut self, name: &str) -> Self {
        let named = |cookie: &Value| {
            cookie
                .as_str()
                .and_then(|cookie| cookie.split_once('='))
                .is_some_and(|(key, _)| key == name)
        };
        self.cookies().retain(|cookie| !named(cookie));
        self
    }

    /// The same request from another address.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.0["requestContext"]["http"]["sourceIp"] = address.into();
        self
    }

    /// The same request with this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0["headers"][name] = value.into();
        self
    }

    /// The same request without this header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        if let Some(headers) = self.0["headers"].as_object_mut() {
            headers.remove(name);
        }
        self
    }

    /// The same request with this form as its body, base64-encoded as the gateway does.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(form.as_bytes())
    }

    /// The same request with this JSON as its body.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").text(&value.to_string())
    }

    /// The same request with this text as its body.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0["body"] = text.into();
        self.0["isBase64Encoded"] = false.into();
        self
    }

    /// The same request with these bytes as its body.
    #[must_use]
    pub fn body(mut self, bytes: &[u8]) -> Self {
        self.0["body"] = STANDARD.encode(bytes).into();
        self.0["isBase64Encoded"] = true.into();
        self
    }

    /// The event, as the Lambda runtime hands it out.
    #[must_use]
    pub fn event(&self) -> String {
        self.0.to_string()
    }

    fn cookies(&mut self) -> &mut Vec<Value> {
        if !self.0["cookies"].is_array() {
            self.0["cookies"] = json!([]);
        }
        match &mut self.0["cookies"] {
            Value::Array(cookies) => cookies,
            other => unusable("cookies", &other),
        }
    }
}

#[expect(clippy::panic, reason = "for tests only")]
fn unusable(what: &str, why: &dyn std::fmt::Display) -> ! {
    panic!("{what}: {why}")
}
