//! `GET /auth/amazon/callback`: Amazon sends the visitor back. `POST /auth/amazon/switch`.

mod answer;
mod bound;
mod handler;
mod settings;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve(settings::open).await
}
