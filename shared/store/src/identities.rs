//! Who is who: `IDENTITIES_TABLE`.
//!
//! | pk | attributes |
//! |---|---|
//! | `AMAZON#<user_id>` | `account_id`, `epoch`, `linked_at`, `proven_at`, `how`, `amazon_email?`, `prove_again?`, `copied_name?`, `copied_postal_code?` |
//! | the same | `pending`, `started_at` |
//! | `ACCOUNT#<account id>` | `amazon_user_id` |
//! | `EMAIL#<SHA-256 of the lowercased address, hex>` | `account_id` |
//!
//! The first and the third are always written together: one Amazon identity per account and one account per
//! Amazon identity, by keys and never by an index. `epoch` repeats the account's epoch (see
//! `sessions`), so that a sign-in learns it without another read: whoever writes the one writes the
//! other. `proven_at` says when somebody proved to know the account's password. The `copied_…` are
//! hashes of what was copied from Amazon into the account last (see `domain::sync`).
//!
//! `pending` is the key of a creation that an account system was asked for which cannot join our
//! transactions. It stands where the link will stand, and is no link.

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ConditionCheck, Delete, Put, Update},
};
use domain::{
    AccountId, AmazonUserId, CreationKey, Email, Timestamp,
    session::How,
    sync::{Copied, Mark},
};

use crate::{
    Error, Part, Write, failed,
    row::{
        Item, hash, is_set, moment, n, number, optional, optional_text, put_optional, row, s, text,
    },
    write::send,
};

/// The table of Amazon identities, and of the addresses of accounts that we created.
#[derive(Clone)]
pub struct Identities {
    /// The client.
    pub client: Client,
    /// The table's name.
    pub table: String,
}

/// A link from an Amazon identity to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The account's epoch.
    pub epoch: u64,
    /// Whether the link must be proven once more.
    pub prove_again: bool,
    /// When it was made.
    pub linked_at: Timestamp,
    /// When the account's password was given for it.
    pub proven_at: Timestamp,
    /// The address that Amazon told last.
    pub amazon_email: Option<Email>,
    /// What was copied into the account.
    pub copied: Copied,
}

/// What is known of an Amazon identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A link from it to an account.
    Linked(Box<Identity>),
    /// An account is being created for it, by this key.
    Pending(CreationKey),
}

/// A link to be written.
pub struct Link<'a> {
    /// Whom Amazon vouches for.
    pub customer: &'a AmazonUserId,
    /// Into which account that leads.
    pub account: &'a AccountId,
    /// The account's epoch.
    pub epoch: u64,
    /// What made the link.
    pub how: How,
    /// The address that Amazon told.
    pub amazon_email: Option<&'a Email>,
    /// When the account's password was given for it.
    pub proven_at: Timestamp,
    /// What was copied into the account, this time included.
    pub copied: &'a Copied,
    /// The creation that this completes.
    pub pending: Option<&'a CreationKey>,
    /// Whether this very link may be there already, and must be proven once more.
    pub again: bool,
    /// When.
    pub now: Timestamp,
}

