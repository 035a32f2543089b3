//! Codes of visitors who signed in locally: in `TICKETS_TABLE`, in the partition of their account.
//!
//! | pk | sk | attributes |
//! |---|---|---|
//! | hash of the account | `CODE#` and the SHA-256 of the code's secret | `account_id`, `name?`, `how`, `at`, `proven?`, `epoch`, `expires_at`, `ttl` |

use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put};
use domain::{
    AccountId, SignInCode, Timestamp,
    session::{How, Session},
};

use crate::{
    Commit, Error, Part, Sessions, Tickets, Write, commit, failed,
    row::{Item, is_set, moment, n, number, optional, put_optional, row, s, text},
    tickets::TTL_SLACK,
};

/// How long a code is good.
pub const CODE_LIVES: Duration = Duration::from_secs(60);

/// A sign-in that happened at the site's own door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSignIn {
    /// Who signed in.
    pub account: AccountId,
    /// What to call them.
    pub name: Option<String>,
    /// How they proved who they are.
    pub how: How,
    /// When.
    pub at: Timestamp,
    /// Whether that is a proof that lets them change how the account is entered.
    pub proven: bool,
    /// The account's epoch.
    pub epoch: u64,
    /// When the code ends.
    pub expires_at: Timestamp,
}

impl Tickets {
    /// Keeps a code, unless the account has been deleted. With the message that asked for it, if that
    /// may be taken once.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn keep_code(
        &self,
        code: &SignInCode,
        sign_in: &LocalSignIn,
        message: Option<Write>,
        sessions: &Sessions,
    ) -> Result<Commit, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(print(code, sign_in)))
            .condition_expression("attribute_not_exists(pk)");
        let put = put.build().map_err(failed("keep a code"))?;
        let mut writes = vec![Write::put(Part::Code, put), sessions.not_deleted(&sign_in.account)?];
        writes.extend(message);
        commit(&self.client, writes).await
    }

    /// The sign-in that a code stands for, whether or not it is still good.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn find_code(&self, code: &SignInCode) -> Result<Option<LocalSignIn>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(code.tag())).key("sk", sort(code)).send().await;
        found.map_err(failed("read a code"))?.item.map(|row| parse(&row)).transpose()
    }

    /// Uses a code up along with opening its session, if it is still good.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn using_code(&self, code: &SignInCode, session: &Session) -> Result<Write, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", s(code.tag()))
            .key("sk", sort(code))
            .condition_expression("account_id = :account AND epoch = :epoch")
            .expression_attribute_values(":account", s(session.account.as_str()))
            .expression_attribute_values(":epoch", n(session.epoch));
        Ok(Write::delete(Part::Code, delete.build().map_err(failed("use up a code"))?))
    }
}

fn sort(code: &SignInCode) -> AttributeValue {
    s(format!("CODE#{}", code.hash()))
}

pub(crate) fn print(code: &SignInCode, sign_in: &LocalSignIn) -> Item {
    let mut row = row([
        ("pk", s(code.tag())),
        ("sk", sort(code)),
        ("account_id", s(sign_in.account.as_str())),
        ("how", s(sign_in.how.as_str())),
        ("at", n(sign_in.at.0)),
        ("epoch", n(sign_in.epoch)),
        ("expires_at", n(sign_in.expires_at.0)),
        ("ttl", n((sign_in.expires_at + TTL_SLACK).0)),
    ]);
    put_optional(&mut row, "name", sign_in.name.as_deref());
    if sign_in.proven {
        row.insert("proven".to_owned(), AttributeValue::Bool(true));
    }
    row
}

pub(crate) fn parse(row: &Item) -> Result<LocalSignIn, Error> {
    Ok(LocalSignIn {
        account: text(row, "account_id", AccountId::parse)?,
        name: optional(row, "name")?.map(str::to_owned),
        how: text(row, "how", How::parse)?,
        at: moment(row, "at")?,
        proven: is_set(row, "proven")?,
        epoch: number(row, "epoch")?,
        expires_at: moment(row, "expires_at")?,
    })
}
