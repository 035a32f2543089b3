//! What an act means where a history has come to: who can do it there, and how. What nobody can do
//! there means nothing.

use super::{Act, Kind};
use crate::{
    state::{
        ADDRESSES, At, BROWSERS, CUSTOMERS, Jar, Login, LoginId, Model, NOBODYS_PASSWORD, PATHS,
        Purpose, Shares, Ticket, Time, UrlId, Who,
    },
    step::{Asker, Csrf, Event, Form, Origin, Page, Put, Step, Trouble},
};

const SHORT: [Time; 12] = [1, 30, 60, 299, 300, 301, 599, 600, 899, 900, 1800, 3600];
const LONG: [Time; 8] = [7200, 14_400, 43_199, 43_200, 86_399, 86_400, 172_800, 604_800];
const OFTEN_LATE: [Time; 5] = [299, 300, 599, 600, 601];

impl Act {
    /// What it means.
    pub(crate) fn steps(self, model: &Model) -> Vec<Step> {
        let meaning = Meaning { model, numbers: self.numbers.map(usize::from) };
        let mut steps = meaning.of(self.kind).unwrap_or_default();
        // Some sites have pages of their own, with scripts.
        if self.numbers[3] >= 192 {
            steps.iter_mut().for_each(Step::by_script);
        }
        steps
    }
}

pub(super) struct Meaning<'a> {
    pub(super) model: &'a Model,
    pub(super) numbers: [usize; 4],
}

pub(super) type Steps = Option<Vec<Step>>;

