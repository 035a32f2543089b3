//! `$P$B`, then 8 characters of salt and 22 of hash: WordPress before 6.8. phpBB writes `$H$` for the
//! same. The character behind the second `$` is log₂ of the rounds of MD5.
//!
//! Neither hashes quite what is typed: the first as [`given`](wordpress::given) says, the second as
//! HTML escapes it. Others who write these leave a password as it is.

use std::ops::RangeInclusive;

use md_5::{Digest, Md5};

use crate::field::{CRYPT, crypt64, same};
use crate::{Format, Opens, wordpress};

/// log₂ of the rounds: WordPress takes 13 and passlib, who takes most, 19. phpass takes no less than 7.
const ROUNDS: RangeInclusive<usize> = 7..=19;

pub(crate) static FORMAT: Format =
    Format { name: "phpass", decoy: "$P$B..............................", read };

fn read(stored: &str) -> Option<Opens> {
    let (kind, rest) = stored.split_at_checked(3)?;
    let given: fn(&[u8]) -> Vec<Vec<u8>> = match kind {
        "$P$" => wordpress::given,
        "$H$" => |password| vec![escape(password)],
        _ => return None,
    };
    let (rounds, rest) = rest.split_at_checked(1)?;
    let rounds = CRYPT.find(rounds).filter(|rounds| ROUNDS.contains(rounds))?;
    let (salt, hash) = rest.split_at_checked(8)?;
    crypt64(salt)?; // its letters are the salt, not the bytes they could stand for
    let salt = salt.to_owned();
    let hash: [u8; 16] = crypt64(hash)?.try_into().ok()?;
    let opens = move |password: &[u8]| {
        let mut computed = Md5::new_with_prefix(&salt).chain_update(password).finalize();
        for _ in 0..1 << rounds {
            computed = Md5::new_with_prefix(computed).chain_update(password).finalize();
        }
        same(&computed, &hash)
    };
    Some(Box::new(move |password| {
        opens(password) || given(password).iter().any(|given| given != password && opens(given))
    }))
}

/// PHP's `htmlspecialchars`, with which phpBB reads its forms.
fn escape(password: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(password.len());
    for &byte in password {
        match byte {
            b'&' => escaped.extend(b"&amp;"),
            b'"' => escaped.extend(b"&quot;"),
            b'<' => escaped.extend(b"&lt;"),
            b'>' => escaped.extend(b"&gt;"),
            _ => escaped.push(byte),
        }
    }
    escaped
}
