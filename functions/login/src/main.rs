//! `GET /auth/amazon/login`: sends the visitor to Amazon.

mod handler;
#[cfg(test)]
mod tests;

use domain::Clock;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Login, Fatal> {
    let site = Site::new(settings)?;
    let authorization = settings.authorization(&site)?;
    Ok(handler::Login { clock: Clock::System, site, authorization })
}
