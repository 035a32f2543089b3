//! `CodeDeploy's hook before traffic`: a new version shows that it can answer before any visitor meets it.

mod handler;
#[cfg(test)]
mod tests;

use web::{Fatal, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fatal> {
    web::serve_invocations(open, |failure| Err(failure.code.as_str().into())).await
}

async fn open(settings: &Settings) -> Result<handler::Pretraffic, Fatal> {
    let service = |endpoint| {
        let (region, endpoint) = settings.aws(endpoint)?;
        aws::config(aws::Place { region, endpoint }).map_err(Fatal::from)
    };
    let codedeploy = service("AWS_ENDPOINT_URL_CODEDEPLOY")?;
    let lambda = service("AWS_ENDPOINT_URL_LAMBDA")?;
    Ok(handler::Pretraffic { rollout: rollout::Rollout::new(&codedeploy, &lambda) })
}
