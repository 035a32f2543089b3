//! A million accounts, in little memory. Everyday it is fewer: `tests/run full` sets the number.

use std::{
    env, fs, io,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::customers::{ATTRIBUTES, Tally, fill, place, table};

/// How much memory a survey may take, in KiB.
const AT_MOST: u64 = 256 << 10;

/// As `tests` has it for its campaigns.
fn customers() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "tests/run says so, and no function reads it")]
    match env::var("CAMPAIGNS").as_deref() {
        Ok("full") => 1_000_000,
        _ => 20_000,
    }
}

/// The most memory that a process had so far, in KiB; nothing where it has ended.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_table_takes_little_memory() {
    let customers = customers();
    let dynamodb = table("mail_key").await;
    let start = Instant::now();
    let expected = tokio::task::block_in_place(|| fill(&dynamodb, customers));
    println!("{customers} accounts: written in {:.0} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let mut survey = Command::new(env!("CARGO_BIN_EXE_accounts-check"))
        .args(["survey", "--table", "customers", "--attributes", ATTRIBUTES, "--json"])
        .envs(place(&dynamodb))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    let (report, most) = tokio::task::block_in_place(|| {
        while survey.try_wait().unwrap().is_none() {
            most = peak(survey.id()).unwrap_or(most);
            thread::sleep(Duration::from_millis(5));
        }
        (io::read_to_string(survey.stdout.take().unwrap()).unwrap(), most)
    });
    println!(
        "{customers} accounts: surveyed in {:.1} s, with {:.1} MiB of memory at most\n{report}",
        start.elapsed().as_secs_f64(),
        most as f64 / 1024.0
    );
    assert_eq!(Tally::of(&serde_json::from_str(&report).unwrap()), expected);
    assert!((1..AT_MOST).contains(&most), "{most} KiB");
}
