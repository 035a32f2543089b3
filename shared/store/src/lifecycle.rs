//! What an event about an account does to our three tables: see `domain::lifecycle` for the rules.

use std::time::Duration;

use aws_sdk_dynamodb::types::Update;
use domain::{
    AccountId, AmazonUserId, LinkTicket, SessionToken, SignInCode, Timestamp,
    lifecycle::{Event, Kind, Link, Tickets as Ticketing},
    link::ATTEMPTS,
    notice::{self, Notice},
    session::How,
};
use rand_core::CryptoRng;

use crate::{
    Commit, Error, Identities, Identity, Listed, LocalSignIn, Part, Sessions, Tickets, Write,
    commit, failed,
    row::{Item, n, optional, optional_number, s, text},
    tickets::POINTER,
    write::{delete_all, send},
};

/// How long what is left of a deleted account stays: longer than any event is under way.
const TOMBSTONE_LIVES: Duration = Duration::from_hours(30 * 24);
/// How often somebody else may be quicker.
const TRIES: usize = 5;

/// Our tables, for what happens to accounts elsewhere.
#[derive(Clone)]
pub struct Lifecycle {
    /// The table of links.
    pub identities: Identities,
    /// The table of sessions.
    pub sessions: Sessions,
    /// The table of tickets.
    pub tickets: Tickets,
    /// Whether owners are told.
    pub tells: bool,
}

/// What an event did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Sessions that it ended.
    pub sessions_ended: usize,
    /// Tickets and codes that it cancelled.
    pub tickets_cancelled: usize,
    /// Links that must be proven once more.
    pub links_to_prove: usize,
    /// Links that it removed.
    pub links_removed: usize,
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is good.
    Kept,
    /// The message that asked for it was taken before.
    Repeated,
    /// All sessions of the account have ended since its owner signed in, or it is gone.
    Ended,
}

/// What is known of an account before an event.
struct Before {
    epoch: u64,
    claim: Option<String>,
    /// When the last event of this kind happened.
    last: Option<Timestamp>,
    /// When the account was last opened again.
    enabled_at: Option<Timestamp>,
    /// When it was deleted.
    deleted_at: Option<Timestamp>,
    /// Where the tickets of the customer lie who was linked when it was deleted.
    customer_tag: Option<String>,
    link: Option<(AmazonUserId, Identity)>,
}

impl Lifecycle {
    /// Makes an event true. All of it holds when this returns; where it fails, asking once more does
    /// the rest.
    ///
    /// 1. One transaction raises the epoch, so that nothing can be opened that began before, and marks
    ///    or removes the link.
    /// 2. What lies around from before is deleted: sessions, tickets, codes.
    ///
    /// An event that is older than the last one of its kind was done with that one.
    ///
    /// # Errors
    ///
    /// [`Error`] where a table does not answer or a row is none of ours.
    pub async fn apply(
        &self,
        event: &Event,
        now: Timestamp,
        rng: &mut impl CryptoRng,
    ) -> Result<Done, Error> {
        let mut done = Done::default();
        let effects = event.kind.effects();
        let (mut customer_tag, mut reopened) = (None, false);
        for turn in 1.. {
            let before = self.before(event).await?;
            reopened = before.enabled_at.is_some_and(|enabled| event.at < enabled);
            let of_another_life = match event.kind {
                Kind::Deleted => reopened,
                Kind::Enabled => before.deleted_at.is_some_and(|deleted| event.at < deleted),
                _ => false,
            };
            if of_another_life || before.last.is_some_and(|last| event.at < last) {
                return Ok(done);
            }
            let customer = before.link.as_ref().map(|(customer, _)| customer.clone());
            customer_tag =
                customer.as_ref().map(LinkTicket::tag_of).or(before.customer_tag.clone());
            // The same event once more: its transaction is done, what comes after it perhaps not.
            if before.last == Some(event.at) && effects.link != Link::Removed {
                break;
            }
            let older = |identity: &Identity| identity.proven_at <= event.at;
            match effects.link {
                Link::Proven if before.link.as_ref().is_some_and(|(_, link)| older(link)) => {
                    done.links_to_prove = 1;
                }
                Link::Removed if before.link.is_some() => done.links_removed = 1,
                _ => {}
            }
            if let Some(claim) = before
                .claim
                .as_deref()
                .filter(|_| matches!(event.kind, Kind::Deleted | Kind::EmailChanged))
            {
                self.identities.release(claim, &event.account).await?;
            }
            let mut writes = self.turn(event, &before, now)?;
            if self.tells && done.links_to_prove == 1 {
                let (kind, customer) = (notice::Kind::LinkToProve, customer.as_ref());
                let notice = Notice::new(kind, &event.account, customer, now, rng);
                writes.push(self.tickets.noticing(&notice)?);
            }
            match commit(&self.sessions.client, writes).await? {
                Commit::Done => break,
                Commit::Refused(_) if turn < TRIES => done = Done::default(),
                Commit::Refused(_) => {
                    return Err(Error::Failed(
                        "apply an event",
                        "the account kept changing".into(),
                    ));
                }
            }
        }
        // First what could still open something, then what was opened.
        done.tickets_cancelled = self.sweep(event, customer_tag.as_deref()).await?;
        if effects.ends_sessions {
            done.sessions_ended = self.end_sessions(event, reopened).await?;
        }
        Ok(done)
    }

