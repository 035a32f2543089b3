//! `GET /auth/session`, `GET /auth/verify`: say who is signed in. Also whatever is no route at all.

mod handler;
#[cfg(test)]
mod tests;

use domain::Clock;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(async |settings| {
        let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
        let aws = aws::config(aws::Place { region, endpoint })?;
        let table = settings.text("SESSIONS_TABLE")?;
        let sessions = store::Sessions { client: store::connect(&aws), table };
        sessions.warm_up().await;
        Ok(handler::Session {
            clock: Clock::System,
            site: web::Site::new(settings)?,
            idle: settings.seconds("SESSION_IDLE_SECONDS", 43_200)?,
            sessions,
        })
    })
    .await
}
