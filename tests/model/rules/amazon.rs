//! To Amazon and back.

use super::{Decision, Entry};
use crate::{
    state::{
        ADDRESSES, At, CUSTOMERS, Code, Login, LoginId, Model, PATHS, Purpose, Shares, Time, Told,
        Url, UrlId,
    },
    step::{Cookie, Outcome, Step, To},
};

const LOGIN_LIVES: Time = 10 * 60;
const CODE_LIVES: Time = 5 * 60;
/// The most bytes of the cookie that remembers what has begun.
const ROOM: usize = 4000;

/// Whether this is an address to us.
pub(crate) fn is_address(text: &str) -> bool {
    ADDRESSES.contains(&text) && text.is_ascii() && !text.ends_with('.')
}

impl Model {
    pub(super) fn begin(&mut self, at: At, path: usize, elsewhere: bool) -> Outcome {
        if elsewhere {
            return Outcome::new(200, "ok");
        }
        let (now, to) = (self.now, PATHS[path].1);
        let login = Login { at, began: now, to, used: false, swept: false, used_at: 0 };
        self.logins.push(login);
        let logins = &self.logins;
        let mine = &mut self.jars[at].logins;
        mine.retain(|id| now - logins[*id].began < LOGIN_LIVES);
        mine.push(logins.len() - 1);
        let size =
            |id: &LoginId| 43 + 1 + 43 + 1 + 10 + 1 + (logins[*id].to.len() * 8).div_ceil(6) + 1;
        while mine.iter().map(size).sum::<usize>() > ROOM + 1 {
            mine.remove(0);
        }
        Outcome { login: Cookie::Set(logins.len() - 1, LOGIN_LIVES), ..Outcome::to(To::Amazon) }
    }

    /// What happens at Amazon.
    pub(super) fn at_amazon(&mut self, step: &Step) {
        let (login, code) = match *step {
            Step::Consent { login, who, shares } => {
                self.codes.push(Code { login, who, shares, issued: self.now, spent: false });
                (login, Some(self.codes.len() - 1))
            }
            Step::Mix { login, code } => (login, self.urls[code].code),
            Step::Deny { login } => (login, None),
            _ => return,
        };
        self.urls.push(Url { login, code, opened: None });
    }

    pub(super) fn use_state(&mut self, login: LoginId) {
        let now = self.now;
        let login = &mut self.logins[login];
        if !login.used {
            (login.used, login.used_at) = (true, now);
        }
    }

    /// Only the browser that began a sign-in can finish it, in time and once.
    pub(super) fn come_back(&mut self, at: At, url: UrlId) -> Outcome {
        self.urls[url].opened = Some(at);
        let Url { login: id, code, .. } = self.urls[url];
        let Login { to, began, used, .. } = self.logins[id];
        let over = self.now - began >= LOGIN_LIVES;
        if over || !self.jars[at].logins.contains(&id) {
            return Outcome::failed("start_over");
        }
        if used {
            return match self.current(at) {
                Some(_) => Outcome::to(To::Path(to)).asked(),
                None => Outcome::failed("start_over").asked(),
            };
        }
        self.use_state(id);
        let Some(code) = code else { return Outcome::to(To::Cancelled).asked() };
        let (now, code) = (self.now, &mut self.codes[code]);
        let good = !code.spent && now < code.issued + CODE_LIVES && code.login == id;
        code.spent = true;
        if !good {
            return Outcome { amazon: [1, 0, 0], ..Outcome::failed("start_over").asked() };
        }
        let code = *code;
        let told = self.told(code);
        Outcome { amazon: [1; 3], ..self.let_in(at, told, to).asked() }
    }

    /// What Amazon tells of the customer, as it is now.
    fn told(&self, Code { who, shares, .. }: Code) -> Told {
        if shares != Shares::All {
            return Told { who, email: None, name: None };
        }
        let email = self.emails[who].filter(|email| is_address(email));
        Told { who, email, name: Some(CUSTOMERS[who].1) }
    }

    fn let_in(&mut self, at: At, told: Told, to: &'static str) -> Outcome {
        let current = self.current(at);
        let entry = Entry { told, replaces: current, ticket: None };
        let session = match self.decide(told.who, told.email) {
            Decision::Refuse(code) => return Outcome::failed(code),
            Decision::Prove(account) => return self.wait_for_password(account, told, to),
            Decision::New => match told.email {
                // Leaving an account for a new one takes a page with a button.
                Some(email) if current.is_none() => Some(self.create(&entry, email)),
                _ => return self.wait(Purpose::Register, told, to),
            },
            Decision::Enter(account) => {
                if current.is_some_and(|id| self.sessions[id].account != account) {
                    return self.wait(Purpose::Switch { account }, told, to);
                }
                self.enter(&entry)
            }
        };
        match session {
            Some(session) => Outcome { session, ..Outcome::to(To::Path(to)) },
            None => Outcome::failed("unavailable"),
        }
    }
}
