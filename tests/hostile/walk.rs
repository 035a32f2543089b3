//! Everybody's way through everything, request by request: to look at all that comes of it, or to
//! let every request come more than once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use local_stack::{Stack, amazon::Customer};
use tests::{Answer, Browser, LOGIN, SESSION, TICKET};

use crate::back::{Back, ending};

/// All that happened on a walk.
#[derive(Default)]
pub(crate) struct Walk {
    /// Every request, as often as it was sent, with its answer.
    pub(crate) events: Vec<(Event, Vec<Answer>)>,
    /// Cookies, states, codes and form tokens.
    pub(crate) secrets: BTreeSet<String>,
}

/// A request, to the letter.
pub(crate) struct Event {
    method: &'static str,
    /// Where to.
    pub(crate) to: String,
    fields: Vec<(String, String)>,
    cookies: String,
}

struct Walker<'a> {
    stack: &'a Stack,
    browser: Browser<'a>,
    /// How often each request comes.
    times: usize,
    walk: Walk,
}

/// Walks through every way there is, with each request sent so many times at once.
pub(crate) async fn walk(stack: &Stack, times: usize) -> Walk {
    stack.amazon.world().customers.push(Customer::new("bob"));
    let mut walk = Walk::default();
    for person in 0..5 {
        let mut walker = Walker { stack, browser: Browser::new(stack), times, walk };
        match person {
            0 => walker.noa_registers().await,
            1 => walker.ann_links().await,
            2 => walker.lin_switches().await,
            3 => walker.bob_gives_up().await,
            _ => walker.nora_says_no_and_comes_after_all().await,
        }
        walk = walker.walk;
        walk.secrets.extend(walker.browser.secrets());
    }
    // Paths and times that travel in the cookies are no secrets.
    walk.secrets.retain(|text| text.len() >= 18);
    walk
}

impl Walker<'_> {
    async fn noa_registers(&mut self) {
        self.come_back("noa", (303, "")).await;
        let page = self.get("/auth/amazon/register").await;
        let csrf = page.input("csrf");
        self.post("/auth/amazon/register", csrf, &[("email", "none")], (422, "invalid_fields"))
            .await;
        let fields = [("email", "noa@home.example")];
        self.post("/auth/amazon/register", csrf, &fields, (303, "")).await;
        self.get("/auth/session").await;
    }

    async fn ann_links(&mut self) {
        self.come_back("ann", (303, "")).await;
        let page = self.get("/auth/amazon/link").await;
        let csrf = page.input("csrf");
        let wrong = [("password", "not-the-one")];
        self.post("/auth/amazon/link", csrf, &wrong, (401, "wrong_password")).await;
        self.post("/auth/amazon/link/forgot", csrf, &[], (303, "")).await;
        let right = [("password", "ann-local-password")];
        self.post("/auth/amazon/link", csrf, &right, (303, "")).await;
        self.get("/auth/verify").await;
    }

    async fn lin_switches(&mut self) {
        self.come_back("lin", (303, "")).await;
        self.come_back("lin", (303, "")).await;
        let page = self.come_back("ann", (200, "ok")).await;
        self.post("/auth/amazon/switch", page.input("csrf"), &[], (303, "")).await;
        let told = self.browser.fetch("/auth/session", None).await.json();
        let csrf = told["csrf"].as_str().unwrap();
        self.post("/auth/logout", csrf, &[("return_to", "/")], (303, "")).await;
    }

    async fn bob_gives_up(&mut self) {
        self.come_back("bob", (303, "")).await;
        let page = self.get("/auth/amazon/link").await;
        self.post("/auth/amazon/link/cancel", page.input("csrf"), &[], (303, "")).await;
    }

    async fn nora_says_no_and_comes_after_all(&mut self) {
        let at_amazon = self.begin().await;
        let back = self.stack.amazon.cancel(&at_amazon).unwrap();
        let answer = self.send("GET", &back, Vec::new()).await;
        assert_eq!(ending(&answer), (303, ""));
        self.come_back("nora", (303, "")).await;
        self.get("/auth/session").await;
    }

    async fn begin(&mut self) -> String {
        let answer = self.get("/auth/amazon/login?return_to=/checkout").await;
        // Where it was pressed more than once, the cookie belongs to the answer that came last.
        let state = self.browser.cookie(LOGIN).unwrap();
        let state = state.rsplit('~').next().unwrap().split('.').next().unwrap().to_owned();
        let (_, answers) = self.walk.events.last().unwrap();
        let kept = answers.iter().find(|answer| answer.location().contains(&state));
        kept.unwrap_or(&answer).location().to_owned()
    }

    async fn come_back(&mut self, customer: &str, expected: (u16, &str)) -> Answer {
        let at_amazon = self.begin().await;
        let back = Back::of(&self.stack.amazon.allow(&at_amazon, customer).unwrap());
        let answer = self.send("GET", &back.url, Vec::new()).await;
        assert_eq!(ending(&answer), expected, "{customer}");
        answer
    }

    async fn get(&mut self, to: &str) -> Answer {
        let answer = self.send("GET", to, Vec::new()).await;
        assert!(answer.status < 400, "{to}: {}", answer.text);
        answer
    }

    async fn post(
        &mut self,
        to: &str,
        csrf: &str,
        more: &[(&str, &str)],
        expected: (u16, &str),
    ) -> Answer {
        let fields = [&[("csrf", csrf)], more].concat();
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let answer = self.send("POST", to, fields.into_iter().map(owned).collect()).await;
        assert_eq!(ending(&answer), expected, "{to}");
        answer
    }

    /// Sends a request as often as all are sent; the answer that helps most.
    async fn send(
        &mut self,
        method: &'static str,
        to: &str,
        fields: Vec<(String, String)>,
    ) -> Answer {
        let names = [LOGIN, SESSION, TICKET];
        let cookies = names.iter().filter_map(|name| Some((name, self.browser.cookie(name)?)));
        let cookies: Vec<_> = cookies.map(|(name, value)| format!("{name}={value}")).collect();
        let event = Event { method, to: to.to_owned(), fields, cookies: cookies.join("; ") };
        let answers = join_all((0..self.times).map(|_| event.send(&self.browser, self.stack)));
        let mut answers = answers.await;
        answers.sort_by_key(|answer| (answer.status, answer.header("set-cookie").is_none()));
        let best = answers[0].clone();
        self.walk.events.push((event, answers));
        best
    }
}

impl Event {
    /// Sends the request as it was, whatever cookies this browser has by now.
    pub(crate) async fn send(&self, browser: &Browser<'_>, stack: &Stack) -> Answer {
        let ask = browser.ask(self.method, &self.to).cookies(&self.cookies);
        let ask = match (self.method, self.to.contains("/callback?")) {
            ("POST", _) => {
                let fields: Vec<_> =
                    self.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
                ask.header("origin", &stack.url).form(&fields)
            }
            (_, true) => ask.header("sec-fetch-site", "cross-site"),
            _ => ask,
        };
        ask.send().await
    }
}
