//! How much of something is allowed in a window of time: see `tickets` for its rows.

use aws_sdk_dynamodb::types::Update;
use domain::{Timestamp, link::Limit};

use crate::{
    Error, Tickets, failed,
    row::{n, number, s},
    tickets::TTL_SLACK,
    write::send,
};

const HAS_ROOM: &str = "attribute_not_exists(taken) OR taken < :most";

/// Whether something that is limited is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is, and is counted.
    Taken,
    /// Too much of it was done.
    Limited {
        /// When more of it is allowed.
        resets_at: Timestamp,
    },
}

impl Tickets {
    /// Takes one from each of these limits in turn, as far as they allow it: what the first refuses is
    /// not counted by the next. Each is counted by itself, for transactions about one row, such as
    /// that of a limit that all share, would stand in each other's way.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer.
    pub async fn take(&self, limits: &[Limit]) -> Result<Taken, Error> {
        for limit in limits {
            let count = self.counting(limit)?;
            let take = || {
                self.client
                    .update_item()
                    .table_name(&self.table)
                    .set_key(Some(count.key.clone()))
                    .update_expression(&count.update_expression)
                    .condition_expression(HAS_ROOM)
                    .set_expression_attribute_names(count.expression_attribute_names.clone())
                    .set_expression_attribute_values(count.expression_attribute_values.clone())
                    .send()
            };
            if !send("count an attempt", take).await? {
                return Ok(Taken::Limited { resets_at: limit.resets_at });
            }
        }
        Ok(Taken::Taken)
    }

    /// Counts one more in the window of a limit, if that has room.
    pub(crate) fn counting(&self, limit: &Limit) -> Result<Update, Error> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", s(format!("LIMIT#{}", limit.key)))
            .key("sk", s(limit.window.to_string()))
            .update_expression("ADD taken :one SET #ttl = :ttl")
            .condition_expression(HAS_ROOM)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":most", n(limit.most))
            .expression_attribute_values(":ttl", n((limit.resets_at + TTL_SLACK).0));
        update.build().map_err(failed("count an attempt"))
    }

    /// When all of these limits allow another attempt.
    pub(crate) async fn free_at(&self, limits: &[Limit]) -> Result<Timestamp, Error> {
        let mut free_at = Timestamp(0);
        for limit in limits {
            let found = self.client.get_item().table_name(&self.table).consistent_read(true);
            let found = found
                .key("pk", s(format!("LIMIT#{}", limit.key)))
                .key("sk", s(limit.window.to_string()))
                .send()
                .await;
            let row = found.map_err(failed("read a limit"))?.item;
            let taken: u32 = row.map_or(Ok(0), |row| number(&row, "taken"))?;
            if taken >= limit.most {
                free_at = free_at.max(limit.resets_at);
            }
        }
        Ok(free_at)
    }
}
