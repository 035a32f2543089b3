//! What our own forms do.

use super::{Decision, Entry, ROWS_STAY, TICKET_LIVES_AFTER_FORGOT, amazon::is_address};
use crate::{
    state::{At, Model, Name, Purpose, Status, TicketId, Time},
    step::{Cookie, Csrf, Form, Origin, Outcome, To},
};

const QUARTER: Time = 15 * 60;
const DAY: Time = 24 * 60 * 60;

impl Model {
    pub(super) fn press(&mut self, at: At, form: Form, csrf: Csrf, origin: Origin) -> Outcome {
        if origin != Origin::Ours {
            return Outcome::failed("csrf");
        }
        if form == Form::LogOut {
            return self.log_out(at, csrf);
        }
        let Some(ticket) = self.jars[at].ticket else { return Outcome::failed("ticket_expired") };
        if !matches!(csrf, Csrf::Right) && csrf != Csrf::OfTicket(ticket) {
            return Outcome::failed("csrf");
        }
        if let Form::Register { unknown_field: true, .. } = form {
            return Outcome::failed("bad_request");
        }
        match form {
            Form::Link { password } => self.prove(at, ticket, password),
            Form::Forgot => self.forget(ticket),
            Form::Cancel => {
                self.tickets[ticket].gone = true;
                Outcome { ticket: Cookie::Gone, ..Outcome::to(To::SignIn) }
            }
            Form::Register { email, .. } => self.register(at, ticket, email),
            Form::Switch => self.switch(at, ticket),
            Form::LogOut => self.log_out(at, csrf),
        }
        .asked()
    }

    /// What the first call to DynamoDB has done.
    pub(super) fn press_first(&mut self, at: At, form: Form) {
        let jar = &self.jars[at];
        match (form, jar.ticket, jar.session) {
            (Form::Cancel, Some(ticket), _) => self.tickets[ticket].gone = true,
            (Form::LogOut, _, Some(session)) => self.sessions[session].gone = true,
            _ => {}
        }
    }

    fn log_out(&mut self, at: At, csrf: Csrf) -> Outcome {
        let out = Outcome { session: Cookie::Gone, ..Outcome::to(To::Path("/")) };
        let Some(session) = self.jars[at].session else { return out };
        if !matches!(csrf, Csrf::Right) && csrf != Csrf::OfSession(session) {
            return Outcome::failed("csrf");
        }
        self.sessions[session].gone = true;
        out.asked()
    }

    /// A second click goes where the first one led, for whoever is signed in by it.
    fn done_before(&self, at: At, ticket: TicketId) -> Outcome {
        let ticket = &self.tickets[ticket];
        let mine = self.current(at).map(|id| self.sessions[id].account);
        let linked = self.links.get(&ticket.told.who).map(|link| link.account);
        match mine.is_some() && mine == linked {
            true => Outcome::to(To::Path(ticket.to)),
            false => Outcome::failed("ticket_expired"),
        }
    }

    fn prove(&mut self, at: At, id: TicketId, password: usize) -> Outcome {
        let ticket = &self.tickets[id];
        let (told, to) = (ticket.told, ticket.to);
        if ticket.used && !ticket.gone {
            return self.done_before(at, id);
        }
        let (account, left) = match ticket.purpose {
            Purpose::Link { account, left } if self.is_open(ticket) => (account, left),
            _ => return Outcome::failed("ticket_expired"),
        };
        if let Err(wait) = self.take_attempt(told.who, account) {
            let limited = Outcome::failed("too_many_attempts");
            return Outcome { retry_after: Some(wait), ..limited };
        }
        self.tickets[id].purpose = Purpose::Link { account, left: left - 1 };
        let known = self.accounts.get(&account);
        let Some(known) = known.filter(|known| known.status == Status::Active) else {
            return Outcome::failed("account_closed");
        };
        match known.password {
            None => return Outcome::failed("no_password"),
            Some(right) if right == password => {}
            Some(_) if left == 1 => return Outcome::failed("ticket_expired"),
            Some(_) => return Outcome::failed("wrong_password"),
        }
        let entry = Entry { told, replaces: self.jars[at].session, ticket: Some(id) };
        let existing = self.links.get(&told.who);
        let free = existing.is_none_or(|link| link.account == account && link.prove_again);
        let others =
            self.links.iter().any(|(who, link)| *who != told.who && link.account == account);
        let session = if free && !others {
            self.link(told, account);
            Some(self.admit(&entry, account, "linked"))
        } else if existing.is_some_and(|link| link.account == account) {
            // The very link was made meanwhile, with another ticket.
            self.enter(&entry)
        } else {
            return Outcome::failed("already_linked");
        };
        in_or_over(session, to)
    }

