//! The outbox, and what undoes a link: in `TICKETS_TABLE`.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `OUTBOX` | when, and the notice's id | `id`, `kind`, `account_id`, `at`, `amazon_user_id?`, `ttl` |
//! | hash of the account | `UNDO#` and the SHA-256 of the token's secret | `account_id`, `amazon_user_id`, `linked_at`, `expires_at`, `ttl` |
//!
//! A notice is written together with what it is about, or not at all; it is removed when somebody has
//! taken it. In between it may be delivered more than once, each time by the same id.

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, Update};
use domain::{
    AccountId, AmazonUserId, Timestamp, UndoToken,
    link::Limit,
    notice::{Kind, Notice},
};

use crate::{
    Error, Part, Tickets, Write, commit, failed,
    row::{Item, moment, n, optional_text, put_optional, row, s, text},
    tickets::TTL_SLACK,
    write::send,
};

/// A notice that nobody takes is given up after so long.
const NOTICE_LIVES: Duration = Duration::from_hours(14 * 24);

/// A notice that waits to be delivered.
#[derive(Clone, Debug)]
pub struct Waiting {
    key: String,
    /// The notice.
    pub notice: Notice,
}

/// What a token from a notice undoes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The account.
    pub account: AccountId,
    /// The customer that was linked to it.
    pub customer: AmazonUserId,
    /// When: a link that was made later is another one.
    pub linked_at: Timestamp,
    /// When it can no longer be undone from this notice.
    pub expires_at: Timestamp,
}

impl Tickets {
    /// Writes a notice along with what it is about.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn noticing(&self, notice: &Notice) -> Result<Write, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(print(notice, key(notice))))
            .condition_expression("attribute_not_exists(pk)");
        Ok(Write::put(Part::Notice, put.build().map_err(failed("write a notice"))?))
    }

    /// Writes a notice about a limit that was reached, once in each of its windows.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn notice_of_limit(&self, notice: &Notice, limit: &Limit) -> Result<(), Error> {
        let told = Update::builder()
            .table_name(&self.table)
            .key("pk", s(format!("LIMIT#{}", limit.key)))
            .key("sk", s(limit.window.to_string()))
            .update_expression("SET told = :yes")
            .condition_expression("taken >= :most AND attribute_not_exists(told)")
            .expression_attribute_values(":most", n(limit.most))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        let told = told.build().map_err(failed("write a notice"))?;
        let writes = vec![Write::update(Part::Limit, told), self.noticing(notice)?];
        commit(&self.client, writes).await.map(drop)
    }

    /// The oldest notices that wait, a few at a time.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or a row is none of ours.
    pub async fn outbox(&self, after: Option<&Waiting>) -> Result<Vec<Waiting>, Error> {
        let query = self.client.query().table_name(&self.table).consistent_read(true).limit(25);
        let found = query
            .key_condition_expression("pk = :outbox AND sk > :after")
            .expression_attribute_values(":outbox", s("OUTBOX"))
            .expression_attribute_values(":after", s(after.map_or("-", |waiting| &waiting.key)))
            .send()
            .await;
        let rows = found.map_err(failed("read the outbox"))?.items.unwrap_or_default();
        let waiting = |row: &Item| {
            Ok(Waiting { key: text(row, "sk", |sk| Some(sk.to_owned()))?, notice: parse(row)? })
        };
        rows.iter().map(waiting).collect()
    }

    /// The keys of all notices of an account that wait.
    pub(crate) async fn notices_of(
        &self,
        account: &AccountId,
    ) -> Result<Vec<(String, String)>, Error> {
        let rows = self.rows("OUTBOX").await?;
        let own = |row: &&Item| row.get("account_id") == Some(&s(account.as_str()));
        let key =
            |row: &Item| Ok(("OUTBOX".to_owned(), text(row, "sk", |sk| Some(sk.to_owned()))?));
        rows.iter().filter(own).map(key).collect()
    }

    /// Removes a notice that somebody has taken. Removing it twice is fine.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn taken(&self, waiting: &Waiting) -> Result<(), Error> {
        let delete = || {
            let delete = self.client.delete_item().table_name(&self.table);
            delete.key("pk", s("OUTBOX")).key("sk", s(&waiting.key)).send()
        };
        send("remove a notice", delete).await.map(drop)
    }

    /// Keeps what a token undoes.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn keep_undo(&self, token: &UndoToken, undo: &Undo) -> Result<(), Error> {
        let item = row([
            ("pk", s(token.tag())),
            ("sk", sort(token)),
            ("account_id", s(undo.account.as_str())),
            ("amazon_user_id", s(undo.customer.as_str())),
            ("linked_at", n(undo.linked_at.0)),
            ("expires_at", n(undo.expires_at.0)),
            ("ttl", n((undo.expires_at + TTL_SLACK).0)),
        ]);
        let put = || {
            let put = self.client.put_item().table_name(&self.table);
            let put = put.set_item(Some(item.clone()));
            put.condition_expression("attribute_not_exists(pk)").send()
        };
        send("keep a way to undo", put).await.map(drop)
    }

    /// What a token undoes, whether or not it still can.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn find_undo(&self, token: &UndoToken) -> Result<Option<Undo>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(token.tag())).key("sk", sort(token)).send().await;
        let row = found.map_err(failed("read a way to undo"))?.item;
        row.map(|row| parse_undo(&row)).transpose()
    }

    /// Uses a token up along with undoing what it undoes.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn using_undo(&self, token: &UndoToken) -> Result<Write, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", s(token.tag()))
            .key("sk", sort(token))
            .condition_expression("attribute_exists(pk)");
        Ok(Write::delete(Part::Undo, delete.build().map_err(failed("undo a link"))?))
    }
}

/// Sorts by time.
fn key(notice: &Notice) -> String {
    format!("{:012}#{}", notice.at.0.max(0), notice.id)
}

fn sort(token: &UndoToken) -> AttributeValue {
    s(format!("UNDO#{}", token.hash()))
}

pub(crate) fn print(notice: &Notice, key: String) -> Item {
    let mut row = row([
        ("pk", s("OUTBOX")),
        ("sk", s(key)),
        ("id", s(&notice.id)),
        ("kind", s(notice.kind.as_str())),
        ("account_id", s(notice.account.as_str())),
        ("at", n(notice.at.0)),
        ("ttl", n((notice.at + NOTICE_LIVES).0)),
    ]);
    put_optional(&mut row, "amazon_user_id", notice.customer.as_ref().map(AmazonUserId::as_str));
    row
}

pub(crate) fn parse(row: &Item) -> Result<Notice, Error> {
    Ok(Notice {
        id: text(row, "id", |id| Some(id.to_owned()))?,
        kind: text(row, "kind", Kind::parse)?,
        account: text(row, "account_id", AccountId::parse)?,
        customer: optional_text(row, "amazon_user_id", AmazonUserId::parse)?,
        at: moment(row, "at")?,
    })
}

fn parse_undo(row: &Item) -> Result<Undo, Error> {
    Ok(Undo {
        account: text(row, "account_id", AccountId::parse)?,
        customer: text(row, "amazon_user_id", AmazonUserId::parse)?,
        linked_at: moment(row, "linked_at")?,
        expires_at: moment(row, "expires_at")?,
    })
}
