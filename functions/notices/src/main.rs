//! `TICKETS_TABLE's stream and a schedule`: owners are told of what happened to their accounts.

mod handler;
mod settings;
#[cfg(test)]
mod tests;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), web::Fatal> {
    web::serve_invocations(settings::open, |failure| Err(failure.code.as_str().into())).await
}
