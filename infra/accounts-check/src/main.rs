//! `accounts-check`: whether somebody's account system keeps its contract, and what a table holds.

use std::{env, process::ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    accounts_check::run(env::args().skip(1)).await
}
