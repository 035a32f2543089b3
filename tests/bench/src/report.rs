//! The tables, and everything as JSON.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use local_stack::template::Template;
use serde_json::{Value, json};

use crate::{
    Error, FAR,
    doors::Whom,
    flows::Flow,
    measure::{Instructions, Measured},
    share::Share,
};

/// What every figure is a multiple of.
const LEAST: &str = "hello";

/// All that was measured.
pub(crate) struct Report {
    pub(crate) programs: Vec<Measured>,
    /// Requests that hash a password.
    pub(crate) hashes: Vec<Measured>,
    /// A callback with an Amazon that is some way off.
    pub(crate) far: Measured,
    pub(crate) share: Share,
}

/// Prints two tables in Markdown and writes `target/bench.json`.
pub(crate) fn report(root: &Path, flows: &[Flow], report: &Report) -> Result<(), Error> {
    let Report { programs: all, hashes, far, share } = report;
    let sizes = sizes(root, all)?;
    let least = all.iter().find(|measured| measured.name == LEAST).ok_or("no hello")?;
    println!("{}", programs(all, least, &sizes, share));
    for hash in hashes {
        println!("{}: {:.0} ms of CPU.", hash.name, hash.warm_cpu.median() / 1e3);
    }
    let took = far.warm.median() / 1e3;
    let more = took - 2.0 * FAR.as_secs_f64() * 1e3;
    println!(
        "{} with Amazon {FAR:?} away: {took:.1} ms, which is {more:.1} ms more than two round trips.\n",
        far.name
    );
    println!("{}", calls(flows));
    let measured = all.iter().chain(hashes).map(|one| (one.name.clone(), program(one, &sizes)));
    let flows = flows.iter().map(|flow| (flow.name.to_owned(), counts(flow)));
    let everything = json!({
        "versions": versions(root),
        "first_at_128_mb_is": if share.is_real() { "measured" } else { "computed" },
        "programs": Value::Object(measured.collect()),
        "callback_far_us": far.warm.json(),
        "flows": Value::Object(flows.collect()),
        "memory_mb": memory()?,
    });
    let file = root.join("target/bench.json");
    fs::write(&file, serde_json::to_string_pretty(&everything)? + "\n")?;
    println!("All of it, with the spread of each figure: target/bench.json");
    Ok(())
}

/// What the template gives each function, in MB.
fn memory() -> Result<Value, Error> {
    let needed = [
        ("PublicUrl", "https://shop.example"),
        ("LwaClientId", "amzn1.application-oa2-client.0123"),
        ("LwaClientSecretArn", local_stack::CLIENT_SECRET_ARN),
    ];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let functions = Template::read(&needed.into())?.functions;
    Ok(functions
        .into_iter()
        .map(|function| (function.name, Value::from(function.memory)))
        .collect())
}

/// What was used, to be compared with next time.
fn versions(root: &Path) -> Value {
    let said = |program: &str, arguments: &[&str]| {
        let said = Command::new(program).args(arguments).current_dir(root).output();
        said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default()
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name"));
    json!({
        "commit": said("git", &["-c", "safe.directory=*", "describe", "--always", "--dirty"]),
        "rustc": said("rustc", &["--version"]),
        "node": said("node", &["--version"]),
        "valgrind": said("valgrind", &["--version"]),
        "processor": processor.unwrap_or_default().trim_start_matches([' ', '\t', ':']),
        "load": fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
    })
}

/// The bytes of each program's zip; what is no program of ours has none.
fn sizes(root: &Path, all: &[Measured]) -> Result<BTreeMap<String, u64>, Error> {
    let exists = |name: &&str| root.join("target/release").join(name).is_file();
    let names = all.iter().map(|measured| measured.name.as_str()).filter(exists);
    let said = Command::new(root.join("tests/sizes")).arg("--json").args(names).output()?;
    Ok(serde_json::from_slice(&said.stdout)?)
}

fn programs(
    all: &[Measured],
    least: &Measured,
    sizes: &BTreeMap<String, u64>,
    share: &Share,
) -> String {
    let shared = if share.is_real() { "" } else { " (computed)" };
    let mut table = format!(
        "Medians; × is a multiple of what `{LEAST}` takes in the same run.\n\n\
         | | start, wall ms | start, CPU ms | first request, CPU ms | first at 128 MB, ms{shared} | \
         warm p50, µs | p99, µs | warm CPU, µs | M instructions: start | first | warm | peak, MiB | \
         log, B | zip, MB |\n|---|{}\n",
        "---|".repeat(13)
    );
    for one in all {
        let times = |of: fn(&Measured) -> f64| {
            let (value, least) = (of(one), of(least));
            format!("{:.2} (×{:.1})", value / 1e3, value / least)
        };
        let instructions = |of: fn(&Instructions) -> u64| {
            let counted = one.instructions.as_ref().zip(least.instructions.as_ref());
            counted.map_or("–".to_owned(), |(one, least)| {
                let (value, least) = (of(one) as f64, of(least) as f64);
                format!("{:.2} (×{:.1})", value / 1e6, value / least)
            })
        };
        let size = sizes.get(&one.name).map_or("–".to_owned(), |size| megabytes(*size));
        let cells = [
            one.name.clone(),
            format!("{:.2}", one.init.median() / 1e3),
            times(|one| one.init_cpu.median()),
            times(|one| one.first_cpu.median()),
            format!("{:.2}", one.first_shared.median() / 1e3),
            format!("{:.0}", one.warm.median()),
            format!("{:.0}", one.warm.percentile(99)),
            format!(
                "{:.0} (×{:.1})",
                one.warm_cpu.median(),
                one.warm_cpu.median() / least.warm_cpu.median()
            ),
            instructions(|counted| counted.init),
            instructions(|counted| counted.first),
            instructions(|counted| counted.warm),
            format!("{:.1}", one.peak as f64 / 1024.0),
            format!("{:.0}", one.logged),
            size,
        ];
        table += &format!("| {} |\n", cells.join(" | "));
    }
    table
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / 1e6)
}

fn calls(flows: &[Flow]) -> String {
    let mut table = String::from(
        "| request | function | DynamoDB requests | read units | write units | calls to Amazon | others |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for flow in flows {
        let (read, written) = flow.units();
        table += &format!(
            "| {} | `{}` | {} | {read} | {written} | {} | {} |\n",
            flow.name,
            flow.function,
            flow.calls(Whom::Dynamodb),
            flow.calls(Whom::Amazon),
            flow.calls(Whom::Other),
        );
    }
    table
}

fn program(one: &Measured, sizes: &BTreeMap<String, u64>) -> Value {
    let instructions = one.instructions.map(
        |counted| json!({ "init": counted.init, "first": counted.first, "warm": counted.warm }),
    );
    json!({
        "init_us": one.init.json(),
        "init_cpu_us": one.init_cpu.json(),
        "first_us": one.first.json(),
        "first_cpu_us": one.first_cpu.json(),
        "first_at_128_mb_us": one.first_shared.json(),
        "warm_us": one.warm.json(),
        "warm_cpu_us": one.warm_cpu.json(),
        "instructions": instructions,
        "peak_kib": one.peak,
        "log_bytes": one.logged.round(),
        "zip_bytes": sizes.get(&one.name),
    })
}

fn counts(flow: &Flow) -> Value {
    let (read, written) = flow.units();
    json!({
        "function": flow.function,
        "dynamodb_requests": flow.calls(Whom::Dynamodb),
        "read_units": read,
        "write_units": written,
        "amazon_calls": flow.calls(Whom::Amazon),
        "other_calls": flow.calls(Whom::Other),
    })
}
