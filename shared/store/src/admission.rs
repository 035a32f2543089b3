use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::{
    AccountId, CreationKey, Email, LinkTicket, Profile, SessionToken, Timestamp,
    device::DeviceHandle,
    notice::Notice,
    session::{How, Session},
    sync::Copied,
};

use crate::{Commit, Error, Handed, Identities, Identity, Link, Sessions, Tickets, Write, commit};

/// Everything that becomes true when somebody is let in: written together, or not at all.
pub struct Admission<'a> {
    /// Whom Amazon vouched for.
    pub customer: &'a Profile,
    /// What the account system wants written or checked of the account, if it can join.
    pub account: Option<TransactWriteItem>,
    /// What was copied into the account, this time included.
    pub copied: &'a Copied,
    /// How the Amazon identity and the account belong together.
    pub bond: Bond<'a>,
    /// The token of the session that is opened.
    pub token: &'a SessionToken,
    /// The session that is opened.
    pub session: &'a Session,
    /// The session that the browser had before, and loses.
    pub replaces: Option<&'a SessionToken>,
    /// The ticket that this uses up.
    pub ticket: Option<&'a LinkTicket>,
    /// The token that somebody handed over for it.
    pub handed: Option<&'a Handed<'a>>,
    /// The television that is let in.
    pub device: Option<&'a DeviceHandle>,
    /// What its owner is told.
    pub notice: Option<Notice>,
    /// When.
    pub now: Timestamp,
}

/// How an Amazon identity and an account belong together.
pub enum Bond<'a> {
    /// By a link made earlier, which must still be what it was.
    Linked(&'a Identity),
    /// By the account's password: a link is made.
    Proven {
        /// Whether it takes the place of itself, which had to be proven once more.
        again: bool,
    },
    /// By creation: the account is new, and a link and a claim to its address are made.
    Created {
        /// Its address.
        email: Option<&'a Email>,
        /// An account whose claim to the address no longer holds.
        stale: Option<&'a AccountId>,
    },
    /// By creation in an account system that cannot join: it was asked before, by this key.
    Completed(&'a CreationKey),
}

impl Admission<'_> {
    /// Lets them in.
    ///
    /// # Errors
    ///
    /// [`Error`] where DynamoDB does not answer; it may have been written or not.
    pub async fn commit(
        self,
        identities: &Identities,
        sessions: &Sessions,
        tickets: &Tickets,
    ) -> Result<Commit, Error> {
        let email = self.customer.email.as_ref();
        let link = |how, pending, again| {
            identities.link(&Link {
                customer: &self.customer.user_id,
                account: &self.session.account,
                epoch: self.session.epoch,
                how,
                amazon_email: email,
                proven_at: self.now,
                copied: self.copied,
                pending,
                again,
                now: self.now,
            })
        };
        let mut writes: Vec<_> = self.account.map(Write::account).into_iter().collect();
        let mut opening = sessions.open(self.token, self.session)?;
        match self.bond {
            Bond::Linked(identity) => {
                writes.push(identities.still(
                    &self.customer.user_id,
                    identity,
                    email,
                    self.copied,
                )?);
            }
            Bond::Proven { again } => writes.extend(link(How::Linked, None, again)?),
            Bond::Completed(key) => writes.extend(link(How::Registered, Some(key), false)?),
            Bond::Created { email, stale } => {
                writes.extend(link(How::Registered, None, false)?);
                if let Some(email) = email {
                    writes.push(identities.claim(email, &self.session.account, stale)?);
                    opening = sessions.open_first(self.token, self.session, email)?;
                }
            }
        }
        writes.extend(opening);
        if let Some(handed) = self.handed {
            let (token, replaces) = (self.token, self.replaces);
            writes.extend(handed.opening(token, replaces, sessions, tickets, self.now)?);
        }
        if let Some(handle) = self.device {
            writes.push(tickets.letting_device_in(handle, self.token, self.now)?);
        }
        if let Some(token) = self.replaces {
            writes.push(sessions.ending(token)?);
        }
        if let Some(ticket) = self.ticket {
            writes.push(tickets.using(ticket, self.now)?);
        }
        if let Some(notice) = &self.notice {
            writes.push(tickets.noticing(notice)?);
        }
        commit(&sessions.client, writes).await
    }
}
