//! Which addresses several accounts share, without keeping them: of each only 16 bytes stay, of
//! SHA-256 over a salt and the address. Where those are the same, so is the address: that two of ten
//! million different ones agree has a chance of one in 10^24.

use domain::Email;
use sha2::{Digest as _, Sha256};
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Makes hashes those of one survey.
pub(crate) type Salt = [u8; 16];
/// What stays of an address.
pub(crate) type Trace = [u8; 16];

/// The addresses of many accounts.
#[derive(Default)]
pub(crate) struct Addresses {
    /// Of usable ones, in lowercase.
    pub(crate) usable: Vec<Trace>,
    /// Of those with other letters than ASCII has, as a database might fold them.
    pub(crate) foreign: Vec<Trace>,
}

/// How many accounts share addresses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    /// Addresses that more than one account has, up to ASCII case.
    pub(crate) addresses: u64,
    /// The accounts that have them.
    pub(crate) accounts: u64,
    /// Accounts whose address looks like another one's.
    pub(crate) look_alikes: u64,
}

impl Addresses {
    pub(crate) fn add(&mut self, mut more: Self) {
        self.usable.append(&mut more.usable);
        self.foreign.append(&mut more.foreign);
    }

    /// Counts an address; says whether it is a usable one.
    pub(crate) fn count(&mut self, salt: &Salt, address: &str) -> Option<Email> {
        if !address.is_ascii() {
            self.foreign.push(trace(salt, &folded(address)));
        }
        let email = Email::parse(address)?;
        self.usable.push(trace(salt, &email.lowercase()));
        Some(email)
    }

    /// How many accounts share addresses.
    pub(crate) fn shared(mut self) -> Shared {
        self.usable.sort_unstable();
        self.foreign.sort_unstable();
        let mut shared = Shared::default();
        for same in self.usable.chunk_by(|one, other| one == other).filter(|same| same.len() > 1) {
            shared.addresses += 1;
            shared.accounts += same.len() as u64;
        }
        for same in self.foreign.chunk_by(|one, other| one == other) {
            if same.len() > 1 || self.usable.binary_search(&same[0]).is_ok() {
                shared.look_alikes += same.len() as u64;
            }
        }
        shared
    }
}

fn trace(salt: &Salt, text: &str) -> Trace {
    let digest = Sha256::new_with_prefix(salt).chain_update(text).finalize();
    let mut trace = Trace::default();
    trace.copy_from_slice(&digest[..16]);
    trace
}

/// The address as the most generous database would read it: compatibility forms taken apart, marks
/// left out, and in capitals before it is in lowercase, for that makes `i` of `ı` and `ss` of `ß`.
fn folded(address: &str) -> String {
    let plain: String = address.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    // First in lowercase, for the capital ẞ is its own capital.
    plain.to_lowercase().to_uppercase().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(addresses: &[&str]) -> Shared {
        let mut all = Addresses::default();
        for address in addresses {
            all.count(&[7; 16], address);
        }
        all.shared()
    }

    #[test]
    fn addresses_are_shared_up_to_ascii_case() {
        let three = ["ann@example.com", "Ann@Example.com", "ANN@EXAMPLE.COM"];
        let others = ["bob@example.com", "ann+1@example.com", "ann@example.com ", ""];
        let expected = Shared { addresses: 1, accounts: 3, look_alikes: 0 };
        assert_eq!(shared(&[&three[..], &others].concat()), expected);
        assert_eq!(shared(&others), Shared::default());
    }

    #[test]
    fn look_alikes_are_counted_where_there_is_somebody_to_look_like() {
        for odd in [
            "kím@example.com",
            "K\u{131}m@example.com",
            "\u{212a}im@example.com",
            "kim＠example.com",
            "ki\u{301}m@example.com",
        ] {
            let expected = Shared { look_alikes: 1, ..Shared::default() };
            assert_eq!(shared(&["Kim@example.com", odd]), expected, "{odd}");
            assert_eq!(shared(&[odd]), Shared::default(), "{odd}");
        }
        let expected = Shared { look_alikes: 2, ..Shared::default() };
        assert_eq!(shared(&["straße@example.com", "STRAẞE@example.com"]), expected);
        assert_eq!(shared(&["strasse@example.com", "straße@example.com"]).look_alikes, 1);
    }
}
