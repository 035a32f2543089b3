//! How long somebody stays signed in.

use std::time::Duration;

use rand_core::CryptoRng;

use crate::{Account, AccountId, SessionToken, Timestamp, account::uuid, link::Limit};

/// For so long after a proof its owner may change how the account is entered.
pub const PROOF_LIVES: Duration = Duration::from_mins(5);
/// `last_seen` is written at most this often, or four times within the shortest idle time.
const TOUCHED_EVERY: Duration = Duration::from_mins(5);

/// One signed-in browser, app or device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in.
    pub account: AccountId,
    /// What people call this session in lists; it opens nothing.
    pub id: String,
    /// What carries it.
    pub kind: Kind,
    /// How its owner proved who they are.
    pub how: How,
    /// What to call its owner.
    pub name: Option<String>,
    /// The account's epoch when it was opened: what counts the ends of all its sessions.
    pub epoch: u64,
    /// When its owner last proved to know the account's password, or to be the linked customer.
    pub proven_at: Option<Timestamp>,
    /// When it was opened.
    pub started_at: Timestamp,
    /// When it was last used, give or take five minutes.
    pub last_seen: Timestamp,
    /// When it ends, however busy it is.
    pub expires_at: Timestamp,
}

impl Session {
    /// A session that starts now, and the token that opens it.
    pub fn start(
        account: &Account,
        kind: Kind,
        how: How,
        epoch: u64,
        total: Duration,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> (SessionToken, Self) {
        let session = Self {
            account: account.id.clone(),
            id: uuid(rng),
            kind,
            how,
            name: account.name.clone(),
            epoch,
            proven_at: how.is_proof().then_some(now),
            started_at: now,
            last_seen: now,
            expires_at: now + total,
        };
        (SessionToken::open(&account.id, rng), session)
    }

    /// Whether its owner may change how the account is entered, without another proof.
    pub fn is_proven(&self, now: Timestamp) -> bool {
        // One that lies ahead was noted by another machine, whose clock may differ as much; further ahead
        // it is as wrong as one long ago.
        let close = |at: Timestamp| now.since(at) < PROOF_LIVES && at.since(now) <= PROOF_LIVES;
        self.proven_at.is_some_and(close)
    }
}

/// What carries a session. One kind is never accepted for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The cookie of a browser.
    Browser,
    /// The bearer token of an app.
    App,
    /// The bearer token of a television: somebody approved it elsewhere, so it changes nothing about
    /// the account.
    Device,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Browser, Self::App, Self::Device];

    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::App => "app",
            Self::Device => "device",
        }
    }

    /// The kind of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it travels as a bearer token, and never as a cookie.
    pub fn is_bearer(self) -> bool {
        self != Self::Browser
    }
}

/// How the owner of a session proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Amazon vouched for them, over a link made earlier.
    Amazon,
    /// They linked with the account's password.
    Linked,
    /// The account was created from their Amazon identity.
    Registered,
    /// The site signed them in by the account's password.
    Password,
    /// The site signed them in some other way.
    Site,
}

impl How {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Amazon, Self::Linked, Self::Registered, Self::Password, Self::Site];

    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amazon => "amazon",
            Self::Linked => "linked",
            Self::Registered => "registered",
            Self::Password => "password",
            Self::Site => "site",
        }
    }

    /// The way of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|how| how.as_str() == text)
    }

    /// Whether a link to Amazon opened it.
    pub fn is_by_link(self) -> bool {
        matches!(self, Self::Amazon | Self::Linked | Self::Registered)
    }

    /// Whether the account's password was given.
    fn is_proof(self) -> bool {
        matches!(self, Self::Linked | Self::Password)
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// A session ends when it was not used for so long.
    pub idle: Duration,
    /// A session ends after so long in any case.
    pub total: Duration,
}

/// The limits on guesses at an account's password by somebody who is signed in to it, so that a session
/// that was stolen is of little use: five in fifteen minutes, twenty a day. The site's own login and the
/// link page are not slowed down by them.
pub fn limits(account: &AccountId, now: Timestamp) -> [Limit; 2] {
    [
        Limit::of(&["proof", account.as_str()], 5, Duration::from_mins(15), now),
        Limit::of(&["proofs", account.as_str()], 20, Duration::from_hours(24), now),
    ]
}

/// Whether a session still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Live,
    /// It does, and its use is due to be noted.
    Touch,
    /// It has ended. Its row may lie around for days: tables clean up when they please.
    Ended,
}

/// Decides whether a session still counts.
pub fn verdict(session: &Session, idle: Duration, now: Timestamp) -> Verdict {
    let unused = now.since(session.last_seen);
    if now >= session.expires_at || unused >= idle {
        Verdict::Ended
    } else if unused >= TOUCHED_EVERY.min(idle / 4) {
        Verdict::Touch
    } else {
        Verdict::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c08_a_session_ends_by_the_second() {
        let session = Session {
            account: AccountId::parse("ann").unwrap(),
            id: "s".into(),
            kind: Kind::Browser,
            how: How::Amazon,
            name: None,
            epoch: 0,
            proven_at: None,
            started_at: Timestamp(0),
            last_seen: Timestamp(1000),
            expires_at: Timestamp(50_000),
        };
        let idle = Duration::from_hours(12);
        for (now, expected) in [
            (999, Verdict::Live), // a clock that went backwards ends nothing
            (1000, Verdict::Live),
            (1299, Verdict::Live),
            (1300, Verdict::Touch),
            (1000 + 43_199, Verdict::Touch),
            (1000 + 43_200, Verdict::Ended),
            (1000 + 43_201, Verdict::Ended),
        ] {
            assert_eq!(verdict(&session, idle, Timestamp(now)), expected, "at {now}");
        }

        let short = Duration::from_mins(5);
        assert_eq!(verdict(&session, short, Timestamp(1074)), Verdict::Live);
        assert_eq!(verdict(&session, short, Timestamp(1075)), Verdict::Touch, "in time to stay");

        let busy = Session { last_seen: Timestamp(49_990), ..session };
        for (now, expected) in
            [(49_999, Verdict::Live), (50_000, Verdict::Ended), (50_001, Verdict::Ended)]
        {
            assert_eq!(verdict(&busy, idle, Timestamp(now)), expected, "at {now}");
        }
    }

    #[test]
    fn a_proof_is_good_for_five_minutes() {
        let account = Account {
            id: AccountId::parse("ann").unwrap(),
            email: None,
            name: None,
            status: crate::Status::Active,
            has_password: true,
        };
        let start = |how| {
            let rng = &mut rand_core::UnwrapErr(getrandom::SysRng);
            let (kind, total) = (Kind::Browser, Duration::from_hours(1));
            Session::start(&account, kind, how, 7, total, Timestamp(1000), rng).1
        };
        for how in [How::Linked, How::Password] {
            for (now, proven) in
                [(699, false), (700, true), (1000, true), (1299, true), (1300, false)]
            {
                assert_eq!(start(how).is_proven(Timestamp(now)), proven, "{how:?} at {now}");
            }
        }
        for how in [How::Amazon, How::Registered, How::Site] {
            assert!(!start(how).is_proven(Timestamp(1000)), "{how:?}: nobody gave a password");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        for how in How::ALL {
            assert_eq!(How::parse(how.as_str()), Some(how));
        }
        assert_eq!(Kind::parse(""), None);
    }
}
