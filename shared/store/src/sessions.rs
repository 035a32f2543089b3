//! Who is signed in: `SESSIONS_TABLE`.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | hash of the account | SHA-256 of the token's secret | `account_id`, `id`, `kind`, `how`, `name?`, `epoch`, `proven_at?`, `started_at`, `last_seen`, `expires_at`, `ttl` |
//! | hash of the account | `META` | `epoch`, `claim?`, `password_reset_at?`, `disabled_at?`, `enabled_at?`, `deleted_at?`, `email_changed_at?`, `customer?`, `ttl?` |
//!
//! The token says where its row lies (`tag.secret`), so a check is one read, and all of an
//! account's sessions are one partition. The epoch counts what ends them all: whoever resets a
//! password bumps it first and deletes afterwards, and a session that was about to be opened finds
//! another epoch than the one it started from. An account without `META` has epoch 0. `claim` is the
//! key of the marker that keeps the address of an account that we created (see `identities`).
//!
//! `META` names nobody, and outlives an account that was deleted by a month: events that come late
//! find out by it that the account has gone, and nothing is begun for it any more.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{ConditionCheck, Delete, Put, ReturnValue, Update},
};
use domain::{
    AccountId, Email, SessionToken, Timestamp,
    session::{How, Kind, Session, Verdict, verdict},
};

use crate::{
    Error, Part, Write, failed,
    identities::marker,
    row::{Item, moment, n, number, optional, optional_number, put_optional, row, s, text},
    write::{answer, delete_all, send},
};

/// A row outlives its session by so much, for the sake of clocks that differ.
const TTL_SLACK: Duration = Duration::from_hours(24);

/// How often sessions are looked for that are to end.
const ROUNDS: usize = 10;

/// Holds where the account's epoch is still `:epoch` and it was not deleted; `:first` is 0.
const SAME_EPOCH: &str = "(epoch = :epoch OR (attribute_not_exists(epoch) AND :epoch = :first)) \
                          AND attribute_not_exists(deleted_at)";

/// The table of sessions and epochs.
#[derive(Clone)]
pub struct Sessions {
    /// The client.
    pub client: Client,
    /// The table's name.
    pub table: String,
}

/// A session that counts.
pub struct Live {
    /// The session.
    pub session: Session,
    /// What kept its use from being noted, which does not make it count less.
    pub unnoted: Option<Error>,
}

/// A session as a list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The hash of its token's secret: its key among those of the account.
    pub hash: String,
    /// The session.
    pub session: Session,
}

impl Sessions {
    /// Opens the connection before the first visitor needs it, by reading a row that is not there.
    pub async fn warm_up(&self) {
        let read = self.client.get_item().table_name(&self.table);
        // If this fails, the first visitor's own read will say so.
        let _ = read.key("pk", s("-")).key("sk", s("-")).send().await;
    }

