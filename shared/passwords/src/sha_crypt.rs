//! `$6$salt$hash` (SHA-512) and `$5$salt$hash` (SHA-256), of 5000 rounds where no `rounds=656000$`
//! stands before the salt: Unix, Dovecot, old PHP, passlib.

use ::sha_crypt::{Params, sha256_crypt, sha512_crypt};

use crate::field::{crypt64, number, same};
use crate::{Format, Opens};

/// A third more than passlib takes, which takes most.
const MAX_ROUNDS: u32 = 1_000_000;

pub(crate) static FORMAT: Format = Format {
    name: "sha_crypt",
    decoy: "$6$................$......................................................................................",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    type Hash = fn(&[u8], &[u8], Params) -> Vec<u8>;
    let fields: Vec<_> = stored.split('$').collect();
    let (name, rounds, salt, hash) = match fields[..] {
        ["", name, salt, hash] => (name, Params::default(), salt, hash),
        ["", name, rounds, salt, hash] => {
            let rounds = number(rounds.strip_prefix("rounds=")?)?;
            (name, Params::new(rounds).ok().filter(|_| rounds <= MAX_ROUNDS)?, salt, hash)
        }
        _ => return None,
    };
    let (compute, size): (Hash, usize) = match name {
        "5" => (|password, salt, rounds| spelled(&sha256_crypt(password, salt, rounds), 21), 32),
        "6" => (|password, salt, rounds| spelled(&sha512_crypt(password, salt, rounds), 22), 64),
        _ => return None,
    };
    // crypt reads no more than 16 characters of a salt, and writes no more.
    let written = |salt: &&str| {
        (8..=16).contains(&salt.len())
            && salt.bytes().all(|byte| matches!(byte, b'.' | b'/') || byte.is_ascii_alphanumeric())
    };
    let salt = Some(salt).filter(written)?.to_owned();
    let hash = crypt64(hash).filter(|hash| hash.len() == size)?;
    Some(Box::new(move |password| same(&compute(password, salt.as_bytes(), rounds), &hash)))
}

/// The digest's bytes in the order in which crypt spells them: three by three, one from each third,
/// and every three a `step` behind those before; then what is left over.
fn spelled(digest: &[u8], step: usize) -> Vec<u8> {
    let third = digest.len() / 3;
    let (thirds, rest) = digest.split_at(3 * third);
    let place = |at: usize| (at / 3 * step + (2 - at % 3) * third) % thirds.len();
    (0..thirds.len()).map(|at| thirds[place(at)]).chain(rest.iter().copied()).collect()
}
