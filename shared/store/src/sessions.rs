//! Who is signed in: `SESSIONS_TABLE`.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | hash of the account | SHA-256 of the token's secret | `account_id`, `id`, `kind`, `how`, `name?`, `started_at`, `last_seen`, `expires_at`, `ttl` |
//! | hash of the account | `META` | `epoch` |
//!
//! The token says where its row lies (`tag.secret`), so a check is one read, and all of an
//! account's sessions are one partition. The epoch counts what ends them all: whoever resets a
//! password bumps it first and deletes afterwards, and a session that was about to be opened finds
//! another epoch than the one it started from. An account without `META` has epoch 0.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{ConditionCheck, Delete, Put},
};
use domain::{
    AccountId, SessionToken, Timestamp,
    session::{How, Kind, Session},
};

use crate::{
    Error, Part, Write, failed,
    row::{Item, moment, n, number, optional, put_optional, row, s, text},
    write::send,
};

/// A row outlives its session by so much, for the sake of clocks that differ.
const TTL_SLACK: Duration = Duration::from_hours(24);

/// The table of sessions and epochs.
#[derive(Clone)]
pub struct Sessions {
    /// The client.
    pub client: Client,
    /// The table's name.
    pub table: String,
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

    /// Ends a session of this kind. Ending it twice is fine.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn end(&self, token: &SessionToken, kind: Kind) -> Result<(), Error> {
        let end = || {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("pk", s(token.tag()))
                .key("sk", s(token.hash()))
                .condition_expression("attribute_not_exists(pk) OR kind = :kind")
                .expression_attribute_values(":kind", s(kind.as_str()))
                .send()
        };
        send("end a session", end).await.map(drop)
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

    /// Opens a session, if nothing has ended all of the account's sessions since `epoch` was read.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn open(
        &self,
        token: &SessionToken,
        session: &Session,
        epoch: u64,
    ) -> Result<[Write; 2], Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(print(token, session)))
            .condition_expression("attribute_not_exists(pk)");
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", s(token.tag()))
            .key("sk", s("META"))
            .expression_attribute_values(":epoch", n(epoch))
            .expression_attribute_values(":first", n(0))
            .condition_expression(
                "epoch = :epoch OR (attribute_not_exists(epoch) AND :epoch = :first)",
            );
        Ok([
            Write::put(Part::Session, put.build().map_err(failed("open a session"))?),
            Write::check(Part::Epoch, check.build().map_err(failed("check an epoch"))?),
        ])
    }

    /// Ends a session along with something else.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn ending(&self, token: &SessionToken) -> Result<Write, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", s(token.tag()))
            .key("sk", s(token.hash()));
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
        ("started_at", n(session.started_at.0)),
        ("last_seen", n(session.last_seen.0)),
        ("expires_at", n(session.expires_at.0)),
        ("ttl", n((session.expires_at + TTL_SLACK).0)),
    ]);
    put_optional(&mut row, "name", session.name.as_deref());
    row
}

pub(crate) fn parse(row: &Item) -> Result<Session, Error> {
    Ok(Session {
        account: text(row, "account_id", AccountId::parse)?,
        id: text(row, "id", |id| Some(id.to_owned()))?,
        kind: text(row, "kind", Kind::parse)?,
        how: text(row, "how", How::parse)?,
        name: optional(row, "name")?.map(str::to_owned),
        started_at: moment(row, "started_at")?,
        last_seen: moment(row, "last_seen")?,
        expires_at: moment(row, "expires_at")?,
    })
}