impl Meaning<'_> {
    pub(super) fn of(&self, kind: Kind) -> Steps {
        let [a, b, c, d] = self.numbers;
        let (anywhere, json) = (a % BROWSERS, false);
        match kind {
            Kind::Begin => {
                one(Step::Begin { at: anywhere, path: b % PATHS.len(), elsewhere: false })
            }
            Kind::BeginFromElsewhere => {
                one(Step::Begin { at: anywhere, path: b % PATHS.len(), elsewhere: true })
            }
            Kind::Finish => self.finish(Shares::All, self.own(), None),
            Kind::FinishAsAnother => self.finish(Shares::All, |_| c % CUSTOMERS.len(), None),
            Kind::FinishToTheEnd => self.finish_to_the_end(),
            Kind::DeclineScopes => {
                let shares = if d % 2 == 0 { Shares::Id } else { Shares::Nothing };
                self.finish(shares, self.own(), None)
            }
            Kind::SayNo => {
                let (mut steps, at, login) = self.tab();
                steps.extend([Step::Deny { login }, Step::ComeBack { at, url: self.next_url() }]);
                Some(steps)
            }
            Kind::StayAway => {
                let (mut steps, at, login) = self.tab();
                steps.push(Step::Consent { login, who: self.own()(at), shares: Shares::All });
                Some(steps)
            }
            Kind::ComeBackLate => {
                let late = OFTEN_LATE[d % OFTEN_LATE.len()];
                self.finish(Shares::All, self.own(), Some(late))
            }
            Kind::ComeBackElsewhere => {
                let url = pick(0..self.model.urls.len(), a)?;
                let own = self.model.logins[self.model.urls[url].login].at;
                one(Step::ComeBack { at: (own + 1 + b % (BROWSERS - 1)) % BROWSERS, url })
            }
            Kind::Replay => {
                let opened = self.urls(|url| self.model.urls[url].opened.is_some());
                let url = pick(opened.into_iter(), a)?;
                one(Step::ComeBack { at: self.model.urls[url].opened?, url })
            }
            Kind::ComeBackWithAnothersCode => {
                let (mut steps, at, login) = self.tab();
                let code = self.code_of_another(login)?;
                steps.push(Step::Mix { login, code });
                steps.push(Step::ComeBack { at, url: self.next_url() });
                Some(steps)
            }
            Kind::ComeBackWithAnothersState => {
                let login = pick(0..self.model.logins.len(), b)?;
                let url = self.next_url();
                let code = self.code_of_another(login)?;
                Some(vec![Step::Mix { login, code }, Step::ComeBack { at: anywhere, url }])
            }
            Kind::ChangeEmail => {
                let place = b % (ADDRESSES.len() + 1);
                let email = ADDRESSES.get(place).copied();
                happens(Event::EmailChanges { who: a % CUSTOMERS.len(), email })
            }
            Kind::OpenLinkPage => {
                one(Step::Open { at: self.ticket_holder(), page: Page::Link, json })
            }
            Kind::OpenRegisterPage => {
                one(Step::Open { at: self.ticket_holder(), page: Page::Register, json })
            }
            Kind::RightPassword => self.send_password(|account| self.password_of(account)),
            Kind::WrongPassword => self.send_password(|_| NOBODYS_PASSWORD),
            Kind::AnothersPassword => self.send_password(|account| {
                let others = self.model.accounts.iter().filter(|(name, _)| **name != account);
                let passwords = others.filter_map(|(_, other)| other.password);
                pick(passwords, b).unwrap_or(NOBODYS_PASSWORD)
            }),
            Kind::Guess => {
                let at = self.linker()?;
                let guess = press(at, Form::Link { password: NOBODYS_PASSWORD });
                Some(vec![guess; 2 + b % 5])
            }
            Kind::GuessOnAndOn => self.guess_on_and_on(),
            Kind::ProveTooLate => self.prove_too_late(),
            Kind::Forgot => one(press(self.ticket_holder(), Form::Forgot)),
            Kind::Cancel => one(press(self.ticket_holder(), Form::Cancel)),
            Kind::Register => self.register(),
            Kind::RegisterTaken => {
                let at = self.registrar()?;
                let email = *pick(ADDRESSES[..3].iter(), b)?;
                one(press(at, Form::Register { email, unknown_field: false }))
            }
            Kind::RegisterWrong => {
                let at = self.registrar()?;
                let email = ["", "ann@example.com.", "max@example.com", ADDRESSES[9]][b % 4];
                one(press(at, Form::Register { email, unknown_field: c % 3 == 0 }))
            }
            Kind::SwitchYes => one(press(self.switcher()?, Form::Switch)),
            Kind::Stay => one(Step::Ask { at: self.switcher()?, as_whom: Asker::Session }),
            Kind::LogOut => one(press(self.somebody()?, Form::LogOut)),
            Kind::LogOutWithAnothersForm => {
                let at = self.somebody()?;
                let own = self.model.jars[at].session;
                let others = (0..self.model.sessions.len()).filter(|id| Some(*id) != own);
                let csrf = match pick(others, b) {
                    Some(id) => Csrf::OfSession(id),
                    None => Csrf::Missing,
                };
                one(Step::Press { at, form: Form::LogOut, csrf, origin: Origin::Ours, json })
            }
            Kind::AskWho => one(Step::Ask { at: anywhere, as_whom: Asker::Session }),
            Kind::StayForDays => self.stay_for_days(),
            Kind::Verify => one(Step::Ask { at: anywhere, as_whom: Asker::Verify }),
            Kind::UseAsApp => one(Step::Ask { at: self.somebody()?, as_whom: Asker::App }),
            Kind::StealSession => self.get_session(self.jars(0).find_map(|jar| jar.session)?, 2),
            Kind::PlantSession => self.get_session(self.jars(2).find_map(|jar| jar.session)?, 0),
            Kind::UseOldSession => {
                let old = pick(0..self.model.sessions.len(), a)?;
                self.get_session(old, b % BROWSERS)
            }
            Kind::StealTicket => self.get(2, Put::Ticket(self.jars(0).find_map(|jar| jar.ticket))),
            Kind::PlantTicket => self.get(0, Put::Ticket(self.jars(2).find_map(|jar| jar.ticket))),
            Kind::UseOldTicket => self.get(b, Put::Ticket(pick(0..self.model.tickets.len(), a))),
            Kind::StealLogins => self.get(2, Put::Logins(self.jars(0).next()?.logins.clone())),
            Kind::PlantLogins => self.get(0, Put::Logins(self.jars(2).next()?.logins.clone())),
            Kind::LoseCookies => {
                let losses = [Put::Session(None), Put::Ticket(None), Put::Logins(Vec::new())];
                let losses =
                    losses.into_iter().enumerate().filter(|(bit, _)| (b + 1) >> bit & 1 == 1);
                let put = |(_, cookie)| Step::Put { at: anywhere, cookie };
                Some(losses.map(put).collect())
            }
            Kind::CrossSite => {
                let origin = [Origin::Other, Origin::Sibling, Origin::Unsaid][c % 3];
                let (at, form) = self.any_form()?;
                one(Step::Press { at, form, csrf: Csrf::Right, origin, json })
            }
            Kind::AnothersForm => {
                let (at, form) = self.any_form()?;
                let others = (0..self.model.tickets.len())
                    .filter(|id| Some(*id) != self.model.jars[at].ticket);
                let csrf = match pick(others, c) {
                    Some(id) => Csrf::OfTicket(id),
                    None => Csrf::Missing,
                };
                one(Step::Press { at, form, csrf, origin: Origin::Ours, json })
            }
            Kind::AnyForm => {
                let (at, form) = self.any_form()?;
                one(press(at, form))
            }
            Kind::Wait => happens(Event::TimePasses { seconds: SHORT[a % SHORT.len()] }),
            Kind::WaitLong => happens(Event::TimePasses { seconds: LONG[a % LONG.len()] }),
            Kind::Sweep => happens(Event::Sweep),
            Kind::SiteRegisters
            | Kind::SiteChangesPassword
            | Kind::SiteCloses
            | Kind::SiteReopens
            | Kind::SiteDeletes
            | Kind::SiteResets
            | Kind::ProveAgain
            | Kind::EpochMoves => happens(self.event(kind)?),
            Kind::Stumble => self.in_trouble(Trouble::Stumbles { call: (c % 4) as u32 }),
            Kind::LoseAnswer => self.in_trouble(Trouble::AnswerLost { call: (c % 6) as u32 }),
            Kind::Down => self.in_trouble(Trouble::Down),
            Kind::KillBefore => self.in_trouble(Trouble::Killed { obeyed: false }),
            Kind::KillAfter => self.in_trouble(Trouble::Killed { obeyed: true }),
        }
    }

    /// One of the customers who belong to the same person as a browser.
    pub(super) fn own(&self) -> impl Fn(At) -> Who {
        let choice = self.numbers[2] % 2;
        move |at| at / 2 * 2 + choice
    }

    fn next_url(&self) -> UrlId {
        self.model.urls.len()
    }

    /// A tab in which a sign-in is under way; a new one, if there is none.
    fn tab(&self) -> (Vec<Step>, At, LoginId) {
        let [a, b, ..] = self.numbers;
        let waiting = |login: &&LoginId| {
            let Login { used, began, .. } = self.model.logins[**login];
            !used && self.model.now - began < 600
        };
        let tabs = self.model.jars.iter().take(BROWSERS).enumerate();
        let tabs = tabs
            .flat_map(|(at, jar)| jar.logins.iter().filter(waiting).map(move |login| (at, *login)));
        match pick(tabs, a).filter(|_| b % 4 > 0) {
            Some((at, login)) => (Vec::new(), at, login),
            None => {
                let (at, path) = (a % BROWSERS, b % PATHS.len());
                let begin = Step::Begin { at, path, elsewhere: false };
                (vec![begin], at, self.model.logins.len())
            }
        }
    }

    fn finish(&self, shares: Shares, who: impl Fn(At) -> Who, late: Option<Time>) -> Steps {
        let (mut steps, at, login) = self.tab();
        steps.push(Step::Consent { login, who: who(at), shares });
        steps.extend(late.map(|seconds| Step::Happens(Event::TimePasses { seconds })));
        steps.push(Step::ComeBack { at, url: self.next_url() });
        Some(steps)
    }

    /// Comes back, and presses what is right on the page that comes then.
    fn finish_to_the_end(&self) -> Steps {
        let mut steps = self.finish(Shares::All, self.own(), None)?;
        let mut model = self.model.clone();
        for step in &steps {
            model.step(step);
        }
        let Some(Step::ComeBack { at, .. }) = steps.last() else { return None };
        let then = Meaning { model: &model, numbers: self.numbers };
        let ticket = model.jars[*at].ticket.map(|id| &model.tickets[id])?;
        let form = match ticket.purpose {
            Purpose::Link { account, .. } => Form::Link { password: then.password_of(account) },
            Purpose::Register => then.registration(ticket),
            Purpose::Switch { .. } => Form::Switch,
        };
        steps.push(press(*at, form));
        Some(steps)
    }

    fn urls(&self, fits: impl Fn(UrlId) -> bool) -> Vec<UrlId> {
        (0..self.model.urls.len()).filter(|url| fits(*url)).collect()
    }

    fn code_of_another(&self, login: LoginId) -> Option<UrlId> {
        let urls = &self.model.urls;
        let others = self.urls(|url| urls[url].login != login && urls[url].code.is_some());
        pick(others.into_iter(), self.numbers[2])
    }

    fn holders(&self, fits: impl Fn(&Jar) -> bool) -> Option<At> {
        let jars = self.model.jars.iter().take(BROWSERS).enumerate();
        pick(jars.filter(|(_, jar)| fits(jar)).map(|(at, _)| at), self.numbers[0])
    }

    /// A browser with a ticket, if there is one.
    pub(super) fn ticket_holder(&self) -> At {
        let holder = self.holders(|jar| jar.ticket.is_some());
        holder.unwrap_or(self.numbers[0] % BROWSERS)
    }

    /// A browser with a ticket that is for this: an open one, if there is one.
    fn holder_of(&self, fits: impl Fn(&Purpose) -> bool) -> Option<At> {
        let with = |open: bool| {
            let good =
                |ticket: &Ticket| fits(&ticket.purpose) && (!open || self.model.is_open(ticket));
            self.holders(|jar| jar.ticket.is_some_and(|id| good(&self.model.tickets[id])))
        };
        with(true).or_else(|| with(false))
    }

    pub(super) fn linker(&self) -> Option<At> {
        self.holder_of(|purpose| matches!(purpose, Purpose::Link { .. }))
    }

    pub(super) fn registrar(&self) -> Option<At> {
        self.holder_of(|purpose| *purpose == Purpose::Register)
    }

    fn switcher(&self) -> Option<At> {
        self.holder_of(|purpose| matches!(purpose, Purpose::Switch { .. }))
    }

    /// A browser with a session.
    pub(super) fn somebody(&self) -> Option<At> {
        self.holders(|jar| jar.session.is_some())
    }

    /// The jars of one person, in an order that differs.
    fn jars(&self, first: At) -> impl Iterator<Item = &Jar> {
        let turn = self.numbers[0] % 2;
        [first + turn, first + 1 - turn].into_iter().map(|at| &self.model.jars[at])
    }

    /// Gets a cookie into one of somebody's browsers.
    fn get(&self, first: At, cookie: Put) -> Steps {
        if cookie == Put::Ticket(None) || cookie == Put::Logins(Vec::new()) {
            return None;
        }
        let at = (first / 2 * 2 + self.numbers[1] % 2) % BROWSERS;
        one(Step::Put { at, cookie })
    }

    fn get_session(&self, session: usize, first: At) -> Steps {
        let mut steps = self.get(first, Put::Session(Some(session)))?;
        let Some(Step::Put { at, .. }) = steps.first() else { return None };
        steps.push(Step::Ask { at: *at, as_whom: Asker::Session });
        Some(steps)
    }
}

pub(super) fn pick<T>(all: impl Iterator<Item = T> + Clone, number: usize) -> Option<T> {
    let count = all.clone().count();
    all.clone().nth(number.checked_rem(count)?)
}

pub(super) fn press(at: At, form: Form) -> Step {
    Step::Press { at, form, csrf: Csrf::Right, origin: Origin::Ours, json: false }
}

pub(super) fn one(step: Step) -> Steps {
    Some(vec![step])
}

fn happens(event: Event) -> Steps {
    one(Step::Happens(event))
}
