//! As much as a site is asked at once, or more: how fast it is answered, and in which words.

use std::{
    collections::BTreeMap,
    fmt,
    sync::Mutex,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use local_stack::{Error, Options, Stack, amazon::Customer};
use serde_json::{Value, json};

use crate::{Answer, Browser, named};

const LOGIN: &str = "GET /auth/amazon/login";
const CALLBACK: &str = "GET /auth/amazon/callback";
const LINK_PAGE: &str = "GET /auth/amazon/link";
const LINK: &str = "POST /auth/amazon/link";
const SESSION: &str = "GET /auth/session";
const DEVICE: &str = "POST /auth/amazon/device";
const POLL: &str = "POST /auth/amazon/device/poll";

const PROXY_ARN: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:proxy";
const PROXY_SECRET: &str = "what only the proxy knows";

/// How often a visitor loads a page again who was told that there is no room.
const RELOADS: usize = 20;

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Checks of a session.
    pub sessions: usize,
    /// Sign-ins of customers who are known.
    pub sign_ins: usize,
    /// Visitors who prove a password, each with a wrong one first.
    pub passwords: usize,
    /// Televisions that are let in.
    pub televisions: usize,
    /// How many ask at the same time.
    pub at_once: usize,
}

impl Default for Load {
    fn default() -> Self {
        Self { sessions: 2000, sign_ins: 400, passwords: 100, televisions: 50, at_once: 32 }
    }
}

/// What came of it.
pub struct Report {
    routes: BTreeMap<&'static str, Vec<Sample>>,
}

struct Sample {
    begun: Instant,
    took: Duration,
    status: u16,
    /// The word for how it ended, if there is one.
    word: Option<&'static str>,
}

/// Those who ask.
struct Crowd<'a> {
    stack: &'a Stack,
    at_once: usize,
    routes: Mutex<BTreeMap<&'static str, Vec<Sample>>>,
}

impl Load {
    /// A site with the limits that it has in the cloud, behind a proxy that tells addresses.
    ///
    /// # Errors
    ///
    /// The stack does not start.
    pub async fn stack(parameters: BTreeMap<String, String>) -> Result<Stack, Error> {
        let proxy = [("TrustedProxyHeader", "x-real-ip"), ("TrustedProxySecretArn", PROXY_ARN)];
        let mut options = Options { limited: true, ..Options::with(&proxy) };
        options.parameters.extend(parameters);
        let stack = options.start().await?;
        stack.secrets.set(PROXY_ARN, PROXY_SECRET);
        Ok(stack)
    }

    /// Asks all of it: passwords first, then sign-ins, checks of sessions and televisions.
    ///
    /// # Errors
    ///
    /// The database is broken.
    pub async fn run(self, stack: &Stack) -> Result<Report, Error> {
        let crowd = Crowd { stack, at_once: self.at_once, routes: Mutex::default() };
        let customers: Vec<_> = (0..self.passwords).map(|n| format!("customer-{n}")).collect();
        for customer in &customers {
            crowd.add(customer)?;
        }
        crowd.all(customers.iter().map(|customer| crowd.prove(customer))).await;
        let known = customers.iter().map(String::as_str).chain(["lin"]).cycle();
        crowd.all(known.take(self.sign_ins).map(|customer| crowd.sign_in(customer))).await;
        let lin = Browser::new(stack);
        lin.sign_in_at_amazon("lin", "/").await;
        let check = || crowd.ask(SESSION, lin.fetch("/auth/session", None));
        crowd.all((0..self.sessions).map(|_| check())).await;
        crowd.all((0..self.televisions).map(|number| crowd.watch(number))).await;
        Ok(Report { routes: crowd.routes.into_inner().unwrap() })
    }
}

