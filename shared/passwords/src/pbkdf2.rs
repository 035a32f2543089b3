//! `$pbkdf2-sha256$i=600000,l=32$salt$hash` (PHC string format: RustCrypto, npm's `@phc/pbkdf2`
//! without `l`) and `$pbkdf2-sha256$29000$salt$hash` (passlib, whose base64 has `.` for `+`); also
//! `-sha512`, and `-sha1` or nothing for SHA-1.

use ::pbkdf2::pbkdf2_hmac;
use base64::alphabet::Alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::field::{STANDARD_NO_PAD, base64, number, numbers, salt, same};
use crate::{Format, Opens};

/// Twice what Django 5.2 takes for SHA-256; of all blocks together.
const MAX_ITERATIONS: u32 = 2_000_000;

pub(crate) static FORMAT: Format = Format {
    name: "pbkdf2",
    decoy: "$pbkdf2-sha256$29000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    let fields: Vec<_> = stored.split('$').collect();
    let ["", name, costs, salted, hash] = fields[..] else { return None };
    let digest = if name == "pbkdf2" { "sha1" } else { name.strip_prefix("pbkdf2-")? };
    let (iterations, length, alphabet) = if let Some([i, l]) = numbers(costs, ["i", "l"]) {
        (i, Some(l), STANDARD_NO_PAD)
    } else if let Some([i]) = numbers(costs, ["i"]) {
        (i, None, STANDARD_NO_PAD)
    } else {
        let passlib =
            Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./")
                .ok()?;
        (number(costs)?, None, GeneralPurpose::new(&passlib, NO_PAD))
    };
    opens(digest, iterations, length, salt(base64(&alphabet, salted)?)?, base64(&alphabet, hash)?)
}

/// Checks a password against `hash`, whose `length` in bytes is the digest's own unless it is given.
pub(crate) fn opens(
    digest: &str,
    iterations: u32,
    length: Option<u32>,
    salt: Vec<u8>,
    hash: Vec<u8>,
) -> Option<Opens> {
    let (_, size) = derivation(digest)?;
    let length = length.unwrap_or(size);
    // A shorter hash begins like a longer one: one cut short would match if any length would do. No
    // library of these asks for more than one block.
    let sound = (16..=size).contains(&length) && u32::try_from(hash.len()) == Ok(length);
    sound.then(|| opens_key(digest, iterations, salt, hash))?
}

/// Checks a password against `hash`, whose length the caller knows to be right.
pub(crate) fn opens_key(
    digest: &str,
    iterations: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
) -> Option<Opens> {
    let (derive, size) = derivation(digest)?;
    // Every block of the digest's size costs all iterations again.
    let blocks = u32::try_from(hash.len()).ok()?.div_ceil(size);
    (1..=MAX_ITERATIONS).contains(&iterations.checked_mul(blocks)?).then_some(())?;
    Some(Box::new(move |password| {
        // HMAC fills a key up with NULs: a password and the same with NULs behind it would be one.
        if password.ends_with(b"\0") {
            return false;
        }
        let mut computed = vec![0; hash.len()];
        derive(password, &salt, iterations, &mut computed);
        same(&computed, &hash)
    }))
}

type Derive = fn(&[u8], &[u8], u32, &mut [u8]);

/// PBKDF2 with this digest, and the digest's size in bytes.
fn derivation(digest: &str) -> Option<(Derive, u32)> {
    match digest {
        "sha1" => Some((pbkdf2_hmac::<Sha1>, 20)),
        "sha256" => Some((pbkdf2_hmac::<Sha256>, 32)),
        "sha512" => Some((pbkdf2_hmac::<Sha512>, 64)),
        _ => None,
    }
}