impl Identities {
    /// The link from this Amazon identity.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn find(&self, customer: &AmazonUserId) -> Result<Option<Identity>, Error> {
        Ok(match self.known(customer).await? {
            Some(Known::Linked(identity)) => Some(*identity),
            Some(Known::Pending(_)) | None => None,
        })
    }

    /// What is known of this Amazon identity.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn known(&self, customer: &AmazonUserId) -> Result<Option<Known>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", amazon(customer)).send().await;
        found.map_err(failed("read a link"))?.item.map(|row| parse(&row)).transpose()
    }

    /// The customer that an account is linked to.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn customer_of(&self, account: &AccountId) -> Result<Option<AmazonUserId>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", reverse(account)).send().await;
        let row = found.map_err(failed("read a link"))?.item;
        row.map(|row| text(&row, "amazon_user_id", AmazonUserId::parse)).transpose()
    }

    /// The account that we created with this address.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn account_with(&self, email: &Email) -> Result<Option<AccountId>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(marker(email))).send().await;
        let row = found.map_err(failed("read an address"))?.item;
        row.map(|row| text(&row, "account_id", AccountId::parse)).transpose()
    }

    /// Links, if neither side is linked otherwise. A creation that came to nothing may be replaced by
    /// any link.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn link(&self, link: &Link<'_>) -> Result<[Write; 2], Error> {
        let forth = Put::builder().table_name(&self.table).set_item(Some(print(link)));
        let forth = match link.pending {
            Some(key) => forth
                .condition_expression("pending = :key")
                .expression_attribute_values(":key", s(key.as_str())),
            None if !link.again => {
                forth.condition_expression("attribute_not_exists(pk) OR attribute_exists(pending)")
            }
            None => forth
                .condition_expression(
                    "attribute_not_exists(pk) OR attribute_exists(pending) \
                     OR (account_id = :account AND prove_again = :yes)",
                )
                .expression_attribute_values(":account", s(link.account.as_str()))
                .expression_attribute_values(":yes", AttributeValue::Bool(true)),
        };
        let back = Put::builder()
            .table_name(&self.table)
            .set_item(Some(row([
                ("pk", reverse(link.account)),
                ("amazon_user_id", s(link.customer.as_str())),
            ])))
            .condition_expression("attribute_not_exists(pk) OR amazon_user_id = :customer")
            .expression_attribute_values(":customer", s(link.customer.as_str()));
        Ok([
            Write::put(Part::Identity, forth.build().map_err(failed("write a link"))?),
            Write::put(Part::Reverse, back.build().map_err(failed("write a link"))?),
        ])
    }

    /// Makes sure that a link is still what it was when it was read, and notes the address that
    /// Amazon told this time, and what is copied.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn still(
        &self,
        customer: &AmazonUserId,
        identity: &Identity,
        amazon_email: Option<&Email>,
        copied: &Copied,
    ) -> Result<Write, Error> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", amazon(customer))
            .condition_expression(
                "account_id = :account AND epoch = :epoch AND attribute_not_exists(prove_again)",
            )
            .expression_attribute_values(":account", s(identity.account.as_str()))
            .expression_attribute_values(":epoch", n(identity.epoch));
        let (mut sets, mut removes) = (Vec::new(), Vec::new());
        for (name, value) in notes(amazon_email, copied) {
            match value {
                Some(value) => {
                    sets.push(format!("{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), s(value));
                }
                None => removes.push(name),
            }
        }
        let clause = |word: &str, parts: String| match parts.is_empty() {
            true => String::new(),
            false => format!("{word} {parts} "),
        };
        let clauses = clause("SET", sets.join(", ")) + &clause("REMOVE", removes.join(", "));
        let update = update.update_expression(clauses.trim_end());
        Ok(Write::update(Part::Identity, update.build().map_err(failed("check a link"))?))
    }

    /// Writes the account's new epoch into its link, if that is still what it was when it was read.
    /// With `prove_again`, it opens nothing until the account's password was given once more.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn restamp(
        &self,
        customer: &AmazonUserId,
        identity: &Identity,
        epoch: u64,
        prove_again: bool,
    ) -> Result<Write, Error> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", amazon(customer))
            .condition_expression("account_id = :account AND linked_at = :linked_at")
            .expression_attribute_values(":account", s(identity.account.as_str()))
            .expression_attribute_values(":linked_at", n(identity.linked_at.0))
            .expression_attribute_values(":epoch", n(epoch));
        let update = match prove_again {
            true => update
                .update_expression("SET epoch = :epoch, prove_again = :yes")
                .expression_attribute_values(":yes", AttributeValue::Bool(true)),
            false => update.update_expression("SET epoch = :epoch"),
        };
        Ok(Write::update(Part::Identity, update.build().map_err(failed("mark a link"))?))
    }

    /// Makes sure that an account is linked to nobody.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn unlinked(&self, account: &AccountId) -> Result<Write, Error> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", reverse(account))
            .condition_expression("attribute_not_exists(pk)");
        Ok(Write::check(Part::Reverse, check.build().map_err(failed("check a link"))?))
    }

    /// Removes a link, if it is still there.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn unlink(
        &self,
        customer: &AmazonUserId,
        account: &AccountId,
    ) -> Result<[Write; 2], Error> {
        let forth = Delete::builder()
            .table_name(&self.table)
            .key("pk", amazon(customer))
            .condition_expression("account_id = :account")
            .expression_attribute_values(":account", s(account.as_str()));
        let back = Delete::builder()
            .table_name(&self.table)
            .key("pk", reverse(account))
            .condition_expression("amazon_user_id = :customer")
            .expression_attribute_values(":customer", s(customer.as_str()));
        Ok([
            Write::delete(Part::Identity, forth.build().map_err(failed("remove a link"))?),
            Write::delete(Part::Reverse, back.build().map_err(failed("remove a link"))?),
        ])
    }

    /// Gives up what keeps an address for an account: the key of a marker, as `META` notes it.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn release(&self, marker: &str, account: &AccountId) -> Result<(), Error> {
        let release = || {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("pk", s(marker))
                // Somebody else's by now, if the account's own claim had gone stale.
                .condition_expression("account_id = :account")
                .expression_attribute_values(":account", s(account.as_str()))
                .send()
        };
        send("give an address up", release).await.map(drop)
    }

    /// Claims an address for an account that is created in the same transaction. A marker that
    /// leads to `stale` may be taken over: that account has gone, or has another address by now.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn claim(
        &self,
        email: &Email,
        account: &AccountId,
        stale: Option<&AccountId>,
    ) -> Result<Write, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(row([("pk", s(marker(email))), ("account_id", s(account.as_str()))])));
        let put = match stale {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(stale) => put
                .condition_expression("attribute_not_exists(pk) OR account_id = :stale")
                .expression_attribute_values(":stale", s(stale.as_str())),
        };
        Ok(Write::put(Part::Email, put.build().map_err(failed("claim an address"))?))
    }
}

