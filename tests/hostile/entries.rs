//! The ways in that a customer of Amazon's has: the website, an app's hand-off, a television.

use std::cell::Cell;

use local_stack::{Options, Stack, Timestamp, amazon::APP_CLIENT_ID, dynamodb::Snapshot};
use serde_json::{Value, json};
use tests::{Answer, Browser};

use crate::{
    NOON,
    endings::{LINK, TOKEN},
};

const DEVICE: &str = "/auth/amazon/device";
const POLL: &str = "/auth/amazon/device/poll";

/// A site that is as it was seeded as often as somebody wants, and whose clock only goes on.
pub(crate) struct Site {
    pub(crate) stack: Stack,
    seed: Snapshot,
    now: Cell<i64>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Website,
    App,
    Television,
}

/// What comes of it at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// They are in this account.
    In(String),
    /// They are asked for a password.
    Asked,
    /// They are told this.
    Told(u16, String),
}

/// Somebody who came by one of them.
pub(crate) struct Visit<'a> {
    pub(crate) came: Came,
    pub(crate) browser: Browser<'a>,
    entry: Entry,
    customer: &'static str,
    /// What they hold: the session's token, the page's token, an app's ticket, a television's handle.
    holds: String,
}

impl Entry {
    pub(crate) const ALL: [Self; 3] = [Self::Website, Self::App, Self::Television];
}

impl Site {
    pub(crate) async fn open() -> Self {
        let options = Options { stopped_at: Some(NOON), ..Options::default() };
        let stack = options.start().await.unwrap();
        let seed = stack.dynamodb.snapshot().unwrap();
        Self { stack, seed, now: Cell::new(NOON.0) }
    }

    /// The site once more as if nobody had been there yet.
    pub(crate) fn anew(&self) -> &Stack {
        self.stack.dynamodb.restore(&self.seed).unwrap();
        self.stack.amazon.reset();
        self.later(3600);
        &self.stack
    }

    /// Time goes by.
    pub(crate) fn later(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
        self.stack.set_clock(Timestamp(self.now.get())).unwrap();
    }

    /// Somebody comes, and allows everything at Amazon.
    pub(crate) async fn come(&self, entry: Entry, customer: &'static str) -> Visit<'_> {
        let browser = Browser::new(&self.stack);
        let (came, holds) = match entry {
            Entry::Website => by_website(&browser, customer).await,
            Entry::App => {
                let scope = "profile postal_code";
                let token = self.stack.amazon.token(customer, APP_CLIENT_ID, scope);
                told(&post(&browser, TOKEN, &json!({ "access_token": token })).await)
            }
            Entry::Television => {
                let begun = post(&browser, DEVICE, &json!({})).await.json();
                let [handle, code] =
                    ["device_code", "user_code"].map(|name| begun[name].as_str().unwrap());
                assert!(self.stack.amazon.allow_code(code, customer));
                let (came, token) = self.poll(&browser, handle).await;
                let holds = if matches!(came, Came::In(_)) { token } else { handle.to_owned() };
                (came, holds)
            }
        };
        Visit { came, browser, entry, customer, holds }
    }

    /// A television asks once more.
    async fn poll(&self, browser: &Browser<'_>, handle: &str) -> (Came, String) {
        self.later(60);
        told(&post(browser, POLL, &json!({ "device_code": handle })).await)
    }

    /// Whoever was asked gives this password, where they are asked for it: for a television, on a
    /// telephone. Whose account they are in then, or why not.
    pub(crate) async fn prove(
        &self,
        visit: &Visit<'_>,
        password: &str,
    ) -> Result<String, (u16, String)> {
        let browser = &visit.browser;
        match visit.entry {
            Entry::Website => {
                let fields = [("csrf", visit.holds.as_str()), ("password", password)];
                linked(&browser.post(LINK, &fields).await)?;
                Ok(browser.account().await.unwrap())
            }
            Entry::App => {
                let body = json!({ "ticket": visit.holds, "password": password });
                match told(&post(browser, LINK, &body).await).0 {
                    Came::In(account) => Ok(account),
                    Came::Told(status, code) => Err((status, code)),
                    Came::Asked => panic!("asked once more"),
                }
            }
            Entry::Television => {
                let telephone = Browser::new(&self.stack);
                let page = telephone.asked_after_amazon(visit.customer, "/").await;
                linked(&telephone.prove(&page, password).await)?;
                match self.poll(browser, &visit.holds).await.0 {
                    Came::In(account) => Ok(account),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    /// A newcomer, who may have to go on elsewhere: the account that was opened.
    pub(crate) async fn newcomer(&self, entry: Entry, customer: &'static str) -> String {
        let visit = self.come(entry, customer).await;
        match visit.came {
            Came::In(account) => account,
            Came::Told(200, _) => {
                let telephone = Browser::new(&self.stack);
                assert_eq!(telephone.sign_in_at_amazon(customer, "/").await.status, 303);
                match self.poll(&visit.browser, &visit.holds).await.0 {
                    Came::In(account) => account,
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{entry:?}: {other:?}"),
        }
    }
}

impl Visit<'_> {
    /// Whose session they have by now.
    pub(crate) async fn account(&self) -> Option<String> {
        if self.entry == Entry::Website {
            return self.browser.account().await;
        }
        let bearer = format!("Bearer {}", self.holds);
        let ask = self.browser.ask("GET", "/auth/session").header("authorization", &bearer);
        let told = ask.send().await.json();
        told["account"]["id"].as_str().map(str::to_owned)
    }
}

async fn by_website(browser: &Browser<'_>, customer: &str) -> (Came, String) {
    let answer = browser.sign_in_at_amazon(customer, "/checkout").await;
    if answer.status != 303 {
        return (Came::Told(answer.status, answer.code().to_owned()), String::new());
    }
    if !answer.location().ends_with(LINK) {
        return (Came::In(browser.account().await.unwrap()), String::new());
    }
    let page = browser.land(answer).await;
    (Came::Asked, page.input("csrf").to_owned())
}

/// As an app or a television sends it.
async fn post(browser: &Browser<'_>, to: &str, body: &Value) -> Answer {
    let ask = browser.ask("POST", to).header("accept", "application/json");
    ask.body("application/json", body.to_string()).send().await
}

/// What an app or a television is told, and what it holds then.
fn told(answer: &Answer) -> (Came, String) {
    let told = answer.json();
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    match text("status").as_str() {
        "signed_in" => {
            let account = told["account"]["id"].as_str().unwrap().to_owned();
            (Came::In(account), text("session_token"))
        }
        "link_required" => (Came::Asked, text("ticket")),
        "" => (Came::Told(answer.status, text("code") + &text("error")), String::new()),
        other => (Came::Told(answer.status, other.to_owned()), String::new()),
    }
}

fn linked(answer: &Answer) -> Result<(), (u16, String)> {
    match answer.status {
        303 => Ok(()),
        status => Err((status, answer.code().to_owned())),
    }
}
