//! What of Amazon's data is copied into an account when its owner signs in, `PROFILE_SYNC`.
//!
//! A person's own edit always wins. So with each link it is kept, as a hash, what was copied last: a field
//! that holds something else by now, or nothing any more, is its owner's and is left alone. The e-mail
//! address is never copied: one that follows Amazon's would hand the account to whoever types it there
//! first.

use std::{fmt::Write as _, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::Profile;

/// One of something for each field that can be copied.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Synced<T> {
    /// The name.
    pub name: T,
    /// The postal code.
    pub postal_code: T,
}

/// When each field is copied.
pub type ProfileSync = Synced<Rule>;
/// What an account holds.
pub type Holdings = Synced<Held>;
/// What was copied into an account last.
pub type Copied = Synced<Mark>;
/// What a sign-in writes into an account.
pub type Changes = Synced<Option<String>>;

/// When a field is copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Not at all.
    Never,
    /// Once, if the account has nothing there.
    #[default]
    FillEmpty,
    /// That, and then whenever Amazon tells something else, for as long as nobody edits it.
    Always,
}

/// What an account holds in a field.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    #[default]
    Nothing,
    /// A text.
    Text(String),
    /// Something that is not ours to judge.
    Other,
}

/// A hash of what was copied into a field last; nothing if nothing ever was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark(Option<String>);

impl<T> std::fmt::Debug for Synced<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Synced(…)")
    }
}

/// Reads `name=fill_empty,postal_code=never,email=never`; what is left out is never copied.
impl FromStr for ProfileSync {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut sync = Self { name: Rule::Never, postal_code: Rule::Never };
        for pair in text.split(',') {
            let (field, rule) = pair.split_once('=').ok_or(())?;
            let rule = match rule.trim() {
                "never" => Rule::Never,
                "fill_empty" => Rule::FillEmpty,
                "always" => Rule::Always,
                _ => return Err(()),
            };
            match field.trim() {
                "name" => sync.name = rule,
                "postal_code" => sync.postal_code = rule,
                "email" if rule == Rule::Never => {}
                _ => return Err(()),
            }
        }
        Ok(sync)
    }
}

impl ProfileSync {
    /// What a sign-in writes into an account, and what will have been copied then.
    pub fn changes(
        &self,
        customer: &Profile,
        held: &Holdings,
        copied: &Copied,
    ) -> (Changes, Copied) {
        let changes = Changes {
            name: change(self.name, customer, &customer.name, &held.name, &copied.name),
            postal_code: change(
                self.postal_code,
                customer,
                &customer.postal_code,
                &held.postal_code,
                &copied.postal_code,
            ),
        };
        let mark = |written: &Option<String>, before: &Mark| match written {
            Some(written) => Mark::of(customer, written),
            None => before.clone(),
        };
        let copied = Copied {
            name: mark(&changes.name, &copied.name),
            postal_code: mark(&changes.postal_code, &copied.postal_code),
        };
        (changes, copied)
    }

    /// What counts as copied into the account of a newcomer: all that they were offered, whether or not
    /// they left it so.
    pub fn offered(&self, customer: &Profile) -> Copied {
        let mark = |rule, told: &Option<String>| match told {
            Some(told) if rule != Rule::Never => Mark::of(customer, told),
            _ => Mark::default(),
        };
        Copied {
            name: mark(self.name, &customer.name),
            postal_code: mark(self.postal_code, &customer.postal_code),
        }
    }
}

fn change(
    rule: Rule,
    customer: &Profile,
    told: &Option<String>,
    held: &Held,
    mark: &Mark,
) -> Option<String> {
    let copied = |told: &String| match (rule, held) {
        (Rule::Never, _) | (_, Held::Other) => false,
        (_, Held::Nothing) => *mark == Mark::default(),
        (Rule::FillEmpty, Held::Text(_)) => false,
        (Rule::Always, Held::Text(text)) => text != told && *mark == Mark::of(customer, text),
    };
    told.clone().filter(copied)
}

impl Changes {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.postal_code.is_none()
    }
}

impl Held {
    /// What a text says, which may be blank.
    pub fn text(text: &str) -> Self {
        if text.trim().is_empty() { Self::Nothing } else { Self::Text(text.to_owned()) }
    }
}

/// What an account holds is somebody's data, and stays out of logs.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Held(…)")
    }
}

