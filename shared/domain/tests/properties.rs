//! What holds for every text that reaches this crate from outside, not only for those that a table
//! of examples names.

#![cfg(test)]

#[path = "properties/identity.rs"]
mod identity;
#[path = "properties/login.rs"]
mod login;
#[path = "properties/registration.rs"]
mod registration;
#[path = "properties/return_to.rs"]
mod return_to;
#[path = "properties/token.rs"]
mod token;

use std::{cell::Cell, fmt::Debug};

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};

/// So many inputs for each property.
const CASES: u32 = 1024;

/// Tries a property. A failure prints the smallest input that it was found with.
#[track_caller]
fn holds<S: Strategy>(inputs: S, property: impl Fn(S::Value))
where
    S::Value: Debug,
{
    matters(0, inputs, |input| {
        property(input);
        false
    });
}

/// The same for a property that says which inputs it mattered for: enough of them must have been
/// among those tried.
#[track_caller]
fn matters<S: Strategy>(enough: u32, inputs: S, property: impl Fn(S::Value) -> bool)
where
    S::Value: Debug,
{
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() };
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

/// What parsers trip over.
const FRAGMENTS: &[&str] = &[
    "/",
    "//",
    "\\",
    ".",
    "..",
    "./",
    "../",
    "%2e",
    "%2E",
    "%2f",
    "%2F",
    "%5c",
    "%00",
    "%0a",
    "%0d%0a",
    "%7f",
    "%20",
    "%25",
    "%252e",
    "%252f",
    "%61uth",
    "%41UTH",
    "auth",
    "AUTH",
    "aut%68",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{b}",
    "\u{7f}",
    " ",
    "?",
    "#",
    "&",
    "=",
    ";",
    ":",
    "@",
    "~",
    "*",
    "+",
    ",",
    "|",
    "^",
    "`",
    "\"",
    "'",
    "<",
    ">",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "$",
    "!",
    "%",
    "%4",
    "%zz",
    "%u002f",
    "https:",
    "http://",
    "javascript:",
    "data:",
    "evil.com",
    "@evil.com",
    "app.example.com",
    "ann:pw@",
    "xn--",
    "é",
    "%C3%A9",
    "%ff",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{202e}",
    "\u{feff}",
    "\u{ff0f}",
    "\u{ff0e}",
    "\u{3002}",
    "\u{2024}",
    "\u{212a}",
    "\u{1f600}",
    "a",
    "b",
    "home",
    "0",
    "-",
    "_",
];

/// A piece of a nasty text.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(FRAGMENTS).prop_map(str::to_owned),
        2 => "[a-z0-9]{1,5}",
        1 => any::<char>().prop_map(String::from),
        1 => any::<u8>().prop_map(|byte| format!("%{byte:02x}")),
    ]
}

/// A text that was made to be misread.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = || prop::collection::vec(fragment(), 0..10).prop_map(|pieces| pieces.concat());
    prop_oneof![
        6 => pieces().prop_map(|rest| format!("/{rest}")),
        3 => pieces(),
        1 => any::<String>(),
    ]
}

/// A text in which a few places were tampered with.
fn tampered(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), 0..3_u8, fragment());
    (text, prop::collection::vec(change, 0..4)).prop_map(|(text, changes)| {
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

/// A path of the site, mostly short enough for `return_to`.
fn path() -> impl Strategy<Value = String> {
    let plain = "([A-Za-z0-9._~!$&'()*+,;=:@-]|%(C3%A9|20|3F|25)){1,12}";
    let long = (1..300_usize).prop_map(|length| "a".repeat(length));
    let segments = prop::collection::vec(prop_oneof![9 => plain, 1 => long], 0..5);
    let query = prop::option::of("([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%26){0,20}");
    (segments, any::<bool>(), query).prop_map(|(segments, slash, query)| {
        let slash = if slash && !segments.is_empty() { "/" } else { "" };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("/{}{slash}{query}", segments.join("/"))
    })
}

/// A path that is taken.
fn return_to() -> impl Strategy<Value = domain::ReturnTo> {
    path().prop_filter_map("longer than it may be", |path| domain::ReturnTo::parse(&path))
}
