//! What is done, and what comes of it.

use crate::state::{At, LoginId, Name, SessionId, Shares, Status, TicketId, Time, UrlId, Who};

/// One thing that somebody does.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Presses "Login with Amazon", or is led to it by another site.
    Begin { at: At, path: usize, elsewhere: bool },
    /// Agrees at Amazon to a sign-in that has begun: there is a URL to come back with.
    Consent { login: LoginId, who: Who, shares: Shares },
    /// Says no at Amazon.
    Deny { login: LoginId },
    /// Makes a URL of the state of one sign-in and the code of another.
    Mix { login: LoginId, code: UrlId },
    /// Opens a URL of Amazon's answer.
    ComeBack { at: At, url: UrlId },
    /// Opens a page of ours.
    Open { at: At, page: Page, json: bool },
    /// Sends a form to us, or what a form holds, as a page of the site's own does by script.
    Press { at: At, form: Form, csrf: Csrf, origin: Origin, json: bool },
    /// Asks who is signed in.
    Ask { at: At, as_whom: Asker },
    /// Gets cookies into a browser: stolen, kept or planted.
    Put { at: At, cookie: Put },
    /// Something happens at the site, at Amazon or to time.
    Happens(Event),
    /// Does something while something goes wrong.
    Trouble(Trouble, Box<Step>),
}

impl Step {
    /// Lets a script do it, if it can.
    pub(crate) fn by_script(&mut self) {
        match self {
            Self::Open { json, .. } | Self::Press { json, .. } => *json = true,
            Self::Trouble(_, step) => step.by_script(),
            _ => {}
        }
    }

    /// What kind of request it is.
    pub(crate) fn name(&self) -> String {
        let words = match self {
            Self::Trouble(trouble, step) => format!("{} in {trouble:?}", step.name()),
            Self::Press { form, json: false, .. } => format!("{form:?}"),
            Self::Press { form, .. } => format!("ByScript{form:?}"),
            Self::Open { page, json: false, .. } => format!("Open{page:?}"),
            Self::Open { page, .. } => format!("ByScriptOpen{page:?}"),
            Self::Ask { as_whom, .. } => format!("{as_whom:?}"),
            step => format!("{step:?}"),
        };
        words.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
    }
}

/// A page of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Link,
    Register,
}

/// A form of ours, with what is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Link { password: usize },
    Forgot,
    Cancel,
    Register { email: &'static str, unknown_field: bool },
    Switch,
    LogOut,
}

/// What a form says to have come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Csrf {
    /// The page that this browser was shown.
    Right,
    OfTicket(TicketId),
    OfSession(SessionId),
    Missing,
}

/// Where the browser says that a form comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Ours,
    /// Another site.
    Other,
    /// Ours, by `Origin`; another host of the same site, by `Sec-Fetch-Site`.
    Sibling,
    /// It does not say.
    Unsaid,
}

/// Who asks whether somebody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The site.
    Session,
    /// A proxy.
    Verify,
    /// An app that holds a browser's session.
    App,
}

/// What gets into a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Logins(Vec<LoginId>),
    Ticket(Option<TicketId>),
    Session(Option<SessionId>),
}

/// Something that happens outside of the house.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    EmailChanges {
        who: Who,
        email: Option<&'static str>,
    },
    Registers {
        id: &'static str,
        email: &'static str,
        password: Option<usize>,
    },
    PasswordChanges {
        account: Name,
        password: usize,
    },
    StatusChanges {
        account: Name,
        status: Status,
    },
    Deleted {
        account: Name,
    },
    /// A link has to be proven again.
    ProveAgain {
        who: Who,
    },
    /// An account's epoch moves.
    EpochMoves {
        account: Name,
    },
    /// All that a reset of a password does, or only what comes first: a new password; the epoch; the
    /// sessions; the link.
    Reset {
        account: Name,
        password: usize,
        parts: u8,
    },
    TimePasses {
        seconds: Time,
    },
    /// DynamoDB removes what may go.
    Sweep,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// DynamoDB fails once, at the call of this number.
    Stumbles { call: u32 },
    /// DynamoDB obeys the call of this number, and its answer is lost once.
    AnswerLost { call: u32 },
    /// DynamoDB is down.
    Down,
    /// The process is killed before its first call to DynamoDB is obeyed, or after.
    Killed { obeyed: bool },
}

/// What comes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// The page's code; empty where there is none.
    pub(crate) code: &'static str,
    pub(crate) to: Option<To>,
    pub(crate) login: Cookie,
    pub(crate) ticket: Cookie,
    pub(crate) session: Cookie,
    pub(crate) retry_after: Option<Time>,
    /// Who is told to be signed in.
    pub(crate) who: Option<Name>,
    /// How often Amazon is asked for: tokens, whose a token is, a profile.
    pub(crate) amazon: [usize; 3],
    /// Whether DynamoDB is asked for anything.
    pub(crate) asks: bool,
}

/// Where a redirect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// Amazon.
    Amazon,
    /// Where the visitor was going.
    Path(&'static str),
    Link,
    Register,
    SignIn,
    /// The sign-in page, which says that they said no.
    Cancelled,
    Reset,
}

/// What becomes of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    Kept,
    Gone,
    /// It is this ticket or session, for so many seconds; for sign-ins, all that the browser has.
    Set(usize, Time),
}

impl Outcome {
    /// A page of this code, or an empty answer.
    pub(crate) fn new(status: u16, code: &'static str) -> Self {
        let (login, ticket, session) = (Cookie::Kept, Cookie::Kept, Cookie::Kept);
        let retry_after = (status == 503).then_some(5);
        let (to, who, amazon, asks) = (None, None, [0; 3], false);
        Self { status, code, to, login, ticket, session, retry_after, who, amazon, asks }
    }

    /// A page that says what went wrong.
    pub(crate) fn failed(code: &'static str) -> Self {
        let status = match code {
            "start_over" | "bad_request" => 400,
            "wrong_password" => 401,
            "csrf" | "account_closed" | "no_password" => 403,
            "already_linked" | "ambiguous_email" => 409,
            "ticket_expired" => 410,
            "invalid_fields" => 422,
            "too_many_attempts" => 429,
            _ => 503,
        };
        Self::new(status, code)
    }

    /// A redirect.
    pub(crate) fn to(to: To) -> Self {
        Self { to: Some(to), ..Self::new(303, "") }
    }

    /// The same for a page of the site's own, which is told where to lead its visitor.
    pub(crate) fn for_a_script(self) -> Self {
        let (status, to) = match (self.status, self.to) {
            (303, Some(To::Path(_) | To::Link)) => (200, None),
            (status, to) => (status, to),
        };
        let code = if status == 200 { "" } else { self.code };
        Self { status, code, to, ..self }
    }

    /// The same, and DynamoDB was asked.
    pub(crate) fn asked(self) -> Self {
        Self { asks: true, ..self }
    }
}
