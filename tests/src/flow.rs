use std::collections::BTreeSet;

use local_stack::Stack;
use serde_json::{Value, json};

use crate::{Answer, Browser, SESSION, TICKET, Tables};

/// Something that a visitor does, with one request of theirs that matters: every way through every
/// function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Goes to Amazon.
    Begin,
    /// Comes back as a customer who was linked before.
    Known,
    /// The same while signed in already.
    KnownAgain,
    /// Comes back as a newcomer.
    Newcomer,
    /// The same with an address that is spelled in capitals.
    NewcomerInCapitals,
    /// Comes back with an address that an account has.
    SameEmail,
    /// Comes back with an address whose account is disabled.
    Disabled,
    /// Comes back with an address whose account has no password.
    NoPassword,
    /// Comes back without an address.
    Incomplete,
    /// Comes back over a link that must be proven once more.
    ProveAgain,
    /// Comes back and has said no at Amazon.
    SaysNo,
    /// Loads the callback once more after it has let them in.
    Reload,
    /// Comes back as somebody else than they are signed in as.
    SomebodyElse,
    /// Says yes to leaving one account for the other.
    Switch,
    /// Opens the link page.
    LinkPage,
    /// Sends the right password.
    RightPassword,
    /// Sends the right password, while signed in as somebody else.
    RightPasswordSignedIn,
    /// Sends a wrong password.
    WrongPassword,
    /// Sends the form again that has linked them.
    SecondClick,
    /// Proves a link once more.
    ProvenAgain,
    /// Has forgotten the password.
    Forgot,
    /// Would rather not link.
    Cancel,
    /// Opens the registration page.
    RegisterPage,
    /// Registers.
    Register,
    /// Registers with an address that an account has.
    RegisterTaken,
    /// Asks who is signed in.
    Session,
    /// Asks that after a while, so that the use of the session is noted.
    SessionNoted,
    /// Is asked about by a proxy.
    Verify,
    /// Logs out.
    LogOut,
    /// Has signed in at the shop's own desk, and brings the code.
    Accept,
    /// Gives the password once more.
    Reauthenticate,
    /// Is signed in, and comes back from Amazon to link.
    Attach,
    /// Removes the link.
    Unlink,
    /// Ends all other sessions.
    Revoke,
    /// Undoes a link from the notice about it.
    Undo,
}

/// A visitor who has come to the point of a [`Flow`], over and over again.
pub struct Scene<'a> {
    /// What they are about to do.
    pub flow: Flow,
    /// Their browser.
    pub browser: Browser<'a>,
    stack: &'a Stack,
    /// Where at Amazon they are.
    at_amazon: String,
    /// Where they came back to, once they have.
    back: String,
    csrf: String,
    /// A code, or a token from a notice.
    code: String,
}

/// What matters of how everything stands: what was done, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whom the browser is signed in as, by the account's address.
    pub signed_in: Option<String>,
    /// Amazon's ids, each with the address of the account that it leads to.
    pub links: BTreeSet<(String, String)>,
    /// How many accounts there are.
    pub accounts: usize,
}

