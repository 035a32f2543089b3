//! What journeys share: a visitor's browser that keeps cookies and follows nothing by itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, body::Bytes, header::HeaderMap};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local_stack::Stack;
use serde_json::Value;

/// The cookie of a session.
pub const SESSION: &str = "__Host-lwa_session";
/// The cookie of a ticket to the link, registration or switch page.
pub const TICKET: &str = "__Host-lwa_ticket";
/// The cookie of the sign-ins that have begun.
pub const LOGIN: &str = "__Host-lwa_login";

/// A visitor's browser. Its methods take turns as tabs do: several may be under way at once.
pub struct Browser<'a> {
    stack: &'a Stack,
    http: Client<HttpConnector, Full<Bytes>>,
    language: &'static str,
    cookies: Mutex<BTreeMap<(String, String), String>>,
    secrets: Mutex<BTreeSet<String>>,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
    /// What was asked for.
    pub url: String,
    from: Whence,
}

/// Where a request comes from, as browsers tell in `Sec-Fetch-Site`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whence {
    Here,
    Elsewhere,
}

/// What a request carries.
enum Load<'a> {
    Nothing,
    Form(&'a [(&'a str, &'a str)]),
    Json(Option<Value>),
    Other(&'static str, String),
}

impl<'a> Browser<'a> {
    /// A browser that was never here, and prefers English.
    pub fn new(stack: &'a Stack) -> Self {
        Self {
            stack,
            http: Client::builder(TokioExecutor::new()).build_http(),
            language: "en-US,en;q=0.9",
            cookies: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// The same browser with another preference in `Accept-Language`.
    pub fn preferring(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// Opens a page: a path of the site, or a URL.
    pub async fn get(&self, to: &str) -> Answer {
        self.send(Method::GET, to, Whence::Here, Load::Nothing).await
    }

    /// Sends a form of a page of the same origin.
    pub async fn post(&self, to: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, to, Whence::Here, Load::Form(fields)).await
    }

    /// Sends a body of any type to where a form is expected.
    pub async fn post_as(&self, to: &str, kind: &'static str, body: String) -> Answer {
        self.send(Method::POST, to, Whence::Here, Load::Other(kind, body)).await
    }

    /// Asks as a script of the site's own page does; posts, if there is something to post.
    pub async fn fetch(&self, to: &str, body: Option<Value>) -> Answer {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        self.send(method, to, Whence::Here, Load::Json(body)).await
    }

    /// Goes where a redirect leads. Who came from elsewhere still does.
    pub async fn follow(&self, answer: &Answer) -> Answer {
        let (here, to) = (origin(&answer.url), answer.location());
        let to = if to.starts_with('/') { format!("{here}{to}") } else { to.to_owned() };
        let from = if origin(&to) == here { answer.from } else { Whence::Elsewhere };
        self.send(Method::GET, &to, from, Load::Nothing).await
    }

    /// Follows redirects until there is a page.
    pub async fn land(&self, mut answer: Answer) -> Answer {
        for _ in 0..9 {
            if answer.status / 100 != 3 {
                return answer;
            }
            answer = self.follow(&answer).await;
        }
        panic!("redirects without end at {}", answer.url);
    }

    /// Presses "Login with Amazon"; tells where at Amazon that leads.
    pub async fn begin(&self, return_to: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let path =
            format!("/auth/amazon/login?{}", query.append_pair("return_to", return_to).finish());
        let answer = self.get(&path).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let to = answer.location().to_owned();
        assert!(to.starts_with(&self.stack.amazon.authorize_url()), "{to}");
        to
    }

    /// Goes where Amazon sends a customer who was sent to `url`, signs in and allows everything.
    pub async fn allow(&self, url: &str, customer: &str) -> Answer {
        let back = self.stack.amazon.allow(url, customer).unwrap();
        self.come_back(&back).await
    }

    /// Comes back from Amazon.
    pub async fn come_back(&self, url: &str) -> Answer {
        self.send(Method::GET, url, Whence::Elsewhere, Load::Nothing).await
    }

    /// Signs in at Amazon as this customer; the answer is the callback's.
    pub async fn sign_in_at_amazon(&self, customer: &str, return_to: &str) -> Answer {
        let url = self.begin(return_to).await;
        self.allow(&url, customer).await
    }

    /// Signs in at Amazon as a customer whom the site asks for something more: the page that asks.
    pub async fn asked_after_amazon(&self, customer: &str, return_to: &str) -> Answer {
        let answer = self.sign_in_at_amazon(customer, return_to).await;
        let page = self.land(answer).await;
        assert_eq!((page.status, page.code()), (200, "ok"), "{}", page.text);
        page
    }

    /// Sends the link page's form.
    pub async fn prove(&self, page: &Answer, password: &str) -> Answer {
        let fields = [("csrf", page.input("csrf")), ("password", password)];
        self.post("/auth/amazon/link", &fields).await
    }

    /// Presses the shop's button to log out.
    pub async fn log_out(&self) -> Answer {
        let page = self.get("/").await;
        let fields = [("csrf", page.input("csrf")), ("return_to", "/")];
        self.post("/auth/logout", &fields).await
    }

    /// What the shop calls the visitor.
    pub async fn who(&self) -> String {
        self.get("/").await.who().to_owned()
    }

    /// Whose session this browser has, by account id.
    pub async fn account(&self) -> Option<String> {
        let answer = self.fetch("/auth/session", None).await;
        let json = answer.json();
        match answer.status {
            200 => Some(json["account"]["id"].as_str().unwrap().to_owned()),
            401 => None,
            status => panic!("{status}: {json}"),
        }
    }

    /// The value of a cookie of the site.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let key = (host(&self.stack.url).to_owned(), name.to_owned());
        self.cookies.lock().unwrap().get(&key).cloned()
    }

    /// Puts a cookie of the site into the browser: a saved copy, or none of ours at all.
    pub fn keep_cookie(&self, name: &str, value: &str) {
        let key = (host(&self.stack.url).to_owned(), name.to_owned());
        self.cookies.lock().unwrap().insert(key, value.to_owned());
    }

    /// Every secret that went through this browser: cookies, states, codes, form tokens.
    pub fn secrets(&self) -> BTreeSet<String> {
        self.secrets.lock().unwrap().clone()
    }

    async fn send(&self, method: Method, to: &str, from: Whence, load: Load<'_>) -> Answer {
        let url =
            if to.starts_with('/') { format!("{}{to}", self.stack.url) } else { to.to_owned() };
        let visit = !matches!(load, Load::Json(_));
        let mut request = Request::builder()
            .method(&method)
            .uri(&url)
            .header("accept-language", self.language)
            .header("accept", if visit { "text/html,*/*;q=0.8" } else { "application/json" })
            .header("sec-fetch-dest", if visit { "document" } else { "empty" })
            .header("sec-fetch-mode", if visit { "navigate" } else { "cors" })
            .header(
                "sec-fetch-site",
                if from == Whence::Here { "same-origin" } else { "cross-site" },
            )
            .header("user-agent", "Mozilla/5.0 (a visitor of the tests)");
        if method == Method::POST {
            request = request.header("origin", origin(&url));
        }
        if let Some(cookies) = self.cookies_for(host(&url)) {
            request = request.header("cookie", cookies);
        }
        let body = match load {
            Load::Nothing | Load::Json(None) => String::new(),
            Load::Form(fields) => {
                request = request.header("content-type", "application/x-www-form-urlencoded");
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
            }
            Load::Other(kind, body) => {
                request = request.header("content-type", kind);
                body
            }
            Load::Json(Some(json)) => {
                request = request.header("content-type", "application/json");
                json.to_string()
            }
        };
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = self.http.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        let answer = Answer { status, headers, text, url, from };
        self.keep(&answer);
        answer
    }

    fn cookies_for(&self, host: &str) -> Option<String> {
        let all = self.cookies.lock().unwrap();
        let ours = all.iter().filter(|((of, _), _)| of == host);
        let ours: Vec<_> = ours.map(|((_, name), value)| format!("{name}={value}")).collect();
        (!ours.is_empty()).then(|| ours.join("; "))
    }

    /// Keeps an answer's cookies as a browser would, and remembers what in it is secret.
    fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap();
        let mut secrets = self.secrets.lock().unwrap();
        for header in answer.headers.get_all("set-cookie") {
            let Some(cookie) = Cookie::accept(header.to_str().unwrap()) else { continue };
            let key = (host(&answer.url).to_owned(), cookie.name.to_owned());
            secrets.extend(cookie.value.split(['~', '.']).map(str::to_owned));
            if cookie.gone {
                cookies.remove(&key);
            } else {
                cookies.insert(key, cookie.value.to_owned());
            }
        }
        let location = answer.headers.get("location").map_or("", |to| to.to_str().unwrap());
        for url in [location, &answer.url] {
            let query = url.split_once('?').map_or("", |(_, query)| query);
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                if matches!(&*name, "code" | "state" | "code_challenge" | "token") {
                    secrets.insert(value.into_owned());
                }
            }
        }
        secrets.extend(answer.between(r#"name="csrf" value=""#, "\"").map(str::to_owned));
    }
}

/// A cookie that a browser takes.
struct Cookie<'a> {
    name: &'a str,
    value: &'a str,
    gone: bool,
}

impl<'a> Cookie<'a> {
    /// Reads a `Set-Cookie` header; nothing where a browser would refuse it.
    fn accept(header: &'a str) -> Option<Self> {
        let mut parts = header.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes: Vec<_> = parts.map(str::to_ascii_lowercase).collect();
        let has = |wanted: &str| attributes.iter().any(|attribute| attribute == wanted);
        let domain = attributes.iter().any(|attribute| attribute.starts_with("domain"));
        if name.starts_with("__Host-") && (!has("secure") || !has("path=/") || domain) {
            return None;
        }
        Some(Self { name, value, gone: has("max-age=0") })
    }
}

impl Answer {
    /// The code of a page of ours; empty for every other answer.
    pub fn code(&self) -> &str {
        self.between("<main data-code=\"", "\"").unwrap_or_default()
    }

    /// Which page of the shop's it is; empty for every other answer.
    pub fn page(&self) -> &str {
        self.between("<main data-page=\"", "\"").unwrap_or_default()
    }

    /// What a page of the shop's calls the visitor.
    pub fn who(&self) -> &str {
        self.between("id=\"who\">", "<").unwrap_or_else(|| panic!("no shop's page: {}", self.text))
    }

    /// The value of the first input of this name, hidden or not.
    pub fn input(&self, name: &str) -> &str {
        let input = self.text.split("<input ").skip(1).map(|tag| tag.split('>').next().unwrap());
        let named = format!("name=\"{name}\"");
        let mut named = input.filter(|tag| tag.contains(&named));
        let tag = named.next().unwrap_or_else(|| panic!("no input {name}: {}", self.text));
        tag.split_once("value=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap())
    }

    /// Where a link leads that reads or contains this.
    pub fn link(&self, text: &str) -> String {
        let links = self.text.split("<a ").skip(1).map(|tag| tag.split("</a>").next().unwrap());
        let link = links.into_iter().find(|link| link.contains(text));
        let link = link.unwrap_or_else(|| panic!("no link {text}: {}", self.text));
        let href = link.split_once("href=\"").unwrap().1.split('"').next().unwrap();
        href.replace("&#38;", "&")
    }

    /// Whether the page shows this.
    pub fn says(&self, what: &str) -> bool {
        self.text.contains(what)
    }

    /// Where a redirect leads, as it is told.
    pub fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.text))
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn between(&self, before: &str, after: &str) -> Option<&str> {
        self.text.split_once(before)?.1.split(after).next()
    }
}

/// `http://host:port` of a URL.
fn origin(url: &str) -> &str {
    let path = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    &url[..path]
}

/// The host of a URL, without its port: cookies do not tell ports apart.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split([':', '/', '?']).next().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cookie_needs_to_be_secure_and_of_this_host_alone() {
        let takes = |header| Cookie::accept(header).is_some();
        assert!(takes("__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=9"));
        for refused in [
            "__Host-a=1; Path=/",
            "__Host-a=1; Secure",
            "__Host-a=1; Path=/auth; Secure",
            "__Host-a=1; Path=/; Secure; Domain=localhost",
        ] {
            assert!(!takes(refused), "{refused}");
        }
        assert!(takes("plain=1"));
        assert!(Cookie::accept("a=; Path=/; Max-Age=0").unwrap().gone);
    }
}
