//! What the owner of an account must know, and where the site is told of it.

use std::{fmt, str::FromStr, time::Duration};

use rand_core::CryptoRng;

use crate::{AccountId, AmazonUserId, Timestamp, account::uuid};

/// For so long a link can be undone from the notice about it.
pub const UNDO_LIVES: Duration = Duration::from_hours(7 * 24);

/// Something that the owner of an account must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its name: a notice that is delivered twice has the same.
    pub id: String,
    /// What happened.
    pub kind: Kind,
    /// To which account.
    pub account: AccountId,
    /// The customer whom it was about; Amazon's name for them is not part of what is told.
    pub customer: Option<AmazonUserId>,
    /// When.
    pub at: Timestamp,
}

/// What the owner of an account must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An Amazon account was linked.
    Linked,
    /// The link was removed.
    Unlinked,
    /// The link opens nothing until the password was given once more.
    LinkToProve,
    /// Somebody guesses at the password on the link page, and has to wait.
    AttemptsThrottled,
}

impl Notice {
    /// A notice about something that has just happened.
    pub fn new(
        kind: Kind,
        account: &AccountId,
        customer: Option<&AmazonUserId>,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let (account, customer) = (account.clone(), customer.cloned());
        Self { id: uuid(rng), kind, account, customer, at: now }
    }

    /// Whether it offers to undo what happened.
    pub fn can_be_undone(&self) -> bool {
        self.kind == Kind::Linked
    }
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Linked, Self::Unlinked, Self::LinkToProve, Self::AttemptsThrottled];

    /// The word in messages and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Unlinked => "unlinked",
            Self::LinkToProve => "link_to_prove",
            Self::AttemptsThrottled => "attempts_throttled",
        }
    }

    /// The kind of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where notices go: the setting `NOTICES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere: none are written.
    #[default]
    Nowhere,
    /// To the account system.
    Account,
    /// A queue of SQS.
    Queue {
        /// `https://sqs.<region>.amazonaws.com/<account>/<name>`.
        url: String,
    },
    /// A bus of EventBridge.
    Bus {
        /// Its ARN.
        arn: String,
    },
}

/// Reads `none`, `account`, or the ARN of a queue or a bus.
impl FromStr for Destination {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "none" => return Ok(Self::Nowhere),
            "account" => return Ok(Self::Account),
            _ => {}
        }
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, service, region, account, name] = parts[..] else { return Err(()) };
        let word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
        };
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !(partition.starts_with("aws") && word(region) && is_account && word(name)) {
            return Err(());
        }
        match service {
            // A queue in order would need to be told in which.
            "sqs" if !name.contains('.') => {
                let domain =
                    if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
                Ok(Self::Queue { url: format!("https://sqs.{region}.{domain}/{account}/{name}") })
            }
            "events" if name.starts_with("event-bus/") => Ok(Self::Bus { arn: text.to_owned() }),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
        assert_eq!(Kind::parse(""), None);
    }

    #[test]
    fn a_destination_is_a_queue_a_bus_or_nowhere() {
        let queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/notices".to_owned();
        let bus = "arn:aws:events:us-east-1:123456789012:event-bus/site";
        for (text, expected) in [
            ("none", Ok(Destination::Nowhere)),
            ("account", Ok(Destination::Account)),
            ("arn:aws:sqs:eu-west-1:123456789012:notices", Ok(Destination::Queue { url: queue })),
            ("arn:aws:sqs:eu-west-1:123456789012:notices.fifo", Err(())),
            (bus, Ok(Destination::Bus { arn: bus.to_owned() })),
            ("", Err(())),
            ("notices", Err(())),
            ("arn:aws:sns:eu-west-1:123456789012:notices", Err(())),
            ("arn:aws:sqs:eu-west-1:1234:notices", Err(())),
            ("arn:aws:sqs:eu-west-1:123456789012:", Err(())),
            ("arn:aws:sqs:evil.example/:123456789012:notices?x", Err(())),
            ("arn:aws:events:us-east-1:123456789012:rule/site", Err(())),
            ("arn:aws:sqs:eu-west-1:123456789012:a:b", Err(())),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }
}
