use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::Mutex,
};

use http_body_util::Full;
use hyper::{Method, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local_stack::Stack;
use serde_json::Value;

use crate::{Answer, Ask, cookie::Cookie, host, origin};

/// A visitor's browser. Its methods take turns as tabs do: several may be under way at once.
pub struct Browser<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) http: Client<HttpConnector, Full<Bytes>>,
    pub(crate) language: &'static str,
    pub(crate) trace: Option<&'static str>,
    cookies: Mutex<BTreeMap<(String, String), String>>,
    secrets: Mutex<BTreeSet<String>>,
    requests: Mutex<BTreeSet<String>>,
}

/// Where a request comes from, as browsers tell in `Sec-Fetch-Site`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
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
            trace: None,
            cookies: Mutex::default(),
            secrets: Mutex::default(),
            requests: Mutex::default(),
        }
    }

    /// The same browser with another preference in `Accept-Language`.
    pub fn preferring(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// The same browser, whose requests are called this in the logs of all that they pass through:
    /// what functions ask of DynamoDB for it is told by it.
    pub fn traced(mut self, trace: &'static str) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The same browser at another address of this machine, such as 127.0.0.2.
    pub fn at(mut self, address: Ipv4Addr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(address.into()));
        self.http = Client::builder(TokioExecutor::new()).build(connector);
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

    /// The same browser once more: what it holds was copied, and from now on both go their own ways.
    pub fn copy(&self) -> Self {
        Self {
            stack: self.stack,
            http: self.http.clone(),
            language: self.language,
            trace: self.trace,
            cookies: Mutex::new(self.cookies.lock().unwrap().clone()),
            secrets: Mutex::new(self.secrets.lock().unwrap().clone()),
            requests: Mutex::new(self.requests.lock().unwrap().clone()),
        }
    }

    /// Forgets a cookie of the site.
    pub fn drop_cookie(&self, name: &str) {
        let key = (host(&self.stack.url).to_owned(), name.to_owned());
        self.cookies.lock().unwrap().remove(&key);
    }

    /// Every secret that went through this browser: cookies, states, codes, form tokens.
    pub fn secrets(&self) -> BTreeSet<String> {
        self.secrets.lock().unwrap().clone()
    }

    /// The gateway's names for all requests of this browser that went to functions.
    pub fn requests(&self) -> BTreeSet<String> {
        self.requests.lock().unwrap().clone()
    }

    /// A request to the letter; without more it is what following a link sends.
    pub fn ask(&self, method: &str, to: &str) -> Ask<'_> {
        Ask::new(self, method, to)
    }

    async fn send(&self, method: Method, to: &str, from: Whence, load: Load<'_>) -> Answer {
        let visit = !matches!(load, Load::Json(_));
        let ask = self.ask(method.as_str(), to).from(from);
        let ask = match (visit, method == Method::POST) {
            (true, false) => ask,
            (true, true) => ask.header("origin", origin(&self.url_of(to))),
            (false, posts) => {
                let ask = ask
                    .header("accept", "application/json")
                    .header("sec-fetch-dest", "empty")
                    .header("sec-fetch-mode", "cors");
                if posts { ask.header("origin", origin(&self.url_of(to))) } else { ask }
            }
        };
        let ask = match load {
            Load::Nothing | Load::Json(None) => ask,
            Load::Form(fields) => ask.form(fields),
            Load::Other(kind, body) => ask.body(kind, body),
            Load::Json(Some(json)) => ask.body("application/json", json.to_string()),
        };
        ask.send().await
    }

    /// A path of the site, or a URL, as a URL.
    pub(crate) fn url_of(&self, to: &str) -> String {
        if to.starts_with('/') { format!("{}{to}", self.stack.url) } else { to.to_owned() }
    }

    pub(crate) fn cookies_for(&self, host: &str) -> Option<String> {
        let all = self.cookies.lock().unwrap();
        let ours = all.iter().filter(|((of, _), _)| of == host);
        let ours: Vec<_> = ours.map(|((_, name), value)| format!("{name}={value}")).collect();
        (!ours.is_empty()).then(|| ours.join("; "))
    }

    /// Keeps an answer's cookies as a browser would, and remembers what in it is secret.
    pub(crate) fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap();
        let mut secrets = self.secrets.lock().unwrap();
        let id = answer.header("apigw-requestid").map(str::to_owned);
        self.requests.lock().unwrap().extend(id);
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
