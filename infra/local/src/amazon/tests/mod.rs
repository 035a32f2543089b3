mod admin;
mod authorize;
mod code;
mod fault;
mod journal;
mod pages;
mod profile;
mod token;

use std::time::Duration;

use domain::{Clock, Timestamp};
use reqwest::{RequestBuilder, redirect};
use serde_json::Value;

use super::*;

const RETURN_URL: &str = "http://localhost:8080/auth/amazon/callback";
const NOON: Timestamp = Timestamp(1_800_000_000);
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A stand-in whose clock stands at noon.
async fn amazon() -> Amazon {
    let amazon = Amazon::start(World::shop(RETURN_URL)).await.unwrap();
    amazon.set_clock(Clock::Stopped(NOON));
    amazon
}

/// Lets time pass.
fn pass(amazon: &Amazon, seconds: u64) {
    let mut world = amazon.world();
    world.clock = Clock::Stopped(world.now() + Duration::from_secs(seconds));
}

/// A client that follows nothing and gives up after two seconds.
fn http() -> reqwest::Client {
    // All tests of a process want the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap()
}

/// A body of JSON.
fn json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// What came back.
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Reply {
    async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// A parameter of the URL that one is sent to.
    fn sent(&self, name: &str) -> Option<String> {
        let query = self.header("location").split_once('?')?.1;
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }

    /// Status, error and description.
    fn refusal(&self) -> (u16, String, String) {
        let said = |name: &str| self.json()[name].as_str().unwrap_or_default().to_owned();
        (self.status, said("error"), said("error_description"))
    }
}

/// A browser: it keeps the one cookie.
struct Visitor {
    http: reqwest::Client,
    cookie: String,
}

impl Visitor {
    fn new() -> Self {
        Self { http: http(), cookie: String::new() }
    }

    async fn get(&mut self, url: &str) -> Reply {
        let request = self.http.get(url);
        self.send(request).await
    }

    async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Reply {
        let request = self.http.post(url).form(fields);
        self.send(request).await
    }

    async fn send(&mut self, request: RequestBuilder) -> Reply {
        let reply = Reply::to(request.header("cookie", &self.cookie)).await;
        if let Some((cookie, _)) = reply.header("set-cookie").split_once(';') {
            self.cookie = cookie.to_owned();
        }
        reply
    }

    /// Presses the button of this customer on the sign-in page.
    async fn sign_in(&mut self, amazon: &Amazon, customer: &str) {
        let url = format!("{}/ap/signin", amazon.url);
        let reply = self.post(&url, &[("query", ""), ("persona", customer)]).await;
        assert_eq!(reply.status, 303);
    }
}

/// A query, encoded as forms are.
fn encoded(params: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// What the shop sends along with its visitors; other values, or none, where a test says so.
fn query(others: &[(&str, Option<&str>)]) -> String {
    let usual = [
        ("client_id", SHOP_CLIENT_ID),
        ("scope", "profile"),
        ("response_type", "code"),
        ("redirect_uri", RETURN_URL),
        ("state", "here and back"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let other = |name: &str| others.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let stays = usual.iter().filter_map(|(name, value)| match other(name) {
        None => Some((*name, *value)),
        Some(value) => Some((*name, value?)),
    });
    let known = |name: &str| usual.iter().any(|(key, _)| *key == name);
    let more =
        others.iter().filter(|(name, _)| !known(name)).filter_map(|(n, v)| Some((*n, (*v)?)));
    encoded(&stays.chain(more).collect::<Vec<_>>())
}
