//! What a table calls things: `ACCOUNTS_ATTRIBUTES`.

use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Status;

/// What a table calls the attributes that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The table's key.
    pub id: String,
    /// The address, as its owner spells it.
    pub email: String,
    /// The address in lowercase, if the table has that; then it is the key of the index.
    pub email_key: Option<String>,
    /// The password's hash.
    pub password_hash: String,
    /// What to call the owner.
    pub name: String,
    /// The postal code.
    pub postal_code: String,
    /// Whether anybody may enter: absent or one of `active` is yes, one of `locked` is not now, all else
    /// is no.
    pub status: String,
    /// The words for yes, whatever their case; `true`, `false` and numbers count as words.
    pub active: Vec<String>,
    /// The words for not now.
    pub locked: Vec<String>,
}

impl Default for Attributes {
    fn default() -> Self {
        let [id, email, password_hash, name, postal_code, status] =
            ["id", "email", "password_hash", "name", "postal_code", "status"].map(str::to_owned);
        let [active, locked] = ["active", "locked"].map(|word| vec![word.to_owned()]);
        Self {
            id,
            email,
            email_key: None,
            password_hash,
            name,
            postal_code,
            status,
            active,
            locked,
        }
    }
}

/// Reads `id=id,email=email,email_key=,…`, and words as `active=enabled|trial`; what is left out keeps its
/// default.
impl FromStr for Attributes {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut attributes = Self::default();
        for pair in text.split(',') {
            let (ours, theirs) = pair.split_once('=').ok_or(())?;
            let theirs = theirs.trim();
            let place = match ours.trim() {
                "email_key" => {
                    attributes.email_key = (!theirs.is_empty()).then(|| theirs.to_owned());
                    continue;
                }
                "id" => &mut attributes.id,
                "email" => &mut attributes.email,
                "password_hash" => &mut attributes.password_hash,
                "name" => &mut attributes.name,
                "postal_code" => &mut attributes.postal_code,
                "status" => &mut attributes.status,
                "active" => {
                    attributes.active = words(theirs)?;
                    continue;
                }
                "locked" => {
                    attributes.locked = words(theirs)?;
                    continue;
                }
                _ => return Err(()),
            };
            if theirs.is_empty() {
                return Err(());
            }
            theirs.clone_into(place);
        }
        Ok(attributes)
    }
}

fn words(text: &str) -> Result<Vec<String>, ()> {
    let words = text.split('|').map(|word| word.trim().to_owned());
    let words: Vec<_> = words.collect();
    if words.iter().any(String::is_empty) { Err(()) } else { Ok(words) }
}

impl Attributes {
    /// Whether a new account holds something of ours in this attribute, or nothing on purpose.
    pub fn is_reserved(&self, name: &str) -> bool {
        let ours = [&self.id, &self.email, &self.password_hash, &self.status];
        ours.into_iter().chain(&self.email_key).any(|ours| ours == name)
            || ["email_verified", "created_at"].contains(&name)
    }

    /// What a value of the status attribute means. What is not known keeps everybody out.
    pub fn status_of(&self, value: Option<&AttributeValue>) -> Status {
        let word = match value {
            None => return Status::Active,
            Some(AttributeValue::S(word) | AttributeValue::N(word)) => word.as_str(),
            Some(AttributeValue::Bool(true)) => "true",
            Some(AttributeValue::Bool(false)) => "false",
            Some(_) => return Status::Disabled,
        };
        let among = |words: &[String]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        if among(&self.active) {
            Status::Active
        } else if among(&self.locked) {
            Status::Locked
        } else {
            Status::Disabled
        }
    }
}
