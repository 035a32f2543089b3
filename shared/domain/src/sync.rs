//! What of Amazon's data is copied into an account when its owner signs in, `PROFILE_SYNC`.
//!
//! A person's own edit always wins. So with each link it is kept, as hashes, what was copied: a field
//! that holds something else by now, or nothing any more, is its owner's and is left alone. The e-mail
//! address is never copied: one that follows Amazon's would hand the account to whoever types it there
//! first.

use std::{fmt::Write as _, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::Profile;

/// One of something for each field that can be copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
/// What was copied into an account.
pub type Copied = Synced<Marks>;
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

/// Hashes of what was copied into a field: the latest, and what it replaced, which is what the account
/// still holds if the account system did not hear of the latest. None if nothing ever was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks(Vec<String>);

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
        let (name, copied_name) =
            change(self.name, customer.name.as_deref(), &held.name, &copied.name);
        let told = customer.postal_code.as_deref();
        let (postal_code, copied_postal_code) =
            change(self.postal_code, told, &held.postal_code, &copied.postal_code);
        (
            Changes { name, postal_code },
            Copied { name: copied_name, postal_code: copied_postal_code },
        )
    }

    /// What counts as copied into the account of a newcomer: all that they were offered, whether or not
    /// they left it so.
    pub fn offered(&self, customer: &Profile) -> Copied {
        let mark = |rule, told: &Option<String>| match told {
            Some(told) if rule != Rule::Never => Marks(vec![hash(told)]),
            _ => Marks::default(),
        };
        Copied {
            name: mark(self.name, &customer.name),
            postal_code: mark(self.postal_code, &customer.postal_code),
        }
    }
}

fn change(rule: Rule, told: Option<&str>, held: &Held, marks: &Marks) -> (Option<String>, Marks) {
    let copied = told.filter(|told| match (rule, held) {
        (Rule::Never, _) | (_, Held::Other) => false,
        (_, Held::Nothing) => marks.0.is_empty(),
        (Rule::FillEmpty, Held::Text(_)) => false,
        (Rule::Always, Held::Text(text)) => text != told && marks.0.contains(&hash(text)),
    });
    match (copied, held) {
        (None, _) => (None, marks.clone()),
        (Some(told), Held::Text(text)) => {
            (Some(told.to_owned()), Marks(vec![hash(told), hash(text)]))
        }
        (Some(told), _) => (Some(told.to_owned()), Marks(vec![hash(told)])),
    }
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

impl Marks {
    /// The hashes as a row keeps them, with spaces between; nothing if there are none.
    pub fn print(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(" "))
    }

    /// The hashes that a row keeps.
    pub fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }
}

fn hash(text: &str) -> String {
    let mut hex = String::new();
    for byte in &Sha256::digest(text)[..16] {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
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
            let (changes, marks) = sync.changes(&customer(Some(told)), &held, &copied);
            copied = marks;
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
    fn what_the_account_system_did_not_hear_of_is_told_again() {
        let sync = ProfileSync { name: Rule::Always, postal_code: Rule::Never };
        let held = |name: &str| Holdings { name: Held::text(name), ..Holdings::default() };
        let (_, copied) = sync.changes(&customer(Some("A")), &held(""), &Copied::default());
        let (changes, copied) = sync.changes(&customer(Some("B")), &held("A"), &copied);
        assert_eq!(changes.name.as_deref(), Some("B"));
        // It still holds A: that is not its owner's doing.
        let (changes, _) = sync.changes(&customer(Some("B")), &held("A"), &copied);
        assert_eq!(changes.name.as_deref(), Some("B"));
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
    fn marks_are_read_as_they_are_written_and_tell_nothing() {
        let sync = ProfileSync { name: Rule::Always, postal_code: Rule::Always };
        let marks = sync.offered(&customer(Some("Ann Author"))).name;
        let text = marks.print().unwrap();
        assert_eq!(Marks::parse(&text), marks);
        assert!(!text.contains("Ann"));
        assert_eq!(Marks::default().print(), None);
        assert_eq!(Marks::parse(""), Marks::default());
        assert_eq!(format!("{:?}", Held::text("Ann")), "Held(…)");
    }
}
