//! What our code never does, wherever it stands.

use crate::{below, is_test, none, read};

/// Every line of code that is deployed, with where it stands; comments and tests left out.
fn code() -> Vec<(String, String)> {
    let mut sources = below("shared/", ".rs");
    sources.extend(below("functions/", ".rs"));
    sources.retain(|path| path.contains("/src/") && !is_test(path));
    // Modules that only tests have: their files lie beside the one that names them.
    let mut for_tests = Vec::new();
    for path in &sources {
        let (folder, source) = (path.rsplit_once('/').unwrap_or_default().0, read(path));
        for (_, rest) in
            source.match_indices("#[cfg(test)]\nmod ").map(|(at, _)| source.split_at(at))
        {
            let name = rest.split_once("mod ").unwrap_or_default().1;
            let name = name.split([';', ' ']).next().unwrap_or_default();
            for_tests.push(format!("{folder}/{name}.rs"));
        }
    }
    sources.retain(|path| !for_tests.contains(path));
    let mut lines = Vec::new();
    for path in sources {
        let source = read(&path);
        let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        lines.extend(code.lines().filter(is_code).map(|line| (path.clone(), line.to_owned())));
    }
    assert!(lines.len() > 1000, "{}", lines.len());
    lines
}

/// Complains of every line that contains one of these words, but for files that may.
fn never(words: &[&str], why: &str, may: &[&str]) -> Vec<String> {
    let code = code();
    let found = code.iter().filter(|(path, _)| !may.contains(&path.as_str()));
    let found = found.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
    found.map(|(path, line)| format!("{path}: {} ({why})", line.trim())).collect()
}

/// The functions of a crate, as texts: what follows each `fn`.
fn functions(folder: &str) -> Vec<String> {
    let code = code();
    let lines = code.iter().filter(|(path, _)| path.starts_with(folder));
    let text: Vec<_> = lines.map(|(_, line)| line.as_str()).collect();
    text.join("\n").split("fn ").skip(1).map(str::to_owned).collect()
}

fn count(text: &str, parts: &[&str]) -> usize {
    parts.iter().map(|part| text.matches(part).count()).sum()
}

#[test]
fn a22_every_redirect_is_a_303() {
    let others = [
        "MULTIPLE_CHOICES",
        "MOVED_PERMANENTLY",
        "StatusCode::FOUND",
        "TEMPORARY_REDIRECT",
        "PERMANENT_REDIRECT",
    ];
    let mut wrong = never(&others, "a browser may post a password again", &[]);
    let places = ["SEE_OTHER", "header::LOCATION", "\"location\""];
    wrong.extend(never(&places, "reply::see_other does this", &["shared/web/src/reply.rs"]));
    none(wrong);
}

#[test]
fn f10_no_row_is_written_without_a_condition() {
    let writes = [".put_item()", ".update_item()", "Put::builder()", "Update::builder()"];
    let mut seen = 0;
    let mut wrong = Vec::new();
    for function in ["shared/store/", "shared/accounts/"].into_iter().flat_map(functions) {
        // Only begins what its callers go on with.
        if function.starts_with("update(") {
            continue;
        }
        let writes =
            count(&function, &writes) + count(&function, &["self\n            .update(key)"]);
        seen += writes;
        if writes > count(&function, &[".condition_expression("]) {
            wrong.push(format!("{} writes something whatever is there", name(&function)));
        }
    }
    assert!(seen > 10, "{seen}");
    none(wrong);
}

#[test]
fn f11_every_read_that_decides_is_consistent() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for function in ["shared/store/", "shared/accounts/"].into_iter().flat_map(functions) {
        let name = name(&function);
        // Opens the connection, and looks at nothing.
        if name == "warm_up" {
            continue;
        }
        // What an index says is read again; partitions of ours are read as rows are.
        let partitions = if name == "ids_with" { 0 } else { count(&function, &[".query()"]) };
        let reads = count(&function, &[".get_item()"]) + partitions;
        seen += reads;
        if reads != count(&function, &[".consistent_read(true)"]) {
            wrong.push(format!("{name} reads what may be out of date"));
        }
        let others = [".scan()", ".batch_get_item()", ".transact_get_items()"];
        if count(&function, &others) > 0 {
            wrong.push(format!("{name} reads otherwise than by key"));
        }
    }
    assert!(seen > 5, "{seen}");
    none(wrong);
}

