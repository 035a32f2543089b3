//! Strikes codes, tokens and ids in the shapes that were seen at Amazon.

use sha2::{Digest as _, Sha256};

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HEX: &[u8] = b"0123456789abcdef";

/// The documented ceiling of access and refresh tokens, in bytes.
const LONGEST: usize = 2048;

/// A source of texts that nobody can guess, once it has a seed.
#[derive(Clone, Default)]
pub(super) struct Mint {
    seed: [u8; 32],
    struck: u64,
}

impl Mint {
    /// A source that is as random as its seed.
    pub(super) fn seeded(seed: [u8; 32]) -> Self {
        Self { seed, struck: 0 }
    }

    /// An authorization code: `AN` and 18 letters or digits.
    pub(super) fn code(&mut self) -> String {
        format!("AN{}", self.text(ALPHANUMERIC, 18))
    }

    /// An access or refresh token: a prefix and that many characters of base64url.
    pub(super) fn token(&mut self, prefix: &str, length: usize, longest: bool) -> String {
        let length = if longest { LONGEST - prefix.len() } else { length };
        format!("{prefix}{}", self.text(BASE64URL, length))
    }

    /// The cookie of a browser that signed in.
    pub(super) fn session(&mut self) -> String {
        self.text(BASE64URL, 43)
    }

    /// A code that a person types: six letters.
    pub(super) fn user_code(&mut self) -> String {
        self.text(LETTERS, 6)
    }

    /// A request id or a device code: a random UUID.
    pub(super) fn request_id(&mut self) -> String {
        let hex = self.text(HEX, 30);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..])
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        self.struck += 1;
        let strike = Sha256::new().chain_update(self.seed).chain_update(self.struck.to_be_bytes());
        (0_u64..)
            .flat_map(|block| strike.clone().chain_update(block.to_be_bytes()).finalize())
            .map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()]))
            .take(length)
            .collect()
    }
}
