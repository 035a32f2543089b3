//! `POST /auth/session/accept`: a visitor who signed in at the site's own door gets a session of ours.

mod handler;
mod settings;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(settings::open).await
}
