//! What a survey found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{addresses::Shared, figures::Figures, table::Shape};
use crate::arguments::Surveying;

/// A survey, ended.
pub(crate) struct Report<'a> {
    pub(crate) surveying: &'a Surveying,
    pub(crate) shape: Shape,
    pub(crate) figures: Figures,
    pub(crate) shared: Shared,
}

impl Report<'_> {
    /// Whether the functions would find every account that can be found.
    pub(crate) fn is_ready(&self) -> bool {
        self.shape.index.is_none() && self.left() == 0
    }

    /// Accounts with a usable address that nobody else has.
    fn matching(&self) -> u64 {
        self.figures.usable_address - self.shared.accounts
    }

    /// Accounts that still need the lowercased attribute.
    fn left(&self) -> u64 {
        self.figures.need_email_key - self.figures.written
    }

    pub(crate) fn human(&self) -> String {
        let Self { figures, shared, .. } = self;
        let mut text = String::new();
        let mut line = |count: u64, what: &str| {
            let _ = writeln!(text, "{:>14}  {what}", grouped(count));
        };
        line(figures.accounts, "accounts");
        line(self.matching(), "would match by e-mail: a usable address that no other account has");
        line(
            shared.accounts,
            &format!(
                "share {} addresses, capitals aside: nobody signs in to these by e-mail until they are merged",
                grouped(shared.addresses)
            ),
        );
        line(
            shared.look_alikes,
            "have an address that looks like another account's (Unicode; told apart here, perhaps not by your database)",
        );
        line(
            figures.unusable_address,
            "have an address that no visitor's can equal (not ASCII, spaces, no @)",
        );
        line(figures.no_address, "have none");
        line(figures.mixed_case, "spell it with capitals");
        line(
            self.left(),
            "need the lowercased attribute, or are not found in every spelling (--write-email-key)",
        );
        if figures.improper_id > 0 {
            line(figures.improper_id, "have an id that is no text of 1 to 256 bytes");
        }
        if self.surveying.email_key {
            line(
                figures.written,
                if self.surveying.yes {
                    "were given it now"
                } else {
                    "were given it: this was a dry run, --yes writes"
                },
            );
            line(
                figures.changed_meanwhile,
                "were changed meanwhile, and left alone: run this again",
            );
        }
        let _ = writeln!(text, "\nPasswords");
        let mut line = |count: u64, what: &str| {
            let _ = writeln!(text, "{:>14}  {what}", grouped(count));
        };
        line(figures.no_password, "none");
        figures.passwords.iter().for_each(|(what, count)| line(*count, what));
        for (what, count) in &figures.unsupported_passwords {
            line(*count, &format!("not supported: {what}"));
        }
        let _ = writeln!(text, "\nStatus");
        for (word, count) in &figures.statuses {
            let _ = writeln!(text, "{:>14}  {word}: {}", grouped(*count), taken_for(word));
        }
        let index = self.shape.index.as_deref().unwrap_or("right");
        let _ = write!(text, "\nIndex by address: {index}.");
        text
    }

    pub(crate) fn json(&self) -> Value {
        let Self { figures, shared, .. } = self;
        let statuses = figures.statuses.iter().map(|(word, count)| {
            (word.clone(), json!({ "accounts": count, "taken_for": taken_for(word) }))
        });
        json!({
            "ready": self.is_ready(),
            "accounts": figures.accounts,
            "improper_id": figures.improper_id,
            "matching": self.matching(),
            "sharing": { "addresses": shared.addresses, "accounts": shared.accounts },
            "look_alikes": shared.look_alikes,
            "unusable_address": figures.unusable_address,
            "no_address": figures.no_address,
            "mixed_case": figures.mixed_case,
            "need_email_key": self.left(),
            "email_keys_written": figures.written,
            "changed_meanwhile": figures.changed_meanwhile,
            "no_password": figures.no_password,
            "passwords": figures.passwords,
            "unsupported_passwords": figures.unsupported_passwords,
            "statuses": statuses.collect::<serde_json::Map<_, _>>(),
            "index": self.shape.index.as_deref().unwrap_or("right"),
        })
    }
}

/// What the functions make of a status.
fn taken_for(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "absent" | "active" => "may enter",
        "locked" => "may not enter for now",
        _ => "may not enter",
    }
}

/// `1,234,567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
