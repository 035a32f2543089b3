//! `accounts-check`: whether somebody's account system keeps its contract, and what a table holds.

mod arguments;
mod checks;
mod kit;
mod report;
mod survey;
mod way;

use std::{
    env,
    io::{IsTerminal as _, stdout},
    process::ExitCode,
};

use self::{
    arguments::{Checking, HELP, Task},
    kit::Kit,
    report::Report,
    way::Way,
};

/// What went wrong, in a sentence for the person at the terminal.
type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let task = match Task::parse(env::args().skip(1), setting) {
        Ok(task) => task,
        Err(said) => {
            eprintln!("{said}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let ended = match task {
        Task::Help => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Task::Check(checking) => check(*checking).await,
        Task::Survey(surveying) => survey::run(*surveying).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing is wrong.
async fn check(Checking { system, known, write, json }: Checking) -> Result<bool, Error> {
    let kit = Kit::new(Way::to(system)?, known, write)?;
    let report = Report(kit.run().await?);
    if json {
        println!("{:#}", report.json());
    } else {
        let colour = stdout().is_terminal() && setting("NO_COLOR").is_none();
        println!("{}", report.human(colour));
    }
    Ok(report.is_right())
}

/// A value of the environment that is not empty.
fn setting(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is a person's program, not a function")]
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// How AWS is reached, as its own tools are told.
fn aws(service: &str) -> Result<aws::Config, Error> {
    let region = setting("AWS_REGION").or_else(|| setting("AWS_DEFAULT_REGION"));
    let own = setting(&format!("AWS_ENDPOINT_URL_{service}"));
    let endpoint = own.or_else(|| setting("AWS_ENDPOINT_URL"));
    let region = region.ok_or("AWS_REGION is not set.")?;
    Ok(aws::config(aws::Place { region, endpoint })?)
}
