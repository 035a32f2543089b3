//! `GET /auth/amazon/login`: sends the visitor to Amazon.

mod handler;
#[cfg(test)]
mod tests;

use domain::{Clock, amazon::Authorization};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(async |settings| {
        let site = web::Site::new(settings)?;
        Ok(handler::Login {
            clock: Clock::System,
            authorization: Authorization {
                client_id: settings.text("LWA_CLIENT_ID")?,
                scope: settings.parsed("LWA_SCOPE", "profile".to_owned())?,
                scope_data: settings.parsed("LWA_SCOPE_DATA", String::new())?,
                redirect_uri: site.redirect_uri(),
            },
            site,
        })
    })
    .await
}
