//! A digest of a password and a salt. Every site of old had its own way, so that nothing is read as
//! one unless a [`SaltedDigest`] says how.

mod description;

use base64::Engine;
use md_5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::field::{STANDARD, base64, hex, same, to_hex};
use crate::{Format, Opens, argon2};

pub use description::Misdescribed;

/// In no list: the spelling is the description's.
pub(crate) static FORMAT: Format =
    Format { name: "digest", decoy: argon2::FORMAT.decoy, read: |_| None };

/// Bytes of a salt, of which Joomla has 32, and osCommerce 2.
const MAX_SALT: usize = 64;

/// How a site spells its digests, and what they are of.
///
/// It is read from one line, such as a setting, `spelling = digest`:
///
/// | description | seen in |
/// |-------------|---------|
/// | `hex = md5(password)` | PHP of old, WordPress before 2.5 |
/// | `salt$hex = sha1(salt+password)` | |
/// | `hex:salt = md5(salt+password)` | osCommerce, Magento 1 |
/// | `hex:salt = md5(password+salt)` | Joomla 1.5 |
/// | `hex:salt:1 = sha256(salt+password)` | Magento 2 |
/// | `sha1$salt$hex = sha1(salt+password)` | Django before 1.4 |
/// | `salt:hex = md5(md5(password)+salt)` | vBulletin, its two columns as one |
/// | `base64 = sha256(password)` | |
///
/// The spelling has either `hex` (in lower case) or `base64` (with padding) once where the digest
/// stands, `salt` at most once, and around these what else stands there. The digest is `md5`, `sha1`,
/// `sha256` or `sha512` of one or more of `password`, `salt` and further digests, which are hashed as
/// hexadecimal. Spaces mean nothing.
///
/// ```
/// use passwords::{SaltedDigest, Stored};
///
/// let digest: SaltedDigest = "hex:salt = md5(salt+password)".parse()?;
/// let stored = Stored::parse_with("005a0f376d1bbf310bbc3be60a3b3fd9:7c", &digest)?;
/// assert_eq!(stored.format().as_str(), "digest");
/// assert!(stored.verify("x"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A digest is guessed a billion times a second by whoever has stolen the table: read it in order to
/// be rid of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedDigest {
    head: String,
    salt: Place,
    tail: String,
    encoding: Encoding,
    algorithm: Algorithm,
    of: Vec<Term>,
}

/// Where the salt stands, and what stands between it and the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Nowhere,
    Before(String),
    After(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Hex,
    Base64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Password,
    Salt,
    Digest(Algorithm, Vec<Term>),
}

impl SaltedDigest {
    /// A stored digest of this spelling that no password opens.
    pub fn decoy(&self) -> String {
        let zeros = vec![0; self.algorithm.size()];
        let digest = match self.encoding {
            Encoding::Hex => to_hex(&zeros),
            Encoding::Base64 => STANDARD.encode(zeros),
        };
        let middle = match &self.salt {
            Place::Nowhere => digest,
            Place::Before(between) => format!("00000000{between}{digest}"),
            Place::After(between) => format!("{digest}{between}00000000"),
        };
        format!("{}{middle}{}", self.head, self.tail)
    }

    pub(crate) fn read(&self, stored: &str) -> Option<Opens> {
        let (salt, digest) = self.split(stored)?;
        let digest = match self.encoding {
            Encoding::Hex => hex(digest)?,
            Encoding::Base64 => base64(&STANDARD, digest)?,
        };
        if digest.len() != self.algorithm.size() {
            return None;
        }
        let (algorithm, of, salt) = (self.algorithm, self.of.clone(), salt.to_owned());
        Some(Box::new(move |password| same(&algorithm.digest(&of, password, &salt), &digest)))
    }

    /// The salt and the digest, whose length is known: a salt may have anything in it.
    fn split<'a>(&self, stored: &'a str) -> Option<(&'a str, &'a str)> {
        let size = self.algorithm.size();
        let length = match self.encoding {
            Encoding::Hex => size * 2,
            Encoding::Base64 => size.div_ceil(3) * 4,
        };
        let middle = stored.strip_prefix(&self.head)?.strip_suffix(&self.tail)?;
        let (salt, digest) = match &self.salt {
            Place::Nowhere => return Some(("", middle)),
            Place::Before(between) => {
                let (salt, digest) = middle.split_at_checked(middle.len().checked_sub(length)?)?;
                (salt.strip_suffix(between)?, digest)
            }
            Place::After(between) => {
                let (digest, salt) = middle.split_at_checked(length)?;
                (salt.strip_prefix(between)?, digest)
            }
        };
        let sound = (1..=MAX_SALT).contains(&salt.len())
            && salt.bytes().all(|byte| byte.is_ascii_graphic());
        sound.then_some((salt, digest))
    }
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, of: &[Term], password: &[u8], salt: &str) -> Vec<u8> {
        let mut text = Vec::new();
        for term in of {
            match term {
                Term::Password => text.extend(password),
                Term::Salt => text.extend(salt.bytes()),
                Term::Digest(inner, of) => {
                    text.extend(to_hex(&inner.digest(of, password, salt)).bytes())
                }
            }
        }
        match self {
            Self::Md5 => Md5::digest(text).to_vec(),
            Self::Sha1 => Sha1::digest(text).to_vec(),
            Self::Sha256 => Sha256::digest(text).to_vec(),
            Self::Sha512 => Sha512::digest(text).to_vec(),
        }
    }
}