fn name(function: &str) -> &str {
    function.split(['(', '<']).next().unwrap_or_default()
}

#[test]
fn k03_nothing_traces_requests() {
    let lock = read("Cargo.lock");
    let tracers = ["tracing-subscriber", "opentelemetry", "opentelemetry_sdk", "aws-xray"];
    let found = tracers.iter().filter(|name| lock.contains(&format!("\nname = \"{name}\"\n")));
    let mut wrong: Vec<_> = found.map(|name| format!("Cargo.lock has {name}")).collect();
    if read("infra/template.yaml").contains("Tracing") {
        wrong.push("the template traces".to_owned());
    }
    none(wrong);
}

#[test]
fn l03_certificates_are_always_verified() {
    let words = [
        "danger",
        "dangerous",
        "ServerCertVerifier",
        "tls_sni(false)",
        "min_tls_version",
        "max_tls_version",
        "with_protocol_versions",
    ];
    none(never(&words, "TLS is rustls with its own defaults", &[]));
}

#[test]
fn m14_nothing_of_a_visitor_stays_in_memory_or_on_disk() {
    let words = [
        "static mut",
        "thread_local!",
        "LazyLock",
        "LazyCell",
        "OnceLock",
        "OnceCell",
        "RwLock",
        "Mutex",
        "RefCell",
        "Atomic",
        "std::fs",
        "File::",
    ];
    // Amazon's client secret, which belongs to no visitor; what is counted, and the name of the request
    // that is counted for, which the next one begins by forgetting.
    let may =
        ["shared/secret/src/lib.rs", "shared/tally/src/lib.rs", "shared/web/src/log/at_hand.rs"];
    none(never(&words, "the next visitor would meet it", &may));
}

#[test]
fn m17_what_is_deployed_is_what_is_tested() {
    let mut wrong = never(
        &["cfg(feature", "cfg!(", "debug_assertions", "cfg(debug", "cfg_attr(not(test)"],
        "a release would be another program",
        &[],
    );
    for path in below("", "Cargo.toml") {
        let deployed = path.starts_with("shared/") || path.starts_with("functions/");
        if deployed && read(&path).contains("[features]") {
            wrong.push(format!("{path} has features"));
        }
    }
    none(wrong);
}

#[test]
fn m16_what_builds_the_project_is_pinned() {
    let mut wrong = Vec::new();
    let lock = read("Cargo.lock");
    let mut sources = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let Some((_, source)) = package.split_once("\nsource = \"") else { continue };
        sources.push(source.split('"').next().unwrap_or_default());
        if !package.contains("\nchecksum = \"") {
            wrong.push(format!("Cargo.lock: {}", package.trim().replace('\n', " ")));
        }
    }
    sources.sort_unstable();
    sources.dedup();
    if sources.len() != 1 || !sources[0].starts_with("registry+") {
        wrong.push(format!("Cargo.lock: more than one registry: {sources:?}"));
    }
    let tools = read("tests/requirements.txt");
    let tools = tools.lines().filter(|line| !line.starts_with('#') && !line.contains("=="));
    wrong.extend(tools.map(|line| format!("tests/requirements.txt: {line} has no version")));
    let run = read("tests/run");
    let installs = run.lines().filter(|line| line.contains("cargo install"));
    for line in installs.filter(|line| !line.contains("--locked") || !line.contains('@')) {
        wrong.push(format!("tests/run: {}", line.trim()));
    }
    for step in ["cargo build", "cargo clippy", "cargo nextest run", "cargo doc", "cargo test"] {
        let lines = run.lines().filter(|line| line.contains(step) && !line.starts_with('#'));
        let loose = lines.filter(|line| !line.contains("--locked"));
        wrong.extend(loose.map(|line| format!("tests/run: {} is not --locked", line.trim())));
    }
    none(wrong);
}
