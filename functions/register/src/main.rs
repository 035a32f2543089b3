//! `GET·POST /auth/amazon/register`: opens an account for a newcomer.

mod handler;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(async |settings| {
        let site = web::Site::new(settings)?;
        let link_path = settings.path("LINK_PAGE_PATH")?;
        Ok(handler::Register {
            link_path: link_path.unwrap_or_else(|| "/auth/amazon/link".to_owned()),
            entrance: entrance::Entrance::open(settings).await?,
            site,
        })
    })
    .await
}
