//! What holds in the rules themselves, in any history: so it holds in the house as far as that does
//! what they say.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use proptest::test_runner::{Config, TestRunner};

use crate::{
    act::{Act, histories},
    state::{ADDRESSES, At, BROWSERS, CUSTOMERS, Model, NOBODYS, Name, Purpose, Shares, Who},
    step::{Cookie, Csrf, Event, Form, Origin, Outcome, Put, Step},
};

const HISTORIES: u32 = 400;

/// Lives through histories in the model alone.
fn in_any_history(holds: impl Fn(&[Act])) {
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&histories(150), |acts| {
        holds(&acts);
        Ok(())
    });
    if let Err(failure) = run {
        panic!("{failure}");
    }
}

/// Takes all steps of a history; `each` sees every one with the model before and after it.
fn live(acts: &[Act], mut each: impl FnMut(&Model, &Step, Option<&Outcome>, &Model)) -> Model {
    let mut model = Model::default();
    for act in acts {
        for step in act.steps(&model) {
            let before = model.clone();
            let outcome = model.step(&step);
            each(&before, &step, outcome.as_ref(), &model);
        }
    }
    model
}

/// Signs in at Amazon in a browser that was never there.
fn come_fresh(model: &mut Model, who: Who) -> Option<Outcome> {
    let (login, url) = (model.logins.len(), model.urls.len());
    model.step(&Step::Begin { at: NOBODYS, path: 0, elsewhere: false });
    model.step(&Step::Consent { login, who, shares: Shares::All });
    model.step(&Step::ComeBack { at: NOBODYS, url })
}

#[test]
fn inv01_inv04_by_the_rules_a_link_takes_a_proof_and_is_one_to_one() {
    in_any_history(|acts| {
        let mut proven = BTreeSet::from([(1, Name::Site("lin"))]);
        live(acts, |before, step, _, after| {
            let sent = match step {
                Step::Trouble(_, step) => step,
                step => step,
            };
            if let Step::Press { at, form: Form::Link { password }, csrf, origin, .. } = sent
                && (*csrf, *origin) == (Csrf::Right, Origin::Ours)
                && let Some(ticket) = before.jars[*at].ticket.map(|id| &before.tickets[id])
                && let Purpose::Link { account, .. } = ticket.purpose
                && before.accounts.get(&account).is_some_and(|a| a.password == Some(*password))
            {
                proven.insert((ticket.told.who, account));
            }
            let mut linked = BTreeSet::new();
            for (who, link) in &after.links {
                let is_new = !before.accounts.contains_key(&link.account)
                    && !before.deleted.contains(&link.account);
                assert!(is_new || proven.contains(&(*who, link.account)), "{who} {link:?}");
                proven.insert((*who, link.account));
                assert!(linked.insert(link.account), "{:?} twice", link.account);
            }
        });
    });
}

#[test]
fn inv09_by_the_rules_no_address_changes_where_a_linked_customer_gets() {
    in_any_history(|acts| {
        let model = live(acts, |_, _, _, _| {});
        for who in model.links.keys() {
            let ends = ADDRESSES.iter().copied().map(Some).chain([None]).map(|email| {
                let mut model = model.clone();
                model.emails[*who] = email;
                (
                    come_fresh(&mut model, *who),
                    model.current(NOBODYS).map(|id| model.sessions[id].account),
                )
            });
            let ends: Vec<_> = ends.collect();
            assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        }
    });
}

#[test]
fn inv11_by_the_rules_a_session_that_has_ended_is_never_accepted_again() {
    in_any_history(|acts| {
        let mut ended = BTreeSet::new();
        live(acts, |before, step, outcome, after| {
            let status = outcome.map(|outcome| outcome.status);
            match step {
                Step::Ask { at, .. } if status == Some(200) => {
                    let session = after.jars[*at].session.unwrap();
                    assert!(!ended.contains(&session), "{session}");
                }
                // Logged out, or signed in anew.
                Step::Press { at, .. } | Step::ComeBack { at, .. } => {
                    let (old, new) = (before.jars[*at].session, after.jars[*at].session);
                    ended.extend(old.filter(|_| old != new));
                }
                Step::Happens(Event::Reset { account, parts: 3.., .. }) => {
                    let sessions = before.sessions.iter().enumerate();
                    ended.extend(sessions.filter(|(_, s)| s.account == *account).map(|(id, _)| id));
                }
                _ => {}
            }
        });
    });
}

