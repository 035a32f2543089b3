//! Who may do what: the contract as one function from what somebody does to what comes of it. None of
//! the house's own code is in here, and nothing is asked of anybody.

mod amazon;
mod forms;
mod site;
mod tests;

use crate::{
    state::{
        At, Jar, Model, Name, Purpose, Session, SessionId, Status, Ticket, TicketId, Time, Told,
        Who,
    },
    step::{Asker, Cookie, Form, Outcome, Page, Put, Step, To, Trouble},
};

const TICKET_LIVES: Time = 15 * 60;
const TICKET_LIVES_AFTER_FORGOT: Time = 24 * 60 * 60;
const SESSION_LIVES: Time = 7 * 24 * 60 * 60;
const SESSION_IDLES: Time = 12 * 60 * 60;
const SESSION_NOTED_EVERY: Time = 5 * 60;
const WRONG_PASSWORDS: u32 = 5;
/// Rows outlive what they stand for by so much.
const ROWS_STAY: Time = 24 * 60 * 60;

/// What is to be done with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Enter(Name),
    Prove(Name),
    New,
    Refuse(&'static str),
}

/// How somebody is let in.
struct Entry {
    told: Told,
    /// The session that they lose.
    replaces: Option<SessionId>,
    /// The ticket that is used up.
    ticket: Option<TicketId>,
}

impl Model {
    /// What comes of it; nothing where no request is made of us.
    pub(crate) fn step(&mut self, step: &Step) -> Option<Outcome> {
        let (at, outcome) = match *step {
            Step::Begin { at, path, elsewhere } => (at, self.begin(at, path, elsewhere)),
            Step::ComeBack { at, url } => (at, self.come_back(at, url)),
            Step::Open { at, page, json } => {
                let outcome = self.open_page(at, page);
                (at, if json { outcome.for_a_script() } else { outcome })
            }
            Step::Press { at, form, json: false, csrf, origin } => {
                (at, self.press(at, form, csrf, origin))
            }
            // A member that nobody knows makes no sense of JSON; a form's inputs are looked at later.
            Step::Press { at, form: Form::Register { unknown_field: true, .. }, .. } => {
                (at, Outcome::failed("bad_request"))
            }
            Step::Press { at, form: Form::LogOut, csrf, origin, .. } => {
                let outcome = self.press(at, Form::LogOut, csrf, origin);
                let out = Outcome { status: 204, to: None, ..outcome.clone() };
                (at, if outcome.to.is_some() { out } else { outcome })
            }
            Step::Press { at, form, csrf, origin, .. } => {
                (at, self.press(at, form, csrf, origin).for_a_script())
            }
            Step::Ask { at, as_whom } => (at, self.ask(at, as_whom)),
            Step::Trouble(trouble, ref step) => return self.in_trouble(trouble, step),
            Step::Consent { .. } | Step::Deny { .. } | Step::Mix { .. } => {
                self.at_amazon(step);
                return None;
            }
            Step::Put { at, ref cookie } => {
                let jar = &mut self.jars[at];
                match cookie {
                    Put::Logins(logins) => jar.logins.clone_from(logins),
                    Put::Ticket(ticket) => jar.ticket = *ticket,
                    Put::Session(session) => jar.session = *session,
                }
                return None;
            }
            Step::Happens(ref event) => {
                self.happens(event);
                return None;
            }
        };
        let Jar { ticket, session, .. } = &mut self.jars[at];
        for (place, cookie) in [(ticket, outcome.ticket), (session, outcome.session)] {
            match cookie {
                Cookie::Kept => {}
                Cookie::Gone => *place = None,
                Cookie::Set(id, _) => *place = Some(id),
            }
        }
        Some(outcome)
    }

    fn in_trouble(&mut self, trouble: Trouble, step: &Step) -> Option<Outcome> {
        let end = match trouble {
            // It is asked again, and nobody notices.
            Trouble::Stumbles { .. } | Trouble::AnswerLost { .. } => return self.step(step),
            Trouble::Down => Outcome::failed("unavailable"),
            Trouble::Killed { .. } => Outcome::new(500, ""),
        };
        let mut clean = self.clone();
        let outcome = clean.step(step)?;
        if !outcome.asks {
            *self = clean;
            return Some(outcome);
        }
        if let Trouble::Killed { obeyed: true } = trouble {
            self.first_call(step);
        }
        Some(end.asked())
    }

    /// What the first call to DynamoDB has done, where that is not a read.
    fn first_call(&mut self, step: &Step) {
        match *step {
            Step::ComeBack { url, .. } => self.use_state(self.urls[url].login),
            Step::Press { at, form, .. } => self.press_first(at, form),
            _ => {}
        }
    }

    /// The session of this browser's cookie, while it counts.
    pub(crate) fn current(&self, at: At) -> Option<SessionId> {
        self.jars[at].session.filter(|id| self.is_live(&self.sessions[*id]))
    }

    /// Whether a session counts.
    pub(crate) fn is_live(&self, session: &Session) -> bool {
        let Session { started, seen, gone, .. } = *session;
        !gone && self.now < started + SESSION_LIVES && self.now - seen < SESSION_IDLES
    }

