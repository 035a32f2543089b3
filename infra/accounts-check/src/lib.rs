//! Whether somebody's account system keeps its contract, and what a table holds: for people as the program
//! `accounts-check`, and its first questions for whoever looks at more than that.

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

pub use self::{
    arguments::Place,
    survey::{Figures, Shape, first_page},
};
use self::{
    arguments::{Checking, HELP, Task},
    kit::{Kit, Outcome},
    report::Report,
    way::{Function, Way, Webhook},
};

/// What went wrong, in a sentence for the person at the terminal.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Does what the words of a command line say.
pub async fn run(words: impl IntoIterator<Item = String>) -> ExitCode {
    let task = match Task::parse(words, setting) {
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

/// What an account system does otherwise than it must.
pub struct Defect {
    /// The check's id, such as `C04`.
    pub id: &'static str,
    /// What should hold.
    pub name: &'static str,
    /// What there was to see.
    pub seen: String,
}

/// Asks a site the first questions: whether it answers us, and nobody else. They find nobody and change
/// nothing.
///
/// # Errors
///
/// The URL or the secret is none, or nobody is there.
pub async fn ask_webhook(url: &str, secret: &str) -> Result<Vec<Defect>, Error> {
    door(Way::Webhook(Box::new(Webhook::new(url, secret)?))).await
}

/// The same of a Lambda function.
///
/// # Errors
///
/// Nobody is there.
pub async fn ask_function(config: &aws::Config, arn: &str) -> Result<Vec<Defect>, Error> {
    door(Way::Function(Function::new(config, arn.to_owned()))).await
}

async fn door(way: Way) -> Result<Vec<Defect>, Error> {
    let ended = Kit::new(way, Default::default(), false)?.door().await?;
    let failed = ended.into_iter().filter(|ended| ended.outcome == Outcome::Failed);
    let defect =
        |ended: kit::Ended| Defect { id: ended.check.id, name: ended.check.name, seen: ended.seen };
    Ok(failed.map(defect).collect())
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
