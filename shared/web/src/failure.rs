use std::error::Error;

use domain::{AccountId, AmazonUserId, ReturnTo, Timestamp, sign_in::Refusal};
use lambda_http::http::StatusCode;

type Cause = Box<dyn Error + Send + Sync>;

/// Every way in which a request can end badly. The words and statuses are a promise to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The sign-in is over, used or somebody else's.
    StartOver,
    /// The request makes no sense.
    BadRequest,
    /// Not the account's password.
    WrongPassword,
    /// The password is right, and the code of the second factor is missing or wrong.
    MfaRequired,
    /// Nobody is signed in.
    NotSignedIn,
    /// A token that was handed over is none of ours.
    TokenRejected,
    /// The form did not come from a page of ours.
    Csrf,
    /// The account is disabled, locked or gone.
    AccountClosed,
    /// The account has no local password.
    NoPassword,
    /// Nobody new is let in.
    RegistrationClosed,
    /// The last proof was too long ago.
    ReauthenticationRequired,
    /// There is nothing at this path.
    NotFound,
    /// The path is right, the method is not.
    MethodNotAllowed,
    /// The Amazon identity or the account is linked otherwise.
    AlreadyLinked,
    /// More than one account has this address.
    AmbiguousEmail,
    /// Without the link nobody could enter the account.
    LastSignInMethod,
    /// The ticket is unknown, over, used or out of attempts.
    TicketExpired,
    /// The body is over 8 KiB.
    TooLarge,
    /// The body is of a type that this route does not take.
    UnsupportedMediaType,
    /// Some fields are not right.
    InvalidFields,
    /// Too many guesses.
    TooManyAttempts,
    /// Our fault.
    Broken,
    /// Somebody we depend on did not answer.
    Unavailable,
}

impl Code {
    /// The word in pages, in JSON and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartOver => "start_over",
            Self::BadRequest => "bad_request",
            Self::WrongPassword => "wrong_password",
            Self::MfaRequired => "mfa_required",
            Self::NotSignedIn => "not_signed_in",
            Self::TokenRejected => "token_rejected",
            Self::Csrf => "csrf",
            Self::AccountClosed => "account_closed",
            Self::NoPassword => "no_password",
            Self::RegistrationClosed => "registration_closed",
            Self::ReauthenticationRequired => "reauthentication_required",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::AlreadyLinked => "already_linked",
            Self::AmbiguousEmail => "ambiguous_email",
            Self::LastSignInMethod => "last_sign_in_method",
            Self::TicketExpired => "ticket_expired",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidFields => "invalid_fields",
            Self::TooManyAttempts => "too_many_attempts",
            Self::Broken => "broken",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::StartOver | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::WrongPassword | Self::MfaRequired | Self::NotSignedIn | Self::TokenRejected => {
                StatusCode::UNAUTHORIZED
            }
            Self::Csrf
            | Self::AccountClosed
            | Self::NoPassword
            | Self::RegistrationClosed
            | Self::ReauthenticationRequired => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::AlreadyLinked | Self::AmbiguousEmail | Self::LastSignInMethod => {
                StatusCode::CONFLICT
            }
            Self::TicketExpired => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidFields => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why a request ended badly.
///
/// The visitor sees a fixed sentence and the next step, chosen by `code`; `why` and the chain of
/// causes are for the log, and so must not hold anything that a visitor or Amazon sent.
#[derive(Debug)]
pub struct Failure {
    /// What the world is told.
    pub code: Code,
    /// What the log is told.
    pub why: &'static str,
    /// What lies behind it.
    pub cause: Option<Cause>,
    /// Where the visitor was going, so that another try leads there too. In a box, because a failure
    /// is handed from function to function.
    pub return_to: Option<Box<ReturnTo>>,
    /// A page of ours where another try begins, if not at Amazon.
    pub retry: Option<&'static str>,
    /// After how many seconds another try makes sense.
    pub retry_after: Option<u32>,
    /// The methods that the path does take.
    pub allow: Option<&'static str>,
    /// Wrong passwords that are still allowed.
    pub attempts_left: Option<u32>,
    /// The fields that are not right, each with a word for what is wrong.
    pub fields: Box<[(String, &'static str)]>,
    /// Whom it is about, for the audit.
    pub about: Option<Box<About>>,
}

/// Whom a failure is about.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The account.
    pub account: Option<AccountId>,
    /// Amazon's customer.
    pub customer: Option<AmazonUserId>,
    /// What is wrong with the state that came back from Amazon: `foreign`, `expired` or `used`.
    pub state: Option<&'static str>,
}

impl Failure {
    /// The request ended with this code, for this reason.
    pub fn new(code: Code, why: &'static str) -> Self {
        let retry_after = (code == Code::Unavailable).then_some(5);
        Self {
            code,
            why,
            cause: None,
            return_to: None,
            retry: None,
            retry_after,
            allow: None,
            attempts_left: None,
            fields: Box::default(),
            about: None,
        }
    }

