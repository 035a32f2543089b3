//! The plugin of `infra/sites/wordpress` keeps the contract, in a WordPress with a MariaDB of its own.
//! Only `tests/run full` runs this: it takes Debian's packages wordpress, mariadb-server, php-cli and
//! php-mysql, which nothing else here needs.

#![cfg(test)]

mod asking;
mod ended;
mod run;

use std::{env, path::PathBuf, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::asking::{SECRET, ask, code};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_plugin_for_wordpress_is_right() {
    let site = WordPress::start().await;

    let ran = ask(&site.webhook_url, &["--email", "ann@example.com"], "ann-local-password").await;
    assert_eq!(ran.ended("failed"), [""; 0], "{}", ran.out);
    // Its sign-in page takes white space off the ends of a password, too.
    assert_eq!(ran.ended("advice"), ["C45"], "{}", ran.out);
    assert_eq!(ran.ended("not_run"), ["C27", "C48", "C55"], "{}", ran.out);
    assert_eq!(ran.status, 0);

    let twofold = ["--email", "tess@example.com", "--code", &code(b"12345678901234567890")];
    let ran = ask(&site.webhook_url, &twofold, "tess-local-password").await;
    assert_eq!(ran.ended("failed"), [""; 0], "{}", ran.out);
    assert_eq!(ran.ended("not_run"), ["C48"], "{}", ran.out);

    site.stop().await;
}

/// A WordPress that runs, until it is stopped or dropped.
struct WordPress {
    webhook_url: String,
    directory: PathBuf,
    process: Child,
    /// It would end if nobody listened any more.
    _output: Lines<BufReader<ChildStdout>>,
}

impl WordPress {
    async fn start() -> Self {
        let serve = concat!(env!("CARGO_MANIFEST_DIR"), "/../sites/wordpress/serve");
        let directory = env::temp_dir().join(format!("wordpress-{}", std::process::id()));
        let mut process = Command::new(serve)
            .arg(&directory)
            .env("ACCOUNTS_WEBHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut webhook_url = None;
        loop {
            let line = lines.next_line().await.unwrap();
            let line = line.expect("it ended, and said why");
            if let Some(url) = line.strip_prefix("the webhook is ") {
                webhook_url = Some(url.to_owned());
            }
            if line.starts_with("listening on ") {
                break;
            }
        }
        let webhook_url = webhook_url.expect("it said where");
        Self { webhook_url, directory, process, _output: lines }
    }

    /// Has it end by itself, with its database and all of PHP's workers.
    async fn stop(mut self) {
        let id = self.process.id().expect("it runs").to_string();
        assert!(Command::new("kill").arg(id).status().await.unwrap().success());
        self.process.wait().await.unwrap();
    }
}

impl Drop for WordPress {
    fn drop(&mut self) {
        // Where it was not stopped it is about to end.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
