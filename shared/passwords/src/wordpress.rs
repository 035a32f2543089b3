//! `$wp$2y$10$…`, bcrypt of a digest of the password, so that none is too long: WordPress since 6.8.
//! What it hashes is not quite what is typed: see [`given`].

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;

use crate::field::STANDARD;
use crate::{Format, Opens, bcrypt};

pub(crate) static FORMAT: Format = Format {
    name: "wordpress",
    decoy: "$wp$2y$10$.....................................................",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    let stored = stored.strip_prefix("$wp").filter(|stored| stored.starts_with("$2y$"))?;
    let opens = bcrypt::read(stored)?;
    let mac = Hmac::<Sha384>::new_from_slice(b"wp-sha384").ok()?;
    Some(Box::new(move |password| {
        given(password).iter().any(|given| {
            let digest = mac.clone().chain_update(given).finalize().into_bytes();
            opens(STANDARD.encode(digest).as_bytes())
        })
    }))
}

/// What WordPress may have hashed where this was typed: it takes white space off the ends, and what
/// comes by a form has a backslash before its quotes, backslashes and NULs, which it leaves on a
/// password, at sign-in as before. What comes by its APIs has none.
pub(crate) fn given(password: &[u8]) -> Vec<Vec<u8>> {
    let mut slashed = Vec::with_capacity(password.len());
    for &byte in password {
        match byte {
            b'\'' | b'"' | b'\\' => slashed.extend([b'\\', byte]),
            0 => slashed.extend(b"\\0"),
            _ => slashed.push(byte),
        }
    }
    let mut given = vec![trim(password).to_owned(), trim(&slashed).to_owned()];
    given.dedup();
    given.retain(|given| !given.is_empty());
    given
}

/// PHP's `trim`.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | 0, rest @ ..]
    | [rest @ .., b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | 0] = text
    {
        text = rest;
    }
    text
}