impl Flow {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::Begin,
        Self::Known,
        Self::KnownAgain,
        Self::Newcomer,
        Self::NewcomerInCapitals,
        Self::SameEmail,
        Self::Disabled,
        Self::NoPassword,
        Self::Incomplete,
        Self::ProveAgain,
        Self::SaysNo,
        Self::Reload,
        Self::SomebodyElse,
        Self::Switch,
        Self::LinkPage,
        Self::RightPassword,
        Self::RightPasswordSignedIn,
        Self::WrongPassword,
        Self::SecondClick,
        Self::ProvenAgain,
        Self::Forgot,
        Self::Cancel,
        Self::RegisterPage,
        Self::Register,
        Self::RegisterTaken,
        Self::Session,
        Self::SessionNoted,
        Self::Verify,
        Self::LogOut,
        Self::Accept,
        Self::Reauthenticate,
        Self::Attach,
        Self::Unlink,
        Self::Revoke,
        Self::Undo,
    ];

    /// Whose request it is that matters.
    pub fn function(self) -> &'static str {
        match self {
            Self::Begin => "login",
            Self::Switch => "callback",
            Self::Session | Self::SessionNoted | Self::Verify => "session",
            Self::LogOut => "logout",
            Self::LinkPage
            | Self::RightPassword
            | Self::RightPasswordSignedIn
            | Self::WrongPassword
            | Self::SecondClick
            | Self::ProvenAgain
            | Self::Forgot
            | Self::Cancel => "link",
            Self::RegisterPage | Self::Register | Self::RegisterTaken => "register",
            Self::Accept => "accept",
            Self::Reauthenticate => "reauthenticate",
            Self::Unlink | Self::Revoke | Self::Undo => "connections",
            _ => "callback",
        }
    }

    /// How the request ends when nothing goes wrong: its status, and the code of its page.
    pub fn ending(self) -> (u16, &'static str) {
        match self {
            Self::Disabled => (403, "account_closed"),
            Self::NoPassword => (403, "no_password"),
            Self::WrongPassword => (401, "wrong_password"),
            Self::SomebodyElse | Self::LinkPage | Self::RegisterPage | Self::Undo => (200, "ok"),
            Self::Session | Self::SessionNoted | Self::Verify => (200, ""),
            _ => (303, ""),
        }
    }

    /// The customer at Amazon.
    fn customer(self) -> &'static str {
        match self {
            Self::Newcomer
            | Self::NewcomerInCapitals
            | Self::Disabled
            | Self::NoPassword
            | Self::Attach => "nora",
            Self::SameEmail
            | Self::SomebodyElse
            | Self::Switch
            | Self::LinkPage
            | Self::RightPassword
            | Self::RightPasswordSignedIn
            | Self::WrongPassword
            | Self::SecondClick
            | Self::Forgot
            | Self::Cancel => "ann",
            Self::Incomplete | Self::RegisterPage | Self::Register | Self::RegisterTaken => "noa",
            _ => "lin",
        }
    }

    /// Brings a visitor of a freshly seeded stack to the point.
    ///
    /// # Panics
    ///
    /// Where something on the way there does not go as it should.
    pub async fn prepare(self, stack: &Stack) -> Scene<'_> {
        let address = match self {
            Self::NewcomerInCapitals => "Nora@Example.com",
            Self::Disabled => "dora@example.com",
            Self::NoPassword => "otto@example.com",
            _ => "nora@example.com",
        };
        stack.amazon.change("nora", |nora| nora.email = Some(address.to_owned()));
        let browser = Browser::new(stack);
        let [at_amazon, back, csrf, code] = [const { String::new() }; 4];
        let mut scene = Scene { flow: self, browser, stack, at_amazon, back, csrf, code };
        scene.arrive().await;
        scene
    }
}

