//! A line under way: an object of JSON, in the order in which its members come.

use serde::Serialize;

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

    /// Writes it.
    #[expect(clippy::print_stdout, reason = "Lambda's log is the standard output")]
    pub(super) fn print(&self) {
        println!("{}", self.text());
    }
}
