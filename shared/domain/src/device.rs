//! A television: how somebody comes in on a device without a keyboard (RFC 8628).
//!
//! Amazon gives two codes, one for people and one for us; the device gets the first of them, and a
//! handle of ours in place of the second. It asks with the handle until the person has decided, and
//! what we keep of the codes meanwhile is sealed by it.

use std::{net::IpAddr, time::Duration};

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _,
    aead::{Aead as _, Nonce},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::{AmazonUserId, Profile, SessionToken, Timestamp, Token, handoff::network, link::Limit};

/// For so long at most a person may type the code.
pub const LIVES: Duration = Duration::from_mins(10);
/// For so long after its success a device may ask once more, because the answer got lost.
pub const REPEATED_FOR: Duration = Duration::from_mins(1);
/// The shortest time between two questions of a device. A request of ours ends sooner, so no two of
/// them ask Amazon at once, and none is told that the codes are used while another is still at it.
pub const SHORTEST: Duration = Duration::from_secs(10);
/// The longest time that a device is made to wait that asks too soon: if an answer gets lost, there is
/// time to ask once more.
pub const LONGEST: Duration = Duration::from_secs(45);
/// By so much it is made to wait longer when it asks too soon (RFC 8628, section 3.5).
pub const SLOWED_BY: Duration = Duration::from_secs(5);

/// What a device asks with: `device_code` in our answer, and never Amazon's.
pub type DeviceHandle = Token<Device>;

/// See [`DeviceHandle`].
pub enum Device {}

/// Amazon's two codes.
#[derive(Clone, PartialEq, Eq)]
pub struct Codes {
    device: String,
    user: String,
}

impl Codes {
    /// Takes two codes from Amazon: visible ASCII for us, letters, digits and hyphens for people.
    pub fn new(device: &str, user: &str) -> Option<Self> {
        let fits = (1..=1024).contains(&device.len())
            && device.bytes().all(|b| b.is_ascii_graphic())
            && (1..=32).contains(&user.len())
            && user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        fits.then(|| Self { device: device.to_owned(), user: user.to_owned() })
    }

    /// The one that only we know.
    pub fn device_code(&self) -> &str {
        &self.device
    }

    /// The one that the person types.
    pub fn user_code(&self) -> &str {
        &self.user
    }
}

/// They are good for a token, so they stay out of logs.
impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codes(…)")
    }
}

/// What a handle seals, each under a key of its own.
#[derive(Clone, Copy)]
enum Label {
    Codes,
    Session,
}

impl DeviceHandle {
    /// Amazon's codes, for a table to keep: whoever reads it can do nothing without the handle.
    pub fn seal_codes(&self, codes: &Codes) -> Option<Vec<u8>> {
        // Neither has a blank in it.
        self.seal(Label::Codes, &format!("{} {}", codes.user, codes.device))
    }

    /// Amazon's codes, if this handle has sealed them.
    pub fn open_codes(&self, sealed: &[u8]) -> Option<Codes> {
        let text = self.open(Label::Codes, sealed)?;
        let (user, device) = text.split_once(' ')?;
        Codes::new(device, user)
    }

    /// The token of the session that the device got, in case that the answer gets lost.
    pub fn seal_session(&self, token: &SessionToken) -> Option<Vec<u8>> {
        self.seal(Label::Session, &token.expose())
    }

    /// The token of that session, if this handle has sealed it.
    pub fn open_session(&self, sealed: &[u8]) -> Option<SessionToken> {
        SessionToken::presented(&self.open(Label::Session, sealed)?).ok()
    }

    fn seal(&self, label: Label, text: &str) -> Option<Vec<u8>> {
        self.cipher(label)?.encrypt(&nonce(), text.as_bytes()).ok()
    }

    fn open(&self, label: Label, sealed: &[u8]) -> Option<String> {
        let text = self.cipher(label)?.decrypt(&nonce(), sealed).ok()?;
        String::from_utf8(text).ok()
    }

    /// The handle is random and is good for one grant, so each of its keys seals one text, ever.
    fn cipher(&self, label: Label) -> Option<ChaCha20Poly1305> {
        let label: &[u8] = match label {
            Label::Codes => b"lwa-bridge device codes",
            Label::Session => b"lwa-bridge device session",
        };
        let mut key = Hmac::<Sha256>::new_from_slice(self.expose().as_bytes()).ok()?;
        key.update(label);
        ChaCha20Poly1305::new_from_slice(&key.finalize().into_bytes()).ok()
    }
}

