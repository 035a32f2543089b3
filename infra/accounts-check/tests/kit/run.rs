//! Runs the real program.

use serde_json::Value;
use tokio::process::Command;

use crate::site::{CLOSED_EMAIL, EMAIL, PASSWORD, SECRET, Site};

/// What the program said, and how it ended.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accounts-check"));
    command.args(arguments).envs(environment.iter().copied()).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        status: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Asks a site everything that can be asked.
pub(crate) async fn ask(site: &Site, more: &[&str]) -> Ran {
    let mut arguments = vec!["--url", &site.url, "--email", EMAIL, "--write"];
    arguments.extend(["--disabled-email", CLOSED_EMAIL]);
    arguments.extend(more);
    let secrets = [("ACCOUNTS_WEBHOOK_SECRET", SECRET), ("ACCOUNTS_CHECK_PASSWORD", PASSWORD)];
    run(&arguments, &secrets).await
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{}{}", self.out, self.err))
    }

    /// The checks that ended like this, with what they saw.
    pub(crate) fn ended(&self, outcome: &str) -> Vec<String> {
        let report = self.json();
        let checks = report["checks"].as_array().unwrap();
        let ended = checks.iter().filter(|check| check["outcome"] == outcome);
        ended.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
    }
}
