//! What really happened, for the ledger, which judges it without the model.

use std::collections::BTreeSet;

use local_stack::amazon::Endpoint;
use tests::{Answer, SESSION, TICKET, Tables, stage::code};

use super::{
    House,
    answer::{cookies, csrf_of, place},
    parameter,
    rows::account_of,
};
use crate::{
    ledger::told,
    state::{Model, PASSWORDS, Purpose, Who},
    step::{Asker, Csrf, Form, Origin, Step},
};

/// What a browser held when it asked.
#[derive(Default)]
pub(super) struct Held {
    ticket: String,
    session: Option<String>,
}

impl House<'_> {
    pub(super) fn held(&self, step: &Step) -> Held {
        let Some(at) = place(step) else { return Held::default() };
        let cookie = |name| self.browsers[at].cookie(name);
        Held { ticket: cookie(TICKET).unwrap_or_default(), session: cookie(SESSION) }
    }

    /// Notes what happened, and tells what must not happen, whatever the model says.
    pub(super) fn note(
        &mut self,
        step: &Step,
        answer: &Answer,
        held: &Held,
        (tables, model): (&Tables, &Model),
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let set = cookies(answer);
        let given = |name| set.get(name).map(|(value, _)| value).filter(|value| !value.is_empty());
        let session = given(SESSION);
        let mut customer = None;
        match *step {
            Step::ComeBack { url, .. } => {
                customer = model.urls[url].code.map(|code| model.codes[code].who);
                let state = parameter(&self.urls[url], "state").unwrap_or_default();
                let redeemed = self.stack.amazon.calls_of(Endpoint::Token).len();
                wrong.extend(self.ledger.redeems(&state, redeemed));
                if session.or(given(TICKET)).is_some() {
                    wrong.extend(self.ledger.leads_on(&state));
                }
            }
            Step::Press { form: Form::LogOut, .. } if matches!(answer.status, 303 | 204) => {
                self.ledger.ends(held.session.as_deref());
            }
            Step::Press { form, csrf, origin, .. } => {
                let shown = csrf == Csrf::Right && origin == Origin::Ours;
                customer = self.proves(held, form, shown, model);
                if session.is_some() {
                    wrong.extend(self.ledger.leads_on(&held.ticket));
                }
                let compared = matches!(form, Form::Link { .. })
                    && (session.is_some()
                        || matches!(&*code(answer), "wrong_password" | "already_linked"));
                if compared {
                    wrong.extend(self.ledger.compares(&held.ticket));
                }
            }
            Step::Ask { as_whom, .. } if answer.status == 200 => {
                let app = as_whom == Asker::App;
                wrong.extend(self.ledger.accepts(held.session.as_deref(), app));
            }
            _ => {}
        }
        let linked = tables.linked();
        for account in tables.newcomers() {
            let id = account["id"]["S"].as_str().unwrap_or_default();
            // It was opened for whoever asked just now.
            if let Some(who) = customer.filter(|_| self.ledger.is_new(id)) {
                self.ledger.proven(&self.customers[who], id);
            }
        }
        if let (Some(who), Some(session)) = (customer, session) {
            let customer = &self.customers[who];
            let before = self.linked.get(customer).map(String::as_str);
            wrong.extend(self.ledger.enters(before, &account_of(tables, session)));
        }
        if let Some(old) = &held.session
            && account_of(tables, old).is_empty()
        {
            self.ledger.ends(Some(old));
        }
        let places = [self.stack.url.clone(), self.stack.amazon.authorize_url()];
        wrong.extend(self.ledger.leads_to(answer.header("location"), &places));
        wrong.extend(self.ledger.links(&linked));
        self.linked = linked.into_iter().map(|(from, to)| (from.into(), to.into())).collect();
        wrong
    }

    /// Everything that was handed out so far, and that nobody else may read.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        let handles = self.tickets.iter().chain(&self.sessions);
        let halves = handles.clone().filter_map(|handle| handle.split('.').nth(1));
        let entries = self.entries.iter().flat_map(|entry| entry.split('.').take(2));
        let codes = self.urls.iter().filter_map(|url| parameter(url, "code"));
        let passwords = PASSWORDS.into_iter().map(|(password, _)| password);
        let known = halves.chain(entries).chain(passwords).map(str::to_owned);
        known.chain(codes).chain(handles.map(|handle| csrf_of(handle))).collect()
    }

    /// Secrets that stand in tables.
    pub(crate) fn wrong_with_secrets(&self, secrets: &BTreeSet<String>) -> Vec<String> {
        let tables = Tables::of(self.stack);
        let rows = ["accounts", "identities", "sessions", "tickets"].map(|name| tables.rows(name));
        let rows: Vec<_> = rows.into_iter().flatten().map(ToString::to_string).collect();
        told(rows.iter().map(String::as_str), secrets)
    }

    /// Whose ticket a form came with; and notes that they have sent the password that is right, in
    /// a form that they were shown.
    fn proves(&mut self, held: &Held, form: Form, shown: bool, model: &Model) -> Option<Who> {
        let ticket = self.tickets.iter().position(|known| *known == held.ticket)?;
        let ticket = &model.tickets[ticket];
        let who = ticket.told.who;
        if let (Form::Link { password }, Purpose::Link { account, .. }) = (form, &ticket.purpose) {
            let known = model.accounts.get(account);
            if shown && known.is_some_and(|known| known.password == Some(password)) {
                let id = self.id(*account);
                self.ledger.proven(&self.customers[who], &id);
            }
        }
        Some(who)
    }
}
