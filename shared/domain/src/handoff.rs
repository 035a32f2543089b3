//! What an app hands over: an access token that Amazon gave it, or a code to be redeemed.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::{Timestamp, link::Limit};

/// For so long it is remembered which session a token opened: Amazon's tokens live no longer.
pub const REMEMBERED: Duration = Duration::from_hours(1);

/// An access token of Amazon's that somebody handed over, and that nobody has looked at yet.
#[derive(Clone)]
pub struct HandedToken(String);

impl HandedToken {
    /// Takes a text that has the shape of Amazon's access tokens: `Atza|` and more, at most 2048
    /// visible ASCII characters. A refresh token, `Atzr|`, is none: it must never leave the app.
    pub fn parse(text: &str) -> Option<Self> {
        let has_shape = text.strip_prefix("Atza|").is_some_and(|rest| !rest.is_empty());
        let fits = text.len() <= 2048 && text.bytes().all(|b| b.is_ascii_graphic());
        (has_shape && fits).then(|| Self(text.to_owned()))
    }

    /// The token itself, for the calls that ask Amazon about it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What a table may keep: useless to whoever reads it.
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0))
    }
}

/// The token stays out of logs.
impl fmt::Debug for HandedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedToken(…)")
    }
}

/// A code that Amazon gave an app, and what it takes to redeem it.
#[derive(Clone)]
pub struct HandedCode {
    /// The code.
    pub code: String,
    /// What the app made the challenge of (RFC 7636).
    pub verifier: String,
    /// Where Amazon sent the app back to.
    pub redirect_uri: String,
    /// The app, as Amazon knows it on this platform.
    pub client_id: String,
}

impl HandedCode {
    /// Whether all of it has the shape that it must have; what it is worth, Amazon says.
    pub fn is_shaped(&self) -> bool {
        let graphic = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        // RFC 7636, section 4.1.
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let verifies =
            (43..=128).contains(&self.verifier.len()) && self.verifier.bytes().all(unreserved);
        verifies
            && graphic(&self.code, 1024)
            && graphic(&self.redirect_uri, 2048)
            && graphic(&self.client_id, 128)
    }
}

/// The code stays out of logs.
impl fmt::Debug for HandedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedCode(…)")
    }
}

/// The limits on what is handed over, whoever does it and whatever it is.
///
/// Per address thirty in ten minutes, where the 64 bits that a line has of IPv6 count as one
/// address; and over all addresses so many in a minute that Amazon is not flooded through us.
pub fn limits(address: IpAddr, now: Timestamp) -> [Limit; 2] {
    let network = network(address).to_string();
    [
        Limit::of(&["handoff", &network], 30, Duration::from_mins(10), now),
        Limit::of(&["handoff"], 3000, Duration::from_mins(1), now),
    ]
}

/// Whom an address stands for: itself, or the network of whoever may choose its last 64 bits.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn g05_only_what_looks_like_an_access_token_of_amazons_is_one() {
        let longest = format!("Atza|{}", "a".repeat(2043));
        for token in ["Atza|a", "Atza|IwEBIA~._-+/=|", &longest] {
            assert_eq!(HandedToken::parse(token).unwrap().expose(), token);
        }
        let too_long = format!("{longest}a");
        for none in [
            "",
            "Atza|",
            "Atza",
            "atza|a",
            "ATZA|a",
            " Atza|a",
            "Atza|a ",
            "Atza|a b",
            "Atza|a\r\nHost: b",
            "Atza|\u{e4}",
            "Atza|a\0",
            "Atza|a\u{7f}",
            "Atzr|a",
            "Atzr|Atza|a",
            "Bearer Atza|a",
            &too_long,
        ] {
            assert!(HandedToken::parse(none).is_none(), "{none:?}");
        }
    }

    #[test]
    fn g09_a_code_comes_with_a_verifier_as_long_as_it_must_be() {
        let code = |code: &str, verifier: &str, redirect_uri: &str, client_id: &str| {
            let [code, verifier, redirect_uri, client_id] =
                [code, verifier, redirect_uri, client_id].map(str::to_owned);
            HandedCode { code, verifier, redirect_uri, client_id }.is_shaped()
        };
        let (short, good, long) = ("v".repeat(42), "v".repeat(43), "v".repeat(129));
        assert!(code("ANx", &good, "amzn://com.example.shop", "amzn1.application-oa2-client.a"));
        assert!(code("ANx", &format!("{}-._~", &long[..124]), "x", "c"));
        for verifier in [&short, &long, &good.replace("vv", "v "), &good.replace("vv", "v+"), ""] {
            assert!(!code("ANx", verifier, "x", "c"), "{verifier}");
        }
        assert!(!code("", &good, "x", "c") && !code("A N", &good, "x", "c"));
        assert!(!code("ANx", &good, "", "c") && !code("ANx", &good, "x", ""));
        assert!(!code("ANx", &good, "x\r\ny", "c") && !code("ANx", &good, "x", "c\n"));
    }

    #[test]
    fn g07_m11_whoever_has_a_network_of_ipv6_is_counted_as_one() {
        let key = |text| limits(ip(text), Timestamp(1000))[0].key.clone();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"), "an address written otherwise");
        assert!(!key("192.0.2.1").contains("192"), "k08: it names nobody");
        let [address, all] = limits(ip("192.0.2.1"), Timestamp(1000));
        assert_eq!((address.most, address.resets_at), (30, Timestamp(1200)));
        assert_eq!(all.resets_at, Timestamp(1020));
        assert_eq!(all, limits(ip("192.0.2.2"), Timestamp(1000))[1].clone());
    }
}