    /// The session that this token opens, whether or not it still counts.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn find(&self, token: &SessionToken) -> Result<Option<Session>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(token.tag())).key("sk", s(token.hash())).send().await;
        found.map_err(failed("read a session"))?.item.map(|row| parse(&row)).transpose()
    }

    /// The session that this token opens, if it still counts and is of a kind that may be carried so.
    /// Its use is noted where that is due.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn live(
        &self,
        token: &SessionToken,
        bearer: bool,
        idle: Duration,
        now: Timestamp,
    ) -> Result<Option<Live>, Error> {
        let found = self.find(token).await?;
        let carried = |session: &Session| session.kind.is_bearer() == bearer;
        let Some(session) = found.filter(carried) else { return Ok(None) };
        let unnoted = match verdict(&session, idle, now) {
            Verdict::Ended => return Ok(None),
            Verdict::Live => None,
            Verdict::Touch => self.touch(token, now).await.err(),
        };
        Ok(Some(Live { session, unnoted }))
    }

    /// All sessions of an account, whether or not they still count.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or a row is none of ours.
    pub async fn list(&self, account: &AccountId) -> Result<Vec<Listed>, Error> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let mut pages = query
            .key_condition_expression("pk = :account")
            .expression_attribute_values(":account", s(SessionToken::tag_of(account)))
            .into_paginator()
            .send();
        let mut sessions = Vec::new();
        while let Some(page) = pages.next().await {
            for row in page.map_err(failed("list sessions"))?.items() {
                let hash = text(row, "sk", |sk| Some(sk.to_owned()))?;
                if hash != "META" {
                    sessions.push(Listed { hash, session: parse(row)? });
                }
            }
        }
        Ok(sessions)
    }

    /// Ends these sessions of an account. Ending one twice is fine.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer; some may have ended.
    pub async fn end_all(
        &self,
        account: &AccountId,
        hashes: impl IntoIterator<Item = &str>,
    ) -> Result<(), Error> {
        let tag = SessionToken::tag_of(account);
        let keys = hashes.into_iter().map(|hash| (tag.clone(), hash.to_owned()));
        delete_all(&self.client, &self.table, keys.collect(), "end sessions").await
    }

    /// Ends those sessions of an account that are to end, until none of them is left: one may take the
    /// place of another at this very moment. Tells how many there were.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer; some may have ended.
    pub async fn end_those(
        &self,
        account: &AccountId,
        ends: impl Fn(&&Listed) -> bool,
    ) -> Result<usize, Error> {
        let mut count = 0;
        for _ in 0..ROUNDS {
            let sessions = self.list(account).await?;
            let hashes: Vec<_> =
                sessions.iter().filter(&ends).map(|listed| listed.hash.as_str()).collect();
            if hashes.is_empty() {
                return Ok(count);
            }
            count += hashes.len();
            self.end_all(account, hashes).await?;
        }
        Err(Error::Failed("end sessions", "others kept taking their place".into()))
    }

    /// Notes that a session was used, if it still exists: an update must not bring it back.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn touch(&self, token: &SessionToken, now: Timestamp) -> Result<(), Error> {
        let touch = || {
            self.client
                .update_item()
                .table_name(&self.table)
                .key("pk", s(token.tag()))
                .key("sk", s(token.hash()))
                .update_expression("SET last_seen = :now")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":now", n(now.0))
                .send()
        };
        send("note the use of a session", touch).await.map(drop)
    }

    /// Ends a session that is carried so, as a bearer token or a cookie, and gives it. Ending it twice is
    /// fine.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row was none of ours; it has ended then.
    pub async fn end(&self, token: &SessionToken, bearer: bool) -> Result<Option<Session>, Error> {
        let condition = match bearer {
            true => "attribute_not_exists(pk) OR kind <> :browser",
            false => "attribute_not_exists(pk) OR kind = :browser",
        };
        let end = || {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("pk", s(token.tag()))
                .key("sk", s(token.hash()))
                .condition_expression(condition)
                .expression_attribute_values(":browser", s(Kind::Browser.as_str()))
                .return_values(ReturnValue::AllOld)
                .send()
        };
        let ended = answer("end a session", end).await?;
        ended.and_then(|ended| ended.attributes).map(|row| parse(&row)).transpose()
    }

    /// The account's epoch.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn epoch(&self, account: &AccountId) -> Result<u64, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let tag = SessionToken::tag_of(account);
        let found = found.key("pk", s(tag)).key("sk", s("META")).send().await;
        let row = found.map_err(failed("read an epoch"))?.item;
        row.map_or(Ok(0), |row| number(&row, "epoch"))
    }

    /// Opens a session, if nothing has ended all of the account's sessions since its epoch was read.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn open(&self, token: &SessionToken, session: &Session) -> Result<[Write; 2], Error> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", s(token.tag()))
            .key("sk", s("META"))
            .expression_attribute_values(":epoch", n(session.epoch))
            .expression_attribute_values(":first", n(0))
            .condition_expression(SAME_EPOCH);
        let check = check.build().map_err(failed("check an epoch"))?;
        Ok([self.opening(token, session)?, Write::check(Part::Epoch, check)])
    }

    /// Opens the first session of an account that is created in the same transaction, and notes which
    /// address is kept for it.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn open_first(
        &self,
        token: &SessionToken,
        session: &Session,
        email: &Email,
    ) -> Result<[Write; 2], Error> {
        let note = Update::builder()
            .table_name(&self.table)
            .key("pk", s(token.tag()))
            .key("sk", s("META"))
            .update_expression("SET epoch = :epoch, claim = :claim")
            .expression_attribute_values(":epoch", n(session.epoch))
            .expression_attribute_values(":first", n(0))
            .expression_attribute_values(":claim", s(marker(email)))
            .condition_expression(SAME_EPOCH);
        let note = note.build().map_err(failed("note a claim"))?;
        Ok([self.opening(token, session)?, Write::update(Part::Epoch, note)])
    }

    fn opening(&self, token: &SessionToken, session: &Session) -> Result<Write, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(print(token, session)))
            .condition_expression("attribute_not_exists(pk)");
        Ok(Write::put(Part::Session, put.build().map_err(failed("open a session"))?))
    }

    /// Puts a new token in the place of an old one, if that session still exists and nothing has ended
    /// all of the account's sessions.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn replace(
        &self,
        old: &SessionToken,
        token: &SessionToken,
        session: &Session,
    ) -> Result<[Write; 3], Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", s(old.tag()))
            .key("sk", s(old.hash()))
            .condition_expression("attribute_exists(pk)");
        let delete = delete.build().map_err(failed("replace a session"))?;
        let [open, check] = self.open(token, session)?;
        Ok([open, check, Write::delete(Part::Replaced, delete)])
    }

    /// Makes sure that an account has not been deleted.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn not_deleted(&self, account: &AccountId) -> Result<Write, Error> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", s(SessionToken::tag_of(account)))
            .key("sk", s("META"))
            .condition_expression("attribute_not_exists(deleted_at)");
        Ok(Write::check(Part::Epoch, check.build().map_err(failed("check an account"))?))
    }

    /// Ends a session along with something else.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn ending(&self, token: &SessionToken) -> Result<Write, Error> {
        self.ending_at(token.tag(), &token.hash())
    }

    /// The same for the session whose row has this key.
    pub(crate) fn ending_at(&self, pk: &str, sk: &str) -> Result<Write, Error> {
        let delete = Delete::builder().table_name(&self.table).key("pk", s(pk)).key("sk", s(sk));
        Ok(Write::delete(Part::Session, delete.build().map_err(failed("end a session"))?))
    }
}

