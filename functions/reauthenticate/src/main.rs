//! `GET·POST /auth/reauthenticate`: a fresh proof before something changes about how an account is entered.

mod handler;
#[cfg(test)]
mod tests;

use entrance::Entrance;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Reauthenticate, Fatal> {
    let site = Site::new(settings)?;
    let authorization = settings.authorization(&site)?;
    let entrance = Entrance::open(settings).await?;
    Ok(handler::Reauthenticate { site, authorization, entrance })
}
