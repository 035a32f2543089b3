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

    /// The words of their status, how many accounts have each, and what it is taken for.
    fn statuses(&self) -> impl Iterator<Item = (&str, u64, &'static str)> {
        let Figures { active, locked, disabled, .. } = &self.figures;
        let taken =
            [(active, "may enter"), (locked, "may not enter for now"), (disabled, "may not enter")];
        taken.into_iter().flat_map(|(counts, taken_for)| {
            counts.iter().map(move |(word, count)| (word.as_str(), *count, taken_for))
        })
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
        for (word, count, taken_for) in self.statuses() {
            let _ = writeln!(text, "{:>14}  {word}: {taken_for}", grouped(count));
        }
        let index = self.shape.index.as_deref().unwrap_or("right");
        let _ = write!(text, "\nIndex by address: {index}.");
        text
    }

    pub(crate) fn json(&self) -> Value {
        let Self { figures, shared, .. } = self;
        let statuses = self.statuses().map(|(word, count, taken_for)| {
            (word.to_owned(), json!({ "accounts": count, "taken_for": taken_for }))
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
