//! Reads what a hand-off needs.

use domain::amazon::Region;
use entrance::Entrance;
use secret::Secret;
use web::{Fatal, Settings, Site, Unset};

use crate::handler::{Handoff, Proxied};

pub(crate) async fn open(settings: &Settings) -> Result<Handoff, Fatal> {
    let site = Site::new(settings)?;
    let stand_in = settings.loopback_url("LWA_API_URL")?;
    let region = settings.parsed("LWA_REGION", Region::default())?;
    let client_id = settings.text("LWA_CLIENT_ID")?;
    let proxy = settings.proxy("TRUSTED_PROXY")?.map(|proxy| {
        let secret = stored(settings, proxy.secret_arn.clone(), "proxy_secret")?;
        Ok::<_, Fatal>(Proxied { proxy, secret })
    });
    Ok(Handoff {
        client_secret: client_secret(settings, stand_in.is_some())?,
        proxied: proxy.transpose()?,
        clients: clients(settings, &client_id)?,
        amazon: lwa::Client {
            http: lwa::http()?,
            api: stand_in.unwrap_or_else(|| region.api_url().to_owned()),
            client_id,
            redirect_uri: site.redirect_uri(),
        },
        entrance: Entrance::open(settings).await?,
        site,
    })
}

/// Whose tokens are ours: the website's, and those of the site's apps.
fn clients(settings: &Settings, website: &str) -> Result<Vec<String>, Unset> {
    let name = "LWA_ACCEPTED_CLIENT_IDS";
    let apps = settings.optional("LWA_ACCEPTED_CLIENT_IDS").unwrap_or_default();
    let apps = apps.split(',').map(str::trim).filter(|id| !id.is_empty());
    let clients: Vec<_> = [website].into_iter().chain(apps).map(str::to_owned).collect();
    let plain = |id: &String| id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    match clients.iter().all(plain) {
        true => Ok(clients),
        false => Err(Unset { name, problem: "is no list of client ids with commas between" }),
    }
}

/// The client secret: from Secrets Manager, or given where a stand-in on this machine takes Amazon's
/// place.
fn client_secret(settings: &Settings, stand_in: bool) -> Result<Secret, Fatal> {
    if let (true, Some(text)) = (stand_in, settings.optional("LWA_CLIENT_SECRET")) {
        return Ok(Secret::given(text.to_owned()));
    }
    stored(settings, settings.text("LWA_CLIENT_SECRET_ARN")?, "client_secret")
}

fn stored(settings: &Settings, arn: String, member: &'static str) -> Result<Secret, Fatal> {
    let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SECRETS_MANAGER")?;
    let config = aws::config(aws::Place { region, endpoint })?;
    Ok(Secret::stored(&config, arn, member))
}
