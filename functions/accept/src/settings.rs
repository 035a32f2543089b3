//! Reads what accepting takes.

use domain::{Clock, session::Lifetimes};
use web::{Fatal, Settings, Site};

use crate::handler::Accept;

pub(crate) async fn open(settings: &Settings) -> Result<Accept, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let tickets = store::Tickets { client: client.clone(), table: settings.text("TICKETS_TABLE")? };
    let sessions = store::Sessions { client, table: settings.text("SESSIONS_TABLE")? };
    sessions.warm_up().await;
    let lifetimes = Lifetimes {
        idle: settings.seconds("SESSION_IDLE_SECONDS", 43_200)?,
        total: settings.seconds("SESSION_LIFETIME_SECONDS", 604_800)?,
    };
    Ok(Accept { clock: Clock::System, site: Site::new(settings)?, lifetimes, sessions, tickets })
}
