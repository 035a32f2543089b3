use std::fmt;

use rand_core::CryptoRng;

use crate::Email;

/// The site's own name for one of its accounts: opaque to us, and stable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// Takes an id from the account system: 1 to 256 bytes, no control characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as the account system wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an account's creation, which an account system is told so that being asked twice
/// creates one account. It tells nothing, and opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreationKey(String);

impl CreationKey {
    /// A new key, a random UUID (RFC 9562, version 4).
    pub fn mint(rng: &mut impl CryptoRng) -> Self {
        Self(uuid(rng))
    }

    /// Takes back a key from a row: 1 to 64 of `0-9 a-z -`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the account that it creates, where we choose that.
    pub fn account_id(&self) -> AccountId {
        AccountId(self.0.clone())
    }
}

/// An account, as far as signing in is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The site's name for it.
    pub id: AccountId,
    /// The address it signs in with, if that is a usable one.
    pub email: Option<Email>,
    /// What to call its owner.
    pub name: Option<String>,
    /// Whether anybody may enter.
    pub status: Status,
    /// Whether there is a local password that could be asked for.
    pub has_password: bool,
}

/// Whether anybody may enter an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Yes.
    Active,
    /// No: somebody closed it.
    Disabled,
    /// No, for now: somebody locked it.
    Locked,
}

/// A random UUID (RFC 9562, version 4).
pub(crate) fn uuid(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | 4 << 76 | 0b10 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