impl<'a> Scene<'a> {
    async fn arrive(&mut self) {
        let (flow, stack) = (self.flow, self.stack);
        match flow {
            Flow::Begin => {}
            Flow::ProveAgain | Flow::ProvenAgain => {
                let lin = format!("AMAZON#{}", self.amazon_id("lin"));
                stack.dynamodb.set("identities", &[("pk", &lin)], "prove_again", true).unwrap();
            }
            Flow::KnownAgain
            | Flow::Reload
            | Flow::RightPasswordSignedIn
            | Flow::Session
            | Flow::SessionNoted
            | Flow::Verify
            | Flow::LogOut => {
                self.browser.sign_in_at_amazon("lin", "/").await;
            }
            Flow::Reauthenticate | Flow::Revoke => {
                Browser::new(stack).sign_in_at_amazon("lin", "/").await;
                self.browser.sign_in_at_amazon("lin", "/").await;
            }
            Flow::Accept => self.code = self.local_sign_in("bob").await,
            Flow::Attach | Flow::Unlink => {
                let account = if flow == Flow::Unlink { "lin" } else { "bob" };
                Browser::new(stack).sign_in_at_amazon("lin", "/").await;
                self.sign_in_locally(account).await;
            }
            Flow::Undo => {
                let page = self.browser.asked_after_amazon("ann", "/").await;
                assert_eq!(self.browser.prove(&page, "ann-local-password").await.status, 303);
                assert!(stack.deliver_notices().await.is_some());
                let told = stack.queue.messages();
                let url = told.iter().rev().find_map(|one| one["undo_url"].as_str()).unwrap();
                self.code = self.browser.get(url).await.input("token").to_owned();
            }
            Flow::SomebodyElse | Flow::Switch => {
                stack.link("ann", "ann").await.unwrap();
                self.browser.sign_in_at_amazon("lin", "/").await;
            }
            _ => {}
        }
        match flow {
            Flow::LinkPage
            | Flow::RightPassword
            | Flow::RightPasswordSignedIn
            | Flow::WrongPassword
            | Flow::SecondClick
            | Flow::ProvenAgain
            | Flow::Forgot
            | Flow::Cancel
            | Flow::RegisterPage
            | Flow::Register
            | Flow::RegisterTaken
            | Flow::Switch => {
                let page = self.browser.asked_after_amazon(flow.customer(), "/checkout").await;
                self.csrf = page.input("csrf").to_owned();
                if flow == Flow::SecondClick {
                    // It was sent before the first answer took the ticket's cookie away.
                    let ticket = self.browser.cookie(TICKET).unwrap();
                    assert_eq!(self.browser.prove(&page, "ann-local-password").await.status, 303);
                    self.browser.keep_cookie(TICKET, &ticket);
                }
            }
            Flow::LogOut | Flow::Reauthenticate | Flow::Unlink | Flow::Revoke => {
                let told = self.browser.fetch("/auth/session", None).await.json();
                self.csrf = told["csrf"].as_str().unwrap().to_owned();
            }
            Flow::SessionNoted => self.age(400),
            Flow::Attach => self.press_link().await,
            Flow::Session | Flow::Verify | Flow::Begin | Flow::Accept | Flow::Undo => {}
            _ => self.at_amazon = self.browser.begin("/checkout").await,
        }
        if flow == Flow::Reload {
            self.back = stack.amazon.allow(&self.at_amazon, "lin").unwrap();
            assert_eq!(self.browser.come_back(&self.back).await.status, 303);
        }
    }

    /// The same visitor at the same point, in a browser that goes its own way from here.
    pub fn copy(&self) -> Self {
        Self {
            flow: self.flow,
            browser: self.browser.copy(),
            stack: self.stack,
            at_amazon: self.at_amazon.clone(),
            back: self.back.clone(),
            csrf: self.csrf.clone(),
            code: self.code.clone(),
        }
    }

    /// The code of somebody who has just signed in at the shop's own desk.
    async fn local_sign_in(&self, account: &str) -> String {
        let at = self.stack.now().rfc3339();
        let event =
            json!({ "type": "signed_in", "account_id": account, "at": at, "how": "password" });
        let told = self.stack.invoke("lifecycle", event.to_string()).await.unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        told["code"].as_str().unwrap().to_owned()
    }

    /// Signs in at the shop's own desk.
    async fn sign_in_locally(&self, account: &str) {
        let code = self.local_sign_in(account).await;
        let accepted = self.browser.post("/auth/session/accept", &[("code", &code)]).await;
        assert_eq!(accepted.status, 303, "{}", accepted.text);
    }

    /// Presses "Connect Amazon" on the page of connections.
    async fn press_link(&mut self) {
        let told = self.browser.fetch("/auth/session", None).await.json();
        let csrf = told["csrf"].as_str().unwrap_or_default();
        let answer = self.browser.post("/auth/connections/amazon/link", &[("csrf", csrf)]).await;
        self.at_amazon = answer.header("location").unwrap_or_default().to_owned();
    }

