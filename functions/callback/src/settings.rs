//! Reads what a callback needs.

use domain::amazon::Region;
use entrance::Entrance;
use secret::Secret;
use web::{Fatal, Settings, Site};

use crate::handler::Callback;

pub(crate) async fn open(settings: &Settings) -> Result<Callback, Fatal> {
    let site = Site::new(settings)?;
    let stand_in = settings.loopback_url("LWA_API_URL")?;
    let client_secret = client_secret(settings, stand_in.is_some())?;
    let region = settings.parsed("LWA_REGION", Region::default())?;
    let page = |name, ours: &str| settings.path(name).map(|own| own.unwrap_or(ours.to_owned()));
    Ok(Callback {
        amazon: lwa::Client {
            http: lwa::http()?,
            api: stand_in.unwrap_or_else(|| region.api_url().to_owned()),
            client_id: settings.text("LWA_CLIENT_ID")?,
            redirect_uri: site.redirect_uri(),
        },
        client_secret,
        link_path: page("LINK_PAGE_PATH", "/auth/amazon/link")?,
        register_path: page("REGISTER_PAGE_PATH", "/auth/amazon/register")?,
        entrance: Entrance::open(settings).await?,
        site,
    })
}

/// The client secret: from Secrets Manager, or given where a stand-in on this machine takes Amazon's
/// place.
fn client_secret(settings: &Settings, stand_in: bool) -> Result<Secret, Fatal> {
    if let (true, Some(text)) = (stand_in, settings.optional("LWA_CLIENT_SECRET")) {
        return Ok(Secret::given(text.to_owned()));
    }
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SECRETS_MANAGER")?;
    let config = aws::config(aws::Place { region, endpoint })?;
    let arn = settings.text("LWA_CLIENT_SECRET_ARN")?;
    Ok(Secret::stored(&config, arn, "client_secret"))
}
