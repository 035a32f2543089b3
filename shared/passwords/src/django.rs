//! Django's own spellings: `pbkdf2_sha256$1000000$salt$hash` (its default), `pbkdf2_sha1$…`,
//! `argon2$argon2id$…`, `bcrypt$$2b$…`, `bcrypt_sha256$$2b$…` and `scrypt$N$salt$r$p$hash`. Salts are
//! text; where an account has no password, the hash begins with `!` and is unsupported like any other.

use sha2::{Digest, Sha256};

use crate::field::{STANDARD, base64, number, salt, to_hex};
use crate::{Format, Opens, argon2, bcrypt, pbkdf2, scrypt};

pub(crate) static FORMAT: Format = Format {
    name: "django",
    decoy: "pbkdf2_sha256$1000000$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    let (name, rest) = stored.split_once('$')?;
    let fields: Vec<_> = rest.split('$').collect();
    match (name, &fields[..]) {
        ("pbkdf2_sha256" | "pbkdf2_sha1", [iterations, salted, hash]) => {
            let digest = name.strip_prefix("pbkdf2_")?;
            pbkdf2::opens(
                digest,
                number(iterations)?,
                None,
                salt(*salted)?,
                base64(&STANDARD, hash)?,
            )
        }
        ("scrypt", [n, salted, r, p, hash]) => {
            let n = number(n).filter(|n| n.is_power_of_two())?;
            let hash = base64(&STANDARD, hash).filter(|hash| hash.len() == 64)?;
            scrypt::opens(n.ilog2(), number(r)?, number(p)?, salt(*salted)?, hash)
        }
        ("argon2", _) => argon2::read(stored.strip_prefix("argon2")?),
        ("bcrypt", _) => bcrypt::read(rest),
        ("bcrypt_sha256", _) => {
            let opens = bcrypt::read(rest)?;
            Some(Box::new(move |password| opens(to_hex(&Sha256::digest(password)).as_bytes())))
        }
        _ => None,
    }
}
