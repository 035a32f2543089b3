//! `scrypt:32768:8:1$salt$hex` (its default) and `pbkdf2:sha256:1000000$salt$hex`, also of SHA-1 and
//! SHA-512: Werkzeug, hence Flask. Salts are text of letters and digits.

use crate::field::{hex, number, salt};
use crate::{Format, Opens, pbkdf2, scrypt};

pub(crate) static FORMAT: Format = Format {
    name: "werkzeug",
    decoy: "scrypt:32768:8:1$AAAAAAAAAAAAAAAA$00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    let fields: Vec<_> = stored.split('$').collect();
    let [method, salted, hash] = fields[..] else { return None };
    salted.bytes().all(|byte| byte.is_ascii_alphanumeric()).then_some(())?;
    let (salt, hash) = (salt(salted)?, hex(hash)?);
    let method: Vec<_> = method.split(':').collect();
    match method[..] {
        ["pbkdf2", digest, iterations] => {
            pbkdf2::opens(digest, number(iterations)?, None, salt, hash)
        }
        ["scrypt", n, r, p] => {
            let n = number(n).filter(|n| n.is_power_of_two() && hash.len() == 64)?;
            scrypt::opens(n.ilog2(), number(r)?, number(p)?, salt, hash)
        }
        _ => None,
    }
}
