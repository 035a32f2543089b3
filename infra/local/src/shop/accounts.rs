//! The shop's accounts, as it wrote them before anybody here thought of Amazon.

use std::collections::HashMap;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{problem::Problem, token};

/// The table of accounts.
pub(super) struct Accounts {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) email_index: String,
    /// Held from looking an address up to writing it, so that two newcomers cannot share one.
    pub(super) registering: Mutex<()>,
}

/// One account.
pub(super) struct Account {
    pub(super) id: String,
    pub(super) name: Option<String>,
    /// Whether its owner may come in.
    pub(super) open: bool,
    password_hash: Option<String>,
}

impl Accounts {
    /// The account of this id.
    pub(super) async fn find(&self, id: &str) -> Result<Option<Account>, Problem> {
        let found = self.client.get_item().table_name(&self.table).key("id", s(id));
        let found = found.consistent_read(true).send().await;
        Ok(found.map_err(unavailable)?.item.and_then(Account::read))
    }

    /// The account with this address, as it is typed or in lowercase: rows from the early days have
    /// addresses in mixed case.
    pub(super) async fn find_by_email(&self, email: &str) -> Result<Option<Account>, Problem> {
        // The index refuses to be asked for nothing.
        if email.is_empty() {
            return Ok(None);
        }
        for spelling in [email, &email.to_ascii_lowercase()] {
            let found = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(&self.email_index)
                .key_condition_expression("email = :email")
                .expression_attribute_values(":email", s(spelling))
                .limit(1)
                .send()
                .await
                .map_err(unavailable)?;
            let id = found.items().first().and_then(|row| row.get("id")?.as_s().ok());
            if let Some(id) = id {
                return self.find(id).await;
            }
        }
        Ok(None)
    }

    /// Opens an account and tells its id; none if the address has one already.
    pub(super) async fn register(
        &self,
        email: &str,
        name: &str,
        password: String,
    ) -> Result<Option<String>, Problem> {
        let hash = hash(password).await?;
        let _one_at_a_time = self.registering.lock().await;
        if self.find_by_email(email).await?.is_some() {
            return Ok(None);
        }
        let id = token()?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("id", s(&id))
            .item("email", s(email.to_ascii_lowercase()))
            .item("name", s(name))
            .item("password_hash", s(hash))
            .item("status", s("active"))
            .condition_expression("attribute_not_exists(id)");
        put.send().await.map_err(unavailable)?;
        Ok(Some(id))
    }

    /// Gives an account a password, its first or a new one.
    pub(super) async fn set_password(&self, id: &str, password: String) -> Result<(), Problem> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .update_expression("SET password_hash = :hash")
            .condition_expression("attribute_exists(id)")
            .expression_attribute_values(":hash", s(hash(password).await?));
        update.send().await.map_err(unavailable)?;
        Ok(())
    }
}

impl Account {
    fn read(row: HashMap<String, AttributeValue>) -> Option<Self> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self {
            id: text("id")?,
            name: text("name"),
            open: match row.get("status") {
                None => true,
                Some(status) => status.as_s().is_ok_and(|word| word.eq_ignore_ascii_case("active")),
            },
            password_hash: text("password_hash"),
        })
    }
}

/// Whether this is the account's password. It takes as long where there is no account, or none with
/// a password, so that nobody learns which addresses have one.
pub(super) async fn verify(account: Option<&Account>, password: String) -> Result<bool, Problem> {
    let hash = account.and_then(|account| account.password_hash.as_deref());
    let hash = hash.unwrap_or(passwords::decoy());
    let stored = passwords::Stored::parse(hash).map_err(unavailable)?;
    spawn_blocking(move || stored.verify(&password)).await.map_err(unavailable)
}

/// A password as the table keeps it: argon2id, as OWASP recommends it.
async fn hash(password: String) -> Result<String, Problem> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(unavailable)?;
    let mut hash = [0; 32];
    let hashed = spawn_blocking(move || {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
        argon2.hash_password_into(password.as_bytes(), &salt, &mut hash).map(|()| hash)
    });
    let hash = hashed.await.map_err(unavailable)?.map_err(unavailable)?;
    let (m, t, p) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
    let [salt, hash] = [&salt[..], &hash].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    Ok(format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${hash}"))
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// The cause is told without its details, which could be somebody's data.
fn unavailable(cause: impl std::fmt::Display) -> Problem {
    eprintln!("shop: its accounts are out of reach: {cause}");
    Problem::Unavailable
}
