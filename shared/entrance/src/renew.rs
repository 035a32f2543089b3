//! For people who are signed in: a fresh proof, a link, its end. Each of them is a new session in the
//! place of the old one, which must still be there.

use accounts::{Record, System as _};
use domain::{
    AmazonUserId, Profile, SessionToken, Timestamp,
    notice::Kind,
    session::{How, Session},
    sync::{Changes, Copied},
};
use store::{Commit, Link, Part, Write, commit};
use web::{
    Failure,
    log::{self, Event},
};

use crate::{Entrance, Entry, Opened};

/// Somebody who is signed in.
#[derive(Clone, Copy)]
pub struct Current<'a> {
    /// What opens the session.
    pub token: &'a SessionToken,
    /// The session.
    pub session: &'a Session,
    /// The account's epoch, read before anything was decided.
    pub epoch: u64,
}

impl Entrance {
    /// Notes that somebody has proven who they are, if the account and its password are still what they
    /// were. `at` is when they were asked.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn prove(
        &self,
        current: Current<'_>,
        record: &Record,
        at: Timestamp,
    ) -> Result<Entry, Failure> {
        let proven = Session { proven_at: Some(at), ..current.session.clone() };
        let account = self.accounts.linking(record, &Changes::default());
        let account = account.map_err(Failure::broken)?.map(Write::account);
        let entry = self.renew(current, proven, account.into_iter().collect()).await?;
        if let Entry::Open(opened) = &entry {
            // Whoever has no password was vouched for by Amazon.
            let how = if record.account.has_password { How::Password } else { How::Amazon };
            log::event(Event::Reauthenticated).session(&opened.session).how(how).write();
        }
        Ok(entry)
    }

    /// Links the account of somebody who is signed in to a customer. `before` is what was copied when they
    /// were linked already.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn attach(
        &self,
        current: Current<'_>,
        record: &Record,
        customer: &Profile,
        before: &Copied,
    ) -> Result<Entry, Failure> {
        let now = self.clock.now();
        let (changes, copied) = self.sync.changes(customer, &record.held, before);
        let account = self.accounts.entering(record, &changes).map_err(Failure::broken)?;
        let link = Link {
            customer: &customer.user_id,
            account: &current.session.account,
            epoch: current.epoch,
            how: How::Linked,
            amazon_email: customer.email.as_ref(),
            // A new password makes whatever was proven with an old one be proven again.
            proven_at: current.session.proven_at.unwrap_or(now),
            copied: if self.accounts.capabilities().joins_transactions { &copied } else { before },
            pending: None,
            again: true,
            now,
        };
        let mut writes: Vec<_> = account.map(Write::account).into_iter().collect();
        writes.extend(self.identities.link(&link).map_err(Failure::broken)?);
        writes.extend(self.noticing(Kind::Linked, current, &customer.user_id, now)?);
        let entry = self.renew(current, current.session.clone(), writes).await?;
        if let Entry::Open(opened) = &entry {
            let line = log::event(Event::Linked).session(&opened.session);
            line.customer(&customer.user_id).write();
            self.write_changes(customer, &record.account.id, &changes, &copied).await;
        }
        Ok(entry)
    }

    /// Removes the link of an account that can be entered by its password too.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn detach(
        &self,
        current: Current<'_>,
        record: &Record,
        customer: &AmazonUserId,
    ) -> Result<Entry, Failure> {
        let account = &current.session.account;
        let password = self.accounts.linking(record, &Changes::default());
        let password = password.map_err(Failure::broken)?;
        let mut writes: Vec<_> = password.map(Write::account).into_iter().collect();
        writes.extend(self.identities.unlink(customer, account).map_err(Failure::broken)?);
        writes.extend(self.noticing(Kind::Unlinked, current, customer, self.clock.now())?);
        let entry = self.renew(current, current.session.clone(), writes).await?;
        if let Entry::Open(opened) = &entry {
            log::event(Event::Unlinked).session(&opened.session).customer(customer).write();
        }
        Ok(entry)
    }

    fn noticing(
        &self,
        kind: Kind,
        current: Current<'_>,
        customer: &AmazonUserId,
        now: Timestamp,
    ) -> Result<Option<Write>, Failure> {
        let notice = self.notice(kind, &current.session.account, Some(customer), now);
        let write = notice.map(|notice| self.tickets.noticing(&notice)).transpose();
        write.map_err(Failure::broken)
    }

    async fn renew(
        &self,
        current: Current<'_>,
        session: Session,
        mut writes: Vec<Write>,
    ) -> Result<Entry, Failure> {
        // A session from before all of them ended counts until its row is gone, and may be the very one
        // that was to end: it does not become one of those from after.
        if current.session.epoch != current.epoch {
            return Ok(Entry::Changed(vec![Part::Epoch]));
        }
        let session = Session { last_seen: self.clock.now(), ..session };
        let token = SessionToken::open(&session.account, &mut web::rng());
        let replaced = self.sessions.replace(current.token, &token, &session);
        writes.extend(replaced.map_err(Failure::broken)?);
        let committed = commit(&self.sessions.client, writes).await;
        Ok(match committed.map_err(Failure::unavailable)? {
            Commit::Done => Entry::Open(Box::new(Opened { token, session, again: false })),
            Commit::Refused(parts) => Entry::Changed(parts),
        })
    }
}

impl Entry {
    /// Whether it was the session itself that is gone, or all of the account's.
    pub fn ended(&self) -> bool {
        self.changed(Part::Replaced) || self.changed(Part::Epoch)
    }
}
