use std::fmt;

/// An e-mail address that is safe to compare, to store and to show.
///
/// Equality is equality after ASCII lowercasing of the whole address and nothing else: no dots or
/// plus-tags are removed and no Unicode is folded, for each of those has merged two people's
/// accounts somewhere (GitHub's dotless-ı reset, `K` U+212A for `k`).
#[derive(Clone)]
pub struct Email(String);

impl Email {
    /// Takes an address from outside, whose spelling is kept.
    ///
    /// Addresses are plain: printable ASCII, one `@` with something on either side, at most 254
    /// bytes (RFC 5321), no white space, quotes, brackets, commas, colons or semicolons; the domain
    /// of letters, digits, hyphens and dots. Anything else is no address to us.
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let local_fits = (1..=64).contains(&local.len())
            && local.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&b));
        let label_fits = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() <= 254 && local_fits && domain.split('.').all(label_fits);
        fits.then(|| Self(text.to_owned()))
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it is compared: ASCII lowercase.
    pub fn lowercase(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Email {}

/// Addresses stay out of logs.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken() {
        for plain in [
            "ann@example.com",
            "a@b",
            "Ann.O'Neil+shop@Mail.Example.com",
            "x_y-z@xn--bcher-kva.example",
        ] {
            assert_eq!(Email::parse(plain).map(|e| e.0), Some(plain.to_owned()));
        }
    }

    #[test]
    fn e09_e11_anything_unusual_is_no_address() {
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b.".repeat(140));
        for odd in [
            "",
            "@",
            "ann",
            "@b",
            "a@",
            "a@b@c",
            " a@b",
            "a@b ",
            "a@b\n",
            "a\0@b",
            "a@b\r\nBcc: c@d",
            "Ann <ann@example.com>",
            "\"a b\"@example.com",
            "a,b@example.com",
            "a;b@example.com",
            "ann@exam_ple.com",
            "ann@-example.com",
            "ann@example-.com",
            "ann@example..com",
            "ann@.com",
            "ann@example.com.",
            "\u{212A}@example.com",
            "ann@b\u{fc}cher.example",
            "ann＠example.com",
            &long,
            &longer,
        ] {
            assert!(Email::parse(odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn e08_e10_addresses_are_equal_up_to_ascii_case_and_nothing_else() {
        let ann = Email::parse("Ann@Example.com").unwrap();
        assert_eq!(ann, Email::parse("aNN@eXAMPLE.COM").unwrap());
        assert_eq!(ann.lowercase(), "ann@example.com");
        assert_ne!(ann, Email::parse("ann+1@example.com").unwrap());
        assert_ne!(ann, Email::parse("a.nn@example.com").unwrap());
    }
}