    /// Does it once more, as somebody who is signed in, or was: the answer may have been lost that had
    /// the new cookie.
    async fn act_again_signed_in(&mut self) -> Answer {
        let answer = match self.flow {
            Flow::Accept => {
                self.code = self.local_sign_in("bob").await;
                return self.act().await;
            }
            Flow::Attach => {
                self.press_link().await;
                match self.at_amazon.is_empty() {
                    true => self.browser.fetch("/auth/session", None).await,
                    false => self.act().await,
                }
            }
            _ => self.act().await,
        };
        if !matches!(answer.status, 401 | 403) {
            return answer;
        }
        match self.flow {
            Flow::Reauthenticate | Flow::Revoke => {
                self.browser.sign_in_at_amazon("lin", "/").await;
            }
            Flow::Unlink => self.sign_in_locally("lin").await,
            _ => self.sign_in_locally("bob").await,
        }
        if self.flow == Flow::Attach {
            self.press_link().await;
            if self.at_amazon.is_empty() {
                // The first try has linked them.
                return self.browser.get("/auth/connections").await;
            }
        } else {
            let told = self.browser.fetch("/auth/session", None).await.json();
            self.csrf = told["csrf"].as_str().unwrap_or_default().to_owned();
        }
        self.act().await
    }

    /// Does it.
    pub async fn act(&self) -> Answer {
        self.act_with(&self.browser).await
    }

    /// Does it with this copy of the browser.
    pub async fn act_with(&self, browser: &Browser<'_>) -> Answer {
        let form = |more: &[(&'static str, &'static str)]| {
            let csrf = [("csrf", self.csrf.clone())].into_iter();
            let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
            csrf.chain(more).collect::<Vec<_>>()
        };
        let (to, fields) = match self.flow {
            Flow::Begin => return browser.get("/auth/amazon/login?return_to=/checkout").await,
            Flow::LinkPage => return browser.get("/auth/amazon/link").await,
            Flow::RegisterPage => return browser.get("/auth/amazon/register").await,
            Flow::Session | Flow::SessionNoted => {
                return browser.fetch("/auth/session", None).await;
            }
            Flow::Verify => return browser.fetch("/auth/verify", None).await,
            Flow::Reload => return browser.come_back(&self.back).await,
            Flow::SaysNo => {
                let back = self.stack.amazon.cancel(&self.at_amazon).unwrap();
                return browser.come_back(&back).await;
            }
            Flow::RightPassword | Flow::RightPasswordSignedIn | Flow::SecondClick => {
                ("/auth/amazon/link", form(&[("password", "ann-local-password")]))
            }
            Flow::ProvenAgain => ("/auth/amazon/link", form(&[("password", "lin-local-password")])),
            Flow::WrongPassword => ("/auth/amazon/link", form(&[("password", "not-the-one")])),
            Flow::Forgot => ("/auth/amazon/link/forgot", form(&[])),
            Flow::Cancel => ("/auth/amazon/link/cancel", form(&[])),
            Flow::Switch => ("/auth/amazon/switch", form(&[])),
            Flow::Register => ("/auth/amazon/register", form(&[("email", "noa@home.example")])),
            Flow::RegisterTaken => ("/auth/amazon/register", form(&[("email", "bob@example.com")])),
            Flow::LogOut => ("/auth/logout", form(&[("return_to", "/")])),
            Flow::Accept => {
                let fields = [("code", self.code.as_str()), ("return_to", "/checkout")];
                return browser.post("/auth/session/accept", &fields).await;
            }
            Flow::Reauthenticate => {
                ("/auth/reauthenticate", form(&[("password", "lin-local-password")]))
            }
            Flow::Unlink => ("/auth/connections/amazon/unlink", form(&[])),
            Flow::Revoke => ("/auth/connections/sessions/revoke", form(&[("all_others", "true")])),
            Flow::Undo => {
                let fields = [("token", self.code.as_str())];
                return browser.post("/auth/connections/undo", &fields).await;
            }
            _ => return browser.allow(&self.at_amazon, self.flow.customer()).await,
        };
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(to, &fields).await
    }