    /// Keeps a code for somebody who signed in at the site's own door; its epoch is filled in here.
    ///
    /// # Errors
    ///
    /// [`Error`] where a table does not answer or a row is none of ours.
    pub async fn keep_code(
        &self,
        code: &SignInCode,
        mut sign_in: LocalSignIn,
        message: Option<Write>,
    ) -> Result<Kept, Error> {
        let meta = self.meta(&sign_in.account).await?;
        let ended = ["password_reset_at", "disabled_at"].map(|name| moment(&meta, name));
        for ended in ended {
            let Some(ended) = ended? else { continue };
            if sign_in.at < ended {
                return Ok(Kept::Ended);
            }
            // Within one second, what is told later happened later: sites sign people in who have just
            // chosen a new password.
            if sign_in.at == ended {
                sign_in.at = ended + Duration::from_secs(1);
            }
        }
        sign_in.epoch = optional_number(&meta, "epoch")?.unwrap_or(0);
        let kept = self.tickets.keep_code(code, &sign_in, message, &self.sessions).await?;
        Ok(match kept {
            Commit::Done => Kept::Kept,
            refused if refused.refused(Part::Message) => Kept::Repeated,
            Commit::Refused(_) => Kept::Ended,
        })
    }

    /// The transaction of an event.
    fn turn(&self, event: &Event, before: &Before, now: Timestamp) -> Result<Vec<Write>, Error> {
        let effects = event.kind.effects();
        let epoch = before.epoch + u64::from(effects.ends_sessions);
        let mut writes = vec![self.note(event, before, epoch, now)?];
        match &before.link {
            None => writes.push(self.identities.unlinked(&event.account)?),
            Some((customer, _)) if effects.link == Link::Removed => {
                writes.extend(self.identities.unlink(customer, &event.account)?);
            }
            Some((customer, identity)) if epoch != before.epoch => {
                let proves = effects.link == Link::Proven && identity.proven_at <= event.at;
                writes.push(self.identities.restamp(customer, identity, epoch, proves)?);
            }
            Some(_) => {}
        }
        Ok(writes)
    }