    /// The visitor can put it right by starting over: a stale tab, a used link.
    pub fn start_over(why: &'static str) -> Self {
        Self::new(Code::StartOver, why)
    }

    /// The ticket is unknown, over, used or out of attempts.
    pub fn ticket_expired(why: &'static str) -> Self {
        Self::new(Code::TicketExpired, why)
    }

    /// The caller can put it right: the request makes no sense.
    pub fn bad_request(why: &'static str) -> Self {
        Self::new(Code::BadRequest, why)
    }

    /// For `map_err`, where the fault lies with a service we call: time will put it right.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        let failure = Self::new(Code::Unavailable, "a service we depend on did not answer");
        Self { cause: Some(cause.into()), ..failure }
    }

    /// For `map_err`, where the fault is ours.
    pub fn broken(cause: impl Into<Cause>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(Code::Broken, "this is our fault") }
    }

    /// The path is right, the method is not; `allow` lists those that are.
    pub fn wrong_method(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::new(Code::MethodNotAllowed, "wrong method") }
    }

    /// A limit is reached, until `resets_at`. The caller may come again then, and in a second at the
    /// earliest.
    pub fn too_many_attempts(why: &'static str, now: Timestamp, resets_at: Timestamp) -> Self {
        let wait = u32::try_from(resets_at.since(now).as_secs()).unwrap_or(u32::MAX).max(1);
        Self { retry_after: Some(wait), ..Self::new(Code::TooManyAttempts, why) }
    }

    /// The same failure, with a page of ours where another try begins.
    pub fn back_to(self, path: &'static str) -> Self {
        Self { retry: Some(path), ..self }
    }

    /// The same failure, about this account; whoever knew better before is right.
    pub fn about_account(mut self, account: &AccountId) -> Self {
        self.about.get_or_insert_default().account.get_or_insert_with(|| account.clone());
        self
    }

    /// The same failure, about this customer.
    pub fn about_customer(mut self, customer: &AmazonUserId) -> Self {
        self.about.get_or_insert_default().customer.get_or_insert_with(|| customer.clone());
        self
    }

    /// The same failure, because of a state that is `foreign`, `expired` or `used`.
    pub fn about_state(mut self, state: &'static str) -> Self {
        self.about.get_or_insert_default().state = Some(state);
        self
    }

    /// The same failure, with the way back to where the visitor was going.
    pub fn on_the_way_to(self, return_to: &ReturnTo) -> Self {
        Self { return_to: Some(Box::new(return_to.clone())), ..self }
    }
}

/// We understood, and the answer is no.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AccountClosed => Self::new(Code::AccountClosed, "the account is closed"),
            Refusal::NoPassword => Self::new(Code::NoPassword, "the account has no password"),
            Refusal::AmbiguousEmail => {
                Self::new(Code::AmbiguousEmail, "more than one account has this address")
            }
            Refusal::RegistrationClosed => {
                Self::new(Code::RegistrationClosed, "registration is closed")
            }
        }
    }
}
