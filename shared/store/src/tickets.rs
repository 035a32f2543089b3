//! What is under way: `TICKETS_TABLE`. All of it is short-lived.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | `STATE#` and the SHA-256 of a state | `STATE` | `by`, `ttl` |
//! | `MESSAGE#` and the SHA-256 of a signed message's id | `MESSAGE` | `ttl` |
//! | hash of the Amazon identity | SHA-256 of the ticket's secret | `purpose`, `kind?` (absent: a browser's), `account_id?`, `account_email?`, `attempts_left?`, what Amazon told, `return_to`, `started_at`, `expires_at`, `used?`, `ttl` |
//! | hash of an account | `TICKET#` and the key of a ticket about it | `ttl` |
//! | `LIMIT#` and a hash of what is limited | the window's number | `taken`, `told?`, `ttl` |
//! | `HANDED#` and the SHA-256 of a token of Amazon's that was handed over | `HANDED` | `session_pk`, `session_sk`, `ttl` |
//!
//! Televisions have rows too (see `devices`).
//!
//! The partition of an account holds what is under way for it, whoever began it (see `codes` too), so
//! that all of it can be cancelled.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, Update},
};
use domain::{
    AccountId, AmazonUserId, Email, LinkTicket, Profile, ReturnTo, State, Timestamp,
    link::{LIVES_AFTER_FORGOT, Limit, Purpose, Ticket},
    session::Kind,
};

use crate::{
    Commit, Error, Part, Write, commit, failed,
    row::{
        Item, hash, is_set, moment, n, number, optional, optional_text, put_optional, row, s, text,
    },
    write::{delete_all, send},
};

/// A row outlives what it stands for by so much, for the sake of clocks that differ.
pub(crate) const TTL_SLACK: Duration = Duration::from_hours(24);

/// What the sort key of a note about a ticket begins with.
pub(crate) const POINTER: &str = "TICKET#";

/// The table of used states, tickets and limits.
#[derive(Clone)]
pub struct Tickets {
    /// The client.
    pub client: Client,
    /// The table's name.
    pub table: String,
}

/// Whether another guess at a password is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is, and is counted.
    Taken,
    /// The ticket is over, used, or out of attempts.
    TicketClosed,
    /// Too many guesses were made, on this ticket or others.
    Limited {
        /// When the next one is allowed.
        resets_at: Timestamp,
    },
}