impl Crowd<'_> {
    /// Lets all of this be done, so much of it at once.
    async fn all(&self, doing: impl Iterator<Item = impl Future>) {
        stream::iter(doing).buffer_unordered(self.at_once).for_each(async |_| ()).await;
    }

    /// A customer whose address an account has, with Ann's password.
    fn add(&self, customer: &str) -> Result<(), Error> {
        let ann = self.stack.dynamodb.get("accounts", &[("id", "ann")])?;
        let account = json!({
            "id": {"S": customer},
            "email": {"S": format!("{customer}@example.com")},
            "password_hash": ann["password_hash"],
        });
        self.stack.dynamodb.put("accounts", &account)?;
        self.stack.amazon.world().customers.push(Customer::new(customer));
        Ok(())
    }

    async fn ask(&self, route: &'static str, asking: impl Future<Output = Answer>) -> Answer {
        let begun = Instant::now();
        let answer = asking.await;
        let (took, status, word) = (begun.elapsed(), answer.status, named(&answer));
        let sample = Sample { begun, took, status, word };
        self.routes.lock().unwrap().entry(route).or_default().push(sample);
        answer
    }

    /// Signs in at Amazon, as far as that goes.
    async fn sign_in(&self, customer: &str) -> Option<(Browser<'_>, Answer)> {
        let browser = Browser::new(self.stack);
        let begun = self.ask(LOGIN, browser.get("/auth/amazon/login?return_to=/")).await;
        let to = begun.header("location").filter(|_| begun.status == 303)?;
        let back = self.stack.amazon.allow(to, customer).unwrap();
        let answer = self.ask(CALLBACK, browser.come_back(&back)).await;
        Some((browser, answer))
    }

    /// Signs in for the first time, and gives the password: a wrong one, and the right one.
    async fn prove(&self, customer: &str) {
        let Some((browser, answer)) = self.sign_in(customer).await else { return };
        if answer.status != 303 {
            return;
        }
        let mut page = self.ask(LINK_PAGE, browser.follow(&answer)).await;
        for _ in 0..RELOADS {
            if page.status == 503 {
                page = self.ask(LINK_PAGE, browser.follow(&answer)).await;
            }
        }
        if page.status != 200 {
            return;
        }
        for password in ["not-the-one", "ann-local-password"] {
            self.ask(LINK, browser.prove(&page, password)).await;
        }
    }

    /// Switches a television on at an address of its own, lets it in, and watches.
    async fn watch(&self, number: usize) {
        let browser = Browser::new(self.stack);
        let address = format!("198.51.100.{}", number % 250);
        let ask = |to: &str, body: &Value| {
            let ask = browser.ask("POST", to).header("accept", "application/json");
            let ask = ask.without("sec-fetch-dest").without("sec-fetch-mode");
            let ask = ask.without("sec-fetch-site").header("x-real-ip", &address);
            let ask = ask.header("x-lwa-proxy-secret", PROXY_SECRET);
            ask.body("application/json", body.to_string()).send()
        };
        let begun = self.ask(DEVICE, ask("/auth/amazon/device", &json!({}))).await;
        if begun.status != 200 {
            return;
        }
        let told = begun.json();
        assert!(self.stack.amazon.allow_code(told["user_code"].as_str().unwrap(), "lin"));
        let handle = json!({ "device_code": told["device_code"] });
        self.ask(POLL, ask("/auth/amazon/device/poll", &handle)).await;
    }
}

impl Report {
    /// How many requests of a route ended so.
    pub fn count(&self, route: &str, status: u16, word: &str) -> usize {
        let samples = self.routes.get(route).into_iter().flatten();
        samples.filter(|one| (one.status, one.word) == (status, Some(word))).count()
    }

    /// The answers that have no name.
    pub fn nameless(&self) -> Vec<String> {
        let of = |route| {
            move |one: &Sample| one.word.is_none().then(|| format!("{route}: {}", one.status))
        };
        self.routes
            .iter()
            .flat_map(|(route, samples)| samples.iter().filter_map(of(*route)))
            .collect()
    }
}

/// A table in Markdown.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| route | requests | a second | p50, ms | p99, ms | answers |\n|---|---|---|---|---|---|"
        )?;
        for (route, samples) in &self.routes {
            let mut took: Vec<_> = samples.iter().map(|one| one.took).collect();
            took.sort_unstable();
            let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e3;
            let begun = samples.iter().map(|one| one.begun).min();
            let ended = samples.iter().map(|one| one.begun + one.took).max();
            let lasted = ended.zip(begun).map_or(0.0, |(end, begin)| (end - begin).as_secs_f64());
            let mut ends: BTreeMap<_, usize> = BTreeMap::new();
            for one in samples {
                *ends.entry((one.status, one.word.unwrap_or("(no name)"))).or_default() += 1;
            }
            let ends =
                ends.iter().map(|((status, word), count)| format!("{count} × {status} {word}"));
            let ends = ends.collect::<Vec<_>>().join(", ");
            let (count, rate) = (samples.len(), samples.len() as f64 / lasted);
            writeln!(
                f,
                "| {route} | {count} | {rate:.0} | {:.1} | {:.1} | {ends} |",
                at(50),
                at(99)
            )?;
        }
        Ok(())
    }
}
