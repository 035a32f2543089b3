//! `GET /auth/amazon/callback`: Amazon sends the visitor back. `POST /auth/amazon/switch`.

mod answer;
mod handler;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(async |settings| {
        let site = web::Site::new(settings)?;
        let region: domain::amazon::Region = settings.parsed("LWA_REGION", Default::default())?;
        let stand_in = settings.loopback_url("LWA_API_URL")?;
        let page = |name, ours: &str| settings.path(name).map(|own| own.unwrap_or(ours.to_owned()));
        Ok(handler::Callback {
            amazon: lwa::Client {
                http: lwa::http()?,
                api: stand_in.clone().unwrap_or_else(|| region.api_url().to_owned()),
                client_id: settings.text("LWA_CLIENT_ID")?,
                redirect_uri: site.redirect_uri(),
            },
            client_secret: handler::client_secret(settings, stand_in.is_some())?,
            link_path: page("LINK_PAGE_PATH", "/auth/amazon/link")?,
            register_path: page("REGISTER_PAGE_PATH", "/auth/amazon/register")?,
            entrance: entrance::Entrance::open(settings).await?,
            site,
        })
    })
    .await
}