    /// Notes in `META` that this happened.
    fn note(
        &self,
        event: &Event,
        before: &Before,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Write, Error> {
        let at = format!("{}_at", event.kind.as_str());
        let mut set = "SET epoch = :epoch, #at = :at".to_owned();
        let mut remove = Vec::new();
        let mut note = Update::builder()
            .table_name(&self.sessions.table)
            .key("pk", s(SessionToken::tag_of(&event.account)))
            .key("sk", s("META"))
            .expression_attribute_names("#at", at)
            .expression_attribute_values(":epoch", n(epoch))
            .expression_attribute_values(":before", n(before.epoch))
            .expression_attribute_values(":first", n(0))
            .expression_attribute_values(":at", n(event.at.0));
        match event.kind {
            Kind::Deleted => {
                set.push_str(", #ttl = :ttl");
                remove.push("claim");
                note = note
                    .expression_attribute_names("#ttl", "ttl")
                    .expression_attribute_values(":ttl", n((now + TOMBSTONE_LIVES).0));
                // Asked once more after a fault, nothing else says whose tickets they were.
                if let Some((customer, _)) = &before.link {
                    set.push_str(", customer = :customer");
                    let tag = LinkTicket::tag_of(customer);
                    note = note.expression_attribute_values(":customer", s(tag));
                }
            }
            // An id that came back from the dead.
            Kind::Enabled => {
                remove.extend(["deleted_at", "customer", "#ttl"]);
                note = note.expression_attribute_names("#ttl", "ttl");
            }
            Kind::EmailChanged => remove.push("claim"),
            Kind::PasswordReset | Kind::Disabled => {}
        }
        if !remove.is_empty() {
            set.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        let note = note.update_expression(set).condition_expression(
            "epoch = :before OR (attribute_not_exists(epoch) AND :before = :first)",
        );
        Ok(Write::update(Part::Epoch, note.build().map_err(failed("note an event"))?))
    }

    async fn before(&self, event: &Event) -> Result<Before, Error> {
        let meta = self.meta(&event.account).await?;
        let enabled_at = moment(&meta, "enabled_at")?;
        let last = match event.kind {
            Kind::PasswordReset => moment(&meta, "password_reset_at")?,
            Kind::Disabled => moment(&meta, "disabled_at")?,
            Kind::Enabled => enabled_at,
            Kind::Deleted => moment(&meta, "deleted_at")?,
            Kind::EmailChanged => moment(&meta, "email_changed_at")?,
        };
        let link = match self.identities.customer_of(&event.account).await? {
            None => None,
            Some(customer) => {
                let identity = self.identities.find(&customer).await?;
                // Without its other half it leads nowhere, and is nobody's to mark.
                identity
                    .filter(|identity| identity.account == event.account)
                    .map(|identity| (customer, identity))
            }
        };
        Ok(Before {
            epoch: optional_number(&meta, "epoch")?.unwrap_or(0),
            claim: optional(&meta, "claim")?.map(str::to_owned),
            last,
            enabled_at,
            deleted_at: moment(&meta, "deleted_at")?,
            customer_tag: optional(&meta, "customer")?.map(str::to_owned),
            link,
        })
    }

    async fn meta(&self, account: &AccountId) -> Result<Item, Error> {
        let found = self.sessions.client.get_item().table_name(&self.sessions.table);
        let found = found
            .consistent_read(true)
            .key("pk", s(SessionToken::tag_of(account)))
            .key("sk", s("META"))
            .send()
            .await;
        Ok(found.map_err(failed("read an epoch"))?.item.unwrap_or_default())
    }

    /// Ends the sessions that are older than the event, and those that began between the event and now
    /// though they should not have: in an account that was closed, or by a link that is not to be
    /// trusted any more.
    async fn end_sessions(&self, event: &Event, reopened: bool) -> Result<usize, Error> {
        let epoch = self.sessions.epoch(&event.account).await?;
        let ends = |Listed { session, .. }: &&Listed| {
            let slipped_in = match event.kind {
                Kind::PasswordReset => session.how == How::Amazon,
                _ => !reopened,
            };
            session.started_at <= event.at || (slipped_in && session.epoch < epoch)
        };
        self.sessions.end_those(&event.account, ends).await
    }

    /// Cancels or restores what is under way for the account. Of a deleted one nothing is left, nor of
    /// the customer who was linked to it.
    async fn sweep(&self, event: &Event, customer: Option<&str>) -> Result<usize, Error> {
        let tag = event.account.tag();
        let deleted = event.kind == Kind::Deleted;
        let mut gone = Vec::new();
        let mut cancelled = 0;
        for row in self.tickets.rows(&tag).await? {
            let sort = text(&row, "sk", |sk| Some(sk.to_owned()))?;
            let pointed = sort.strip_prefix(POINTER).and_then(|key| key.split_once('.'));
            match (event.kind.effects().tickets, pointed) {
                (Ticketing::Stay, _) => {}
                (Ticketing::Restored, Some((pk, sk))) => self.restore(pk, sk).await?,
                (Ticketing::Cancelled, Some((pk, sk))) => {
                    cancelled += 1;
                    gone.push((pk.to_owned(), sk.to_owned()));
                    gone.push((tag.clone(), sort));
                }
                // Codes carry the epoch, and are good for a minute.
                (_, None) if deleted => gone.push((tag.clone(), sort)),
                (_, None) => {}
            }
        }
        if deleted {
            gone.extend(self.tickets.notices_of(&event.account).await?);
        }
        if let (true, Some(customer)) = (deleted, customer) {
            self.tickets.cancel_all_in(customer).await?;
        }
        gone.sort_unstable();
        gone.dedup();
        let tickets = &self.tickets;
        delete_all(&tickets.client, &tickets.table, gone, "cancel tickets").await?;
        Ok(cancelled)
    }

    /// Gives a ticket its attempts back, if it waits for a password.
    async fn restore(&self, pk: &str, sk: &str) -> Result<(), Error> {
        let restore = || {
            self.tickets
                .client
                .update_item()
                .table_name(&self.tickets.table)
                .key("pk", s(pk))
                .key("sk", s(sk))
                .update_expression("SET attempts_left = :all")
                .condition_expression("attribute_exists(attempts_left)")
                .expression_attribute_values(":all", n(ATTEMPTS))
                .send()
        };
        send("restore a ticket", restore).await.map(drop)
    }
}

fn moment(meta: &Item, name: &'static str) -> Result<Option<Timestamp>, Error> {
    Ok(optional_number(meta, name)?.map(Timestamp))
}