pub(crate) fn print(link: &Link<'_>) -> Item {
    let mut row = row([
        ("pk", amazon(link.customer)),
        ("account_id", s(link.account.as_str())),
        ("epoch", n(link.epoch)),
        ("linked_at", n(link.now.0)),
        ("proven_at", n(link.proven_at.0)),
        ("how", s(link.how.as_str())),
    ]);
    for (name, value) in notes(link.amazon_email, link.copied) {
        put_optional(&mut row, name, value);
    }
    row
}

/// What is noted beside a link, by which nobody is let in.
pub(crate) fn notes<'a>(
    amazon_email: Option<&'a Email>,
    copied: &'a Copied,
) -> [(&'static str, Option<&'a str>); 3] {
    [
        ("amazon_email", amazon_email.map(Email::as_str)),
        ("copied_name", copied.name.print()),
        ("copied_postal_code", copied.postal_code.print()),
    ]
}

pub(crate) fn parse(row: &Item) -> Result<Known, Error> {
    if let Some(key) = optional_text(row, "pending", CreationKey::parse)? {
        return Ok(Known::Pending(key));
    }
    let mark = |name| Ok(optional(row, name)?.map(Mark::parse).unwrap_or_default());
    Ok(Known::Linked(Box::new(Identity {
        account: text(row, "account_id", AccountId::parse)?,
        epoch: number(row, "epoch")?,
        prove_again: is_set(row, "prove_again")?,
        linked_at: moment(row, "linked_at")?,
        proven_at: moment(row, "proven_at")?,
        // A note, by which nothing is decided: an old one must not keep anybody out.
        amazon_email: optional(row, "amazon_email")?.and_then(Email::parse),
        copied: Copied { name: mark("copied_name")?, postal_code: mark("copied_postal_code")? },
    })))
}

fn reverse(account: &AccountId) -> AttributeValue {
    s(format!("ACCOUNT#{account}"))
}

pub(crate) fn amazon(customer: &AmazonUserId) -> AttributeValue {
    s(format!("AMAZON#{}", customer.as_str()))
}

/// The key of the marker that keeps an address for one account.
pub(crate) fn marker(email: &Email) -> String {
    format!("EMAIL#{}", hash(&email.lowercase()))
}
