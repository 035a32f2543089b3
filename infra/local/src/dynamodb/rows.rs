//! Rows, seen and changed behind everybody's back: nothing of it counts as a request.

use dynoxide::Database;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    Dynamodb,
    front::{Front, hold},
};
use crate::{Error, template::Table};

/// All rows of all tables, as they were at some moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot(Vec<(String, Vec<Value>)>);

/// As long as this lives, reads that may lag tell what was true when it began.
pub struct Lag {
    front: std::sync::Arc<Front>,
    _stop: oneshot::Sender<()>,
}

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

    /// Gives a row another text, number or truth in one attribute; `null` removes it.
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
        let mut request = json!({
            "TableName": table,
            "Key": texts(key),
            "UpdateExpression": "SET #attribute = :value",
            "ExpressionAttributeNames": { "#attribute": attribute },
        });
        let value = match value.into() {
            Value::Null => {
                request["UpdateExpression"] = "REMOVE #attribute".into();
                self.database.update_item(serde_json::from_value(request)?)?;
                return Ok(());
            }
            Value::Bool(truth) => json!({ "BOOL": truth }),
            Value::Number(number) => json!({ "N": number.to_string() }),
            Value::String(text) => json!({ "S": text }),
            _ => return Err("neither a text nor a number nor a truth".into()),
        };
        request["ExpressionAttributeValues"] = json!({ ":value": value });
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

    /// All rows of all tables.
    ///
    /// # Errors
    ///
    /// The database is broken.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let rows = |table: &Table| Ok((table.name.clone(), self.scan(&table.name)?));
        self.tables.iter().map(rows).collect::<Result<_, _>>().map(Snapshot)
    }

    /// Puts all tables back to how they were.
    ///
    /// # Errors
    ///
    /// The database is broken.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), Error> {
        for (table, before) in &snapshot.0 {
            let now = self.scan(table)?;
            for row in now.iter().filter(|row| !before.contains(row)) {
                let request = json!({ "TableName": table, "Key": self.key_of(table, row) });
                self.database.delete_item(serde_json::from_value(request)?)?;
            }
            for row in before.iter().filter(|row| !now.contains(row)) {
                self.put(table, row)?;
            }
        }
        Ok(())
    }

    /// From now on reads that do not ask for consistency tell what is true now, however long ago
    /// that is by then. DynamoDB promises them nothing better.
    ///
    /// # Errors
    ///
    /// The database cannot be copied.
    pub async fn lag(&self) -> Result<Lag, Error> {
        let past = Database::memory()?;
        for table in &self.tables {
            super::create(&past, table)?;
        }
        for (table, rows) in &self.snapshot()?.0 {
            for row in rows {
                let request = json!({ "TableName": table, "Item": row });
                past.put_item(serde_json::from_value(request)?)?;
            }
        }
        let (url, stop) = super::serve(&past).await?;
        *hold(&self.front.past) = Some(url);
        Ok(Lag { front: std::sync::Arc::clone(&self.front), _stop: stop })
    }

    fn key_of(&self, table: &str, row: &Value) -> Value {
        let definition = self.tables.iter().find(|known| known.name == table);
        let keys = definition.and_then(|table| table.definition["KeySchema"].as_array());
        let names = keys.into_iter().flatten().filter_map(|key| key["AttributeName"].as_str());
        names.map(|name| (name.to_owned(), row[name].clone())).collect()
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

impl Drop for Lag {
    fn drop(&mut self) {
        hold(&self.front.past).take();
    }
}

fn texts(key: &[(&str, &str)]) -> Value {
    key.iter().map(|(name, text)| ((*name).to_owned(), json!({ "S": text }))).collect()
}
