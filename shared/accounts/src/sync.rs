use std::str::FromStr;

use domain::Profile;

use crate::{Changes, Record, Table};

/// Which of Amazon's data are copied into an account when its owner signs in, `PROFILE_SYNC`.
///
/// The e-mail address is never among them: an address that follows Amazon's would hand the account
/// to whoever types it there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileSync {
    /// The name.
    pub name: Rule,
    /// The postal code.
    pub postal_code: Rule,
}

/// When a field is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Not at all.
    Never,
    /// If the account has nothing there.
    FillEmpty,
    /// Whenever it differs.
    Always,
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

impl Default for ProfileSync {
    fn default() -> Self {
        Self { name: Rule::FillEmpty, postal_code: Rule::FillEmpty }
    }
}

impl Table {
    /// What a sign-in changes in this account.
    pub fn changes(&self, record: &Record, customer: &Profile, sync: ProfileSync) -> Changes {
        let copied = |attribute: &str, rule, value: &Option<String>| {
            value.clone().filter(|value| match rule {
                Rule::Never => false,
                Rule::FillEmpty => record.lacks(attribute),
                Rule::Always => !record.has(attribute, value),
            })
        };
        Changes {
            name: copied(&self.attributes.name, sync.name, &customer.name),
            postal_code: copied("postal_code", sync.postal_code, &customer.postal_code),
        }
    }
}
