//! The account system that is a DynamoDB table.

use std::{collections::HashMap, fmt, str::FromStr};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update},
};
use domain::{Account, AccountId, Email, Status, Timestamp};

use crate::{ByEmail, Changes, Error, NewAccount, Verdict};

/// An existing table of accounts.
#[derive(Clone)]
pub struct Table {
    /// The client.
    pub client: Client,
    /// The table's name, `ACCOUNTS_TABLE`.
    pub table: String,
    /// Its index by address, `ACCOUNTS_EMAIL_INDEX`.
    pub email_index: String,
    /// What its attributes are called, `ACCOUNTS_ATTRIBUTES`.
    pub attributes: Attributes,
}

/// What a table calls the attributes that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// The table's key.
    pub id: String,
    /// The address, as its owner spells it.
    pub email: String,
    /// The address in lowercase, if the table has that; then it is the key of the index.
    pub email_key: Option<String>,
    /// The password's hash.
    pub password_hash: String,
    /// What to call the owner.
    pub name: String,
    /// Whether anybody may enter: absent or `active` is yes, `locked` is not now, all else is no.
    pub status: String,
}

impl Default for Attributes {
    fn default() -> Self {
        let [id, email, password_hash, name, status] =
            ["id", "email", "password_hash", "name", "status"].map(str::to_owned);
        Self { id, email, email_key: None, password_hash, name, status }
    }
}

/// Reads `id=id,email=email,email_key=,…`; what is left out keeps its default.
impl FromStr for Attributes {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut attributes = Self::default();
        for pair in text.split(',') {
            let (ours, theirs) = pair.split_once('=').ok_or(())?;
            let theirs = theirs.trim();
            let place = match ours.trim() {
                "email_key" => {
                    attributes.email_key = (!theirs.is_empty()).then(|| theirs.to_owned());
                    continue;
                }
                "id" => &mut attributes.id,
                "email" => &mut attributes.email,
                "password_hash" => &mut attributes.password_hash,
                "name" => &mut attributes.name,
                "status" => &mut attributes.status,
                _ => return Err(()),
            };
            if theirs.is_empty() {
                return Err(());
            }
            theirs.clone_into(place);
        }
        Ok(attributes)
    }
}

/// An account as it was read, to compare a password with and to build on.
pub struct Record {
    /// What signing in needs to know of it.
    pub account: Account,
    status: Option<AttributeValue>,
    pub(crate) password_hash: Option<String>,
    row: HashMap<String, AttributeValue>,
}

/// A hash stays out of logs, and so does whatever else the row holds.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", self.account.id)
    }
}

