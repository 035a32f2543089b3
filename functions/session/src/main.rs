//! `GET /auth/session`, `GET /auth/verify`: say who is signed in. Also whatever is no route at all.

mod handler;
#[cfg(test)]
mod tests;

use domain::Clock;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Session, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let sessions = store::Sessions { client, table: settings.text("SESSIONS_TABLE")? };
    let idle = settings.seconds("SESSION_IDLE_SECONDS", 43_200)?;
    Ok(handler::Session { clock: Clock::System, site: Site::new(settings)?, idle, sessions })
}
