//! `API Gateway's authorizer`: whether a request to the site's own routes comes from somebody signed in.

mod handler;
#[cfg(test)]
mod tests;

use domain::Clock;
use web::{Fatal, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve_invocations(open, |_| Ok(handler::denied())).await
}

async fn open(settings: &Settings) -> Result<handler::Authorizer, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
    let sessions = store::Sessions { client, table: settings.text("SESSIONS_TABLE")? };
    let idle = settings.seconds("SESSION_IDLE_SECONDS", 43_200)?;
    Ok(handler::Authorizer { clock: Clock::System, idle, sessions })
}
