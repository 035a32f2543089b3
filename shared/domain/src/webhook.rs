//! How a server shows another one who sent a request: Standard Webhooks 1.0, with one shared secret.
//!
//! 1. The sender names the message, says when it was sent, and signs `id.timestamp.body` with
//!    HMAC-SHA256: headers `webhook-id`, `webhook-timestamp` and `webhook-signature: v1,<base64>`.
//! 2. The receiver takes it if one of the signatures is right by one of its secrets (there are several
//!    while a secret is replaced), and the clocks are no more than five minutes apart.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_core::CryptoRng;
use sha2::Sha256;

use crate::{Timestamp, account::uuid};

/// How far the sender's clock may be from ours.
const CLOCKS_DIFFER: Duration = Duration::from_mins(5);
/// The shortest secret, in bytes: Standard Webhooks asks for 24.
const SHORTEST: usize = 24;
/// The most signatures that are compared.
const MOST: usize = 10;

/// A secret that a sender and a receiver share: `whsec_` and base64, of 24 bytes or more.
#[derive(Clone)]
pub struct Key(Vec<u8>);

/// A new message's name, `webhook-id`.
pub fn message_id(rng: &mut impl CryptoRng) -> String {
    format!("msg_{}", uuid(rng))
}

/// A request's headers about itself.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    /// `webhook-id`, the same whenever the same message is sent again.
    pub id: &'a str,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or more of `v1,<base64>`, with spaces between.
    pub signature: &'a str,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The headers are not those of a signed request.
    #[error("the request is not signed")]
    NotSigned,
    /// The request was sent long ago, or in the future.
    #[error("the request's time is more than five minutes away")]
    OutOfTime,
    /// No signature is right.
    #[error("the request's signature is wrong")]
    Wrong,
}

impl Key {
    /// Reads a secret.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        (bytes.len() >= SHORTEST).then_some(Self(bytes))
    }

    /// Reads what Secrets Manager keeps: one secret, or several with spaces between, the newest first.
    pub fn parse_all(text: &str) -> Option<Vec<Self>> {
        let keys: Vec<Self> = text.split_whitespace().map(Self::parse).collect::<Option<_>>()?;
        (!keys.is_empty()).then_some(keys)
    }

    /// The signature of a message, as its header says it.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let signature = self.mac(id, &at.0.to_string(), body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(signature))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!());
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

/// A secret stays out of logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Makes sure that a request was signed with one of these secrets, not long ago.
///
/// # Errors
///
/// [`Refused`].
pub fn verify(
    keys: &[Key],
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Refused> {
    let Headers { id, timestamp, signature } = headers;
    // A dot in the id would let a part of it pass for the time.
    let fits = (1..=256).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let digits =
        (1..=12).contains(&timestamp.len()) && timestamp.bytes().all(|b| b.is_ascii_digit());
    let (true, true, Ok(at)) = (fits && !id.contains('.'), digits, timestamp.parse()) else {
        return Err(Refused::NotSigned);
    };
    let at = Timestamp(at);
    if now.since(at).max(at.since(now)) > CLOCKS_DIFFER {
        return Err(Refused::OutOfTime);
    }
    let signatures = signature.split(' ').filter_map(|one| one.strip_prefix("v1,")).take(MOST);
    for presented in signatures.filter_map(|one| STANDARD.decode(one).ok()) {
        // `verify_slice` compares in constant time.
        let right = |key: &Key| key.mac(id, timestamp, body).verify_slice(&presented).is_ok();
        if keys.iter().any(right) {
            return Ok(());
        }
    }
    Err(Refused::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const NOON: Timestamp = Timestamp(1_614_265_330);

    fn key() -> Key {
        Key::parse(SECRET).unwrap()
    }

    fn check(id: &str, timestamp: &str, signature: &str, body: &[u8]) -> Result<(), Refused> {
        verify(&[key()], Headers { id, timestamp, signature }, body, NOON)
    }

    /// The example of the specification's own reference libraries.
    #[test]
    fn a_signature_is_what_standard_webhooks_says() {
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", br#"{"test": 2432232314}"#);
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(key().sign(id, NOON, body), signature);
        assert_eq!(check(id, "1614265330", signature, body), Ok(()));
    }

    #[test]
    fn whatever_was_changed_is_refused() {
        let signature = key().sign("m", NOON, b"{}");
        let t = "1614265330";
        assert_eq!(check("m", t, &signature, b"{}"), Ok(()));
        assert_eq!(check("m", t, &format!("v1a,x v1,AAAA {signature}"), b"{}"), Ok(()));
        for (id, timestamp, signature, body, why) in [
            ("n", t, signature.as_str(), b"{}".as_slice(), Refused::Wrong),
            ("m", "1614265331", &signature, b"{}", Refused::Wrong),
            ("m", t, &signature, b"{} ", Refused::Wrong),
            ("m", t, "", b"{}", Refused::Wrong),
            ("m", t, "v1,", b"{}", Refused::Wrong),
            ("m", t, &signature[..signature.len() - 4], b"{}", Refused::Wrong),
            ("m", t, &signature.replace("v1,", "v2,"), b"{}", Refused::Wrong),
            ("m", t, &signature.replace("v1,", ""), b"{}", Refused::Wrong),
            ("", t, &signature, b"{}", Refused::NotSigned),
            ("m.1", t, &signature, b"{}", Refused::NotSigned),
            ("m", "", &signature, b"{}", Refused::NotSigned),
            ("m", "+1614265330", &signature, b"{}", Refused::NotSigned),
            ("m", "1614265330.0", &signature, b"{}", Refused::NotSigned),
            ("m", "16142653300000000", &signature, b"{}", Refused::NotSigned),
        ] {
            assert_eq!(check(id, timestamp, signature, body), Err(why), "{id} {timestamp}");
        }
        let other = Key::parse("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!(check("m", t, &other.sign("m", NOON, b"{}"), b"{}"), Err(Refused::Wrong));
    }

    #[test]
    fn a_request_is_good_for_five_minutes_either_way() {
        for (away, expected) in [
            (-301, Err(Refused::OutOfTime)),
            (-300, Ok(())),
            (300, Ok(())),
            (301, Err(Refused::OutOfTime)),
        ] {
            let at = Timestamp(NOON.0 + away);
            let signature = key().sign("m", at, b"");
            assert_eq!(check("m", &at.0.to_string(), &signature, b""), expected, "{away}");
        }
    }

    #[test]
    fn while_a_secret_is_replaced_both_are_good() {
        let keys = Key::parse_all(&format!("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA {SECRET}\n"));
        let signature = key().sign("m", NOON, b"");
        let headers = Headers { id: "m", timestamp: "1614265330", signature: &signature };
        assert_eq!(verify(&keys.unwrap(), headers, b"", NOON), Ok(()));
    }

    #[test]
    fn a_secret_is_long_enough_and_stays_out_of_logs() {
        for wrong in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS=",
        ] {
            assert!(Key::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Key::parse_all("").is_none());
        assert!(Key::parse_all(&format!("{SECRET} short")).is_none());
        assert_eq!(format!("{:?}", key()), "Key(…)");
    }
}
