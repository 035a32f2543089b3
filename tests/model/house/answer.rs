//! Real answers, and what the model says they should be.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use local_stack::amazon::Endpoint;
use sha2::{Digest as _, Sha256};
use tests::{
    Answer, LOGIN, SESSION, TICKET,
    stage::{careless, code},
};

use super::{Begun, House, parameter};
use crate::{
    state::{At, BROWSERS, Model},
    step::{Asker, Cookie, Csrf, Form, Outcome, Step, To},
};

const ENDPOINTS: [Endpoint; 3] = [Endpoint::Token, Endpoint::TokenInfo, Endpoint::Profile];

impl House<'_> {
    /// The token of a form, as it stands in the page that this browser was shown, or another.
    pub(super) fn csrf(&self, at: At, form: Form, csrf: Csrf) -> Option<String> {
        let cookie = if form == Form::LogOut { SESSION } else { TICKET };
        let token = match csrf {
            Csrf::Right => self.browsers[at].cookie(cookie),
            Csrf::OfTicket(id) => Some(self.tickets[id].clone()),
            Csrf::OfSession(id) => Some(self.sessions[id].clone()),
            Csrf::Missing => None,
        };
        token.map(|token| csrf_of(&token))
    }

    /// How an answer differs from what comes of it in the model.
    pub(super) fn wrong_with_answer(
        &self,
        step: &Step,
        answer: &Answer,
        outcome: &Outcome,
        model: &Model,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut same = |what: &str, found: &str, expected: &str| {
            if found != expected {
                wrong.push(format!("{what}: {found}, and in the model {expected}"));
            }
        };
        let end = |status: u16, code: &str| format!("{status} {code}");
        same("the end", &end(answer.status, &code(answer)), &end(outcome.status, outcome.code));
        let location = answer.header("location").unwrap_or_default();
        if outcome.to == Some(To::Amazon) {
            let page = location.split('?').next().unwrap_or_default();
            same("where it leads", page, &self.stack.amazon.authorize_url());
        } else {
            let to = outcome.to.map(|to| format!("{}{}", self.stack.url, path(to)));
            same("where it leads", location, &to.unwrap_or_default());
        }
        let retry = outcome.retry_after.map(|seconds| seconds.to_string()).unwrap_or_default();
        same("when to try again", answer.header("retry-after").unwrap_or_default(), &retry);
        let calls = ENDPOINTS.map(|at| self.stack.amazon.calls_of(at).len());
        same("calls to Amazon", &format!("{calls:?}"), &format!("{:?}", outcome.amazon));
        let expected = outcome.who.map(|name| self.id(name));
        same("who is signed in", &format!("{:?}", who(step, answer)), &format!("{expected:?}"));

        let set = cookies(answer);
        for (name, cookie, known) in [
            (LOGIN, outcome.login, None),
            (TICKET, outcome.ticket, Some(&self.tickets)),
            (SESSION, outcome.session, Some(&self.sessions)),
        ] {
            let expected = match cookie {
                Cookie::Kept => "kept".to_owned(),
                Cookie::Gone => "gone".to_owned(),
                Cookie::Set(id, lives) => format!("{:?} for {lives} s", known.map(|_| id)),
            };
            let found = set.get(name).map(|(value, lives)| (value.as_str(), *lives));
            same(name, &described(found, known), &expected);
        }
        if outcome.login != Cookie::Kept {
            let found = states(set.get(LOGIN).map_or("", |(value, _)| value));
            let new = parameter(location, "state").unwrap_or_default();
            let known: Vec<_> =
                self.logins.iter().map(|begun| begun.state.as_str()).chain([&*new]).collect();
            let mine = place(step).map(|at| &model.jars[at].logins).into_iter().flatten();
            let expected: Vec<_> = mine.map(|id| known[*id]).collect();
            same("what is remembered", &format!("{found:?}"), &format!("{expected:?}"));
        }
        if answer.text.contains("name=\"csrf\"") {
            let at = place(step).unwrap_or(BROWSERS);
            let ticket = self.browsers[at].cookie(TICKET).unwrap_or_default();
            same("the form's token", answer.input("csrf"), &csrf_of(&ticket));
        }
        if let Step::Open { at, json: true, .. } = *step
            && answer.status == 200
        {
            let ticket = self.browsers[at].cookie(TICKET).unwrap_or_default();
            let csrf = answer.json()["csrf"].as_str().unwrap_or_default().to_owned();
            same("the form's token", &csrf, &csrf_of(&ticket));
        }
        // What the gateway says of a function that is gone is not ours.
        if answer.status != 500 {
            wrong.extend(careless(answer));
        }
        wrong
    }

    /// Counts what was handed out.
    pub(super) fn remember(&mut self, step: &Step, answer: &Answer, outcome: &Outcome) {
        let Some(at) = place(step) else { return };
        let cookie = |name| self.browsers[at].cookie(name).unwrap_or_default();
        match outcome.ticket {
            Cookie::Set(id, _) if id == self.tickets.len() => self.tickets.push(cookie(TICKET)),
            _ => {}
        }
        match outcome.session {
            Cookie::Set(id, _) if id == self.sessions.len() => self.sessions.push(cookie(SESSION)),
            _ => {}
        }
        if outcome.to == Some(To::Amazon) {
            let url = answer.header("location").unwrap_or_default().to_owned();
            let state = parameter(&url, "state").unwrap_or_default();
            self.entries.extend(cookie(LOGIN).split('~').map(str::to_owned));
            self.logins.push(Begun { url, state });
        }
    }
}