    /// Whether a ticket is still good for something.
    pub(crate) fn is_open(&self, ticket: &Ticket) -> bool {
        let spent = matches!(ticket.purpose, Purpose::Link { left: 0, .. });
        !ticket.gone && !ticket.used && !spent && self.now < ticket.expires
    }

    fn ask(&mut self, at: At, as_whom: Asker) -> Outcome {
        let nobody = Outcome::new(401, "");
        let Some(id) = self.jars[at].session else { return nobody };
        if as_whom == Asker::App || self.current(at).is_none() {
            return nobody.asked();
        }
        let (now, session) = (self.now, &mut self.sessions[id]);
        if now - session.seen >= SESSION_NOTED_EVERY {
            session.seen = now;
        }
        Outcome { who: Some(session.account), ..Outcome::new(200, "") }.asked()
    }

    fn open_page(&self, at: At, page: Page) -> Outcome {
        let Some(id) = self.jars[at].ticket else { return Outcome::failed("ticket_expired") };
        let ticket = &self.tickets[id];
        let fits = match page {
            Page::Link => matches!(ticket.purpose, Purpose::Link { .. }),
            Page::Register => ticket.purpose == Purpose::Register,
        };
        match fits && self.is_open(ticket) {
            true => Outcome::new(200, "ok").asked(),
            false => Outcome::failed("ticket_expired").asked(),
        }
    }

    /// A link wins over everything; an address is a reason to ask for the password.
    fn decide(&self, who: Who, email: Option<&str>) -> Decision {
        let active = |name: &Name| match self.accounts.get(name) {
            Some(account) if account.status == Status::Active => Ok(account.password),
            _ => Err(Decision::Refuse("account_closed")),
        };
        let prove = |name: Name| match active(&name) {
            Ok(Some(_)) => Decision::Prove(name),
            Ok(None) => Decision::Refuse("no_password"),
            Err(refuse) => refuse,
        };
        if let Some(link) = self.links.get(&who) {
            return match active(&link.account) {
                Ok(_) if link.prove_again => prove(link.account),
                Ok(_) => Decision::Enter(link.account),
                Err(refuse) => refuse,
            };
        }
        let Some(email) = email.map(str::to_ascii_lowercase) else { return Decision::New };
        let same = |address: &String| address.to_ascii_lowercase() == email;
        let mut with = self.accounts.iter().filter(|(_, a)| a.email.as_ref().is_some_and(same));
        match (with.next(), with.next()) {
            (None, _) => Decision::New,
            (Some((name, _)), None) => prove(*name),
            _ => Decision::Refuse("ambiguous_email"),
        }
    }

    /// Lets somebody in over their link; nothing where the account's epoch has moved since.
    fn enter(&mut self, entry: &Entry) -> Option<Cookie> {
        let told = entry.told;
        let link = self.links.get_mut(&told.who)?;
        let account = link.account;
        if link.epoch != self.epochs.get(&account).copied().unwrap_or(0) {
            return None;
        }
        link.amazon_email = told.email;
        Some(self.admit(entry, account, "amazon"))
    }

    /// Opens an account, a link and a session.
    fn create(&mut self, entry: &Entry, email: &str) -> Cookie {
        let account = Name::Ours(self.opened);
        self.opened += 1;
        let email = email.to_ascii_lowercase();
        self.claims.insert(email.clone(), account);
        let told = entry.told;
        let opened = crate::state::Account {
            email: Some(email),
            name: told.name,
            status: Status::Active,
            password: None,
        };
        self.accounts.insert(account, opened);
        self.link(told, account);
        self.admit(entry, account, "registered")
    }

    fn link(&mut self, told: Told, account: Name) {
        let epoch = self.epochs.get(&account).copied().unwrap_or(0);
        let link =
            crate::state::Link { account, epoch, prove_again: false, amazon_email: told.email };
        self.links.insert(told.who, link);
    }

    fn admit(&mut self, entry: &Entry, account: Name, how: &'static str) -> Cookie {
        if let Some(known) = self.accounts.get_mut(&account) {
            known.name = known.name.or(entry.told.name);
        }
        if let Some(old) = entry.replaces {
            self.sessions[old].gone = true;
        }
        if let Some(ticket) = entry.ticket {
            self.tickets[ticket].used = true;
        }
        let (started, seen) = (self.now, self.now);
        self.sessions.push(Session { account, how, started, seen, gone: false });
        Cookie::Set(self.sessions.len() - 1, SESSION_LIVES)
    }

    /// Lets somebody wait at another page, with a ticket.
    fn wait(&mut self, purpose: Purpose, told: Told, to: &'static str) -> Outcome {
        let outcome = match purpose {
            Purpose::Link { .. } => Outcome::to(To::Link),
            Purpose::Register => Outcome::to(To::Register),
            Purpose::Switch { .. } => Outcome::new(200, "ok"),
        };
        let (started, expires) = (self.now, self.now + TICKET_LIVES);
        self.tickets.push(Ticket { purpose, told, to, started, expires, used: false, gone: false });
        Outcome { ticket: Cookie::Set(self.tickets.len() - 1, TICKET_LIVES), ..outcome }
    }

    fn wait_for_password(&mut self, account: Name, told: Told, to: &'static str) -> Outcome {
        self.wait(Purpose::Link { account, left: WRONG_PASSWORDS }, told, to)
    }
}
