//! `$scrypt$ln=16,r=8,p=1$salt$hash` (RFC 7914, PHC string format): passlib, npm's `@phc/scrypt`,
//! RustCrypto. `ln` is log₂ of N.

use ::scrypt::{Params, scrypt};

use crate::field::{STANDARD_NO_PAD, base64, numbers, salt, same};
use crate::{Format, Opens};

/// 128 MiB, in bytes, of 128 N r.
const MAX_MEMORY: u64 = 128 << 20;
/// Keeps the memory beside the 128 N r, which is 128 p r, small.
const MAX_BLOCK: u32 = 32;
const MAX_PARALLELISM: u32 = 16;

pub(crate) static FORMAT: Format = Format {
    name: "scrypt",
    decoy: "$scrypt$ln=16,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    let fields: Vec<_> = stored.split('$').collect();
    let ["", "scrypt", costs, salted, hash] = fields[..] else { return None };
    let [log_n, r, p] = numbers(costs, ["ln", "r", "p"])?;
    let hash = base64(&STANDARD_NO_PAD, hash)?;
    // A shorter hash begins like a longer one: one cut short would match if any length would do.
    (hash.len() == 32).then_some(())?;
    opens(log_n, r, p, salt(base64(&STANDARD_NO_PAD, salted)?)?, hash)
}

/// Checks a password against `hash`, whose length the caller knows to be right.
pub(crate) fn opens(log_n: u32, r: u32, p: u32, salt: Vec<u8>, hash: Vec<u8>) -> Option<Opens> {
    let n = (1..=20).contains(&log_n).then(|| 1u64 << log_n)?;
    if r > MAX_BLOCK || p > MAX_PARALLELISM || 128 * n * u64::from(r) > MAX_MEMORY {
        return None;
    }
    let params = Params::new(u8::try_from(log_n).ok()?, r, p).ok()?;
    Some(Box::new(move |password| {
        // Its HMAC fills a key up with NULs: a password and the same with NULs behind it would be one.
        if password.ends_with(b"\0") {
            return false;
        }
        let mut computed = vec![0; hash.len()];
        scrypt(password, &salt, &params, &mut computed).is_ok() && same(&computed, &hash)
    }))
}
