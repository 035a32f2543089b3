//! What Amazon sends a visitor back with, taken apart; and whether anything came of it.

use local_stack::{Stack, dynamodb::Snapshot};
use tests::{Answer, Browser};

/// A sign-in that a customer has agreed to, on its way back to the site.
pub(crate) struct Back {
    /// The whole URL.
    pub(crate) url: String,
    /// Amazon's code.
    pub(crate) code: String,
    /// Our state.
    pub(crate) state: String,
}

/// How everything stands, to see later that nothing was touched.
pub(crate) struct Untouched<'a> {
    stack: &'a Stack,
    rows: Snapshot,
    calls: usize,
}

impl Back {
    /// Begins a sign-in in this browser, and agrees to it as this customer.
    pub(crate) async fn begin(browser: &Browser<'_>, stack: &Stack, customer: &str) -> Self {
        let at_amazon = browser.begin("/checkout").await;
        Self::of(&stack.amazon.allow(&at_amazon, customer).unwrap())
    }

    /// Reads the URL that Amazon sends a visitor back to.
    pub(crate) fn of(url: &str) -> Self {
        let [code, state] = ["code", "state"].map(|name| parameter(url, name).unwrap());
        Self { url: url.to_owned(), code, state }
    }

    /// The callback with another query, to the letter.
    pub(crate) fn with(&self, query: &str) -> String {
        format!("{}?{query}", self.url.split('?').next().unwrap())
    }
}

impl<'a> Untouched<'a> {
    /// How everything stands now.
    pub(crate) fn now(stack: &'a Stack) -> Self {
        let (rows, calls) = (stack.dynamodb.snapshot().unwrap(), stack.amazon.calls().len());
        Self { stack, rows, calls }
    }

    /// Makes sure that no row has changed and Amazon was asked nothing.
    pub(crate) fn check(&self, what: &str) {
        assert_eq!(self.stack.amazon.calls().len(), self.calls, "Amazon was asked: {what}");
        assert!(self.stack.dynamodb.snapshot().unwrap() == self.rows, "a row has changed: {what}");
    }
}

/// A parameter of a URL.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The status and the code of an answer's page.
pub(crate) fn ending(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.code())
}
