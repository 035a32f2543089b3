//! What a browser remembers while its visitor is at Amazon.
//!
//! Everything about a sign-in that has begun travels in a cookie, one entry per tab, so that the
//! start of a sign-in writes nothing anywhere. It needs no key, for all of it is checked again when
//! the visitor comes back: the state against Amazon's answer, the verifier by Amazon, the path by
//! [`ReturnTo`]'s grammar.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{PkceVerifier, ReturnTo, State, Timestamp};

/// How long a visitor may stay at Amazon.
pub const LIVES: Duration = Duration::from_mins(10);

/// The most bytes that the entries may take: browsers keep 4096 for a cookie's name and value.
/// Five entries with the longest path fit: 5 × (43 + 43 + 12 + 683 + 3) + 4 = 3924.
const ROOM: usize = 4000;

/// A sign-in that has begun in one tab.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// What Amazon must send back.
    pub state: State,
    /// What the code can be redeemed with.
    pub verifier: PkceVerifier,
    /// Where the visitor wanted to go.
    pub return_to: ReturnTo,
    /// When it began.
    pub started_at: Timestamp,
    /// What it is for.
    pub intent: Intent,
}

/// What a way to Amazon and back is for, and the only thing it is good for.
#[derive(Clone, PartialEq, Eq)]
pub enum Intent {
    /// To sign in.
    SignIn,
    /// To link the account of the session with this hash, whose owner asked for it.
    Link(String),
    /// To prove once more who the owner of the session with this hash is.
    Prove(String),
}

impl Intent {
    /// The word in the cookie, and the session's hash.
    fn parts(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::SignIn => None,
            Self::Link(session) => Some(("link", session)),
            Self::Prove(session) => Some(("prove", session)),
        }
    }

    /// The session that it is bound to.
    pub fn session(&self) -> Option<&str> {
        self.parts().map(|(_, session)| session)
    }
}

/// Which session it is stays out of logs.
impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parts().map_or("sign in", |(word, _)| word))
    }
}

impl Login {
    /// Whether the visitor came back too late. A start that lies ahead is as wrong as one long ago.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.started_at) >= LIVES || self.started_at.since(now) >= LIVES
    }

    fn print(&self) -> String {
        let return_to = URL_SAFE_NO_PAD.encode(self.return_to.as_str());
        let (state, verifier) = (self.state.expose(), self.verifier.expose());
        let begun = format!("{state}.{verifier}.{}.{return_to}", self.started_at.0);
        match self.intent.parts() {
            None => begun,
            Some((word, session)) => format!("{begun}.{word}.{session}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let state = State::presented(parts.next()?).ok()?;
        let verifier = PkceVerifier::presented(parts.next()?).ok()?;
        let started_at = Timestamp(parts.next()?.parse().ok()?);
        let return_to = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let return_to = ReturnTo::parse(std::str::from_utf8(&return_to).ok()?)?;
        // A session's hash has the shape of a token.
        let session = |part: Option<&str>| Some(State::presented(part?).ok()?.expose().to_owned());
        let intent = match parts.next() {
            None => Intent::SignIn,
            Some("link") => Intent::Link(session(parts.next())?),
            Some("prove") => Intent::Prove(session(parts.next())?),
            Some(_) => return None,
        };
        parts.next().is_none().then_some(Self { state, verifier, return_to, started_at, intent })
    }
}

/// The sign-ins that have begun in one browser, oldest first: the value of `__Host-lwa_login`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Logins(Vec<Login>);

impl Logins {
    /// Reads the cookie; whatever in it is not ours is dropped.
    pub fn parse(cookie: &str) -> Self {
        Self(cookie.split('~').filter_map(Login::parse).collect())
    }

    /// The cookie's value.
    pub fn print(&self) -> String {
        self.0.iter().map(Login::print).collect::<Vec<_>>().join("~")
    }

    /// Whether no sign-in is under way.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a sign-in. Those that are over go, then the oldest ones that there is no room for.
    pub fn begin(&mut self, login: Login, now: Timestamp) {
        self.0.retain(|earlier| !earlier.is_over(now));
        self.0.push(login);
        while self.print().len() > ROOM && self.0.len() > 1 {
            self.0.remove(0);
        }
    }

    /// Takes out the sign-in that this state belongs to, if it began in this browser.
    pub fn finish(&mut self, state: &State) -> Option<Login> {
        let at = self.0.iter().position(|login| login.state == *state)?;
        Some(self.0.remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(number: u8, path: &str, started_at: i64) -> Login {
        let token = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 32]);
        Login {
            state: State::presented(&token(number)).unwrap(),
            verifier: PkceVerifier::presented(&token(number ^ 0xff)).unwrap(),
            return_to: ReturnTo::parse(path).unwrap(),
            started_at: Timestamp(started_at),
            intent: Intent::SignIn,
        }
    }

    #[test]
    fn a21_five_tabs_fit_however_long_their_paths() {
        let longest = format!("/{}", "a".repeat(511));
        let now = Timestamp(1_800_000_000);
        let mut logins = Logins::default();
        for tab in 1..=6 {
            logins.begin(login(tab, &longest, now.0), now);
        }

        let cookie = logins.print();
        assert!("__Host-lwa_login=".len() + cookie.len() <= 4096, "{}", cookie.len());
        let mut again = Logins::parse(&cookie);
        assert_eq!(again.finish(&login(1, "/", 0).state), None, "the oldest made room");
        for tab in 2..=6 {
            let finished = again.finish(&login(tab, "/", 0).state).unwrap();
            assert_eq!(finished, login(tab, &longest, now.0));
        }
        assert!(again.is_empty());
    }

    #[test]
    fn short_paths_leave_room_for_more_tabs() {
        let mut logins = Logins::default();
        for tab in 0..20 {
            logins.begin(login(tab, "/", 0), Timestamp(0));
        }
        assert_eq!(logins.0.len(), 20);
    }

    #[test]
    fn a_sign_in_that_is_over_makes_room() {
        let mut logins = Logins::default();
        logins.begin(login(1, "/", 0), Timestamp(0));
        logins.begin(login(2, "/", 600), Timestamp(600));
        assert_eq!(logins.0.len(), 1);
    }

    #[test]
    fn a_visitor_may_stay_at_amazon_for_ten_minutes() {
        let login = login(1, "/", 1000);
        for (now, over) in
            [(1000, false), (1599, false), (1600, true), (1601, true), (401, false), (400, true)]
        {
            assert_eq!(login.is_over(Timestamp(now)), over, "at {now}");
        }
    }

    #[test]
    fn a07_whatever_is_not_ours_is_dropped() {
        let good = login(1, "/a?b=c", 7).print();
        for bad in [
            "".to_owned(),
            "~".to_owned(),
            "x".to_owned(),
            good.replace('.', ","),
            format!("{good}.x"),
            good[1..].to_owned(),
            good.replace(".7.", ".seven."),
            good.replace(".7.", "."),
            format!(
                "{}.{}",
                good.rsplit_once('.').unwrap().0,
                URL_SAFE_NO_PAD.encode("//evil.com")
            ),
        ] {
            assert_eq!(Logins::parse(&bad), Logins::default(), "{bad}");
            assert_eq!(Logins::parse(&format!("{bad}~{good}")).0, [login(1, "/a?b=c", 7)], "{bad}");
        }
    }
}
