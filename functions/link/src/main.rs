//! `GET·POST /auth/amazon/link`, `POST …/forgot`, `POST …/cancel`: asks for the local password, then links.

mod handler;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(async |settings| {
        let entrance = entrance::Entrance::open(settings).await?;
        Ok(handler::Link { site: web::Site::new(settings)?, entrance })
    })
    .await
}