/// A key that seals one text needs no other nonce.
fn nonce() -> Nonce<ChaCha20Poly1305> {
    Nonce::<ChaCha20Poly1305>::default()
}

/// The limits on devices that begin: each asks Amazon for codes, and gets a row.
///
/// Per address ten in ten minutes, as for what apps hand over; and over all addresses so many in a
/// minute that Amazon is not flooded through us.
pub fn limits(address: IpAddr, now: Timestamp) -> [Limit; 2] {
    let network = network(address).to_string();
    [
        Limit::of(&["device", &network], 10, Duration::from_mins(10), now),
        Limit::of(&["device"], 600, Duration::from_mins(1), now),
    ]
}

/// A device that waits for its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// How far it is.
    pub stage: Stage,
    /// How long it has to wait between two questions.
    pub interval: Duration,
    /// When it may ask next.
    pub next_poll_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// How far a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Amazon has vouched for nobody yet; Amazon's codes, sealed.
    Pending(Vec<u8>),
    /// Amazon has vouched for this customer, who may not enter yet.
    Known(Profile),
    /// The person is in: the session's token, sealed, and since when.
    Done(Vec<u8>, Timestamp),
}

/// What a question of a device is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll<'a> {
    /// It is over: the device has to begin anew.
    Over,
    /// It came too soon.
    TooSoon,
    /// What Amazon says; the codes, sealed.
    Ask(&'a [u8]),
    /// What our own tables say of this customer.
    LookUp(&'a Profile),
    /// The same as before; the session's token, sealed.
    Repeat(&'a [u8]),
}

impl Grant {
    /// A grant that starts now. Whoever asks first need not wait.
    pub fn new(sealed: Vec<u8>, lives: Duration, interval: Duration, now: Timestamp) -> Self {
        Self {
            stage: Stage::Pending(sealed),
            interval: interval.max(SHORTEST),
            next_poll_at: now,
            expires_at: now + lives.min(LIVES),
        }
    }

    /// The same, once it was asked about: when it may be asked about next.
    #[must_use]
    pub fn asked(&self, now: Timestamp) -> Self {
        Self { next_poll_at: now + self.interval, ..self.clone() }
    }

    /// The same for a device that asks too often; nothing if it is as slow as it has to be.
    pub fn slowed(&self) -> Option<Self> {
        let interval = (self.interval + SLOWED_BY).min(LONGEST);
        let longer = interval.checked_sub(self.interval).filter(|longer| !longer.is_zero())?;
        Some(Self { interval, next_poll_at: self.next_poll_at + longer, ..self.clone() })
    }

    /// Whom Amazon vouched for.
    pub fn customer(&self) -> Option<&AmazonUserId> {
        match &self.stage {
            Stage::Known(customer) => Some(&customer.user_id),
            _ => None,
        }
    }
}

/// Decides what a question of a device is answered with.
pub fn poll(grant: &Grant, now: Timestamp) -> Poll<'_> {
    match &grant.stage {
        Stage::Done(session, at) => {
            if now.since(*at) < REPEATED_FOR {
                Poll::Repeat(session)
            } else {
                Poll::Over
            }
        }
        _ if now >= grant.expires_at => Poll::Over,
        _ if now < grant.next_poll_at => Poll::TooSoon,
        Stage::Pending(codes) => Poll::Ask(codes),
        Stage::Known(customer) => Poll::LookUp(customer),
    }
}

#[cfg(test)]
mod tests {
    use rand_core::UnwrapErr;

    use super::*;
    use crate::AccountId;

    fn handle() -> DeviceHandle {
        DeviceHandle::mint(&mut UnwrapErr(getrandom::SysRng))
    }

    fn grant() -> Grant {
        Grant::new(vec![7], Duration::from_mins(10), Duration::from_secs(30), Timestamp(1000))
    }

    #[test]
    fn h04_only_its_own_handle_opens_what_is_sealed() {
        let (ours, other) = (handle(), handle());
        let codes = Codes::new("2f0d8a4e-5b0e-4a53-9a54-0c9a7e1f2b33", "QWXKPD").unwrap();
        let sealed = ours.seal_codes(&codes).unwrap();
        assert_eq!(ours.open_codes(&sealed), Some(codes.clone()));
        assert_eq!(other.open_codes(&sealed), None);
        assert!(!String::from_utf8_lossy(&sealed).contains("QWXKPD"));
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(ours.open_codes(&bent), None, "bit 0 of byte {at}");
            assert_eq!(ours.open_codes(&sealed[..at]), None, "{at} bytes of it");
        }

        let ann = AccountId::parse("ann").unwrap();
        let token = SessionToken::open(&ann, &mut UnwrapErr(getrandom::SysRng));
        let session = ours.seal_session(&token).unwrap();
        assert_eq!(ours.open_session(&session).unwrap().expose(), token.expose());
        assert!(other.open_session(&session).is_none());
        // What was sealed as one thing is not opened as another.
        assert!(ours.open_session(&sealed).is_none() && ours.open_codes(&session).is_none());
        assert_eq!(format!("{codes:?}"), "Codes(…)");
    }

    #[test]
    fn h04_the_same_codes_are_sealed_otherwise_by_every_handle() {
        let codes = Codes::new("d", "U").unwrap();
        assert_ne!(handle().seal_codes(&codes), handle().seal_codes(&codes));
    }

    #[test]
    fn codes_that_nobody_could_type_or_send_are_none() {
        assert!(Codes::new(&"d".repeat(1024), "A1-b2").is_some());
        let (long, user) = ("d".repeat(1025), "u".repeat(33));
        for (device, user) in [
            ("", "U"),
            (long.as_str(), "U"),
            ("d e", "U"),
            ("d\n", "U"),
            ("\u{e4}", "U"),
            ("d", ""),
            ("d", user.as_str()),
            ("d", "A B"),
            ("d", "<b>"),
            ("d", "\u{c4}"),
        ] {
            assert_eq!(Codes::new(device, user), None, "{device:?} {user:?}");
        }
    }

    #[test]
    fn h03_a_device_that_asks_too_soon_is_told_so_and_waits_longer() {
        let grant = grant();
        assert_eq!(poll(&grant, Timestamp(1000)), Poll::Ask(&[7]), "the first need not wait");
        let grant = grant.asked(Timestamp(1000));
        assert_eq!(poll(&grant, Timestamp(1029)), Poll::TooSoon);
        assert_eq!(poll(&grant, Timestamp(1030)), Poll::Ask(&[7]));

        let grant = grant.slowed().unwrap();
        assert_eq!(grant.interval, Duration::from_secs(35));
        assert_eq!(poll(&grant, Timestamp(1034)), Poll::TooSoon);
        assert_eq!(poll(&grant, Timestamp(1035)), Poll::Ask(&[7]));

        let slowest = std::iter::successors(Some(grant), Grant::slowed).last().unwrap();
        assert_eq!(slowest.interval, LONGEST);
        assert_eq!(slowest.next_poll_at, Timestamp(1045));
    }

    #[test]
    fn h03_no_device_asks_all_the_time_whatever_amazon_says() {
        let interval =
            |told| Grant::new(vec![], LIVES, Duration::from_secs(told), Timestamp(0)).interval;
        assert_eq!(
            (interval(1), interval(30), interval(60)),
            (SHORTEST, Duration::from_secs(30), Duration::from_secs(60))
        );
        let slow = Grant::new(vec![], LIVES, Duration::from_secs(60), Timestamp(0));
        assert_eq!(slow.slowed(), None, "it is slow enough");
    }

    #[test]
    fn h06_a_grant_ends_by_the_second() {
        let user_id = AmazonUserId::parse("amzn1.account.ANN").unwrap();
        let ann = Profile { user_id, email: None, name: None, postal_code: None };
        let known = Grant { stage: Stage::Known(ann.clone()), ..grant() };
        for (now, pending, looked_up) in [
            (1599, Poll::Ask(&[7]), Poll::LookUp(&ann)),
            (1600, Poll::Over, Poll::Over),
            (1601, Poll::Over, Poll::Over),
        ] {
            assert_eq!(poll(&grant(), Timestamp(now)), pending, "at {now}");
            assert_eq!(poll(&known, Timestamp(now)), looked_up, "at {now}");
        }
        let longer = Grant::new(vec![], Duration::from_hours(1), SHORTEST, Timestamp(0));
        assert_eq!(longer.expires_at, Timestamp(600), "whatever Amazon says");
        let shorter = Grant::new(vec![], Duration::from_secs(60), SHORTEST, Timestamp(0));
        assert_eq!(shorter.expires_at, Timestamp(60));
    }

    #[test]
    fn h05_an_answer_that_got_lost_is_repeated_for_a_minute() {
        // However late: what counts is the success.
        let done = Grant { stage: Stage::Done(vec![9], Timestamp(1599)), ..grant() };
        for (now, answer) in
            [(1599, Poll::Repeat(&[9])), (1658, Poll::Repeat(&[9])), (1659, Poll::Over)]
        {
            assert_eq!(poll(&done, Timestamp(now)), answer, "at {now}");
        }
    }
}
