use std::collections::BTreeMap;

use accounts::{Record, System as _};
use domain::{
    Account, AccountId, LinkTicket, Profile, SessionToken, Status, Timestamp,
    device::DeviceHandle,
    handoff::HandedToken,
    notice,
    registration::Wrong,
    session::{How, Kind, Session},
    sync::{Changes, Copied},
};
use store::{Admission, Bond, Commit, Identity, Part};
use web::{
    Failure,
    log::{self, Event},
};

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
    /// When they came: before anybody was asked about them. What was proven was proven then, and what
    /// ended since ends this too.
    pub at: Timestamp,
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
    /// No account was created: the account system does not take these fields.
    Invalid(BTreeMap<String, Wrong>),
}

/// What becomes true with a session.
pub(crate) struct Opening<'a> {
    /// Into which account it leads.
    pub(crate) account: &'a Account,
    /// How it came to be.
    pub(crate) how: How,
    /// The account's epoch.
    pub(crate) epoch: u64,
    /// How customer and account belong together.
    pub(crate) bond: Bond<'a>,
    /// What is written or checked of the account along with it.
    pub(crate) item: Option<accounts::Item>,
    /// What was copied into the account.
    pub(crate) copied: &'a Copied,
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
        self.enter_account(visit, record, How::Amazon, epoch, (bond, &identity.copied)).await
    }

    /// Lets in a customer who has just proven to know the account's password, and links them. `before` is
    /// the link that had to be proven once more.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn link(
        &self,
        visit: Visit<'_>,
        record: &Record,
        epoch: u64,
        before: Option<&Identity>,
    ) -> Result<Entry, Failure> {
        let bond = Bond::Proven { again: before.is_some() };
        let copied = before.map(|identity| identity.copied.clone()).unwrap_or_default();
        self.enter_account(visit, record, How::Linked, epoch, (bond, &copied)).await
    }

    /// Lets somebody into an account that was there before.
    async fn enter_account(
        &self,
        visit: Visit<'_>,
        record: &Record,
        how: How,
        epoch: u64,
        (bond, before): (Bond<'_>, &Copied),
    ) -> Result<Entry, Failure> {
        if record.account.status != Status::Active {
            return Ok(Entry::Changed(vec![Part::Account]));
        }
        let (changes, copied) = self.sync.changes(visit.customer, &record.held, before);
        let item = match bond {
            Bond::Proven { .. } => self.accounts.linking(record, &changes),
            _ => self.accounts.entering(record, &changes),
        };
        let item = item.map_err(Failure::broken)?;
        let mut account = record.account.clone();
        account.name = changes.name.clone().or(account.name);
        let noted = if self.accounts.capabilities().joins_transactions { &copied } else { before };
        let opening = Opening { account: &account, how, epoch, bond, item, copied: noted };
        let entry = self.admit(visit, opening).await?;
        if matches!(entry, Entry::Open(_)) {
            self.write_changes(visit.customer, &account.id, &changes, &copied).await;
        }
        Ok(entry)
    }

    /// Writes what a sign-in changes in an account, where that could not be part of the transaction.
    /// They are in, whether or not it can be written: the next sign-in tries again. What was written is
    /// noted last: were it lost in between, it would count as its owner's, and be left alone.
    pub(crate) async fn write_changes(
        &self,
        customer: &Profile,
        account: &AccountId,
        changes: &Changes,
        copied: &Copied,
    ) {
        if self.accounts.capabilities().joins_transactions || changes.is_empty() {
            return;
        }
        if let Err(error) = self.accounts.update(account, changes).await {
            return log::warning("what Amazon told was not copied", &error);
        }
        let noted = self.identities.note_copied(&customer.user_id, account, copied).await;
        if let Err(error) = noted {
            log::warning("what was copied was not noted", &error);
        }
    }

    pub(crate) async fn admit(
        &self,
        visit: Visit<'_>,
        opening: Opening<'_>,
    ) -> Result<Entry, Failure> {
        let Opening { account, how, epoch, bond, item, copied } = opening;
        let (now, total) = (visit.at, self.lifetimes.total);
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
        let customer = &visit.customer.user_id;
        let (told, event) = match bond {
            Bond::Linked(_) => (None, None),
            Bond::Created { .. } | Bond::Completed(_) => (None, Some(Event::Registered)),
            Bond::Proven { .. } => {
                let told = self.notice(notice::Kind::Linked, &account.id, Some(customer), now);
                (told, Some(Event::Linked))
            }
        };
        let admission = Admission {
            customer: visit.customer,
            account: item,
            copied,
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
            Commit::Done => {
                let replaced = again.then_some(Event::SessionReplaced);
                for event in event.into_iter().chain(replaced).chain([Event::SignedIn]) {
                    log::event(event).session(&session).customer(customer).write();
                }
                Entry::Open(Box::new(Opened { token, session, again }))
            }
            Commit::Refused(parts) => Entry::Changed(parts),
        })
    }
}