    /// Does it once more, as a visitor who was told to try again: the same form; from the start
    /// where the answer was that it is over.
    pub async fn act_again(&mut self) -> Answer {
        if matches!(
            self.flow,
            Flow::Accept | Flow::Reauthenticate | Flow::Attach | Flow::Unlink | Flow::Revoke
        ) {
            return self.act_again_signed_in().await;
        }
        if self.flow == Flow::Undo {
            return self.act().await;
        }
        let comes_back = self.at_amazon.is_empty() || self.flow == Flow::Reload;
        if comes_back {
            let answer = self.act().await;
            if !matches!(answer.status, 400 | 410) {
                return answer;
            }
        }
        self.start_over().await
    }

    /// Presses "Login with Amazon", and does what they came for.
    async fn start_over(&mut self) -> Answer {
        let flow = self.flow;
        self.at_amazon = self.browser.begin("/checkout").await;
        let answer = match flow {
            Flow::SaysNo => {
                let back = self.stack.amazon.cancel(&self.at_amazon).unwrap();
                self.browser.come_back(&back).await
            }
            _ => self.browser.allow(&self.at_amazon, flow.customer()).await,
        };
        let asks = matches!(
            flow,
            Flow::LinkPage
                | Flow::RightPassword
                | Flow::RightPasswordSignedIn
                | Flow::WrongPassword
                | Flow::ProvenAgain
                | Flow::Forgot
                | Flow::Cancel
                | Flow::RegisterPage
                | Flow::Register
                | Flow::RegisterTaken
                | Flow::Switch
        );
        let page = match (asks, answer.status) {
            (true, 200) => answer,
            (true, 303) => self.browser.land(answer).await,
            _ => return answer,
        };
        if !page.text.contains("name=\"csrf\"") || page.code() != "ok" {
            // The first try has done its work: they are in, or the address is taken by now.
            return page;
        }
        self.csrf = page.input("csrf").to_owned();
        self.act().await
    }

    /// How everything stands.
    pub async fn standing(&self) -> Standing {
        let signed_in = self.browser.account().await;
        let tables = Tables::of(self.stack);
        let address = |id: &str| {
            let row = tables.account(id).map(|row| row["email"]["S"].as_str().unwrap_or("-"));
            row.unwrap_or("(gone)").to_owned()
        };
        let links = tables.linked().into_iter().map(|(from, to)| (from.to_owned(), address(to)));
        Standing {
            signed_in: signed_in.as_deref().map(address),
            links: links.collect(),
            accounts: self.stack.dynamodb.scan("accounts").unwrap().len(),
        }
    }

    /// Lets the session be unused for so many seconds.
    pub fn age(&self, seconds: i64) {
        for row in self.stack.dynamodb.scan("sessions").unwrap() {
            let text = |name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
            let seen = row["last_seen"]["N"].as_str().and_then(|seen| seen.parse::<i64>().ok());
            let (pk, sk) = (text("pk"), text("sk"));
            let key = [("pk", pk.as_str()), ("sk", sk.as_str())];
            let Some(seen) = seen else { continue };
            self.stack.dynamodb.set("sessions", &key, "last_seen", seen - seconds).unwrap();
        }
    }

    fn amazon_id(&self, customer: &str) -> String {
        self.stack.amazon.user_id(customer, local_stack::amazon::SHOP_CLIENT_ID)
    }

    /// Whether a browser that kept a copy of the session's cookie could still use it.
    pub async fn copied_session_lives(&self, before: &Self) -> bool {
        let Some(cookie) = before.browser.cookie(SESSION) else { return false };
        let other = Browser::new(self.stack);
        other.keep_cookie(SESSION, &cookie);
        other.account().await.is_some()
    }
}
