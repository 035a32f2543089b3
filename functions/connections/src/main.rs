//! `GET /auth/connections`, `POST …/amazon/link`, `…/amazon/unlink`, `…/sessions/revoke`, `…/undo`: one's own.

mod handler;
mod revoke;
#[cfg(test)]
mod tests;
mod undo;

use entrance::Entrance;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Connections, Fatal> {
    let site = Site::new(settings)?;
    let authorization = settings.authorization(&site)?;
    let entrance = Entrance::open(settings).await?;
    Ok(handler::Connections { site, authorization, entrance })
}
