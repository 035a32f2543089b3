//! What people fill in where a history has come to.

use super::meaning::{Meaning, Steps, one, press};
use crate::{
    state::{
        ADDRESSES, At, BROWSERS, Model, NOBODYS_PASSWORD, Name, PASSWORDS, Purpose, Shares, Ticket,
        Time, Who,
    },
    step::{Asker, Event, Form, Step},
};

impl Meaning<'_> {
    pub(super) fn password_of(&self, account: Name) -> usize {
        let known = self.model.accounts.get(&account);
        known.and_then(|known| known.password).unwrap_or(NOBODYS_PASSWORD)
    }

    pub(super) fn send_password(&self, password: impl Fn(Name) -> usize) -> Steps {
        let at = self.linker()?;
        let ticket = &self.model.tickets[self.model.jars[at].ticket?];
        let Purpose::Link { account, .. } = ticket.purpose else { return None };
        one(press(at, Form::Link { password: password(account) }))
    }

    pub(super) fn register(&self) -> Steps {
        let at = self.registrar()?;
        let ticket = &self.model.tickets[self.model.jars[at].ticket?];
        one(press(at, self.registration(ticket)))
    }

    pub(super) fn registration(&self, ticket: &Ticket) -> Form {
        let email = match ticket.told.email {
            Some(known) if self.numbers[3].is_multiple_of(2) => known,
            Some(_) => "",
            None => ["new@example.com", "NEW@example.com", "max@example.com", "ann+1@example.com"]
                [self.numbers[1] % 4],
        };
        Form::Register { email, unknown_field: false }
    }

    pub(super) fn any_form(&self) -> Option<(At, Form)> {
        let [_, b, _, d] = self.numbers;
        let form = match b % 6 {
            0 => Form::Link { password: d % (PASSWORDS.len() + 1) },
            1 => Form::Forgot,
            2 => Form::Cancel,
            3 => Form::Register { email: ADDRESSES[d % ADDRESSES.len()], unknown_field: false },
            4 => Form::Switch,
            _ => Form::LogOut,
        };
        let at = if form == Form::LogOut { self.somebody()? } else { self.ticket_holder() };
        Some((at, form))
    }

    pub(super) fn guess_on_and_on(&self) -> Steps {
        let (mut steps, mut model) = (Vec::new(), self.model.clone());
        let at = self.numbers[0] % BROWSERS;
        for _ in 0..3 {
            let mut round = come(&model, at, self.own()(at));
            round.extend(vec![press(at, Form::Link { password: NOBODYS_PASSWORD }); 5]);
            round.push(Step::Happens(Event::TimePasses { seconds: 900 }));
            for step in &round {
                model.step(step);
            }
            steps.extend(round);
        }
        // For those alone who are asked for a password.
        (model.limits != self.model.limits).then_some(steps)
    }

    /// In one browser with one address, in the other with another, and back again.
    pub(super) fn prove_too_late(&self) -> Steps {
        let [a, b, c, _] = self.numbers;
        let (at, other) = (a % BROWSERS, (a % BROWSERS) ^ 1);
        let who = self.own()(at);
        let with = |email| Step::Happens(Event::EmailChanges { who, email: Some(email) });
        let mut model = self.model.clone();
        let mut steps = vec![with(ADDRESSES[b % 5])];
        steps.extend(come(&model, at, who));
        for step in &steps {
            model.step(step);
        }
        let Purpose::Link { account, .. } = model.tickets[model.jars[at].ticket?].purpose else {
            return None;
        };
        steps.push(with(ADDRESSES[c % 5]));
        steps.extend(come(&model, other, who));
        steps.push(press(at, Form::Link { password: self.password_of(account) }));
        Some(steps)
    }

    /// Asks before the session would end for being idle, until it ends of age.
    pub(super) fn stay_for_days(&self) -> Steps {
        const WHILE: Time = 42_000;
        let at = self.somebody()?;
        let session = &self.model.sessions[self.model.current(at)?];
        let left = session.started + 7 * 24 * 3600 - self.model.now;
        let wait = |seconds| Step::Happens(Event::TimePasses { seconds });
        let waits = vec![WHILE; usize::try_from(left / WHILE).ok()?];
        let last = [left % WHILE - 1, 1].into_iter().filter(|seconds| *seconds > 0);
        let ask = Step::Ask { at, as_whom: Asker::Session };
        let waits = [0].into_iter().chain(waits).chain(last);
        Some(waits.flat_map(|seconds| [wait(seconds), ask.clone()]).collect())
    }
}

/// Signs in at Amazon.
fn come(model: &Model, at: At, who: Who) -> Vec<Step> {
    let (login, url) = (model.logins.len(), model.urls.len());
    vec![
        Step::Begin { at, path: 0, elsewhere: false },
        Step::Consent { login, who, shares: Shares::All },
        Step::ComeBack { at, url },
    ]
}
