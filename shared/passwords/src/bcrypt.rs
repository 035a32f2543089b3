//! `$2a$10$`, `$2b$10$` and `$2y$10$`, then 22 characters of salt and 31 of hash: Rails, Laravel,
//! Spring, Node, PHP. The three letters tell apart bugs that no password accepted here can reach.

use ::bcrypt::{BASE_64, bcrypt};

use crate::field::{base64, number, same};
use crate::{Format, Opens};

const MAX_COST: u32 = 15;

pub(crate) static FORMAT: Format = Format {
    name: "bcrypt",
    decoy: "$2b$12$.....................................................",
    read,
};

pub(crate) fn read(stored: &str) -> Option<Opens> {
    let fields: Vec<_> = stored.split('$').collect();
    let ["", "2a" | "2b" | "2y", cost, rest] = fields[..] else { return None };
    let cost = (cost.len() == 2).then(|| number(cost.strip_prefix('0').unwrap_or(cost)))??;
    if !(4..=MAX_COST).contains(&cost) {
        return None;
    }
    let (salt, hash) = rest.split_at_checked(22)?;
    let salt: [u8; 16] = base64(&BASE_64, salt)?.try_into().ok()?;
    let hash: [u8; 23] = base64(&BASE_64, hash)?.try_into().ok()?;
    Some(Box::new(move |password| {
        // bcrypt reads up to a password's first NUL or its 72nd byte: beyond, every password with
        // the same beginning would open the hash.
        if password.len() > 72 || password.contains(&0) {
            return false;
        }
        // The terminating NUL is part of the key where there is room for it.
        let mut key = [0; 73];
        key[..password.len()].copy_from_slice(password);
        let computed = bcrypt(cost, salt, &key[..72.min(password.len() + 1)]);
        // The 24th byte is computed by all and stored by none.
        same(&computed[..23], &hash)
    }))
}
