//! `cargo load`: asks a stack on this machine as much as a site is asked at once, or more, and tells how
//! fast it answered and in which words. An answer that has no name is a failure.

use std::{
    collections::BTreeMap,
    env,
    path::Path,
    process::{Command, ExitCode},
    time::Duration,
};

use local_stack::Error;
use tests::load::Load;
use tokio::time::timeout;

const HELP: &str = "\
cargo load [--sessions N] [--sign-ins N] [--passwords N] [--televisions N] [--at-once N] [NAME=VALUE …]

Starts the whole site on this machine, with the limits that it has in the cloud, and asks it:
2000 checks of sessions, 400 sign-ins, 100 visitors with a wrong and a right password,
50 televisions, 32 at once. NAME=VALUE is a parameter of infra/template.yaml, such as
LinkConcurrency=1. Prints a table in Markdown; `gateway` in it is an answer of the gateway's own.
Fails if an answer has no name.";

/// Longer than anybody waits.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::main]
async fn main() -> ExitCode {
    match run(env::args().skip(1)).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Whether every answer had a name.
async fn run(mut words: impl Iterator<Item = String>) -> Result<bool, Error> {
    let (mut load, mut parameters) = (Load::default(), BTreeMap::new());
    while let Some(word) = words.next() {
        let amount = match word.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(true);
            }
            "--sessions" => &mut load.sessions,
            "--sign-ins" => &mut load.sign_ins,
            "--passwords" => &mut load.passwords,
            "--televisions" => &mut load.televisions,
            "--at-once" => &mut load.at_once,
            _ => {
                let parameter = word.split_once('=').filter(|_| !word.starts_with('-'));
                let (name, value) =
                    parameter.ok_or_else(|| format!("{word} is not understood.\n\n{HELP}"))?;
                parameters.insert(name.to_owned(), value.to_owned());
                continue;
            }
        };
        let value = words.next().and_then(|value| value.parse().ok());
        *amount = value.ok_or_else(|| format!("{word} needs a number."))?;
    }
    load.at_once = load.at_once.max(1);
    build()?;
    let stack = Load::stack(parameters).await?;
    let report = timeout(PATIENCE, load.run(&stack)).await.map_err(|_| "this takes too long")??;
    println!("{report}");
    let nameless = report.nameless();
    nameless.iter().for_each(|answer| eprintln!("an answer without a name: {answer}"));
    Ok(nameless.is_empty())
}

/// Builds the functions as this program was built.
fn build() -> Result<(), Error> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked"]).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    if cargo.status()?.success() { Ok(()) } else { Err("the functions do not build".into()) }
}
