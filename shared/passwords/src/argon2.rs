//! `$argon2id$v=19$m=65536,t=3,p=4$salt$hash` and `$argon2i$…` (RFC 9106, PHC string format): PHP,
//! Laravel, Symfony, Node, argon2-cffi, passlib. Without `v=` the version is 16, which the reference
//! library wrote before strings named it.

use ::argon2::{Algorithm, Argon2, Params, Version};

use crate::field::{STANDARD_NO_PAD, base64, numbers, salt, same};
use crate::{Format, Opens};

/// 128 MiB, in KiB.
const MAX_MEMORY: u32 = 128 * 1024;
const MAX_PASSES: u32 = 10;
/// Django's default is 8.
const MAX_LANES: u32 = 8;

pub(crate) static FORMAT: Format = Format {
    name: "argon2",
    decoy: "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    read,
};

pub(crate) fn read(stored: &str) -> Option<Opens> {
    let fields: Vec<_> = stored.split('$').collect();
    let (name, version, costs, salted, hash) = match fields[..] {
        ["", name, "v=19", costs, salted, hash] => (name, Version::V0x13, costs, salted, hash),
        ["", name, "v=16", costs, salted, hash] | ["", name, costs, salted, hash] => {
            (name, Version::V0x10, costs, salted, hash)
        }
        _ => return None,
    };
    let algorithm = match name {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        _ => return None,
    };
    let [memory, passes, lanes] = numbers(costs, ["m", "t", "p"])?;
    if memory > MAX_MEMORY || passes > MAX_PASSES || lanes > MAX_LANES {
        return None;
    }
    let salt = salt(base64(&STANDARD_NO_PAD, salted)?)?;
    let hash = base64(&STANDARD_NO_PAD, hash)?;
    if !(16..=64).contains(&hash.len()) {
        return None;
    }
    let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
    let argon2 = Argon2::new(algorithm, version, params);
    Some(Box::new(move |password| {
        let mut computed = vec![0; hash.len()];
        argon2.hash_password_into(password, &salt, &mut computed).is_ok() && same(&computed, &hash)
    }))
}
