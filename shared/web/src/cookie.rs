//! Our three cookies.

use std::time::Duration;

use domain::{LinkTicket, SessionToken, login::Logins};

use crate::{Failure, Request};

/// Carries the sign-ins that have begun in this browser.
pub const LOGIN: &str = "__Host-lwa_login";
/// Carries a ticket to the link, registration or switch page.
pub const TICKET: &str = "__Host-lwa_ticket";
/// Carries a browser's session.
pub const SESSION: &str = "__Host-lwa_session";

/// A cookie to set, or to take back.
///
/// All of ours are `Secure`, `HttpOnly` and `SameSite=Lax` (Strict would not come along when Amazon
/// sends the visitor back), with `Path=/` and no `Domain`, as the prefix `__Host-` demands: so no
/// neighbouring host can set them.
#[derive(Clone)]
pub struct Cookie {
    name: &'static str,
    value: String,
    lives: Duration,
}

impl Cookie {
    /// The sign-ins under way, for as long as the newest of them lasts.
    pub fn logins(logins: &Logins) -> Self {
        if logins.is_empty() {
            return Self::gone(LOGIN);
        }
        Self { name: LOGIN, value: logins.print(), lives: domain::login::LIVES }
    }

    /// A ticket that lives for so long.
    pub fn ticket(ticket: &LinkTicket, lives: Duration) -> Self {
        Self { name: TICKET, value: ticket.expose(), lives }
    }

    /// A session that lives for so long at most.
    pub fn session(token: &SessionToken, lives: Duration) -> Self {
        Self { name: SESSION, value: token.expose(), lives }
    }

    /// Takes a cookie back.
    pub fn gone(name: &'static str) -> Self {
        Self { name, value: String::new(), lives: Duration::ZERO }
    }

    /// The `Set-Cookie` header.
    pub fn header(&self) -> String {
        let Self { name, value, lives } = self;
        let seconds = lives.as_secs();
        format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}")
    }
}

/// A cookie's value stays out of logs.
impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cookie({})", self.name)
    }
}

/// The sign-ins that have begun in this browser.
pub fn logins(request: &Request) -> Logins {
    request.cookie(LOGIN).map(Logins::parse).unwrap_or_default()
}

/// The ticket that this browser holds.
///
/// # Errors
///
/// `ticket_expired` where it holds none of the shape of ours.
pub fn ticket(request: &Request) -> Result<LinkTicket, Failure> {
    let ticket = request.cookie(TICKET).map(LinkTicket::presented).and_then(Result::ok);
    ticket.ok_or_else(|| Failure::ticket_expired("no ticket came along"))
}

/// The session that this browser holds, if it has the shape of ours.
pub fn session(request: &Request) -> Option<SessionToken> {
    SessionToken::presented(request.cookie(SESSION)?).ok()
}

/// What a caller shows to be taken for somebody: an app's bearer token, else a browser's cookie, never
/// one for the other. Says whether it was the former. Whoever asks who is signed in reads it so.
pub fn credential(request: &Request) -> (Option<SessionToken>, bool) {
    match request.bearer() {
        Some(text) => (SessionToken::presented(text).ok(), true),
        None => (session(request), false),
    }
}
