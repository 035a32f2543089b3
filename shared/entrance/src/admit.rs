use accounts::{NewAccount, Record};
use domain::{
    Account, AccountId, LinkTicket, Profile, SessionToken, Status,
    device::DeviceHandle,
    handoff::HandedToken,
    notice,
    session::{How, Kind, Session},
};
use store::{Admission, Bond, Commit, Identity, Part};
use web::Failure;

use crate::Entrance;

/// Somebody who is about to be let in.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// Whom Amazon vouched for.
    pub customer: &'a Profile,
    /// What will carry the session.
    pub kind: Kind,
    /// The session that the browser has, and loses.
    pub replaces: Option<&'a SessionToken>,
    /// The ticket that this uses up.
    pub ticket: Option<&'a LinkTicket>,
    /// What they brought along.
    pub handed: Option<Brought<'a>>,
}

/// What somebody brings along who does not come by a browser.
#[derive(Clone, Copy)]
pub enum Brought<'a> {
    /// A token of Amazon's. Where it has opened a session before, that one ends.
    Token(&'a HandedToken),
    /// The handle of a television, which lets it in once.
    Handle(&'a DeviceHandle),
}

/// A session that was just opened.
pub struct Opened {
    /// What opens it.
    pub token: SessionToken,
    /// The session.
    pub session: Session,
    /// Whether it took the place of one that the same token had opened.
    pub again: bool,
}

impl Opened {
    /// What opens it, and the session.
    pub fn parts(&self) -> (&SessionToken, &Session) {
        (&self.token, &self.session)
    }
}

/// How a try at letting somebody in ended.
pub enum Entry {
    /// They are in.
    Open(Box<Opened>),
    /// Nothing was written: something changed since it was looked up.
    Changed(Vec<Part>),
}

impl Entry {
    /// Whether this is what changed.
    pub fn changed(&self, part: Part) -> bool {
        matches!(self, Self::Changed(parts) if parts.contains(&part))
    }
}

impl Entrance {
    /// Lets in a customer who was linked earlier.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn enter(
        &self,
        visit: Visit<'_>,
        identity: &Identity,
        record: &Record,
    ) -> Result<Entry, Failure> {
        let (epoch, bond) = (identity.epoch, Bond::Linked(identity));
        self.enter_account(visit, record, How::Amazon, epoch, bond).await
    }

    /// Lets in a customer who has just proven to know the account's password, and links them.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn link(
        &self,
        visit: Visit<'_>,
        record: &Record,
        epoch: u64,
    ) -> Result<Entry, Failure> {
        if record.account.status != Status::Active {
            return Ok(Entry::Changed(vec![Part::Account]));
        }
        self.enter_account(visit, record, How::Linked, epoch, Bond::Proven).await
    }

    /// Creates an account for a newcomer, links them and lets them in. `stale` is the account whose
    /// claim to the address no longer holds.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn create(
        &self,
        visit: Visit<'_>,
        new: &NewAccount,
        stale: Option<&AccountId>,
    ) -> Result<Entry, Failure> {
        let id = AccountId::mint(&mut web::rng());
        let item = self.accounts.create(&id, new, self.clock.now()).map_err(Failure::broken)?;
        let (email, name) = (new.email.clone(), new.name.clone());
        let account = Account { id, email, name, status: Status::Active, has_password: false };
        let bond = Bond::Created { email: new.email.as_ref(), stale };
        self.admit(visit, &account, How::Registered, item, 0, bond).await
    }

    /// Lets somebody into an account that was there before.
    async fn enter_account(
        &self,
        visit: Visit<'_>,
        record: &Record,
        how: How,
        epoch: u64,
        bond: Bond<'_>,
    ) -> Result<Entry, Failure> {
        if record.account.status != Status::Active {
            return Ok(Entry::Changed(vec![Part::Account]));
        }
        let changes = self.accounts.changes(record, visit.customer, self.sync);
        let item = match bond {
            Bond::Proven => self.accounts.linking(record, &changes),
            _ => self.accounts.entering(record, &changes),
        };
        let mut account = record.account.clone();
        account.name = changes.name.or(account.name);
        self.admit(visit, &account, how, item.map_err(Failure::broken)?, epoch, bond).await
    }

    async fn admit(
        &self,
        visit: Visit<'_>,
        account: &Account,
        how: How,
        item: accounts::Item,
        epoch: u64,
        bond: Bond<'_>,
    ) -> Result<Entry, Failure> {
        let (now, total) = (self.clock.now(), self.lifetimes.total);
        let (handed, device) = match visit.handed {
            Some(Brought::Token(token)) => {
                let handed = self.tickets.handed(token).await.map_err(Failure::unavailable)?;
                (Some(handed), None)
            }
            Some(Brought::Handle(handle)) => (None, Some(handle)),
            None => (None, None),
        };
        let again = handed.as_ref().is_some_and(|handed| handed.earlier.is_some());
        let rng = &mut web::rng();
        let (token, session) = Session::start(account, visit.kind, how, epoch, total, now, rng);
        let told = match bond {
            Bond::Proven => {
                self.notice(notice::Kind::Linked, &account.id, Some(&visit.customer.user_id), now)
            }
            Bond::Linked(_) | Bond::Created { .. } => None,
        };
        let admission = Admission {
            customer: visit.customer,
            account: item,
            bond,
            token: &token,
            session: &session,
            replaces: visit.replaces,
            ticket: visit.ticket,
            handed: handed.as_ref(),
            device,
            notice: told,
            now,
        };
        let committed = admission.commit(&self.identities, &self.sessions, &self.tickets).await;
        Ok(match committed.map_err(Failure::unavailable)? {
            Commit::Done => Entry::Open(Box::new(Opened { token, session, again })),
            Commit::Refused(parts) => Entry::Changed(parts),
        })
    }
}
