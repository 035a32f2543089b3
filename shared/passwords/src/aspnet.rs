//! ASP.NET Identity's base64. Version 3, `AQAAAA…`: a byte 1; PBKDF2's hash (0 SHA-1, 1 SHA-256,
//! 2 SHA-512), its iterations and the salt's length, of four bytes each; 16 bytes of salt and 32 of
//! key. Version 2, `AA…`: a byte 0, salt and key alike, always of 1000 iterations of SHA-1.

use crate::field::{STANDARD, base64};
use crate::{Format, Opens, pbkdf2};

pub(crate) static FORMAT: Format = Format {
    name: "aspnet",
    decoy: "AQAAAAIAAYagAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    read,
};

fn read(stored: &str) -> Option<Opens> {
    let bytes = base64(&STANDARD, stored)?;
    let (head, key) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
    let (digest, iterations, salt) = match head {
        [0, salt @ ..] => ("sha1", 1000, salt),
        [1, 0, 0, 0, prf, a, b, c, d, 0, 0, 0, 16, salt @ ..] => {
            let digest = ["sha1", "sha256", "sha512"].get(usize::from(*prf))?;
            (*digest, u32::from_be_bytes([*a, *b, *c, *d]), salt)
        }
        _ => return None,
    };
    let salt = (salt.len() == 16).then(|| salt.to_vec())?;
    pbkdf2::opens_key(digest, iterations, salt, key.to_vec())
}
