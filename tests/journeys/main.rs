//! Journeys of visitors: real binaries, a real SDK, a shop, and a stand-in for Amazon.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod accounts_elsewhere;
mod attaching;
mod audit;
mod canaries;
mod crowds;
mod edge;
mod figures;
mod landing;
mod languages;
mod leaving;
mod limits;
mod lines;
mod moving;
mod own_host;
mod own_pages;
mod passwords;
mod permissions;
mod personas;
mod pretraffic;
mod registering;
mod switching;
mod tabs;
mod upgrading;

use local_stack::{Options, Stack};
use serde_json::Value;

/// The site as it is seeded.
async fn stack() -> Stack {
    stack_with(&[]).await
}

/// The site with some of the template's parameters.
async fn stack_with(parameters: &[(&str, &str)]) -> Stack {
    let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let options = Options { parameters: parameters.collect(), ..Options::default() };
    options.start().await.unwrap()
}

/// The rows of a table that have this attribute with this text.
fn rows_with(stack: &Stack, table: &str, attribute: &str, text: &str) -> Vec<Value> {
    let rows = stack.dynamodb.scan(table).unwrap().into_iter();
    rows.filter(|row| row[attribute]["S"] == text).collect()
}

/// How many accounts the site has.
fn accounts(stack: &Stack) -> usize {
    stack.dynamodb.scan("accounts").unwrap().len()
}