impl Mark {
    /// Mixed with the customer's id, so that a list of all postal codes does not fit every mark.
    fn of(customer: &Profile, text: &str) -> Self {
        let digest = Sha256::new().chain_update(customer.user_id.as_str()).chain_update([0]);
        let mut hex = String::new();
        for byte in &digest.chain_update(text).finalize()[..16] {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(Some(hex))
    }

    /// The hash as a row keeps it; nothing if there is none.
    pub fn print(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The hash that a row keeps.
    pub fn parse(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AmazonUserId;

    fn customer(name: Option<&str>) -> Profile {
        Profile {
            user_id: AmazonUserId::parse("amzn1.account.A").unwrap(),
            email: None,
            name: name.map(str::to_owned),
            postal_code: None,
        }
    }

    /// What a person's name is after Amazon told these names one after the other, and the person made
    /// the edits between.
    fn after(rule: Rule, story: &[(Option<&str>, &str)], first: &str) -> String {
        let sync = ProfileSync { name: rule, postal_code: Rule::Never };
        let (mut name, mut copied) = (first.to_owned(), Copied::default());
        for (edit, told) in story {
            if let Some(edit) = edit {
                (*edit).clone_into(&mut name);
            }
            let held = Holdings { name: Held::text(&name), ..Holdings::default() };
            let (changes, after) = sync.changes(&customer(Some(told)), &held, &copied);
            copied = after;
            name = changes.name.unwrap_or(name);
        }
        name
    }

    #[test]
    fn e07_rules_are_read_and_the_address_has_none() {
        let parse = |text: &str| text.parse::<ProfileSync>();
        let rules = ProfileSync { name: Rule::Always, postal_code: Rule::Never };
        assert_eq!(parse("name=always"), Ok(rules.clone()));
        assert_eq!(parse("name=always,postal_code=never,email=never"), Ok(rules));
        for wrong in ["", "name", "name=sometimes", "email=always", "email=fill_empty", "x=never"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_persons_own_edit_always_wins() {
        use Rule::{Always, FillEmpty, Never};
        for (rule, first, story, expected) in [
            (Never, "", &[(None, "A")][..], ""),
            (FillEmpty, "", &[(None, "A")], "A"),
            (FillEmpty, "  ", &[(None, "A")], "A"),
            (FillEmpty, "Own", &[(None, "A")], "Own"),
            // Filled once; what Amazon says later is not asked for.
            (FillEmpty, "", &[(None, "A"), (None, "B")], "A"),
            // Emptied by the owner, who meant it.
            (FillEmpty, "", &[(None, "A"), (Some(""), "A")], ""),
            (Always, "", &[(None, "A"), (Some(""), "B")], ""),
            // Amazon's name is followed …
            (Always, "", &[(None, "A"), (None, "B"), (None, "C")], "C"),
            // … until the owner chooses another, even one that Amazon told once.
            (Always, "", &[(None, "A"), (None, "B"), (Some("Own"), "C"), (None, "D")], "Own"),
            (Always, "", &[(None, "A"), (None, "B"), (None, "C"), (Some("A"), "D")], "A"),
            // What was there before us is the owner's.
            (Always, "Own", &[(None, "A"), (None, "B")], "Own"),
        ] {
            assert_eq!(after(rule, story, first), expected, "{rule:?} {first:?} {story:?}");
        }
    }

    #[test]
    fn what_a_newcomer_was_offered_is_theirs_to_change() {
        let sync = ProfileSync { name: Rule::Always, postal_code: Rule::Always };
        let offered = sync.offered(&customer(Some("A")));
        for (held, told, expected) in [
            (Held::Nothing, "A", None),
            (Held::text("Own"), "B", None),
            (Held::text("A"), "B", Some("B")),
        ] {
            let held = Holdings { name: held, ..Holdings::default() };
            let (changes, _) = sync.changes(&customer(Some(told)), &held, &offered);
            assert_eq!(changes.name.as_deref(), expected);
        }
        assert_eq!(sync.offered(&customer(None)), Copied::default());
    }

    #[test]
    fn marks_are_read_as_they_are_written() {
        let sync = ProfileSync { name: Rule::Always, postal_code: Rule::Always };
        let offered = sync.offered(&customer(Some("Ann Author")));
        let text = offered.name.print().unwrap();
        assert_eq!(Mark::parse(text), offered.name);
        assert!(!text.contains("Ann"));
        assert_eq!(Mark::default().print(), None);
        let other = Profile {
            user_id: AmazonUserId::parse("amzn1.account.B").unwrap(),
            ..customer(Some("Ann Author"))
        };
        assert_ne!(sync.offered(&other).name, offered.name, "marks do not tell who is alike");
        let changes = Changes { name: Some("Ann".into()), postal_code: None };
        assert!(!format!("{:?} {changes:?}", Held::text("Ann")).contains("Ann"));
    }
}