impl Table {
    /// The account of this id.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is no account.
    pub async fn find_by_id(&self, id: &AccountId) -> Result<Option<Record>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key(&self.attributes.id, s(id.as_str())).send().await;
        let row = found.map_err(unavailable("read an account"))?.item;
        row.map(|row| self.record(row)).transpose()
    }

    /// The account with this address.
    ///
    /// The index is asked for the address as it is spelled and in lowercase, or only in lowercase
    /// where the table keeps that. It lags behind, so each hit is read again, consistently, and
    /// counts only if its address is still the one asked for.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or a row is no account.
    pub async fn find_by_email(&self, email: &Email) -> Result<ByEmail, Error> {
        let lowercase = email.lowercase();
        let mut ids = Vec::new();
        match &self.attributes.email_key {
            Some(key) => ids = self.ids_with(key, &lowercase).await?,
            None => {
                ids.extend(self.ids_with(&self.attributes.email, email.as_str()).await?);
                if lowercase != email.as_str() {
                    ids.extend(self.ids_with(&self.attributes.email, &lowercase).await?);
                }
            }
        }
        ids.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        ids.dedup();
        let mut matching = None;
        for id in ids {
            let Some(record) = self.find_by_id(&id).await? else { continue };
            if record.account.email.as_ref() == Some(email)
                && matching.replace(Box::new(record)).is_some()
            {
                return Ok(ByEmail::Several);
            }
        }
        Ok(matching.map_or(ByEmail::Nobody, ByEmail::One))
    }

    /// Compares a password with the account's, on a thread of its own: hashes are slow on purpose.
    /// Where there is no account (any more), a decoy is hashed, so that this costs the same.
    ///
    /// # Errors
    ///
    /// [`Error::Hash`] where the stored hash cannot be compared with.
    pub async fn verify(&self, record: Option<&Record>, password: &str) -> Result<Verdict, Error> {
        let hash = match record {
            None => passwords::decoy(),
            Some(Record { password_hash: None, .. }) => return Ok(Verdict::NoPassword),
            Some(Record { password_hash: Some(hash), .. }) => hash,
        };
        let stored = passwords::Stored::parse(hash).map_err(|_| Error::Hash)?;
        let password = password.to_owned();
        let verified = tokio::task::spawn_blocking(move || stored.verify(&password)).await;
        match verified.map_err(unavailable("compare a password"))? {
            true => Ok(Verdict::Match),
            false => Ok(Verdict::Mismatch),
        }
    }

    /// A new account, and the item that writes it. Its address is kept in lowercase, so that it is
    /// found however it is spelled next time.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn create(
        &self,
        id: &AccountId,
        new: &NewAccount,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Error> {
        let names = &self.attributes;
        let mut row = HashMap::new();
        // The site's own fields first: none of them can take the place of what follows.
        row.extend(
            new.fields
                .iter()
                .filter(|(_, value)| !value.is_empty())
                .cloned()
                .map(|(name, value)| (name, AttributeValue::S(value))),
        );
        for reserved in [&names.password_hash, &names.status] {
            row.remove(reserved);
        }
        if let Some(email) = &new.email {
            row.insert(names.email.clone(), s(email.lowercase()));
            if let Some(key) = &names.email_key {
                row.insert(key.clone(), s(email.lowercase()));
            }
            row.insert("email_verified".to_owned(), AttributeValue::Bool(false));
        }
        for (name, value) in [(names.name.as_str(), &new.name), ("postal_code", &new.postal_code)] {
            if let Some(value) = value {
                row.entry(name.to_owned()).or_insert_with(|| s(value));
            }
        }
        row.insert("created_at".to_owned(), s(now.rfc3339()));
        row.insert(names.id.clone(), s(id.as_str()));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(row))
            .condition_expression("attribute_not_exists(#id)")
            .expression_attribute_names("#id", &names.id)
            .build()
            .map_err(unavailable("create an account"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The item that makes sure that an account may still be entered, and writes what the sign-in
    /// changes. Its password may have been changed meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn entering(&self, record: &Record, changes: &Changes) -> Result<TransactWriteItem, Error> {
        self.unchanged(record, changes, false)
    }

    /// The item that makes sure that an account may still be entered with the password that was just
    /// compared, and writes what the sign-in changes.
    ///
    /// # Errors
    ///
    /// [`Error`], never seen.
    pub fn linking(&self, record: &Record, changes: &Changes) -> Result<TransactWriteItem, Error> {
        self.unchanged(record, changes, true)
    }

    fn unchanged(
        &self,
        record: &Record,
        changes: &Changes,
        password: bool,
    ) -> Result<TransactWriteItem, Error> {
        let names = &self.attributes;
        let mut condition = "attribute_exists(#id)".to_owned();
        let mut aliases = HashMap::from([("#id".to_owned(), names.id.clone())]);
        let mut values = HashMap::new();
        let mut same = |alias: &str, name: &str, value: Option<AttributeValue>| {
            aliases.insert(format!("#{alias}"), name.to_owned());
            match value {
                None => condition.push_str(&format!(" AND attribute_not_exists(#{alias})")),
                Some(value) => {
                    condition.push_str(&format!(" AND #{alias} = :{alias}"));
                    values.insert(format!(":{alias}"), value);
                }
            }
        };
        same("status", &names.status, record.status.clone());
        if password {
            same("hash", &names.password_hash, record.password_hash.clone().map(AttributeValue::S));
        }

        let mut sets = Vec::new();
        for (alias, name, value) in [
            ("name", names.name.as_str(), &changes.name),
            ("postal_code", "postal_code", &changes.postal_code),
        ] {
            if let Some(value) = value {
                // What its owner saved meanwhile must not be lost.
                same(&format!("{alias}_before"), name, record.row.get(name).cloned());
                sets.push((alias, name, value));
            }
        }
        let set: Vec<String> =
            sets.iter().map(|(alias, ..)| format!("#{alias} = :{alias}")).collect();
        for (alias, name, value) in sets {
            aliases.insert(format!("#{alias}"), name.to_owned());
            values.insert(format!(":{alias}"), s(value));
        }
        let key = s(record.account.id.as_str());
        let values = (!values.is_empty()).then_some(values);
        let item = TransactWriteItem::builder();
        if set.is_empty() {
            let check = ConditionCheck::builder()
                .table_name(&self.table)
                .key(&names.id, key)
                .condition_expression(condition)
                .set_expression_attribute_names(Some(aliases))
                .set_expression_attribute_values(values)
                .build()
                .map_err(unavailable("check an account"))?;
            return Ok(item.condition_check(check).build());
        }
        let update = Update::builder()
            .table_name(&self.table)
            .key(&names.id, key)
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(aliases))
            .set_expression_attribute_values(values)
            .build()
            .map_err(unavailable("update an account"))?;
        Ok(item.update(update).build())
    }

    async fn ids_with(&self, attribute: &str, email: &str) -> Result<Vec<AccountId>, Error> {
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(&self.email_index)
            .key_condition_expression("#email = :email")
            .expression_attribute_names("#email", attribute)
            .expression_attribute_values(":email", s(email))
            // Two are too many already; a few more leave room for hits that the index has not yet forgotten.
            .limit(8)
            .send()
            .await;
        let rows = found.map_err(unavailable("look an address up"))?.items.unwrap_or_default();
        rows.iter().map(|row| id_of(row, &self.attributes.id)).collect()
    }

    pub(crate) fn record(&self, row: HashMap<String, AttributeValue>) -> Result<Record, Error> {
        let names = &self.attributes;
        let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned();
        let status = row.get(&names.status).cloned();
        // `!` and `*` begin what Django and Unix write where there is no password.
        let is_one = |hash: &String| !hash.is_empty() && !hash.starts_with(['!', '*']);
        let password_hash = text(&names.password_hash).filter(is_one);
        let account = Account {
            id: id_of(&row, &names.id)?,
            email: text(&names.email).as_deref().and_then(Email::parse),
            name: text(&names.name).and_then(|name| domain::amazon::fit_to_show(&name, 128)),
            status: match &status {
                None => Status::Active,
                Some(AttributeValue::S(word)) if word.eq_ignore_ascii_case("active") => {
                    Status::Active
                }
                Some(AttributeValue::S(word)) if word.eq_ignore_ascii_case("locked") => {
                    Status::Locked
                }
                Some(_) => Status::Disabled,
            },
            has_password: password_hash.is_some(),
        };
        Ok(Record { account, status, password_hash, row })
    }
}

impl Record {
    /// Whether the account has nothing in this attribute yet.
    pub fn lacks(&self, attribute: &str) -> bool {
        match self.row.get(attribute) {
            None | Some(AttributeValue::Null(_)) => true,
            Some(AttributeValue::S(text)) => text.trim().is_empty(),
            Some(_) => false,
        }
    }

    /// Whether the account already has this text in this attribute.
    pub fn has(&self, attribute: &str, text: &str) -> bool {
        matches!(self.row.get(attribute), Some(AttributeValue::S(value)) if value == text)
    }
}

fn id_of(row: &HashMap<String, AttributeValue>, name: &str) -> Result<AccountId, Error> {
    let id = row.get(name).and_then(|value| value.as_s().ok());
    id.and_then(|id| AccountId::parse(id)).ok_or(Error::Account("id"))
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn unavailable<E>(to: &'static str) -> impl FnOnce(E) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    move |error| Error::Unavailable(to, error.into())
}
