//! `POST /auth/lifecycle`, invocations and events: the account system tells what happened.

mod event;
mod handler;
mod settings;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve_both(settings::open).await
}