/// Whose it is: the victim's, the attacker's, or nobody's in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Victims,
    Attackers,
    Everybodys,
}

fn of_browser(at: At) -> Whose {
    if at < BROWSERS / 2 { Whose::Victims } else { Whose::Attackers }
}

fn of_customer(who: Who) -> Whose {
    if who < CUSTOMERS.len() / 2 { Whose::Victims } else { Whose::Attackers }
}

/// Addresses that neither the victim's customers nor accounts ever have.
fn is_attackers(email: &str) -> bool {
    ["bob@example.com", "max@example.com"].contains(&email)
}

/// Who takes a step in rows of their own alone; nothing where two people's rows meet.
fn whose(model: &Model, step: &Step) -> Option<Whose> {
    let of_account = |account: Name| {
        let linked = model.links.iter().find(|(_, link)| link.account == account);
        match (linked, account) {
            (Some((who, _)), _) => of_customer(*who),
            (None, Name::Site("bob")) => Whose::Attackers,
            (None, _) => Whose::Victims,
        }
    };
    let of_login = |login: usize| Some(of_browser(model.logins.get(login)?.at));
    let all_of = |whose: &[Option<Whose>]| {
        let first = *whose.first()?;
        whose.iter().all(|one| *one == first).then_some(first?)
    };
    let tickets_owner = |at: At| {
        let ticket = model.jars[at].ticket?;
        Some(of_customer(model.tickets[ticket].told.who))
    };
    match *step {
        Step::Begin { at, .. } => Some(of_browser(at)),
        Step::Ask { at, .. } | Step::Open { at, .. } => Some(of_browser(at)),
        Step::Consent { login, who, .. } => {
            let owner = of_login(login).unwrap_or(of_customer(who));
            all_of(&[Some(owner), Some(of_customer(who))])
        }
        Step::Deny { login } => of_login(login),
        Step::ComeBack { at, url } => match model.urls.get(url) {
            Some(known) => all_of(&[Some(of_browser(at)), of_login(known.login)]),
            None => Some(of_browser(at)),
        },
        Step::Press { at, form, csrf: Csrf::Right, .. } => match (form, tickets_owner(at)) {
            (Form::LogOut, _) | (_, None) => Some(of_browser(at)),
            (Form::Register { email, .. }, Some(owner)) => {
                let meets = !email.is_empty()
                    && is_attackers(email) != (of_browser(at) == Whose::Attackers);
                all_of(&[Some(of_browser(at)), Some(owner)]).filter(|_| !meets)
            }
            (_, owner) => all_of(&[Some(of_browser(at)), owner]),
        },
        Step::Happens(ref event) => Some(match *event {
            Event::EmailChanges { who, email } => {
                let meets = email.is_some_and(|email| {
                    is_attackers(email) != (of_customer(who) == Whose::Attackers)
                });
                (!meets).then_some(of_customer(who))?
            }
            Event::PasswordChanges { account, .. }
            | Event::StatusChanges { account, .. }
            | Event::Deleted { account }
            | Event::EpochMoves { account }
            | Event::Reset { account, .. } => of_account(account),
            Event::ProveAgain { who } => of_customer(who),
            Event::Registers { .. } => return None,
            Event::TimePasses { .. } | Event::Sweep => Whose::Everybodys,
        }),
        Step::Trouble(_, ref step) => whose(model, step),
        Step::Mix { .. } | Step::Press { .. } | Step::Put { .. } => None,
    }
}

