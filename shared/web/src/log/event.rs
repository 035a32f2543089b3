//! The audit: what was decided about whom.
//!
//! Each line has the `event`, its `outcome` (`success`, `failure`, or `pending` where something is asked
//! for first) and of the rest what is known:
//!
//! * `account_id`; where that is not made of letters, digits and `-_.:|`, and so could be somebody's
//!   address, a pseudonym as `account_pseudonym`;
//! * `customer`, a pseudonym of Amazon's customer: base64url of SHA-256 of `audited customer`, a zero and
//!   the `user_id`, for whoever has to find out what became of one;
//! * `session`, what people call a session in lists, and its `kind`;
//! * `amr`, by what they proved who they are;
//! * `code`, `state` or counts, as the event says.
//!
//! There is no e-mail address, name or token in it, nor anything else that a caller sent.

use domain::{
    AccountId, AmazonUserId,
    session::{How, Kind, Session},
};
use serde::Serialize;

use super::{
    Line,
    at_hand::{self, Level},
    metrics,
};
use crate::{Code, Failure};

/// Something that whoever watches over accounts wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The site's own sign-in has become a session.
    Accepted,
    /// Somebody guesses, and has to wait.
    AttemptsThrottled,
    /// The customer said no at Amazon.
    Cancelled,
    /// The site got a code for somebody whom it has signed in.
    CodeGiven,
    /// The account system told that an account is gone.
    Deleted,
    /// A person has let a television in, at Amazon.
    DeviceAllowed,
    /// A television got a code to show.
    DeviceBegun,
    /// A person has turned a television away, at Amazon.
    DeviceDenied,
    /// The account system told that nobody may enter an account any more.
    Disabled,
    /// The account system told that an account has another address.
    EmailChanged,
    /// The account system told that an account may be entered again.
    Enabled,
    /// A customer of Amazon's was linked to an account.
    Linked,
    /// An account has the customer's address: its password is asked for.
    LinkRequired,
    /// The account's password was reset: it is asked for before the link opens anything.
    LinkToProve,
    /// The password is right, and the code of the second factor is missing or wrong.
    MfaRequired,
    /// The account system told that a password was reset.
    PasswordReset,
    /// Somebody who is signed in has proven once more who they are.
    Reauthenticated,
    /// Somebody was turned away, for the reason that `code` tells.
    Refused,
    /// An account was created for a newcomer.
    Registered,
    /// A newcomer is asked for more.
    RegistrationRequired,
    /// A token that was handed over once more has opened a session in the place of its last one.
    SessionReplaced,
    /// An owner has ended a session.
    SessionRevoked,
    /// Somebody is in.
    SignedIn,
    /// Somebody has left.
    SignedOut,
    /// Somebody came back from Amazon with a `state` that is foreign, expired or used.
    StateMismatch,
    /// Somebody is signed in to one account and came back as the owner of another.
    SwitchRequired,
    /// An owner has undone a link, from the notice about it.
    Undone,
    /// A link was removed.
    Unlinked,
    /// Not the account's password.
    WrongPassword,
}

impl Event {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AttemptsThrottled => "attempts_throttled",
            Self::Cancelled => "cancelled",
            Self::CodeGiven => "code_given",
            Self::Deleted => "deleted",
            Self::DeviceAllowed => "device_allowed",
            Self::DeviceBegun => "device_begun",
            Self::DeviceDenied => "device_denied",
            Self::Disabled => "disabled",
            Self::EmailChanged => "email_changed",
            Self::Enabled => "enabled",
            Self::Linked => "linked",
            Self::LinkRequired => "link_required",
            Self::LinkToProve => "link_to_prove",
            Self::MfaRequired => "mfa_required",
            Self::PasswordReset => "password_reset",
            Self::Reauthenticated => "reauthenticated",
            Self::Refused => "refused",
            Self::Registered => "registered",
            Self::RegistrationRequired => "registration_required",
            Self::SessionReplaced => "session_replaced",
            Self::SessionRevoked => "session_revoked",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::StateMismatch => "state_mismatch",
            Self::SwitchRequired => "switch_required",
            Self::Undone => "undone",
            Self::Unlinked => "unlinked",
            Self::WrongPassword => "wrong_password",
        }
    }

    fn outcome(self) -> &'static str {
        match self {
            Self::AttemptsThrottled
            | Self::Cancelled
            | Self::DeviceDenied
            | Self::Refused
            | Self::StateMismatch
            | Self::WrongPassword => "failure",
            Self::DeviceBegun
            | Self::LinkRequired
            | Self::LinkToProve
            | Self::MfaRequired
            | Self::RegistrationRequired
            | Self::SwitchRequired => "pending",
            _ => "success",
        }
    }
}

