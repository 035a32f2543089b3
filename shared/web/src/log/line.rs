//! A line under way: an object of JSON, in the order in which its members come.

use std::io::{self, Write as _};

use serde::Serialize;

use super::at_hand;

/// A line under way: the name of each member, and its value as JSON.
pub(super) struct Line(Vec<(&'static str, String)>);

impl Line {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(16))
    }

    /// Adds a member, or says otherwise what it is.
    pub(super) fn put(&mut self, name: &'static str, value: impl Serialize) {
        // Ours are texts, numbers and lists of them, none of which fails.
        let value = serde_json::to_string(&value).unwrap_or_default();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(member) => member.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// All of it. A name of ours needs no escape.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(1024);
        for (name, value) in &self.0 {
            let before = if text.is_empty() { "{\"" } else { ",\"" };
            text.extend([before, name, "\":", value]);
        }
        text + "}"
    }

    /// Writes it, unless nothing is to be written.
    pub(super) fn print(&self) {
        let text = self.text() + "\n";
        let text = if at_hand::is_silent() { "" } else { &text };
        // A log that takes nothing is no reason to fail a request.
        let _ = io::stdout().write_all(text.as_bytes());
    }
}
