//! `GET·POST /auth/amazon/link`, `POST …/forgot`, `POST …/cancel`: asks for the local password, then links.

mod handler;
#[cfg(test)]
mod tests;

use entrance::Entrance;
use web::{Fatal, Settings, Site};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve(open).await
}

async fn open(settings: &Settings) -> Result<handler::Link, Fatal> {
    Ok(handler::Link { site: Site::new(settings)?, entrance: Entrance::open(settings).await? })
}
