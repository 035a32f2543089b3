//! `POST /auth/amazon/device`: a television without a keyboard begins. `POST /auth/amazon/device/poll`: asks.

mod handler;
mod settings;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(settings::open).await
}
