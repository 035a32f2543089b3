//! Reads what telling takes.

use domain::{Clock, notice::Destination};
use notify::Messenger;
use store::{Client, Tickets};
use web::{Fatal, Settings, Site};

use crate::handler::{Listener, Notices};

pub(crate) async fn open(settings: &Settings) -> Result<Notices, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let listener = listener(settings, &client)?;
    let tickets = Tickets { client, table: settings.text("TICKETS_TABLE")? };
    Ok(Notices { clock: Clock::System, site: Site::new(settings)?, tickets, listener })
}

fn listener(settings: &Settings, client: &Client) -> Result<Option<Listener>, Fatal> {
    let accounts = entrance::accounts(settings, client)?;
    let destination = entrance::destination(settings, &accounts)?;
    if destination == Destination::Account {
        return Ok(Some(Listener::Accounts(Box::new(accounts))));
    }
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SQS")?;
    let config = aws::config(aws::Place { region, endpoint })?;
    Ok(Messenger::new(&config, destination).map(Listener::Messenger))
}
