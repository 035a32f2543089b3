//! What is done about an account system that cannot join our transactions: an account is created there
//! before it is linked here, and written to after somebody was let in.

use domain::{AccountId, AmazonUserId, CreationKey, Timestamp, sync::Copied};

use crate::{
    Error, Identities,
    identities::{amazon, notes},
    row::{n, s},
    write::send,
};

impl Identities {
    /// Notes that an account is about to be created for this Amazon identity, by this key. Says whether
    /// nothing was known of it.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn begin(
        &self,
        customer: &AmazonUserId,
        key: &CreationKey,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let begin = || {
            self.client
                .put_item()
                .table_name(&self.table)
                .item("pk", amazon(customer))
                .item("pending", s(key.as_str()))
                .item("started_at", n(now.0))
                // Our own first try, where its answer got lost, is as good.
                .condition_expression("attribute_not_exists(pk) OR pending = :key")
                .expression_attribute_values(":key", s(key.as_str()))
                .send()
        };
        send("begin a creation", begin).await
    }

    /// Gives a creation up, if it is still that one.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn give_up(&self, customer: &AmazonUserId, key: &CreationKey) -> Result<(), Error> {
        let give_up = || {
            self.client
                .delete_item()
                .table_name(&self.table)
                .key("pk", amazon(customer))
                .condition_expression("pending = :key")
                .expression_attribute_values(":key", s(key.as_str()))
                .send()
        };
        send("give a creation up", give_up).await.map(drop)
    }

    /// Notes what was copied, if the link is still there.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn note_copied(
        &self,
        customer: &AmazonUserId,
        account: &AccountId,
        copied: &Copied,
    ) -> Result<(), Error> {
        let note = || {
            let mut update = self
                .client
                .update_item()
                .table_name(&self.table)
                .key("pk", amazon(customer))
                .condition_expression("account_id = :account")
                .expression_attribute_values(":account", s(account.as_str()));
            let mut sets = Vec::new();
            for (name, value) in notes(None, copied) {
                if let Some(value) = value {
                    sets.push(format!("{name} = :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), s(value));
                }
            }
            update.update_expression(format!("SET {}", sets.join(", "))).send()
        };
        send("note what was copied", note).await.map(drop)
    }
}
