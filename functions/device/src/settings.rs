//! Reads what televisions need.

use domain::amazon::Region;
use entrance::Entrance;
use secret::Secret;
use web::{Fatal, Settings, Site, Unset};

use crate::handler::{Device, Proxied};

pub(crate) async fn open(settings: &Settings) -> Result<Device, Fatal> {
    let stand_in = settings.loopback_url("LWA_API_URL")?;
    let region = settings.parsed("LWA_REGION", Region::default())?;
    let proxy = settings.proxy("TRUSTED_PROXY")?.map(|proxy| {
        let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_SECRETS_MANAGER")?;
        let config = aws::config(aws::Place { region, endpoint })?;
        let secret = Secret::stored(&config, proxy.secret_arn.clone(), "proxy_secret");
        Ok::<_, Fatal>(Proxied { proxy, secret })
    });
    let amazon = client_id(settings)?.map(|client_id| {
        let api = stand_in.unwrap_or_else(|| region.api_url().to_owned());
        let redirect_uri = String::new();
        Ok::<_, Fatal>(lwa::Client { http: lwa::http()?, api, client_id, redirect_uri })
    });
    Ok(Device {
        site: Site::new(settings)?,
        amazon: amazon.transpose()?,
        scope: settings.parsed("LWA_SCOPE", "profile".to_owned())?,
        proxied: proxy.transpose()?,
        entrance: Entrance::open(settings).await?,
    })
}

/// The televisions' client id. A site without one has none.
fn client_id(settings: &Settings) -> Result<Option<String>, Unset> {
    let name = "LWA_DEVICE_CLIENT_ID";
    let plain = |id: &str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    match settings.optional("LWA_DEVICE_CLIENT_ID") {
        Some(id) if !plain(id) => Err(Unset { name, problem: "is no client id" }),
        id => Ok(id.map(str::to_owned)),
    }
}
