//! What a row counts as, by the rules of the functions (`shared/accounts/src/table.rs`).

use std::collections::{BTreeMap, HashMap};

use accounts::Attributes;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::AccountId;
use passwords::Stored;
use serde::{Deserialize, Serialize};

use super::addresses::{Addresses, Salt};

/// A row, as DynamoDB reads it.
pub(crate) type Row = HashMap<String, AttributeValue>;

/// How many different words of a kind are told apart: an attribute that was named by mistake may
/// hold millions.
const WORDS: usize = 24;
const OTHERS: &str = "others";

/// How many accounts are of which kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) accounts: u64,
    /// Whose id is no text of 1 to 256 bytes.
    pub(crate) improper_id: u64,
    pub(crate) no_address: u64,
    /// Whose address no visitor's can be equal to.
    pub(crate) unusable_address: u64,
    pub(crate) usable_address: u64,
    /// Whose usable address is not in lowercase.
    pub(crate) mixed_case: u64,
    /// That are not found by every spelling, for want of the lowercased attribute.
    pub(crate) need_email_key: u64,
    pub(crate) no_password: u64,
    /// By format and cost.
    pub(crate) passwords: BTreeMap<String, u64>,
    /// By what they look like.
    pub(crate) unsupported_passwords: BTreeMap<String, u64>,
    /// By the word, or `absent`.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// How many lowercased attributes were written.
    pub(crate) written: u64,
    /// Accounts that were changed between reading and writing, and left alone.
    pub(crate) changed_meanwhile: u64,
}

/// A lowercased attribute that is missing, or another one.
pub(crate) struct MissingKey {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) lowercase: String,
}

impl Figures {
    /// Counts a row; says which lowercased attribute it lacks.
    pub(crate) fn count(
        &mut self,
        row: &Row,
        names: &Attributes,
        addresses: &mut Addresses,
        salt: &Salt,
    ) -> Option<MissingKey> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
        self.accounts += 1;
        let id = text(&names.id).filter(|id| AccountId::parse(id).is_some());
        self.improper_id += u64::from(id.is_none());
        self.count_password(text(&names.password_hash));
        let status = match row.get(&names.status) {
            None => "absent",
            Some(AttributeValue::S(word)) if word.len() <= 32 => word,
            Some(AttributeValue::S(_)) => OTHERS,
            Some(_) => "no text",
        };
        increase(&mut self.statuses, status, 1);
        let Some(address) = text(&names.email).filter(|address| !address.is_empty()) else {
            self.no_address += 1;
            return None;
        };
        let Some(email) = addresses.count(salt, address) else {
            self.unusable_address += 1;
            return None;
        };
        let lowercase = email.lowercase();
        self.usable_address += 1;
        self.mixed_case += u64::from(lowercase != *address);
        let is_right = match &names.email_key {
            None => lowercase == *address,
            Some(key) => text(key) == Some(&lowercase),
        };
        self.need_email_key += u64::from(!is_right);
        if is_right {
            return None;
        }
        Some(MissingKey { id: id?.clone(), email: address.clone(), lowercase })
    }

    fn count_password(&mut self, stored: Option<&String>) {
        // `!` and `*` begin what Django and Unix write where there is no password.
        match stored.filter(|stored| !stored.is_empty() && !stored.starts_with(['!', '*'])) {
            None => self.no_password += 1,
            Some(stored) => match Stored::parse(stored) {
                Ok(parsed) => {
                    increase(&mut self.passwords, &cost(parsed.format().as_str(), stored), 1)
                }
                Err(_) => increase(&mut self.unsupported_passwords, likeness(stored), 1),
            },
        }
    }

    /// Adds what was counted elsewhere.
    pub(crate) fn add(&mut self, more: Self) {
        // Taken apart, so that no field is forgotten.
        let Self {
            accounts,
            improper_id,
            no_address,
            unusable_address,
            usable_address,
            mixed_case,
            need_email_key,
            no_password,
            passwords,
            unsupported_passwords,
            statuses,
            written,
            changed_meanwhile,
        } = more;
        self.accounts += accounts;
        self.improper_id += improper_id;
        self.no_address += no_address;
        self.unusable_address += unusable_address;
        self.usable_address += usable_address;
        self.mixed_case += mixed_case;
        self.need_email_key += need_email_key;
        self.no_password += no_password;
        self.written += written;
        self.changed_meanwhile += changed_meanwhile;
        for (ours, theirs) in [
            (&mut self.passwords, passwords),
            (&mut self.unsupported_passwords, unsupported_passwords),
            (&mut self.statuses, statuses),
        ] {
            for (word, count) in theirs {
                increase(ours, &word, count);
            }
        }
    }
}

