//! Whether the functions could ask this table at all.

use aws_sdk_dynamodb::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata as _},
    types::{IndexStatus, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription},
};

use crate::{Error, arguments::Place};

/// What a table is like.
pub struct Shape {
    /// About how many accounts it has.
    pub accounts: u64,
    /// What is wrong with its key.
    pub key: Option<String>,
    /// What is wrong with its index by address.
    pub index: Option<String>,
}

impl Shape {
    /// Asks the table.
    ///
    /// # Errors
    ///
    /// It does not answer, or there is none.
    pub async fn of(client: &Client, place: &Place) -> Result<Self, Error> {
        let described = client.describe_table().table_name(&place.table).send().await;
        let described = described.map_err(|error| match error.code() {
            Some(code) => format!("DynamoDB said {code} about the table {}.", place.table),
            None => format!("DynamoDB does not answer: {}", DisplayErrorContext(&error)),
        })?;
        let table = described.table.ok_or("DynamoDB does not describe the table.")?;
        let attributes = &place.attributes;
        let by = attributes.email_key.as_ref().unwrap_or(&attributes.email);
        Ok(Self {
            accounts: table.item_count.and_then(|count| count.try_into().ok()).unwrap_or(0),
            key: wrong_key(&table, table.key_schema(), &attributes.id)
                .map(|said| format!("its key {said}")),
            index: wrong_index(&table, &place.email_index, by),
        })
    }
}

fn wrong_index(table: &TableDescription, name: &str, by: &str) -> Option<String> {
    let index =
        table.global_secondary_indexes().iter().find(|index| index.index_name() == Some(name));
    let Some(index) = index else { return Some(format!("there is no index {name}")) };
    if let Some(said) = wrong_key(table, index.key_schema(), by) {
        return Some(format!("the key of {name} {said}"));
    }
    let active = index.index_status() == Some(&IndexStatus::Active);
    (!active).then(|| format!("{name} is not yet filled"))
}

/// What is wrong with a key that should be one text.
fn wrong_key(table: &TableDescription, key: &[KeySchemaElement], name: &str) -> Option<String> {
    match key {
        [one] if one.key_type() == &KeyType::Hash && one.attribute_name() == name => {
            let definitions = table.attribute_definitions();
            let definition = definitions.iter().find(|one| one.attribute_name() == name)?;
            let text = definition.attribute_type() == &ScalarAttributeType::S;
            (!text).then(|| format!("{name} is no text"))
        }
        [one] => Some(format!("is {}, not {name}", one.attribute_name())),
        _ => Some(format!("is not {name} alone")),
    }
}
