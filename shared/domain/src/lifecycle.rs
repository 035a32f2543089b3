//! What happens to an account elsewhere, and what that means for whoever can enter it through us.
//!
//! The account system tells when a password was reset, an account was closed, opened or deleted, or
//! an address changed. All of it is about what began before: sessions, tickets and links that are
//! older than the event. So an event may come twice, late, or after a later one, and does no harm.

use crate::{AccountId, Timestamp};

/// Something that happened to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// To which account.
    pub account: AccountId,
    /// When.
    pub at: Timestamp,
}

/// What can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its owner has chosen a new password, after proving who they are in some way of the site's.
    PasswordReset,
    /// Nobody may enter it any more.
    Disabled,
    /// It may be entered again.
    Enabled,
    /// It is gone.
    Deleted,
    /// Its address is another one.
    EmailChanged,
}

/// What an event does to what is older than it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Whether sessions end.
    pub ends_sessions: bool,
    /// What becomes of tickets.
    pub tickets: Tickets,
    /// What becomes of the link to Amazon.
    pub link: Link,
}

/// What becomes of tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tickets {
    /// They stay.
    Stay,
    /// Those that wait for the password get their attempts back.
    Restored,
    /// They are cancelled.
    Cancelled,
}

/// What becomes of the link to Amazon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It stays.
    Stays,
    /// It must be proven once more.
    Proven,
    /// It is removed.
    Removed,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PasswordReset, Self::Disabled, Self::Enabled, Self::Deleted, Self::EmailChanged];

    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Deleted => "deleted",
            Self::EmailChanged => "email_changed",
        }
    }

    /// The kind of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What it does.
    ///
    /// Whoever planted a link or kept a session knows the old password at most. So a reset ends every
    /// session, and a link opens nothing until the new password was given once.
    pub fn effects(self) -> Effects {
        let (ends_sessions, tickets, link) = match self {
            Self::PasswordReset => (true, Tickets::Restored, Link::Proven),
            Self::Disabled => (true, Tickets::Cancelled, Link::Stays),
            Self::Enabled => (false, Tickets::Stay, Link::Stays),
            Self::Deleted => (true, Tickets::Cancelled, Link::Removed),
            // Tickets were opened because of the old address.
            Self::EmailChanged => (false, Tickets::Cancelled, Link::Stays),
        };
        Effects { ends_sessions, tickets, link }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("signed_in"), None, "that is a request, not an event");
        assert_eq!(Kind::parse(""), None);
    }

    #[test]
    fn e02_e03_whoever_may_have_planted_something_is_out() {
        for (kind, ends_sessions, tickets, link) in [
            (Kind::PasswordReset, true, Tickets::Restored, Link::Proven),
            (Kind::Disabled, true, Tickets::Cancelled, Link::Stays),
            (Kind::Enabled, false, Tickets::Stay, Link::Stays),
            (Kind::Deleted, true, Tickets::Cancelled, Link::Removed),
            (Kind::EmailChanged, false, Tickets::Cancelled, Link::Stays),
        ] {
            assert_eq!(kind.effects(), Effects { ends_sessions, tickets, link }, "{kind:?}");
        }
    }
}