    /// One guess more at an account; if there are too many, how long to wait.
    fn take_attempt(&mut self, who: usize, account: Name) -> Result<(), Time> {
        let now = self.now;
        let limits = [
            (format!("identity {who}"), DAY, 20),
            (format!("pair {who} {account:?}"), DAY, 10),
            (format!("account {account:?}"), QUARTER, 5),
        ];
        let limits = limits.map(|(what, window, most)| {
            let number = now.div_euclid(window);
            ((what, number, (number + 1) * window), most)
        });
        let full = limits.iter().filter(|(limit, most)| self.limits.get(limit) >= Some(most));
        if let Some(wait) = full.map(|((.., ends), _)| ends - now).max() {
            return Err(wait.max(1));
        }
        for (limit, _) in limits {
            *self.limits.entry(limit).or_default() += 1;
        }
        Ok(())
    }

    fn forget(&mut self, id: TicketId) -> Outcome {
        let ticket = &self.tickets[id];
        if !matches!(ticket.purpose, Purpose::Link { .. }) || !self.is_open(ticket) {
            return Outcome::failed("ticket_expired");
        }
        let ends = ticket.started + TICKET_LIVES_AFTER_FORGOT;
        self.tickets[id].expires = ends;
        Outcome { ticket: Cookie::Set(id, ends - self.now), ..Outcome::to(To::Reset) }
    }

    fn register(&mut self, at: At, id: TicketId, typed: &'static str) -> Outcome {
        let ticket = &self.tickets[id];
        let (told, to) = (ticket.told, ticket.to);
        if ticket.used && !ticket.gone {
            return self.done_before(at, id);
        }
        if ticket.purpose != Purpose::Register || !self.is_open(ticket) {
            return Outcome::failed("ticket_expired");
        }
        let email = match told.email {
            // Amazon's address cannot be changed.
            Some(known) if typed.is_empty() || typed.eq_ignore_ascii_case(known) => known,
            Some(_) => return Outcome::failed("bad_request"),
            None if is_address(typed) => typed,
            None => return Outcome::failed("invalid_fields"),
        };
        let entry = Entry { told, replaces: self.jars[at].session, ticket: Some(id) };
        let current = self.current(at).map(|id| self.sessions[id].account);
        let session = match self.decide(told.who, Some(email)) {
            Decision::Refuse(code) => return Outcome::failed(code),
            Decision::Prove(account) => {
                // One sign-in does not try many addresses.
                self.tickets[id].used = true;
                return self.wait_for_password(account, told, to);
            }
            Decision::New => Some(self.create(&entry, email)),
            Decision::Enter(account) if current.is_none_or(|mine| mine == account) => {
                match self.enter(&entry) {
                    None => return Outcome::failed("unavailable"),
                    session => session,
                }
            }
            Decision::Enter(_) => None,
        };
        in_or_over(session, to)
    }

    fn switch(&mut self, at: At, id: TicketId) -> Outcome {
        let ticket = &self.tickets[id];
        let (told, to) = (ticket.told, ticket.to);
        let account = match ticket.purpose {
            Purpose::Switch { account } if self.is_open(ticket) => account,
            _ => return Outcome::failed("ticket_expired"),
        };
        let entry = Entry { told, replaces: self.jars[at].session, ticket: Some(id) };
        let session = match self.decide(told.who, told.email) {
            Decision::Refuse(code) => return Outcome::failed(code),
            Decision::Enter(now) if now == account => self.enter(&entry),
            _ => None,
        };
        in_or_over(session, to)
    }

    /// DynamoDB removes what may go.
    pub(super) fn sweep(&mut self) {
        let over = |ends: Time| ends + ROWS_STAY < self.now;
        for login in self.logins.iter_mut().filter(|login| login.used && over(login.used_at)) {
            login.swept = true;
        }
        for ticket in self.tickets.iter_mut().filter(|ticket| over(ticket.expires)) {
            ticket.gone = true;
        }
        let lives = super::SESSION_LIVES;
        for session in self.sessions.iter_mut().filter(|session| over(session.started + lives)) {
            session.gone = true;
        }
        self.limits.retain(|(.., ends), _| !over(*ends));
    }
}

/// In, where there is a session; else what was to be entered has changed meanwhile.
fn in_or_over(session: Option<Cookie>, to: &'static str) -> Outcome {
    match session {
        Some(session) => Outcome { session, ticket: Cookie::Gone, ..Outcome::to(To::Path(to)) },
        None => Outcome::failed("start_over"),
    }
}
