//! `GET /auth/connections`, `POST …/amazon/link`, `…/amazon/unlink`, `…/sessions/revoke`, `…/undo`: one's own.

mod handler;
mod revoke;
#[cfg(test)]
mod tests;
mod undo;

use domain::amazon::Authorization;
use entrance::Entrance;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Connections, Fatal> {
    let site = Site::new(settings)?;
    let authorization = Authorization {
        client_id: settings.text("LWA_CLIENT_ID")?,
        scope: settings.parsed("LWA_SCOPE", "profile".to_owned())?,
        scope_data: settings.json_object("LWA_SCOPE_DATA")?.to_owned(),
        redirect_uri: site.redirect_uri(),
    };
    let entrance = Entrance::open(settings).await?;
    Ok(handler::Connections { site, authorization, entrance })
}
