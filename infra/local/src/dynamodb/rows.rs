//! Rows, seen and changed behind everybody's back: nothing of it counts as a request.

use serde_json::{Value, json};

use super::Dynamodb;
use crate::Error;

impl Dynamodb {
    /// Writes a row, in DynamoDB's JSON.
    ///
    /// # Errors
    ///
    /// There is no such table, or the row does not fit it.
    pub fn put(&self, table: &str, row: &Value) -> Result<(), Error> {
        let request = json!({ "TableName": table, "Item": row });
        self.database.put_item(serde_json::from_value(request)?)?;
        Ok(())
    }

    /// The row of a key, in DynamoDB's JSON; `null` if there is none.
    ///
    /// # Errors
    ///
    /// There is no such table, or the key does not fit it.
    pub fn get(&self, table: &str, key: &[(&str, &str)]) -> Result<Value, Error> {
        let request = json!({ "TableName": table, "Key": texts(key), "ConsistentRead": true });
        let answer = self.database.get_item(serde_json::from_value(request)?)?;
        Ok(serde_json::to_value(answer)?["Item"].take())
    }

    /// Gives a row another text, number or truth in one attribute.
    ///
    /// # Errors
    ///
    /// There is no such table, or the key does not fit it.
    pub fn set(
        &self,
        table: &str,
        key: &[(&str, &str)],
        attribute: &str,
        value: impl Into<Value>,
    ) -> Result<(), Error> {
        let value = match value.into() {
            Value::Bool(truth) => json!({ "BOOL": truth }),
            Value::Number(number) => json!({ "N": number.to_string() }),
            Value::String(text) => json!({ "S": text }),
            _ => return Err("neither a text nor a number nor a truth".into()),
        };
        let request = json!({
            "TableName": table,
            "Key": texts(key),
            "UpdateExpression": "SET #attribute = :value",
            "ExpressionAttributeNames": { "#attribute": attribute },
            "ExpressionAttributeValues": { ":value": value },
        });
        self.database.update_item(serde_json::from_value(request)?)?;
        Ok(())
    }

    /// Removes a row.
    ///
    /// # Errors
    ///
    /// There is no such table, or the key does not fit it.
    pub fn delete(&self, table: &str, key: &[(&str, &str)]) -> Result<(), Error> {
        let request = json!({ "TableName": table, "Key": texts(key) });
        self.database.delete_item(serde_json::from_value(request)?)?;
        Ok(())
    }

    /// All rows of a table, in DynamoDB's JSON.
    ///
    /// # Errors
    ///
    /// There is no such table.
    pub fn scan(&self, table: &str) -> Result<Vec<Value>, Error> {
        let answer = self.database.scan(serde_json::from_value(json!({ "TableName": table }))?)?;
        match serde_json::to_value(answer)?["Items"].take() {
            Value::Array(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }
}

fn texts(key: &[(&str, &str)]) -> Value {
    key.iter().map(|(name, text)| ((*name).to_owned(), json!({ "S": text }))).collect()
}
