//! `GET·POST /auth/amazon/register`: opens an account for a newcomer.

mod handler;
#[cfg(test)]
mod tests;

use entrance::Entrance;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Register, Fatal> {
    let link_path = settings.path("LINK_PAGE_PATH")?;
    Ok(handler::Register {
        site: Site::new(settings)?,
        entrance: Entrance::open(settings).await?,
        link_path: link_path.unwrap_or_else(|| "/auth/amazon/link".to_owned()),
    })
}
