//! A DynamoDB on this machine, with the template's tables.

mod front;
mod gate;
mod rows;
#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use aws_sdk_dynamodb::Client;
use dynoxide::{
    Database, DynoxideError,
    actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest},
    server::serve_with_shutdown,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use self::front::Front;
pub use self::{
    front::{Call, Fault},
    gate::{Gate, Held},
    rows::{Lag, Snapshot},
};
use crate::{
    Error,
    server::{self, Server},
    template::Table,
};

/// A running DynamoDB; it stops when dropped.
pub struct Dynamodb {
    /// Where it listens: `http://127.0.0.1:PORT`; what `AWS_ENDPOINT_URL_DYNAMODB` is set to.
    pub url: String,
    client: Client,
    database: Database,
    tables: Vec<Table>,
    front: Arc<Front>,
    _stop: oneshot::Sender<()>,
    _server: Server,
}

impl Dynamodb {
    /// Starts on this port (a free one if it is 0) with these tables, in memory or in a file.
    ///
    /// # Errors
    ///
    /// The port is taken, the file is no database, or a table cannot be created.
    pub async fn start(port: u16, file: Option<&Path>, tables: &[Table]) -> Result<Self, Error> {
        let database = match file {
            Some(file) => Database::new(file.to_str().ok_or("the path is not UTF-8")?)?,
            None => Database::memory()?,
        };
        for table in tables {
            create(&database, table)?;
        }
        let (inside, stop) = serve(&database).await?;
        let front = Arc::new(Front::new(inside)?);
        let server = Server::start(port, front::router(Arc::clone(&front))).await?;
        let client = Client::new(&crate::sdk(&server.url)?);
        let url = server.url.clone();
        let tables = tables.to_vec();
        Ok(Self { url, client, database, tables, front, _stop: stop, _server: server })
    }

    /// The real SDK's client for it, with the functions' own timeouts and retries.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The database itself, for what does not count as a request.
    pub(crate) fn database(&self) -> Database {
        self.database.clone()
    }

    /// Every request so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.front.calls()
    }

    /// What every request so far was, oldest first.
    pub fn requests(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.what).collect()
    }

    /// Forgets the requests so far.
    pub fn reset_requests(&self) {
        self.front.reset();
    }

    /// Lets something go wrong with requests that [`Self::requests`] tells of in words that start
    /// with `matching`, all of them if it is empty: not with the first few (`skip`), then so many
    /// times, or for good.
    pub fn fault(&self, matching: &str, skip: u32, times: Option<u32>, fault: Fault) {
        self.front.faults.add(matching, skip, times, fault);
    }

    /// Lets nothing go wrong any more.
    pub fn clear_faults(&self) {
        self.front.faults.clear();
    }

    /// Writes a row in DynamoDB's JSON where there is none of its key yet.
    pub(crate) fn put_new(&self, table: &str, key: &str, row: &Value) -> Result<(), Error> {
        let request = serde_json::from_value(json!({
            "TableName": table,
            "Item": row,
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": { "#key": key },
        }))?;
        match self.database.put_item(request) {
            Ok(_) | Err(DynoxideError::ConditionalCheckFailedException(..)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the rows whose time to live is over, as DynamoDB does within days; says how many.
    ///
    /// # Errors
    ///
    /// The database is broken.
    pub fn sweep(&self) -> Result<usize, Error> {
        Ok(self.database.sweep_ttl()?)
    }
}

/// Serves a database on a port of its own, until the sender is dropped.
async fn serve(database: &Database) -> Result<(String, oneshot::Sender<()>), Error> {
    let listener = server::listen(0).await?;
    let url = server::url(&listener);
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(serve_with_shutdown(listener, database.clone(), async {
        // Nothing is ever sent; the sender's end is what counts.
        let _ = stopped.await;
    }));
    Ok((url, stop))
}

fn create(database: &Database, table: &Table) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| format!("table {}: {error}", table.name);
    let request = serde_json::from_value(table.definition.clone());
    match database.create_table(request.map_err(|error| failed(&error))?) {
        Ok(_) => {}
        // A file from last time; what is in it stays.
        Err(DynoxideError::ResourceInUseException(_)) => return Ok(()),
        Err(error) => return Err(failed(&error).into()),
    }
    if let Some(attribute) = &table.ttl {
        let specification =
            TimeToLiveSpecification { attribute_name: attribute.clone(), enabled: true };
        let request = UpdateTimeToLiveRequest {
            table_name: table.name.clone(),
            time_to_live_specification: specification,
        };
        database.update_time_to_live(request).map_err(|error| failed(&error))?;
    }
    Ok(())
}