impl Tickets {
    /// Uses a state up. Says whether this was its first use. `by` is a random name for this try: where
    /// the SDK had to ask twice because an answer got lost, it tells our own first try from another.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn use_state(&self, state: &State, by: &str, now: Timestamp) -> Result<bool, Error> {
        let key = format!("STATE#{}", state.hash());
        let put = || {
            self.client
                .put_item()
                .table_name(&self.table)
                .item("pk", s(&key))
                .item("sk", s("STATE"))
                .item("by", s(by))
                .item("ttl", n((now + TTL_SLACK).0))
                .condition_expression("attribute_not_exists(pk)")
                .send()
        };
        if send("use up a state", put).await? {
            return Ok(true);
        }
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(&key)).key("sk", s("STATE")).send().await;
        let row = found.map_err(failed("read a state"))?.item.unwrap_or_default();
        Ok(optional(&row, "by")? == Some(by))
    }

    /// Notes that a signed message was taken, if it was not taken before.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn using_message(&self, id: &str, now: Timestamp) -> Result<Write, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("pk", s(format!("MESSAGE#{}", hash(id))))
            .item("sk", s("MESSAGE"))
            .item("ttl", n((now + TTL_SLACK).0))
            .condition_expression("attribute_not_exists(pk)");
        Ok(Write::put(Part::Message, put.build().map_err(failed("note a message"))?))
    }

    /// Opens a ticket. One that is about an account is noted among what is under way for that account.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn open(&self, key: &LinkTicket, ticket: &Ticket) -> Result<Vec<Write>, Error> {
        let mut rows = vec![print(key, ticket)];
        if let Some(account) = ticket.purpose.account() {
            rows.push(row([
                ("pk", s(account.tag())),
                ("sk", s(format!("{POINTER}{}.{}", key.tag(), key.hash()))),
                ("ttl", n((ticket.started_at + LIVES_AFTER_FORGOT + TTL_SLACK).0)),
            ]));
        }
        let put = |row| {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(row))
                .condition_expression("attribute_not_exists(pk)");
            Ok(Write::put(Part::Ticket, put.build().map_err(failed("open a ticket"))?))
        };
        rows.into_iter().map(put).collect()
    }

    /// The ticket of this key, whether or not it is still open.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn find(&self, key: &LinkTicket) -> Result<Option<Ticket>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(key.tag())).key("sk", s(key.hash())).send().await;
        found.map_err(failed("read a ticket"))?.item.map(|row| parse(&row)).transpose()
    }

    /// Takes one attempt from the ticket and one from each limit, before anything is compared: so
    /// guesses made at once cannot overtake the count.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn take_attempt(
        &self,
        key: &LinkTicket,
        limits: &[Limit],
        now: Timestamp,
    ) -> Result<Attempt, Error> {
        let from_ticket = self
            .update(key)
            .update_expression("SET attempts_left = attempts_left - :one")
            .condition_expression(
                "attempts_left > :none AND expires_at > :now AND attribute_not_exists(used)",
            )
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":none", n(0))
            .expression_attribute_values(":now", n(now.0));
        let from_ticket = from_ticket.build().map_err(failed("take an attempt"))?;
        let mut writes = vec![Write::update(Part::Ticket, from_ticket)];
        for limit in limits {
            writes.push(Write::update(Part::Limit, self.counting(limit)?));
        }
        Ok(match commit(&self.client, writes).await? {
            Commit::Done => Attempt::Taken,
            refused if refused.refused(Part::Ticket) => Attempt::TicketClosed,
            // Which of them it was is not told; the longer wait is never wrong.
            Commit::Refused(_) => Attempt::Limited { resets_at: self.free_at(limits).await? },
        })
    }

    /// Lets a ticket live on while its holder resets the password, once.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn extend(&self, key: &LinkTicket, ticket: &Ticket) -> Result<(), Error> {
        let expires_at = ticket.started_at + LIVES_AFTER_FORGOT;
        let extend = || {
            self.client
                .update_item()
                .table_name(&self.table)
                .key("pk", s(key.tag()))
                .key("sk", s(key.hash()))
                .update_expression("SET expires_at = :expires_at, #ttl = :ttl")
                .condition_expression("attribute_exists(pk) AND attribute_not_exists(used)")
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":expires_at", n(expires_at.0))
                .expression_attribute_values(":ttl", n((expires_at + TTL_SLACK).0))
                .send()
        };
        send("extend a ticket", extend).await.map(drop)
    }

    /// Gives a browser's ticket up. Giving it up twice is fine; one of another kind stays.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn cancel(&self, key: &LinkTicket) -> Result<(), Error> {
        let cancel = || {
            let cancel = self.client.delete_item().table_name(&self.table);
            cancel
                .key("pk", s(key.tag()))
                .key("sk", s(key.hash()))
                .condition_expression("attribute_not_exists(kind)")
                .send()
        };
        send("cancel a ticket", cancel).await.map(drop)
    }

    /// Gives up all tickets of a customer, and televisions that wait for them.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer; some may be gone.
    pub async fn cancel_all(&self, customer: &AmazonUserId) -> Result<(), Error> {
        self.cancel_all_in(&LinkTicket::tag_of(customer)).await
    }

    /// The same by where they lie.
    pub(crate) async fn cancel_all_in(&self, tag: &str) -> Result<(), Error> {
        let rows = self.rows(tag).await?;
        let mut keys = Vec::new();
        for row in &rows {
            let sort = text(row, "sk", |sk| Some(sk.to_owned()))?;
            if sort.starts_with("DEVICE#") {
                keys.push((sort.clone(), "DEVICE".to_owned()));
            }
            keys.push((tag.to_owned(), sort));
        }
        delete_all(&self.client, &self.table, keys, "cancel tickets").await
    }

    /// All rows of a partition.
    pub(crate) async fn rows(&self, tag: &str) -> Result<Vec<Item>, Error> {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        let mut pages = query
            .key_condition_expression("pk = :tag")
            .expression_attribute_values(":tag", s(tag))
            .into_paginator()
            .send();
        let mut rows = Vec::new();
        while let Some(page) = pages.next().await {
            rows.extend(page.map_err(failed("list tickets"))?.items.unwrap_or_default());
        }
        Ok(rows)
    }

    /// Uses a ticket up along with what it was for, if it is still open. The row stays until its
    /// time is over, so that a second click finds out where the first one led.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn using(&self, key: &LinkTicket, now: Timestamp) -> Result<Write, Error> {
        let update = self
            .update(key)
            .update_expression("SET used = :yes")
            .condition_expression("expires_at > :now AND attribute_not_exists(used)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":now", n(now.0));
        Ok(Write::update(Part::Ticket, update.build().map_err(failed("use up a ticket"))?))
    }

    fn update(&self, key: &LinkTicket) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        let update = Update::builder().table_name(&self.table);
        update.key("pk", s(key.tag())).key("sk", s(key.hash()))
    }
}

