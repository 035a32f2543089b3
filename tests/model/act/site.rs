//! What the site may do where a history has come to, and what may go wrong.

use super::{
    Kind,
    meaning::{Meaning, Steps, pick},
};
use crate::{
    state::{ADDRESSES, LATER, Name, PASSWORDS, Status},
    step::{Event, Step, Trouble},
};

impl Meaning<'_> {
    pub(super) fn event(&self, kind: Kind) -> Option<Event> {
        let [a, b, c, _] = self.numbers;
        let accounts = &self.model.accounts;
        let of_site = accounts.keys().filter(|name| matches!(name, Name::Site(_))).copied();
        let password = b % PASSWORDS.len();
        Some(match kind {
            Kind::SiteRegisters => {
                let taken =
                    |name| accounts.contains_key(&name) || self.model.deleted.contains(&name);
                let id = LATER.iter().copied().find(|id| !taken(Name::Site(id)))?;
                // The site asks for no address that it knows to be one of its newcomers'.
                let ours = |address: &&&str| {
                    let mut ours =
                        accounts.iter().filter(|(name, _)| matches!(name, Name::Ours(_)));
                    ours.any(|(_, account)| account.email.as_deref() == Some(**address))
                };
                let free = ADDRESSES[..5].iter().filter(|address| !ours(address));
                let email = *pick(free, b)?;
                let password = (c % 4 > 0).then_some(c % PASSWORDS.len());
                Event::Registers { id, email, password }
            }
            Kind::SiteChangesPassword => {
                Event::PasswordChanges { account: pick(of_site, a)?, password }
            }
            Kind::SiteCloses => {
                let status = if b % 2 == 0 { Status::Disabled } else { Status::Locked };
                Event::StatusChanges { account: pick(accounts.keys().copied(), a)?, status }
            }
            Kind::SiteReopens => {
                let closed = accounts.iter().filter(|(_, a)| a.status != Status::Active);
                let account = pick(closed.map(|(name, _)| *name), a)?;
                Event::StatusChanges { account, status: Status::Active }
            }
            Kind::SiteDeletes => Event::Deleted { account: pick(accounts.keys().copied(), a)? },
            Kind::SiteResets => {
                let parts = [4, 4, 4, 1, 2, 3][c % 6];
                Event::Reset { account: pick(of_site, a)?, password, parts }
            }
            Kind::ProveAgain => {
                Event::ProveAgain { who: pick(self.model.links.keys().copied(), a)? }
            }
            _ => Event::EpochMoves { account: pick(accounts.keys().copied(), a)? },
        })
    }

    /// Does something that takes one request of ours at its end, while that goes wrong.
    pub(super) fn in_trouble(&self, trouble: Trouble) -> Steps {
        const KINDS: [Kind; 12] = [
            Kind::Finish,
            Kind::RightPassword,
            Kind::Register,
            Kind::SwitchYes,
            Kind::LogOut,
            Kind::AskWho,
            Kind::WrongPassword,
            Kind::Forgot,
            Kind::Cancel,
            Kind::OpenLinkPage,
            Kind::RegisterTaken,
            Kind::Replay,
        ];
        let mut steps = (0..KINDS.len())
            .find_map(|turn| self.of(KINDS[(self.numbers[3] + turn) % KINDS.len()]))?;
        let last = steps.pop()?;
        steps.push(Step::Trouble(trouble, Box::new(last)));
        Some(steps)
    }
}
