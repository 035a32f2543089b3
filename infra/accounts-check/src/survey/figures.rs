//! What a row counts as, by the rules of the functions (`shared/accounts/src/table.rs`).

use std::collections::{BTreeMap, HashMap};

use accounts::Attributes;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{AccountId, Status};
use passwords::{SaltedDigest, Stored};
use serde::{Deserialize, Serialize};

use super::addresses::{Addresses, Salt};
use crate::arguments::Place;

/// A row, as DynamoDB reads it.
pub(crate) type Row = HashMap<String, AttributeValue>;

/// How many different words of a kind are told apart: an attribute that was named by mistake may
/// hold millions.
const WORDS: usize = 24;
const OTHERS: &str = "others";
const ABSENT: &str = "absent";

/// How many accounts are of which kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// All of them.
    pub accounts: u64,
    /// Whose id is no text of 1 to 256 bytes.
    pub improper_id: u64,
    /// Whose address is missing.
    pub no_address: u64,
    /// Whose address no visitor's can be equal to.
    pub unusable_address: u64,
    /// Whose address a visitor can come with.
    pub usable_address: u64,
    /// Whose usable address is not in lowercase.
    pub mixed_case: u64,
    /// That are not found by every spelling, for want of the lowercased attribute.
    pub need_email_key: u64,
    /// Who have no password.
    pub no_password: u64,
    /// By format and cost.
    pub passwords: BTreeMap<String, u64>,
    /// By what they look like.
    pub unsupported_passwords: BTreeMap<String, u64>,
    /// Who may enter, by the word of their status, or `absent`.
    pub active: BTreeMap<String, u64>,
    /// Who may not for now.
    pub locked: BTreeMap<String, u64>,
    /// Who may not.
    pub disabled: BTreeMap<String, u64>,
    /// How many lowercased attributes were written.
    pub written: u64,
    /// Accounts that were changed between reading and writing, and left alone.
    pub changed_meanwhile: u64,
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
        Place { attributes: names, digest, .. }: &Place,
        addresses: &mut Addresses,
        salt: &Salt,
    ) -> Option<MissingKey> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
        self.accounts += 1;
        let id = text(&names.id).filter(|id| AccountId::parse(id).is_some());
        self.improper_id += u64::from(id.is_none());
        self.count_password(text(&names.password_hash), digest.as_ref());
        self.count_status(row.get(&names.status), names);
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

    fn count_status(&mut self, value: Option<&AttributeValue>, names: &Attributes) {
        let word = match value {
            None => ABSENT,
            Some(AttributeValue::S(word) | AttributeValue::N(word)) => word,
            Some(AttributeValue::Bool(true)) => "true",
            Some(AttributeValue::Bool(false)) => "false",
            Some(_) => "no word",
        };
        match names.status_of(value) {
            // There are no more of these than the settings have.
            Status::Active => add(&mut self.active, &word.to_ascii_lowercase(), 1),
            Status::Locked => add(&mut self.locked, &word.to_ascii_lowercase(), 1),
            Status::Disabled if word.len() > 32 || word == ABSENT => {
                add(&mut self.disabled, OTHERS, 1);
            }
            Status::Disabled => increase(&mut self.disabled, word, 1),
        }
    }

    fn count_password(&mut self, stored: Option<&String>, digest: Option<&SaltedDigest>) {
        // `!` and `*` begin what Django and Unix write where there is no password.
        match stored.filter(|stored| !stored.is_empty() && !stored.starts_with(['!', '*'])) {
            None => self.no_password += 1,
            Some(stored) => match digest
                .map_or_else(|| Stored::parse(stored), |digest| Stored::parse_with(stored, digest))
            {
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
            active,
            locked,
            disabled,
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
            (&mut self.disabled, disabled),
        ] {
            for (word, count) in theirs {
                increase(ours, &word, count);
            }
        }
        for (ours, theirs) in [(&mut self.active, active), (&mut self.locked, locked)] {
            for (word, count) in theirs {
                add(ours, &word, count);
            }
        }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, word: &str, by: u64) {
    *counts.entry(word.to_owned()).or_default() += by;
}

fn increase(counts: &mut BTreeMap<String, u64>, word: &str, by: u64) {
    let word = if counts.len() < WORDS || counts.contains_key(word) { word } else { OTHERS };
    add(counts, word, by);
}

/// A supported hash without its secrets: its format, and what it costs.
fn cost(format: &str, stored: &str) -> String {
    let told = match format {
        "aspnet" => iterations(stored),
        "digest" => None,
        "phpass" => rounds(stored),
        "werkzeug" => stored.split('$').next().map(str::to_owned),
        _ => Some(fields(stored)),
    };
    [Some(format.to_owned()), told].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Of ASP.NET's base64: its version, PBKDF2's hash and its iterations.
fn iterations(stored: &str) -> Option<String> {
    match STANDARD.decode(stored).ok()?[..] {
        [0, ..] => Some("2 sha1 1000".to_owned()),
        [1, _, _, _, prf, a, b, c, d, ..] => {
            let digest = ["sha1", "sha256", "sha512"].get(usize::from(prf))?;
            Some(format!("3 {digest} {}", u32::from_be_bytes([a, b, c, d])))
        }
        _ => None,
    }
}

/// Of phpass's: its letter, and how often it hashes, of which the fourth character is the logarithm.
fn rounds(stored: &str) -> Option<String> {
    const LETTERS: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (letter, logarithm) = (stored.chars().nth(1)?, LETTERS.find(stored.chars().nth(3)?)?);
    Some(format!("{letter} {}", 1_u64.checked_shl(logarithm.try_into().ok()?)?))
}

/// Of all others: what the first fields say. Salt and hash come after them.
fn fields(stored: &str) -> String {
    let mut told = Vec::new();
    let mut has_number = false;
    for field in stored.split('$').filter(|field| !field.is_empty()).take(5) {
        let is_number = field.len() <= 8 && field.bytes().all(|byte| byte.is_ascii_digit());
        let is_parameter = field.contains('=') && field.len() <= 32;
        let is_name = field.len() <= 16 && !has_number && SCHEMES.contains(&field);
        if !(is_name || is_parameter || is_number && !has_number) {
            break;
        }
        has_number |= is_number;
        told.push(field);
    }
    told.join(" ")
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
    const BEGINNINGS: [(&str, &str); 15] = [
        ("$1$", "md5crypt"),
        ("$5$", "sha256crypt, damaged or too costly"),
        ("$6$", "sha512crypt, damaged or too costly"),
        ("$y$", "yescrypt"),
        ("$S$", "Drupal 7's"),
        ("$P$", "phpass, damaged or too costly"),
        ("$H$", "phpass, damaged or too costly"),
        ("$wp$", "WordPress's, damaged or too costly"),
        ("$apr1$", "Apache's MD5"),
        ("$2", "bcrypt, damaged or too costly"),
        ("$argon2", "Argon2, damaged or too costly"),
        ("pbkdf2_", "Django's PBKDF2, damaged or too costly"),
        ("pbkdf2:", "Werkzeug's PBKDF2, damaged or too costly"),
        ("scrypt:", "Werkzeug's scrypt, damaged or too costly"),
        ("{", "LDAP's"),
    ];
    let begins = BEGINNINGS.iter().find(|(beginning, _)| stored.starts_with(beginning));
    if let Some((_, likeness)) = begins {
        return likeness;
    }
    // A salt may stand before or behind a digest.
    let digest = stored.split([':', '$']).map(|part| {
        let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex { part.len() } else { 0 }
    });
    match digest.max() {
        Some(32) => "MD5 as it seems: --digest says how it is made",
        Some(40) => "SHA-1 as it seems: --digest says how it is made",
        Some(64) => "SHA-256 as it seems: --digest says how it is made",
        Some(128) => "SHA-512 as it seems: --digest says how it is made",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use local_stack::seed;

    use super::*;

    const WERKZEUG: &str = "scrypt:32768:8:1$AAAAAAAAAAAAAAAA$00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";
    const ASPNET: &str =
        "AQAAAAIAAYagAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    const WORDPRESS: &str = "$wp$2y$10$.....................................................";
    const SHA_CRYPT: &str = "$6$................$......................................................................................";

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
        for (stored, expected) in [
            (WERKZEUG, "werkzeug scrypt:32768:8:1"),
            (ASPNET, "aspnet 3 sha512 100000"),
            ("$P$B..............................", "phpass P 8192"),
            (WORDPRESS, "wordpress wp 2y 10"),
            (SHA_CRYPT, "sha_crypt 6"),
            (&SHA_CRYPT.replace("$6$", "$6$rounds=656000$"), "sha_crypt 6 rounds=656000"),
            (&SHA_CRYPT.replacen("................", "12345678", 1), "sha_crypt 6"),
        ] {
            let format = Stored::parse(stored).unwrap().format();
            assert_eq!(cost(format.as_str(), stored), expected);
        }
        assert_eq!(cost("digest", "005a0f376d1bbf310bbc3be60a3b3fd9:7c"), "digest");
        // A salt may consist of digits.
        let digits = "pbkdf2_sha256$1000000$12345678$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=";
        assert_eq!(cost("django", digits), "django pbkdf2_sha256 1000000");
    }

    #[test]
    fn what_is_not_supported_is_told_by_its_looks() {
        for (stored, expected) in [
            ("$P$B12345678abcdefghijklmnopqrstu", "phpass, damaged or too costly"),
            ("$6$salt$hash", "sha512crypt, damaged or too costly"),
            ("scrypt:1:1:1$a$b", "Werkzeug's scrypt, damaged or too costly"),
            ("{SSHA}abc", "LDAP's"),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "MD5 as it seems: --digest says how it is made"),
            (
                "005a0f376d1bbf310bbc3be60a3b3fd9:7c",
                "MD5 as it seems: --digest says how it is made",
            ),
            (
                "sha1$salt$5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8",
                "SHA-1 as it seems: --digest says how it is made",
            ),
            ("$2b$31$abc", "bcrypt, damaged or too costly"),
            ("hunter2", "unknown"),
        ] {
            assert_eq!(likeness(stored), expected);
        }
    }

    #[test]
    fn a_status_means_what_the_settings_say() {
        let names = "active=Enabled|1|true,locked=paused".parse().unwrap();
        let mut figures = Figures::default();
        let s = |word: &str| Some(AttributeValue::S(word.to_owned()));
        for value in [
            None,
            s("enabled"),
            s("ENABLED"),
            s("1"),
            Some(AttributeValue::N("1".to_owned())),
            Some(AttributeValue::Bool(true)),
            s("Paused"),
            s("active"),
            s("absent"),
            s(&"x".repeat(33)),
            Some(AttributeValue::Bool(false)),
            Some(AttributeValue::Null(true)),
        ] {
            figures.count_status(value.as_ref(), &names);
        }
        let told = |counts: &BTreeMap<String, u64>| {
            counts.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>()
        };
        assert_eq!(told(&figures.active), ["1 2", "absent 1", "enabled 2", "true 1"]);
        assert_eq!(told(&figures.locked), ["paused 1"]);
        assert_eq!(told(&figures.disabled), ["active 1", "false 1", "no word 1", "others 2"]);
    }

    #[test]
    fn a_digest_is_one_where_it_is_described() {
        let digest: SaltedDigest = "hex:salt = md5(salt+password)".parse().unwrap();
        let stored = "005a0f376d1bbf310bbc3be60a3b3fd9:7c".to_owned();
        let mut figures = Figures::default();
        figures.count_password(Some(&stored), None);
        figures.count_password(Some(&stored), Some(&digest));
        assert_eq!(figures.unsupported_passwords.values().sum::<u64>(), 1);
        assert_eq!(figures.passwords, BTreeMap::from([("digest".to_owned(), 1)]));
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