pub(crate) fn print(key: &LinkTicket, ticket: &Ticket) -> Item {
    let kind = Some(ticket.kind).filter(|kind| *kind != Kind::Browser);
    let mut row = row([
        ("pk", s(key.tag())),
        ("sk", s(key.hash())),
        ("amazon_user_id", s(ticket.customer.user_id.as_str())),
        ("return_to", s(ticket.return_to.as_str())),
        ("started_at", n(ticket.started_at.0)),
        ("expires_at", n(ticket.expires_at.0)),
        ("ttl", n((ticket.expires_at + TTL_SLACK).0)),
    ]);
    let (purpose, account) = match &ticket.purpose {
        Purpose::Link { account, email, attempts_left } => {
            row.insert("attempts_left".to_owned(), n(attempts_left));
            put_optional(&mut row, "account_email", email.as_ref().map(Email::as_str));
            ("link", Some(account))
        }
        Purpose::Register => ("register", None),
        Purpose::Switch { account } => ("switch", Some(account)),
    };
    row.insert("purpose".to_owned(), s(purpose));
    put_optional(&mut row, "kind", kind.map(Kind::as_str));
    if ticket.used {
        row.insert("used".to_owned(), AttributeValue::Bool(true));
    }
    put_optional(&mut row, "account_id", account.map(AccountId::as_str));
    put_optional(&mut row, "amazon_email", ticket.customer.email.as_ref().map(Email::as_str));
    put_optional(&mut row, "amazon_name", ticket.customer.name.as_deref());
    put_optional(&mut row, "amazon_postal_code", ticket.customer.postal_code.as_deref());
    row
}

/// The kind of a ticket that is not a browser's, which alone is written.
fn carried(text: &str) -> Option<Kind> {
    Kind::parse(text).filter(|kind| *kind != Kind::Browser)
}

pub(crate) fn parse(row: &Item) -> Result<Ticket, Error> {
    let account = || text(row, "account_id", AccountId::parse);
    let purpose = match optional(row, "purpose")? {
        Some("link") => Purpose::Link {
            account: account()?,
            email: optional_text(row, "account_email", Email::parse)?,
            attempts_left: number(row, "attempts_left")?,
        },
        Some("register") => Purpose::Register,
        Some("switch") => Purpose::Switch { account: account()? },
        _ => return Err(Error::Row("purpose")),
    };
    Ok(Ticket {
        purpose,
        kind: optional_text(row, "kind", carried)?.unwrap_or(Kind::Browser),
        customer: Profile {
            user_id: text(row, "amazon_user_id", AmazonUserId::parse)?,
            email: optional_text(row, "amazon_email", Email::parse)?,
            name: optional(row, "amazon_name")?.map(str::to_owned),
            postal_code: optional(row, "amazon_postal_code")?.map(str::to_owned),
        },
        return_to: text(row, "return_to", ReturnTo::parse)?,
        started_at: moment(row, "started_at")?,
        expires_at: moment(row, "expires_at")?,
        used: is_set(row, "used")?,
    })
}
