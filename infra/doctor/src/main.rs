//! `lwa-doctor`: what is wrong with a deployment, or with the stack on this machine.

mod arguments;
mod checks;
mod deployment;
mod http;
mod report;
mod round;

use std::{
    env,
    io::{IsTerminal as _, stdout},
    process::ExitCode,
};

use self::{
    arguments::{HELP, Place, Task},
    deployment::Deployment,
    report::Report,
    round::Round,
};

/// What went wrong, in a sentence for the person at the terminal.
type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let task = match Task::parse(env::args().skip(1)) {
        Ok(task) => task,
        Err(said) => {
            eprintln!("{said}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let Task::Look(place) = task else {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    };
    let report = match look(place).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let colour = stdout().is_terminal() && setting("NO_COLOR").is_none();
    println!("{}", report.human(colour));
    if report.is_right() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn look(place: Place) -> Result<Report, Error> {
    let is_local = place == Place::Local;
    let deployment = Deployment::at(place).await?;
    let mut round = Round::new(&deployment)?;
    let url = deployment.public_url();
    if is_local && round.http.get(url, &[]).await.is_err() {
        let gone = format!(
            "Nobody is at {url}, where `cargo local` was last: start it, in another terminal."
        );
        return Err(gone.into());
    }
    checks::look(&mut round).await;
    Ok(Report(round.end()))
}

/// A value of the environment that is not empty.
fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is a person's program, not a function")]
    env::var(name).ok().filter(|value| !value.is_empty())
}
