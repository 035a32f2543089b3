//! `POST /auth/amazon/token`: an app trades its Amazon token or code for a session.

mod handed;
mod handler;
mod settings;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(settings::open).await
}
