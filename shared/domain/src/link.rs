//! What carries a visitor from Amazon's answer to a page of ours, and how often they may guess.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::{Account, AccountId, AmazonUserId, Email, Profile, ReturnTo, Timestamp, session::Kind};

/// Wrong passwords that one ticket stands.
pub const ATTEMPTS: u32 = 5;
/// How long a ticket lives.
pub const LIVES: Duration = Duration::from_mins(15);
/// How long it lives, from its start, once its holder has pressed "forgot".
pub const LIVES_AFTER_FORGOT: Duration = Duration::from_hours(24);

/// A sign-in that waits for its visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What it waits for.
    pub purpose: Purpose,
    /// What will carry the session that it leads to, and carries the ticket itself: a browser's cookie
    /// or an app's request, never one for the other.
    pub kind: Kind,
    /// Whom Amazon vouched for, and what it told; none of it can be changed by the visitor.
    pub customer: Profile,
    /// Where the visitor goes afterwards.
    pub return_to: ReturnTo,
    /// When Amazon sent the visitor back.
    pub started_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether it has done its work.
    pub used: bool,
}

/// What a ticket waits for, and the only thing it is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The password of this account; and how many wrong ones are still allowed.
    Link {
        /// Whose password.
        account: AccountId,
        /// The address of that account, to show; the visitor knows it, or has typed it.
        email: Option<Email>,
        /// How many wrong ones are still allowed.
        attempts_left: u32,
    },
    /// The fields of a new account.
    Register,
    /// A yes to leaving one account for another.
    Switch {
        /// The account to enter.
        account: AccountId,
    },
}

impl Purpose {
    /// To prove the account with its password.
    pub fn link(account: Account) -> Self {
        Self::Link { account: account.id, email: account.email, attempts_left: ATTEMPTS }
    }

    /// The account that it is about.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Link { account, .. } | Self::Switch { account } => Some(account),
            Self::Register => None,
        }
    }
}

impl Ticket {
    /// A ticket of a browser that starts now.
    pub fn new(purpose: Purpose, customer: Profile, return_to: ReturnTo, now: Timestamp) -> Self {
        let (kind, expires_at) = (Kind::Browser, now + LIVES);
        Self { purpose, kind, customer, return_to, started_at: now, expires_at, used: false }
    }

    /// Whether it still counts, whatever its row says.
    pub fn is_open(&self, now: Timestamp) -> bool {
        let spent = matches!(self.purpose, Purpose::Link { attempts_left: 0, .. });
        now < self.expires_at && !spent && !self.used
    }
}

/// A number of attempts within a window of time, counted under a key that names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Hash of whom or what is limited.
    pub key: String,
    /// The window that attempts made now fall into.
    pub window: i64,
    /// How many attempts fit into a window.
    pub most: u32,
    /// When the next window begins.
    pub resets_at: Timestamp,
    /// How long a window lasts.
    pub length: Duration,
}

impl Limit {
    /// So many in every window of this length, for whom or what these parts name.
    pub fn of(parts: &[&str], most: u32, window: Duration, now: Timestamp) -> Self {
        let seconds = window.as_secs().cast_signed();
        let number = now.0.div_euclid(seconds);
        let resets_at = Timestamp((number + 1) * seconds);
        Self { key: hashed(parts), window: number, most, resets_at, length: window }
    }

    /// When the window began.
    pub fn started_at(&self) -> Timestamp {
        self.resets_at - self.length
    }
}

/// The limits on guesses at an account's password on this path, over all tickets and browsers.
///
/// Per Amazon identity twenty a day, ten of them at one account; per account five in fifteen minutes,
/// so that the owner's own way through this page is free again a quarter of an hour after an attack
/// ends. The site's own login and links made earlier are never slowed down.
pub fn limits(customer: &AmazonUserId, account: &AccountId, now: Timestamp) -> [Limit; 3] {
    let day = Duration::from_hours(24);
    [
        Limit::of(&["identity", customer.as_str()], 20, day, now),
        Limit::of(&["pair", customer.as_str(), account.as_str()], 10, day, now),
        Limit::of(&["account", account.as_str()], 5, Duration::from_mins(15), now),
    ]
}

fn hashed(parts: &[&str]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(attempts_left: u32) -> Ticket {
        let account = AccountId::parse("ann").unwrap();
        let user_id = AmazonUserId::parse("amzn1.account.ANN").unwrap();
        let customer = Profile { user_id, email: None, name: None, postal_code: None };
        Ticket::new(
            Purpose::Link { account, email: None, attempts_left },
            customer,
            ReturnTo::home(),
            Timestamp(0),
        )
    }

    #[test]
    fn d08_a_ticket_ends_by_the_second_or_with_its_last_attempt() {
        assert!(ticket(1).is_open(Timestamp(899)));
        assert!(!ticket(1).is_open(Timestamp(900)));
        assert!(!ticket(0).is_open(Timestamp(0)));
        assert!(!Ticket { used: true, ..ticket(1) }.is_open(Timestamp(0)));
    }

    #[test]
    fn k08_limits_are_counted_per_window_and_name_nobody() {
        let ann = AccountId::parse("ann").unwrap();
        let [first, second] = ["amzn1.account.A", "amzn1.account.B"]
            .map(|id| limits(&AmazonUserId::parse(id).unwrap(), &ann, Timestamp(1000)));

        assert_ne!(first[0].key, second[0].key, "each Amazon identity has its own allowance");
        assert_ne!(first[1].key, second[1].key);
        assert_eq!(first[2], second[2], "all share the account's");
        assert_eq!(first[2].resets_at, Timestamp(1800));
        assert_eq!(first[0].resets_at, Timestamp(86_400));
        assert!(!first[0].key.contains("ann"));
    }
}
