#![doc = include_str!("../README.md")]

mod argon2;
mod aspnet;
mod bcrypt;
mod digest;
mod django;
mod field;
mod pbkdf2;
mod phpass;
mod scrypt;
mod sha_crypt;
mod werkzeug;
mod wordpress;

use std::fmt;

pub use digest::{Misdescribed, SaltedDigest};

/// Every format, each a file: a new one is a file and its line here.
const FORMATS: [&Format; 10] = [
    &argon2::FORMAT,
    &aspnet::FORMAT,
    &bcrypt::FORMAT,
    &django::FORMAT,
    &pbkdf2::FORMAT,
    &phpass::FORMAT,
    &scrypt::FORMAT,
    &sha_crypt::FORMAT,
    &werkzeug::FORMAT,
    &wordpress::FORMAT,
];

/// Whether a password opens one stored hash, as CPU-bound work within the caps.
type Opens = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// A stored hash that may be verified: its format is known, it is undamaged, and its cost is within
/// the caps.
pub struct Stored {
    format: &'static Format,
    opens: Opens,
}

impl Stored {
    /// Reads a hash as a table stores it, without any hashing.
    ///
    /// # Errors
    /// [`Unsupported`] when no password can be compared with it.
    pub fn parse(stored: &str) -> Result<Self, Unsupported> {
        let read = |format: &&'static Format| Some(Self { opens: (format.read)(stored)?, format });
        FORMATS.iter().find_map(read).ok_or(Unsupported)
    }

    /// Reads a hash as [`parse`](Self::parse) does, or else as a digest that is spelled as described.
    ///
    /// # Errors
    /// [`Unsupported`] when no password can be compared with it.
    pub fn parse_with(stored: &str, digest: &SaltedDigest) -> Result<Self, Unsupported> {
        let described = || Some(Self { opens: digest.read(stored)?, format: &digest::FORMAT });
        Self::parse(stored).or_else(|unsupported| described().ok_or(unsupported))
    }

    /// The format it is written in.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    /// Whether this is the password, byte for byte but for what WordPress and phpBB make of one. Blocks
    /// for as long as the hash costs.
    ///
    /// A password of no bytes or of more than 1024 never is, and costs nothing.
    pub fn verify(&self, password: &str) -> bool {
        (1..=1024).contains(&password.len()) && (self.opens)(password.as_bytes())
    }
}

/// Hashes stay out of logs.
impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({}, …)", self.format.name)
    }
}

/// The stored hash is of unknown format, or damaged, or would cost more than the caps allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stored password hash is of unknown format, damaged or too costly")
    }
}

impl std::error::Error for Unsupported {}

/// A way of writing password hashes that a family of libraries shares.
pub struct Format {
    name: &'static str,
    decoy: &'static str,
    read: fn(&str) -> Option<Opens>,
}

impl Format {
    /// Its name, fit for a metric's label.
    pub fn as_str(&self) -> &'static str {
        self.name
    }

    /// A stored hash of this format that costs what its libraries' defaults cost, and that no
    /// password opens. Of a digest it is [`decoy`]'s; its own likeness is [`SaltedDigest::decoy`].
    pub fn decoy(&self) -> &'static str {
        self.decoy
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A stored hash (argon2id, m=19456, t=2, p=1) that no password opens, so that an account that does
/// not exist costs the same work as one that does.
///
/// Where the table's format is known, [`Format::decoy`] is the better likeness.
pub fn decoy() -> &'static str {
    argon2::FORMAT.decoy
}