/// The browser that something is done in.
pub(super) fn place(step: &Step) -> Option<At> {
    match step {
        Step::Begin { at, .. }
        | Step::ComeBack { at, .. }
        | Step::Open { at, .. }
        | Step::Press { at, .. }
        | Step::Ask { at, .. } => Some(*at),
        _ => None,
    }
}

fn path(to: To) -> &'static str {
    match to {
        To::Amazon => "",
        To::Path(path) => path,
        To::Link => "/auth/amazon/link",
        To::Register => "/auth/amazon/register",
        To::SignIn => "/sign-in",
        To::Cancelled => "/sign-in?amazon=cancelled",
        To::Reset => "/reset-password",
    }
}

/// Who an answer says is signed in.
fn who(step: &Step, answer: &Answer) -> Option<String> {
    let Step::Ask { as_whom, .. } = step else { return None };
    match as_whom {
        Asker::Verify => {
            let user = answer.header("x-auth-request-user")?;
            (answer.header("remote-user") == Some(user)).then(|| user.to_owned())
        }
        _ => answer.json()["account"]["id"].as_str().map(str::to_owned),
    }
}

/// The cookies that an answer sets: each with its value and how long it lives.
pub(super) fn cookies(answer: &Answer) -> BTreeMap<String, (String, i64)> {
    let mut all = BTreeMap::new();
    for header in answer.headers.get_all("set-cookie") {
        let header = header.to_str().unwrap();
        let (name, rest) = header.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap_or_default();
        let lives = rest.split("Max-Age=").nth(1).and_then(|age| age.parse().ok());
        all.insert(name.to_owned(), (value.to_owned(), lives.unwrap_or(-1)));
    }
    all
}

/// A cookie in words that are the same for all values that nobody has seen yet.
fn described(cookie: Option<(&str, i64)>, known: Option<&Vec<String>>) -> String {
    match cookie {
        None => "kept".to_owned(),
        Some(("", 0)) => "gone".to_owned(),
        Some((value, lives)) => {
            let place = known.and_then(|known| known.iter().position(|one| one == value));
            let place = place.or_else(|| Some(known?.len()));
            format!("{place:?} for {lives} s")
        }
    }
}

/// The states of the sign-ins that a browser remembers.
fn states(cookie: &str) -> Vec<&str> {
    cookie.split('~').map(|entry| entry.split('.').next().unwrap_or_default()).collect()
}

/// SHA-256("csrf" ‖ 0 ‖ token).
pub(super) fn csrf_of(token: &str) -> String {
    let hash = Sha256::new().chain_update(b"csrf\0").chain_update(token).finalize();
    URL_SAFE_NO_PAD.encode(hash)
}