fn increase(counts: &mut BTreeMap<String, u64>, word: &str, by: u64) {
    let word = if counts.len() < WORDS || counts.contains_key(word) { word } else { OTHERS };
    *counts.entry(word.to_owned()).or_default() += by;
}

/// A supported hash without its secrets: its format, and what its first fields say about its cost.
/// Salt and hash come after them.
fn cost(format: &str, stored: &str) -> String {
    let mut told = format.to_owned();
    let mut has_number = false;
    for field in stored.split('$').filter(|field| !field.is_empty()).take(5) {
        let is_number = field.len() <= 8 && field.bytes().all(|byte| byte.is_ascii_digit());
        let is_parameter = field.contains('=') && field.len() <= 32;
        let is_name = field.len() <= 16 && !has_number && SCHEMES.contains(&field);
        if !(is_name || is_parameter || is_number && !has_number) {
            break;
        }
        has_number |= is_number;
        told.push(' ');
        told.push_str(field);
    }
    told
}

/// What supported hashes begin with.
const SCHEMES: [&str; 17] = [
    "2a",
    "2b",
    "2y",
    "argon2",
    "argon2i",
    "argon2id",
    "bcrypt",
    "bcrypt_sha256",
    "pbkdf2",
    "pbkdf2-sha1",
    "pbkdf2-sha256",
    "pbkdf2-sha512",
    "pbkdf2_sha1",
    "pbkdf2_sha256",
    "scrypt",
    "sha256",
    "wp",
];

/// What a hash that is not supported looks like.
fn likeness(stored: &str) -> &'static str {
    const BEGINNINGS: [(&str, &str); 12] = [
        ("$1$", "md5crypt"),
        ("$5$", "sha256crypt"),
        ("$6$", "sha512crypt"),
        ("$y$", "yescrypt"),
        ("$P$", "phpass"),
        ("$H$", "phpass"),
        ("$wp$", "WordPress 6.8"),
        ("$apr1$", "Apache's MD5"),
        ("$2", "bcrypt, damaged or too costly"),
        ("$argon2", "Argon2, damaged or too costly"),
        ("pbkdf2_", "Django's PBKDF2, damaged or too costly"),
        ("{", "LDAP's"),
    ];
    let begins = BEGINNINGS.iter().find(|(beginning, _)| stored.starts_with(beginning));
    let hexadecimal = stored.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (begins, stored.len()) {
        (Some((_, likeness)), _) => likeness,
        (None, 32) if hexadecimal => "bare MD5",
        (None, 40) if hexadecimal => "bare SHA-1",
        (None, 64) if hexadecimal => "bare SHA-256",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use local_stack::seed;

    use super::*;

    #[test]
    fn a_cost_is_told_without_salt_and_hash() {
        let told = seed::ACCOUNTS.iter().filter_map(|account| {
            let stored = account.hash?;
            Some(cost(Stored::parse(stored).unwrap().format().as_str(), stored))
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "bcrypt 2b 10",
                "argon2 argon2id v=19 m=19456,t=2,p=1",
                "pbkdf2 pbkdf2-sha256 29000",
                "scrypt scrypt ln=14,r=8,p=1",
                "django pbkdf2_sha256 1000000",
                "argon2 argon2id v=19 m=19456,t=2,p=1",
                "argon2 argon2id v=19 m=19456,t=2,p=1",
            ]
        );
        // A salt may consist of digits.
        let digits = "pbkdf2_sha256$1000000$12345678$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=";
        assert_eq!(cost("django", digits), "django pbkdf2_sha256 1000000");
    }

    #[test]
    fn what_is_not_supported_is_told_by_its_looks() {
        for (stored, expected) in [
            ("$P$B12345678abcdefghijklmnopqrstu", "phpass"),
            ("$6$salt$hash", "sha512crypt"),
            ("{SSHA}abc", "LDAP's"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "bare MD5"),
            ("$2b$31$abc", "bcrypt, damaged or too costly"),
            ("hunter2", "unknown"),
        ] {
            assert_eq!(likeness(stored), expected);
        }
    }

    #[test]
    fn words_without_end_are_others() {
        let mut counts = BTreeMap::new();
        for word in 0..1000 {
            increase(&mut counts, &word.to_string(), 1);
        }
        increase(&mut counts, "0", 1);
        assert_eq!((counts.len(), counts["0"]), (WORDS + 1, 2));
        assert_eq!(counts.values().sum::<u64>(), 1001);
    }
}
