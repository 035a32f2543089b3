//! The forms of our pages, each with a visitor who is about to send it.

use local_stack::{Stack, dynamodb::Snapshot};
use serde_json::{Value, json};
use tests::{Answer, Ask, Browser, SESSION, TICKET};

/// A form of ours that does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    /// Proves an account by its password.
    Link,
    /// Goes to the page for forgotten passwords.
    Forgot,
    /// Gives linking up.
    Cancel,
    /// Opens an account.
    Register,
    /// Leaves one account for another.
    Switch,
    /// Logs out.
    LogOut,
}

/// A visitor who is about to press a button, with tokens that fit and tokens that do not.
pub(crate) struct Pressing<'a> {
    /// The button.
    pub(crate) button: Button,
    /// Their browser.
    pub(crate) browser: Browser<'a>,
    /// The token of the page that they see.
    pub(crate) csrf: String,
    /// The token of the page that they saw before.
    pub(crate) old: String,
    /// The token of somebody else's page.
    pub(crate) foreign: String,
    /// How all tables stand.
    pub(crate) rows: Snapshot,
    stack: &'a Stack,
}

impl Button {
    pub(crate) const ALL: [Self; 6] =
        [Self::Link, Self::Forgot, Self::Cancel, Self::Register, Self::Switch, Self::LogOut];

    /// Where the form goes.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Link => "/auth/amazon/link",
            Self::Forgot => "/auth/amazon/link/forgot",
            Self::Cancel => "/auth/amazon/link/cancel",
            Self::Register => "/auth/amazon/register",
            Self::Switch => "/auth/amazon/switch",
            Self::LogOut => "/auth/logout",
        }
    }

    /// What else the form holds.
    fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Link => &[("username", "ann@example.com"), ("password", "ann-local-password")],
            Self::Register => &[("email", "noa@home.example")],
            Self::LogOut => &[("return_to", "/checkout")],
            Self::Forgot | Self::Cancel | Self::Switch => &[],
        }
    }

    /// The form as browsers send it.
    pub(crate) fn form(self, csrf: Option<&str>) -> String {
        let csrf = csrf.map(|csrf| ("csrf", csrf));
        let pairs = csrf.into_iter().chain(self.fields().iter().copied());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// The form as a script sends it.
    pub(crate) fn json(self, csrf: Option<&str>) -> Value {
        let mut body = json!({});
        for (name, value) in self.fields() {
            body[*name] = (*value).into();
        }
        if let Some(csrf) = csrf {
            body["csrf"] = csrf.into();
        }
        body
    }

    /// Brings two visitors to the page with the button, one of them twice.
    pub(crate) async fn reach(self, stack: &Stack) -> Pressing<'_> {
        let (other, browser) = (Browser::new(stack), Browser::new(stack));
        if self == Self::Switch {
            stack.link("ann", "ann").await.unwrap();
            other.sign_in_at_amazon("lin", "/").await;
            browser.sign_in_at_amazon("lin", "/").await;
        }
        let foreign = self.token(&other).await;
        let old = self.token(&browser).await;
        let csrf = self.token(&browser).await;
        let rows = stack.dynamodb.snapshot().unwrap();
        Pressing { button: self, browser, csrf, old, foreign, rows, stack }
    }

    /// Opens the page with the button, and reads the token on it.
    async fn token(self, browser: &Browser<'_>) -> String {
        let customer = match self {
            Self::Register => "noa",
            Self::LogOut => {
                assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
                let told = browser.fetch("/auth/session", None).await.json();
                return told["csrf"].as_str().unwrap().to_owned();
            }
            _ => "ann",
        };
        browser.asked_after_amazon(customer, "/checkout").await.input("csrf").to_owned()
    }
}

impl Pressing<'_> {
    /// The request that the visitor's own page sends, without a body.
    pub(crate) fn ask(&self) -> Ask<'_> {
        self.browser.ask("POST", self.button.path()).header("origin", &self.stack.url)
    }

    /// Presses the button as the visitor does, in a browser that goes its own way; tables are first
    /// put back to how they stood.
    pub(crate) async fn press(&self) -> (Answer, Browser<'_>) {
        self.stack.dynamodb.restore(&self.rows).unwrap();
        let browser = self.browser.copy();
        let form = self.button.form(Some(&self.csrf));
        let ask = browser.ask("POST", self.button.path()).header("origin", &self.stack.url);
        let answer = ask.body("application/x-www-form-urlencoded", form).send().await;
        (answer, browser)
    }

    /// Makes sure that nothing was done and the visitor can still press the button.
    pub(crate) async fn is_untouched(&self) {
        let changed = self.stack.dynamodb.snapshot().unwrap() != self.rows;
        assert!(!changed, "{:?}: a row has changed", self.button);
        let (answer, browser) = self.press().await;
        assert_eq!(answer.status, 303, "{:?}: {}", self.button, answer.text);
        self.has_worked(&answer, &browser).await;
    }

    /// Makes sure that the button has done what it is for.
    pub(crate) async fn has_worked(&self, answer: &Answer, browser: &Browser<'_>) {
        let signed_in = browser.account().await;
        let ticket = browser.cookie(TICKET).is_some();
        let done = match self.button {
            Button::Link | Button::Switch => signed_in.as_deref() == Some("ann") && !ticket,
            Button::Register => signed_in.is_some() && !ticket,
            Button::LogOut => signed_in.is_none() && browser.cookie(SESSION).is_none(),
            Button::Cancel => signed_in.is_none() && !ticket,
            Button::Forgot => answer.location().ends_with("/reset-password") && ticket,
        };
        assert!(done, "{:?}: {} {signed_in:?}", self.button, answer.status);
    }
}
