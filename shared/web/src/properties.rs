//! What holds for everything that callers, operators and other people's names could contain.

mod address;
mod event;
mod form;
mod header;
mod language;
mod page;
mod request;
mod setting;

use std::{cell::Cell, fmt::Debug};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::{Request, Settings, Site};

/// Tries a property. A failure prints the smallest input that it was found with.
#[track_caller]
fn holds<S: Strategy>(cases: u32, inputs: S, property: impl Fn(S::Value))
where
    S::Value: Debug,
{
    matters(cases, 0, inputs, |input| {
        property(input);
        false
    });
}

/// The same for a property that says which inputs it mattered for: enough of them must have been
/// among those tried.
#[track_caller]
fn matters<S: Strategy>(cases: u32, enough: u32, inputs: S, property: impl Fn(S::Value) -> bool)
where
    S::Value: Debug,
{
    let config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
    let mattered = Cell::new(0);
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        mattered.set(mattered.get() + u32::from(property(input)));
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert!(mattered.get() >= enough, "only {} inputs mattered", mattered.get());
}

/// What parsers and pages trip over.
const FRAGMENTS: &[&str] = &[
    "\"",
    "'",
    "<",
    ">",
    "&",
    "/",
    "\\",
    "=",
    "`",
    ";",
    ",",
    "%",
    "+",
    "#",
    "?",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\0",
    "\t",
    "\r",
    "\n",
    "\r\n",
    " ",
    "\u{b}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{ad}",
    "\u{200b}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\u{fffd}",
    "\u{ff1c}",
    "\u{10ffff}",
    "é",
    "Ж",
    "🎉",
    "<script>",
    "</title>",
    "</style>",
    "</textarea>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "\" onload=\"x",
    "' x='",
    "javascript:x",
    "data:x",
    "//evil.com",
    "&quot;",
    "&#60;",
    "&lt",
    "%3C",
    "%00",
    "%0d%0a",
    "%ff",
    "\\u003c",
    "{{ x }}",
    "CANARY",
    "null",
    "true",
    "a",
    "Ann",
    "0",
    "-",
    "_",
    ".",
    "csrf",
    "password",
];

/// A text that was made to be misread.
fn nasty() -> impl Strategy<Value = String> {
    let fragment = prop_oneof![
        8 => select(FRAGMENTS).prop_map(str::to_owned),
        1 => "[a-z]{1,5}",
        1 => any::<char>().prop_map(String::from),
    ];
    let pieces = prop::collection::vec(fragment, 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![8 => pieces, 1 => any::<String>()]
}

/// A text in which a few characters were exchanged, lost or doubled.
fn tampered(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), 0..3_u8, select(FRAGMENTS));
    (text, prop::collection::vec(change, 0..3)).prop_map(|(text, changes)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, kind, piece) in changes {
            let at = at.index(chars.len() + 1);
            match kind {
                0 if at < chars.len() => drop(chars.remove(at)),
                1 if at < chars.len() => chars.insert(at, chars[at]),
                _ => drop(chars.splice(at..at, piece.chars())),
            }
        }
        chars.into_iter().collect()
    })
}

/// Percent-encodes the characters of a text whose turn it is.
fn encoded(text: &str, turns: u64) -> String {
    let encode = |(at, c): (usize, char)| {
        let plain = c.is_ascii_alphanumeric() && turns >> (at % 64) & 1 == 0;
        let bytes = c.to_string().into_bytes();
        match plain {
            true => c.to_string(),
            false => bytes.iter().map(|byte| format!("%{byte:02x}")).collect(),
        }
    };
    text.chars().enumerate().map(encode).collect()
}

/// What is asked, as the gateway tells it; all else is as in an ordinary request.
#[derive(Clone, Debug, Default)]
struct Asked {
    query: String,
    headers: Vec<(&'static str, String)>,
    cookies: Vec<String>,
    body: String,
    base64: bool,
}

impl Asked {
    fn event(&self) -> Value {
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: std::collections::BTreeMap<&str, &str> = headers.collect();
        json!({
            "version": "2.0",
            "rawPath": "/auth/amazon/link",
            "rawQueryString": self.query,
            "cookies": self.cookies,
            "headers": headers,
            "requestContext": { "http": { "method": "POST" }, "requestId": "id" },
            "body": self.body,
            "isBase64Encoded": self.base64,
        })
    }

    fn request(&self) -> Request {
        Request::read(serde_json::from_value(self.event()).unwrap())
    }
}

fn site_with(pairs: &[(&str, &str)]) -> Site {
    let settings = [("PUBLIC_URL", "https://shop.example"), ("SIGN_IN_PATH", "/sign-in")];
    let pairs = settings.iter().chain(pairs);
    let settings: Settings =
        pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Site::new(&settings).unwrap()
}
