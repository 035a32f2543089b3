use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Request,
    body::Bytes,
    header::{HeaderName, HeaderValue},
};

use crate::{Answer, Browser, browser::Whence, host};

/// A request to the letter, for whoever is no ordinary visitor.
pub struct Ask<'a> {
    browser: &'a Browser<'a>,
    method: String,
    url: String,
    from: Whence,
    headers: HeaderMap,
    cookies: bool,
    body: Vec<u8>,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(browser: &'a Browser<'a>, method: &str, to: &str) -> Self {
        let ask = Self {
            browser,
            method: method.to_owned(),
            url: browser.url_of(to),
            from: Whence::Here,
            headers: HeaderMap::new(),
            cookies: true,
            body: Vec::new(),
        };
        let ask = match browser.trace {
            Some(trace) => ask.header("x-amzn-trace-id", trace),
            None => ask,
        };
        ask.header("accept-language", browser.language)
            .header("accept", "text/html,*/*;q=0.8")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-mode", "navigate")
            .header("user-agent", "Mozilla/5.0 (a visitor of the tests)")
            .from(Whence::Here)
    }

    pub(crate) fn from(mut self, from: Whence) -> Self {
        self.from = from;
        let site = if from == Whence::Here { "same-origin" } else { "cross-site" };
        self.header("sec-fetch-site", site)
    }

    /// With this header, in place of one of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(header_name(name), header_value(value));
        self
    }

    /// With this header, beside one of that name.
    #[must_use]
    pub fn another_header(mut self, name: &str, value: &str) -> Self {
        self.headers.append(header_name(name), header_value(value));
        self
    }

    /// Without this header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With this `Cookie` header, instead of the browser's own cookies.
    #[must_use]
    pub fn cookies(mut self, text: &str) -> Self {
        self.cookies = false;
        self.header("cookie", text)
    }

    /// With this body of this type.
    #[must_use]
    pub fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    /// With this form as its body.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", form)
    }

    /// Called this in the logs of all that it passes through; what the function asks of DynamoDB
    /// meanwhile is told by it.
    #[must_use]
    pub fn traced(self, trace: &str) -> Self {
        self.header("x-amzn-trace-id", trace)
    }

    /// What comes back. The browser keeps cookies and follows nothing.
    ///
    /// # Panics
    ///
    /// Where nothing comes back, or what comes back is not text.
    pub async fn send(self) -> Answer {
        let cookies = self.browser.cookies_for(host(&self.url)).filter(|_| self.cookies);
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(cookies) = cookies {
            request = request.header("cookie", cookies);
        }
        let request = request.body(Full::new(Bytes::from(self.body))).unwrap();
        let response = self.browser.http.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        let answer = Answer { status, headers, text, url: self.url, from: self.from };
        self.browser.keep(&answer);
        answer
    }
}

fn header_name(name: &str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).unwrap()
}

fn header_value(value: &str) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes()).unwrap()
}
