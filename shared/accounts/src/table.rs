//! The account system that is a DynamoDB table.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata as _,
    types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update},
};
use domain::{
    Account, AccountId, CreationKey, Email, Status, Timestamp,
    sync::{Changes, Held, Holdings},
};
use serde_json::Value;

use crate::{
    Attributes, ByEmail, Capabilities, Creation, Done, Error, NewAccount, Proof, Record, System,
    Verdict, unavailable,
};

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
    /// How its passwords are hashed, if that is not told by the hashes: `ACCOUNTS_DIGEST`.
    pub digest: Option<passwords::SaltedDigest>,
}

/// What a row holds, to compare a password with and to make sure that it is still so.
pub(crate) struct Stored {
    status: Option<AttributeValue>,
    pub(crate) password_hash: Option<String>,
    name: Option<AttributeValue>,
    postal_code: Option<AttributeValue>,
}

impl System for Table {
    fn capabilities(&self) -> Capabilities {
        Capabilities { joins_transactions: true, notifies: false }
    }

    async fn find_by_id(&self, id: &AccountId) -> Result<Option<Record>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key(&self.attributes.id, s(id.as_str())).send().await;
        let row = found.map_err(unavailable("read an account"))?.item;
        row.map(|row| self.record(row)).transpose()
    }

    /// The index is asked for the address as it is spelled and in lowercase, or only in lowercase
    /// where the table keeps that. It lags behind, so each hit is read again, consistently, and
    /// counts only if its address is still the one asked for.
    async fn find_by_email(&self, email: &Email) -> Result<ByEmail, Error> {
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
        let mut records = Vec::new();
        for id in ids {
            records.extend(self.find_by_id(&id).await?);
        }
        Ok(ByEmail::among(records, email))
    }

    /// On a thread of its own: hashes are slow on purpose. Where there is no account (any more), a decoy
    /// is hashed, so that this costs the same.
    async fn verify(
        &self,
        _id: &AccountId,
        found: Option<&Record>,
        proof: Proof<'_>,
    ) -> Result<Verdict, Error> {
        let hash = match found.map(|record| &record.stored) {
            None => passwords::decoy(),
            Some(Some(Stored { password_hash: Some(hash), .. })) => hash,
            Some(_) => return Ok(Verdict::NoPassword),
        };
        let stored = match &self.digest {
            Some(digest) => passwords::Stored::parse_with(hash, digest),
            None => passwords::Stored::parse(hash),
        };
        let stored = stored.map_err(|_| Error::Hash)?;
        let password = proof.password.to_owned();
        let verified = tokio::task::spawn_blocking(move || stored.verify(&password)).await;
        match verified.map_err(unavailable("compare a password"))? {
            true => Ok(Verdict::Match),
            false => Ok(Verdict::Mismatch),
        }
    }

    /// The key is the id. The address is kept in lowercase, so that it is found however it is spelled next
    /// time.
    async fn create(
        &self,
        key: &CreationKey,
        new: &NewAccount,
        now: Timestamp,
    ) -> Result<Creation, Error> {
        let (id, names) = (key.account_id(), &self.attributes);
        let mut row = HashMap::new();
        // The site's own fields first: none of them can take the place of what follows, whatever the
        // settings allow.
        let fields = new.fields.iter().filter(|(_, value)| !value.is_empty());
        row.extend(fields.map(|(name, value)| (name.clone(), s(value))));
        for (name, version) in &new.consents {
            let consent = [("version", s(version)), ("at", s(now.rfc3339()))];
            let consent = consent.map(|(name, value)| (name.to_owned(), value));
            row.insert(name.clone(), AttributeValue::M(consent.into()));
        }
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
        for (name, value) in
            [(names.name.as_str(), &new.name), (names.postal_code.as_str(), &new.postal_code)]
        {
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
        let (email, name) = (new.email.clone(), new.name.clone());
        let account = Account { id, email, name, status: Status::Active, has_password: false };
        Ok(Creation::Item(account, Box::new(TransactWriteItem::builder().put(put).build())))
    }

    /// What [`entering`](Self::entering) gave has done it.
    async fn update(&self, _id: &AccountId, _changes: &Changes) -> Result<Done, Error> {
        Ok(Done::Yes)
    }

    async fn notify(&self, _notice: &Value) -> Result<Done, Error> {
        Ok(Done::Unsupported)
    }

    fn entering(
        &self,
        record: &Record,
        changes: &Changes,
    ) -> Result<Option<TransactWriteItem>, Error> {
        self.unchanged(record, changes, false).map(Some)
    }

    fn linking(
        &self,
        record: &Record,
        changes: &Changes,
    ) -> Result<Option<TransactWriteItem>, Error> {
        self.unchanged(record, changes, true).map(Some)
    }
}

impl Table {
    fn unchanged(
        &self,
        record: &Record,
        changes: &Changes,
        password: bool,
    ) -> Result<TransactWriteItem, Error> {
        let names = &self.attributes;
        // A record that came over a wire is none of this table's.
        let stored = record.stored.as_ref().ok_or(Error::Account("row"))?;
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
        same("status", &names.status, stored.status.clone());
        if password {
            same("hash", &names.password_hash, stored.password_hash.clone().map(AttributeValue::S));
        }

        let mut sets = Vec::new();
        for (alias, name, value, before) in [
            ("name", names.name.as_str(), &changes.name, &stored.name),
            ("postal_code", names.postal_code.as_str(), &changes.postal_code, &stored.postal_code),
        ] {
            if let Some(value) = value {
                // What its owner saved meanwhile must not be lost.
                same(&format!("{alias}_before"), name, before.clone());
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
        let found = found.map_err(|error| match error.code() {
            // DynamoDB's word for a key or an index that is none.
            Some("ValidationException") => Error::Index(error.into()),
            _ => unavailable("look an address up")(error),
        });
        let rows = found?.items.unwrap_or_default();
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
            status: names.status_of(status.as_ref()),
            has_password: password_hash.is_some(),
        };
        let held = Holdings {
            name: held(row.get(&names.name)),
            postal_code: held(row.get(&names.postal_code)),
        };
        let value = |name: &str| row.get(name).cloned();
        let (name, postal_code) = (value(&names.name), value(&names.postal_code));
        let stored = Some(Stored { status, password_hash, name, postal_code });
        Ok(Record { account, held, stored })
    }
}

fn held(value: Option<&AttributeValue>) -> Held {
    match value {
        None | Some(AttributeValue::Null(_)) => Held::Nothing,
        Some(AttributeValue::S(text)) => Held::text(text),
        Some(_) => Held::Other,
    }
}

fn id_of(row: &HashMap<String, AttributeValue>, name: &str) -> Result<AccountId, Error> {
    let id = row.get(name).and_then(|value| value.as_s().ok());
    id.and_then(|id| AccountId::parse(id)).ok_or(Error::Account("id"))
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
