//! `TICKETS_TABLE's stream and a schedule`: owners are told of what happened to their accounts.

mod handler;
#[cfg(test)]
mod tests;

use domain::{Clock, notice::Destination};
use notify::Messenger;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve_invocations(open, |failure| Err(failure.code.as_str().into())).await
}

async fn open(settings: &Settings) -> Result<handler::Notices, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let tickets = store::Tickets { client, table: settings.text("TICKETS_TABLE")? };
    let destination: Destination = settings.parsed("NOTICES", Destination::Nowhere)?;
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SQS")?;
    let config = aws::config(aws::Place { region, endpoint })?;
    let messenger = Messenger::new(&config, destination);
    Ok(handler::Notices { clock: Clock::System, site: Site::new(settings)?, tickets, messenger })
}