/// What of one history is called how in another one.
#[derive(Default)]
struct Names {
    logins: BTreeMap<usize, usize>,
    urls: BTreeMap<usize, usize>,
    tickets: BTreeMap<usize, usize>,
    sessions: BTreeMap<usize, usize>,
    accounts: BTreeMap<usize, usize>,
}

impl Names {
    /// The same step in the other history.
    fn step(&self, step: &Step) -> Step {
        let account = |name: Name| match name {
            Name::Ours(number) => Name::Ours(self.accounts[&number]),
            site => site,
        };
        let mut step = step.clone();
        match &mut step {
            Step::Consent { login, .. } | Step::Deny { login } => *login = self.logins[login],
            Step::ComeBack { url, .. } => *url = self.urls[url],
            Step::Trouble(_, inner) => **inner = self.step(inner),
            Step::Happens(
                Event::PasswordChanges { account: name, .. }
                | Event::StatusChanges { account: name, .. }
                | Event::Deleted { account: name }
                | Event::EpochMoves { account: name }
                | Event::Reset { account: name, .. },
            ) => *name = account(*name),
            Step::Put { cookie: Put::Session(Some(id)), .. } => *id = self.sessions[id],
            _ => {}
        }
        step
    }

    /// What was new in both is the same from now on.
    fn meet(&mut self, here: (&Model, &Model), there: (&Model, &Model)) {
        let mut pair = |names: fn(&mut Self) -> &mut BTreeMap<usize, usize>,
                        count: fn(&Model) -> usize| {
            let new = count(here.0)..count(here.1);
            let other = count(there.0)..count(there.1);
            assert_eq!(new.len(), other.len());
            names(self).extend(new.zip(other));
        };
        pair(|names| &mut names.logins, |model| model.logins.len());
        pair(|names| &mut names.urls, |model| model.urls.len());
        pair(|names| &mut names.tickets, |model| model.tickets.len());
        pair(|names| &mut names.sessions, |model| model.sessions.len());
        pair(|names| &mut names.accounts, |model| model.opened);
    }

    /// The same outcome in the other history.
    fn outcome(&self, outcome: Option<Outcome>) -> Option<Outcome> {
        let named = |cookie, names: &BTreeMap<usize, usize>| match cookie {
            Cookie::Set(id, lives) => Cookie::Set(names[&id], lives),
            other => other,
        };
        outcome.map(|outcome| Outcome {
            login: named(outcome.login, &self.logins),
            ticket: named(outcome.ticket, &self.tickets),
            session: named(outcome.session, &self.sessions),
            who: outcome.who.map(|who| match who {
                Name::Ours(number) => Name::Ours(self.accounts[&number]),
                site => site,
            }),
            ..outcome
        })
    }
}

#[test]
fn inv19_by_the_rules_nothing_that_others_do_among_their_own_changes_an_answer() {
    let (alone, beside) = (Cell::new(0), Cell::new(0));
    in_any_history(|acts| {
        let (mut both, mut victim) = (Model::default(), Model::default());
        let mut names = Names::default();
        for act in acts {
            let steps = act.steps(&both);
            let mut trial = both.clone();
            let mut owners = Vec::new();
            for step in &steps {
                owners.push(whose(&trial, step));
                trial.step(step);
            }
            let mut owners = owners.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default();
            owners.retain(|owner| *owner != Whose::Everybodys);
            owners.dedup();
            let [owner] = owners[..] else { continue };
            for step in &steps {
                let before = both.clone();
                let outcome = both.step(step);
                if owner == Whose::Attackers && whose(&before, step) != Some(Whose::Everybodys) {
                    beside.set(beside.get() + 1);
                    continue;
                }
                let before_alone = victim.clone();
                let outcome_alone = victim.step(&names.step(step));
                names.meet((&before, &both), (&before_alone, &victim));
                assert_eq!(names.outcome(outcome), outcome_alone, "{step:?}");
                alone.set(alone.get() + 1);
            }
        }
    });
    println!("{} steps of the victim's, beside {} of the attacker's", alone.get(), beside.get());
    assert!(alone.get() > 2_000 && beside.get() > 2_000);
}
