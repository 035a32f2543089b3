//! `POST /auth/logout`: ends the session.

mod handler;
#[cfg(test)]
mod tests;

use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Logout, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let sessions = store::Sessions { client, table: settings.text("SESSIONS_TABLE")? };
    sessions.warm_up().await;
    Ok(handler::Logout { site: Site::new(settings)?, sessions })
}
