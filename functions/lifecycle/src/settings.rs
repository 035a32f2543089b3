//! Reads what a lifecycle needs.

use domain::{Clock, notice::Destination};
use secret::Secret;
use store::{Identities, Sessions, Tickets};
use web::{Fatal, Settings, Site};

use crate::handler::Lifecycle;

pub(crate) async fn open(settings: &Settings) -> Result<Lifecycle, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let table = |name| settings.text(name);
    let sessions = Sessions { client: client.clone(), table: table("SESSIONS_TABLE")? };
    sessions.warm_up().await;
    Ok(Lifecycle {
        clock: Clock::System,
        site: Site::new(settings)?,
        secret: secret(settings)?,
        accounts: accounts::Table {
            client: client.clone(),
            table: table("ACCOUNTS_TABLE")?,
            email_index: settings.parsed("ACCOUNTS_EMAIL_INDEX", "by_email".to_owned())?,
            attributes: settings.parsed("ACCOUNTS_ATTRIBUTES", Default::default())?,
        },
        tables: store::Lifecycle {
            identities: Identities { client: client.clone(), table: table("IDENTITIES_TABLE")? },
            tickets: Tickets { client, table: table("TICKETS_TABLE")? },
            sessions,
            tells: settings.parsed("NOTICES", Destination::Nowhere)? != Destination::Nowhere,
        },
    })
}

/// What signed requests are signed with; where there is no such secret, none are taken.
fn secret(settings: &Settings) -> Result<Option<Secret>, Fatal> {
    let Some(arn) = settings.optional("ACCOUNTS_WEBHOOK_SECRET_ARN") else { return Ok(None) };
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SECRETS_MANAGER")?;
    let config = aws::config(aws::Place { region, endpoint })?;
    Ok(Some(Secret::stored(&config, arn.to_owned(), "webhook_secret")))
}
