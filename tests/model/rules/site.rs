//! What the site, Amazon's customers and time do.

use crate::{
    state::{Account, Model, Name},
    step::Event,
};

impl Model {
    pub(super) fn happens(&mut self, event: &Event) {
        match *event {
            Event::EmailChanges { who, email } => self.emails[who] = email,
            Event::Registers { id, email, password } => {
                let email = Some(email.to_owned());
                let status = crate::state::Status::Active;
                let account = Account { email, name: None, status, password };
                self.accounts.insert(Name::Site(id), account);
            }
            Event::PasswordChanges { account, password } => self.new_password(account, password),
            Event::StatusChanges { account, status } => {
                if let Some(account) = self.accounts.get_mut(&account) {
                    account.status = status;
                }
            }
            Event::Deleted { account } => {
                self.accounts.remove(&account);
                self.deleted.insert(account);
            }
            Event::ProveAgain { who } => {
                if let Some(link) = self.links.get_mut(&who) {
                    link.prove_again = true;
                }
            }
            Event::EpochMoves { account } => self.move_epoch(account),
            Event::Reset { account, password, parts } => {
                self.new_password(account, password);
                if parts > 1 {
                    self.move_epoch(account);
                }
                if parts > 2 {
                    let theirs = self.sessions.iter_mut().filter(|s| s.account == account);
                    theirs.for_each(|session| session.gone = true);
                }
                if parts > 3
                    && let Some(link) = self.links.values_mut().find(|l| l.account == account)
                {
                    link.prove_again = true;
                    link.epoch = self.epochs[&account];
                }
            }
            Event::TimePasses { seconds } => self.now += seconds,
            Event::Sweep => self.sweep(),
        }
    }

    fn new_password(&mut self, account: Name, password: usize) {
        if let Some(account) = self.accounts.get_mut(&account) {
            account.password = Some(password);
        }
    }

    fn move_epoch(&mut self, account: Name) {
        *self.epochs.entry(account).or_default() += 1;
    }
}
