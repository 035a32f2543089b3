//! `POST /auth/logout`: ends the session.

mod handler;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(async |settings| {
        let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
        let aws = aws::config(aws::Place { region, endpoint })?;
        let table = settings.text("SESSIONS_TABLE")?;
        let sessions = store::Sessions { client: store::connect(&aws), table };
        sessions.warm_up().await;
        Ok(handler::Logout { site: web::Site::new(settings)?, sessions })
    })
    .await
}
