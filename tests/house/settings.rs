//! What the code reads and what the template sets are the same settings, function by function.

use std::collections::BTreeSet;

use crate::{below, cargo, is_test, none, packages, read, template};

/// Read only where a stand-in on this machine takes Amazon's place, so never set in the cloud.
const FOR_DEVELOPMENT: [&str; 1] = ["LWA_CLIENT_SECRET"];
/// What the methods of `Settings` read that are there for one purpose.
const PURPOSES: [(&str, &[&str]); 2] = [
    (".registration_fields()", &["REGISTRATION_FIELDS"]),
    (".authorization(&site)", &["LWA_CLIENT_ID", "LWA_SCOPE", "LWA_SCOPE_DATA"]),
];
/// What Lambda itself sets.
const OF_AWS: &str = "AWS_";

#[test]
fn every_function_is_given_the_settings_it_reads_and_no_others() {
    let (web, entrance) = (read_below("shared/web/src/"), read_below("shared/entrance/src/"));
    // Who only asks about accounts needs no more than that.
    let accounts = read_below("shared/entrance/src/system.rs");
    assert!(web.contains("PUBLIC_URL") && entrance.contains("REGISTRATION_FIELDS"));
    assert!(accounts.contains("ACCOUNTS_WEBHOOK_URL"));
    let packages = packages();
    let mut wrong = Vec::new();
    for function in template().functions {
        let package = packages.iter().find(|package| package.name == function.name).unwrap();
        let uses = |name: &str| package.dependencies.iter().any(|one| one.name == name);
        let mut wanted = read_below(&format!("functions/{}/src/", function.name));
        wanted.extend(uses("web").then(|| web.clone()).into_iter().flatten());
        let folder = format!("functions/{}/src/", function.name);
        let opens = below(&folder, ".rs").iter().any(|path| code(path).contains("Entrance::open("));
        let of_entrance = if opens { &entrance } else { &accounts };
        wanted.extend(uses("entrance").then(|| of_entrance.clone()).into_iter().flatten());
        let ours = |name: &&String| !name.starts_with(OF_AWS);
        let given: BTreeSet<_> = function.settings.keys().filter(ours).cloned().collect();
        for name in wanted.difference(&given) {
            wrong.push(format!("{} reads {name}, which the template does not set", function.name));
        }
        for name in given.difference(&wanted) {
            wrong.push(format!("{} is given {name}, which it never reads", function.name));
        }
    }
    none(wrong);
}

#[test]
fn cargo_lambda_watch_sets_what_some_function_reads() {
    let functions = ["functions/", "shared/web/src/", "shared/entrance/src/"];
    let read: BTreeSet<_> = functions.into_iter().flat_map(read_below).collect();
    let cargo = cargo();
    let given = cargo["metadata"]["lambda"]["env"].as_object().unwrap();
    let unread = given.keys().filter(|name| !name.starts_with(OF_AWS) && !read.contains(*name));
    none(unread.map(|name| format!("no function reads {name}, which Cargo.toml sets")).collect());
}

#[test]
fn only_web_reads_the_environment() {
    let mut sources = below("shared/", ".rs");
    sources.extend(below("functions/", ".rs"));
    let reads = |path: &String| code(path).contains("env::var");
    let elsewhere = sources.iter().filter(|path| *path != "shared/web/src/setting.rs");
    none(elsewhere.filter(|path| reads(path)).map(|path| format!("{path} does")).collect());
}

/// The settings that the code below a folder reads.
fn read_below(folder: &str) -> BTreeSet<String> {
    let mut settings = BTreeSet::new();
    // How settings are read is told in setting.rs, which reads none for itself: what its methods for
    // one purpose read counts where they are called.
    let sources = below(folder, ".rs").into_iter().filter(|path| !path.ends_with("/setting.rs"));
    for path in sources.filter(|path| !is_test(path)) {
        let code = code(&path);
        settings.extend(code.match_indices('"').filter_map(|(at, _)| argument(&code, at)));
        for (call, names) in PURPOSES {
            let called = code.contains(call);
            settings.extend(names.iter().filter(|_| called).map(|name| (*name).to_owned()));
        }
    }
    settings.retain(|name| !name.starts_with(OF_AWS) && !FOR_DEVELOPMENT.contains(&name.as_str()));
    settings
}

/// The name of a setting, if the text that is quoted here is the first argument of a call.
fn argument(code: &str, at: usize) -> Option<String> {
    let called = code[..at].trim_end().strip_suffix('(')?;
    let (name, _) = code[at + 1..].split_once('"')?;
    let is_name = name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let is_call = called.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_method = called.ends_with("wrong_method");
    (is_call && is_name && !is_method).then(|| name.to_owned())
}

/// A file without its comments and its tests.
fn code(path: &str) -> String {
    let source = read(path);
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}