/// A line of the audit.
#[must_use = "nothing is written before `write`"]
pub struct Audit(pub(super) Line);

/// Begins a line about this.
pub fn event(event: Event) -> Audit {
    let mut line = at_hand::line(Level::Info);
    line.put("event", event.as_str());
    line.put("outcome", event.outcome());
    Audit(line)
}

impl Audit {
    /// About this account.
    pub fn account(self, account: &AccountId) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:|".contains(&b);
        match account.as_str().bytes().all(plain) {
            true => self.with("account_id", account.as_str()),
            false => self.with("account_pseudonym", account.pseudonym()),
        }
    }

    /// About this customer.
    pub fn customer(self, customer: &AmazonUserId) -> Self {
        self.with("customer", customer.pseudonym())
    }

    /// About this session, its account, and how it came to be.
    pub fn session(self, session: &Session) -> Self {
        let about = self.account(&session.account).kind(session.kind).how(session.how);
        about.with("session", session.id.as_str())
    }

    /// About what is carried so.
    fn kind(self, kind: Kind) -> Self {
        self.with("kind", kind.as_str())
    }

    /// Proven so.
    pub fn how(self, how: How) -> Self {
        let amr: &[&'static str] = match how {
            How::Amazon | How::Registered => &["amazon"],
            How::Linked => &["amazon", "password"],
            How::Password => &["password"],
            How::Site => &["site"],
        };
        self.with("amr", amr)
    }

    /// Because of this.
    fn code(self, code: Code) -> Self {
        self.with("code", code.as_str())
    }

    /// So many of them.
    pub fn count(self, what: &'static str, count: usize) -> Self {
        self.with(what, count)
    }

    /// Writes it.
    pub fn write(self) {
        let Self(mut line) = self;
        metrics::of_event(&mut line);
        line.print();
    }

    fn with(self, name: &'static str, value: impl Serialize) -> Self {
        let Self(mut line) = self;
        line.put(name, value);
        Self(line)
    }
}

/// Writes that somebody was turned away, if that is what a failure means. What is wrong with a request,
/// and what is broken, says nothing about anybody; a wrong password was told of where it was compared.
pub(crate) fn refusal(failure: &Failure) {
    let about = failure.about.as_deref();
    let state = about.and_then(|about| about.state);
    let line = match failure.code {
        Code::StartOver if state.is_some() => event(Event::StateMismatch).with("state", state),
        Code::TooManyAttempts => event(Event::AttemptsThrottled),
        Code::AccountClosed
        | Code::AlreadyLinked
        | Code::AmbiguousEmail
        | Code::Csrf
        | Code::LastSignInMethod
        | Code::NoPassword
        | Code::NotSignedIn
        | Code::ReauthenticationRequired
        | Code::RegistrationClosed
        | Code::StartOver
        | Code::TicketExpired
        | Code::TokenRejected => event(Event::Refused).code(failure.code),
        Code::BadRequest
        | Code::Broken
        | Code::InvalidFields
        | Code::MethodNotAllowed
        | Code::MfaRequired
        | Code::NotFound
        | Code::TooLarge
        | Code::Unavailable
        | Code::UnsupportedMediaType
        | Code::WrongPassword => return,
    };
    let account = about.and_then(|about| about.account.as_ref());
    let customer = about.and_then(|about| about.customer.as_ref());
    let line = account.into_iter().fold(line, Audit::account);
    customer.into_iter().fold(line, Audit::customer).write();
}
