//! Reads what a lifecycle needs.

use domain::{Clock, notice::Destination};
use store::{Identities, Sessions, Tickets};
use web::{Fatal, Settings, Site};

use crate::handler::Lifecycle;

pub(crate) async fn open(settings: &Settings) -> Result<Lifecycle, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let accounts = entrance::accounts(settings, &client)?;
    let tells = entrance::destination(settings, &accounts)? != Destination::Nowhere;
    let table = |name| settings.text(name);
    let sessions = Sessions { client: client.clone(), table: table("SESSIONS_TABLE")? };
    sessions.warm_up().await;
    Ok(Lifecycle {
        clock: Clock::System,
        site: Site::new(settings)?,
        secret: entrance::webhook_secret(settings)?,
        accounts,
        tables: store::Lifecycle {
            identities: Identities { client: client.clone(), table: table("IDENTITIES_TABLE")? },
            tickets: Tickets { client, table: table("TICKETS_TABLE")? },
            sessions,
            tells,
        },
    })
}