pub(crate) fn print(token: &SessionToken, session: &Session) -> Item {
    let mut row = row([
        ("pk", s(token.tag())),
        ("sk", s(token.hash())),
        ("account_id", s(session.account.as_str())),
        ("id", s(&session.id)),
        ("kind", s(session.kind.as_str())),
        ("how", s(session.how.as_str())),
        ("epoch", n(session.epoch)),
        ("started_at", n(session.started_at.0)),
        ("last_seen", n(session.last_seen.0)),
        ("expires_at", n(session.expires_at.0)),
        ("ttl", n((session.expires_at + TTL_SLACK).0)),
    ]);
    put_optional(&mut row, "name", session.name.as_deref());
    if let Some(at) = session.proven_at {
        row.insert("proven_at".to_owned(), n(at.0));
    }
    row
}

pub(crate) fn parse(row: &Item) -> Result<Session, Error> {
    Ok(Session {
        account: text(row, "account_id", AccountId::parse)?,
        id: text(row, "id", |id| Some(id.to_owned()))?,
        kind: text(row, "kind", Kind::parse)?,
        how: text(row, "how", How::parse)?,
        name: optional(row, "name")?.map(str::to_owned),
        epoch: number(row, "epoch")?,
        proven_at: optional_number(row, "proven_at")?.map(Timestamp),
        started_at: moment(row, "started_at")?,
        last_seen: moment(row, "last_seen")?,
        expires_at: moment(row, "expires_at")?,
    })
}
