//! How long somebody stays signed in.

use std::time::Duration;

use rand_core::CryptoRng;

use crate::{Account, AccountId, SessionToken, Timestamp, account::uuid};

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
            started_at: now,
            last_seen: now,
            expires_at: now + total,
        };
        (SessionToken::open(&account.id, rng), session)
    }
}

/// What carries a session. One kind is never accepted for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The cookie of a browser.
    Browser,
    /// The bearer token of an app.
    App,
}

impl Kind {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::App => "app",
        }
    }

    /// The kind of that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Browser, Self::App].into_iter().find(|kind| kind.as_str() == text)
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
}

impl How {
    /// The word in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amazon => "amazon",
            Self::Linked => "linked",
            Self::Registered => "registered",
        }
    }

    /// The way of that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Amazon, Self::Linked, Self::Registered].into_iter().find(|how| how.as_str() == text)
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
    fn words_are_read_as_they_are_written() {
        for kind in [Kind::Browser, Kind::App] {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        for how in [How::Amazon, How::Linked, How::Registered] {
            assert_eq!(How::parse(how.as_str()), Some(how));
        }
        assert_eq!(Kind::parse(""), None);
    }
}
