//! The table's pages, each read once, counted, and put right if that was asked for.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    Client,
    error::{DisplayErrorContext, SdkError},
    operation::update_item::UpdateItemError,
    types::AttributeValue,
};
use futures_util::{
    Stream, StreamExt as _,
    stream::{iter, try_unfold},
};

use super::{
    addresses::{Addresses, Salt},
    figures::{Figures, MissingKey},
};
use crate::{
    Error,
    arguments::{Place, Surveying},
};

/// How many accounts are read at once: less than DynamoDB would give, so that little is kept in
/// memory and little is lost when a survey is interrupted.
const PAGE: i32 = 2_500;
/// How many accounts of a page are written at once.
const AT_ONCE: usize = 16;

/// What a page amounts to.
pub(crate) struct Page {
    pub(crate) segment: i32,
    /// Where the next one begins.
    pub(crate) next: Next,
    pub(crate) figures: Figures,
    pub(crate) addresses: Addresses,
}

/// Where to read on in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Start,
    After(String),
    Done,
}

/// Reads a table.
pub(crate) struct Reader {
    client: Client,
    place: Place,
    segments: i32,
    salt: Salt,
    writes: bool,
}

impl Reader {
    pub(crate) fn new(client: Client, surveying: &Surveying, salt: Salt) -> Self {
        let Surveying { place, segments, email_key, yes, .. } = surveying;
        let (place, segments) = (place.clone(), *segments);
        Self { client, place, segments, salt, writes: *email_key && *yes }
    }

    /// The pages of a segment from here on.
    pub(crate) fn pages(
        &self,
        segment: i32,
        from: Next,
    ) -> impl Stream<Item = Result<Page, Error>> {
        try_unfold(from, move |from| async move {
            let after = match from {
                Next::Done => return Ok(None),
                Next::Start => None,
                Next::After(id) => Some(id),
            };
            let page = self.page(segment, after).await?;
            let next = page.next.clone();
            Ok(Some((page, next)))
        })
    }

    async fn page(&self, segment: i32, after: Option<String>) -> Result<Page, Error> {
        let names = &self.place.attributes;
        let mut read =
            BTreeSet::from([&names.id, &names.email, &names.password_hash, &names.status]);
        read.extend(&names.email_key);
        let aliases: HashMap<_, _> =
            (0..).zip(read).map(|(nth, name)| (format!("#n{nth}"), name.clone())).collect();
        let projection: Vec<_> = aliases.keys().map(String::as_str).collect();
        let after = after.map(|id| HashMap::from([(names.id.clone(), AttributeValue::S(id))]));
        let scanned = self
            .client
            .scan()
            .table_name(&self.place.table)
            .segment(segment)
            .total_segments(self.segments)
            .limit(PAGE)
            .projection_expression(projection.join(", "))
            .set_expression_attribute_names(Some(aliases))
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(|error| {
                format!("The table cannot be read: {}", DisplayErrorContext(&error))
            })?;
        let next = match scanned.last_evaluated_key.and_then(|mut key| key.remove(&names.id)) {
            Some(AttributeValue::S(id)) => Next::After(id),
            _ => Next::Done,
        };
        let (mut figures, mut addresses) = (Figures::default(), Addresses::default());
        let mut missing = Vec::new();
        for row in scanned.items.unwrap_or_default() {
            missing.extend(figures.count(&row, &self.place, &mut addresses, &self.salt));
        }
        if let (true, Some(key)) = (self.writes, &names.email_key) {
            let mut writes =
                iter(missing).map(|missing| self.write(key, missing)).buffer_unordered(AT_ONCE);
            while let Some(written) = writes.next().await {
                match written? {
                    true => figures.written += 1,
                    false => figures.changed_meanwhile += 1,
                }
            }
        }
        Ok(Page { segment, next, figures, addresses })
    }

    /// Writes the lowercased attribute, if the address is still the one that was read; says whether.
    async fn write(&self, key: &str, missing: MissingKey) -> Result<bool, Error> {
        let MissingKey { id, email, lowercase } = missing;
        let written = self
            .client
            .update_item()
            .table_name(&self.place.table)
            .key(&self.place.attributes.id, AttributeValue::S(id))
            .update_expression("SET #key = :lowercase")
            .condition_expression(
                "#email = :email AND (attribute_not_exists(#key) OR #key <> :lowercase)",
            )
            .expression_attribute_names("#key", key)
            .expression_attribute_names("#email", &self.place.attributes.email)
            .expression_attribute_values(":email", AttributeValue::S(email))
            .expression_attribute_values(":lowercase", AttributeValue::S(lowercase))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), UpdateItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(false)
            }
            Err(error) => {
                Err(format!("An account cannot be written: {}", DisplayErrorContext(&error)).into())
            }
        }
    }
}
