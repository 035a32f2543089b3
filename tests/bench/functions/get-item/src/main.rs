//! One read of one row through the SDK, configured as our functions configure it: what a session check
//! is compared with. Called with `cold` it opens no connection before its first request.

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "nothing else is read, and nothing deployed")]
    let endpoint = std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok();
    let place = aws::Place { region: "us-east-1".to_owned(), endpoint };
    let client = &Client::from_conf((&aws::config(place)?).into());
    if std::env::args().nth(1).as_deref() != Some("cold") {
        // Refused or not: the connection is open.
        let _ = read(client, "-").await;
    }
    run(service_fn(async |_: Request| read(client, "row").await)).await
}

async fn read(client: &Client, key: &str) -> Result<String, Error> {
    let key = AttributeValue::S(key.to_owned());
    let read = client.get_item().table_name("sessions").consistent_read(true);
    let found = read.key("pk", key.clone()).key("sk", key).send().await?;
    Ok(found.item.map_or(0, |row| row.len()).to_string())
}
