//! What is built for those who have no Rust, and how.

use toml::Table;

use crate::{output, read};

#[test]
fn who_deploys_without_rust_deploys_the_same_template() {
    let made = output("python3", &["infra/release", "template"]);
    let same = made == read("infra/prebuilt.yaml");
    assert!(same, "run: infra/release template > infra/prebuilt.yaml");
}

#[test]
fn a_panic_ends_in_a_page_also_where_cargo_lambda_has_built_the_function() {
    let manifest: Table = read("Cargo.toml").parse().unwrap();
    let release = &manifest["profile"]["release"];
    assert_eq!(release["panic"].as_str(), Some("unwind"), "cargo-lambda would say abort");
    // What else it would choose by itself.
    for setting in ["strip", "lto", "codegen-units"] {
        assert!(release.get(setting).is_some(), "{setting}");
    }
}

/// Licences under which whoever deploys this may use what is in it, with nothing to ask for.
const LICENCES: [&str; 8] = [
    "Apache-2.0",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn m15_whatever_is_deployed_may_be_used_by_whoever_deploys_it() {
    // The functions, and what they are made of: the workspace's default members.
    let arguments = ["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none"];
    let format = ["--format", "{p}|{l}"];
    let tree = output("cargo", &[&arguments[..], &format[..]].concat());
    // Cargo marks what it has told before.
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    let mut packages: Vec<_> = lines.filter_map(|line| line.split_once('|')).collect();
    packages.sort_unstable();
    packages.dedup();
    assert!(packages.len() > 100, "{}", packages.len());
    let wrong = packages.into_iter().filter(|(_, licence)| !may_be_used(licence));
    crate::none(wrong.map(|(package, licence)| format!("{package}: {licence:?}")).collect());
}

/// Whether an expression of SPDX, or an older one with slashes, lets us choose among [`LICENCES`].
fn may_be_used(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    // Where both words occur, parentheses let `AND` bind more loosely.
    plain.split(" AND ").all(|all| {
        all.split(" OR ")
            .any(|one| LICENCES.contains(&one.split(" WITH ").next().unwrap_or("").trim()))
    })
}

#[test]
fn licences_are_read_as_they_are_written() {
    for (expression, may) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("MPL-2.0", false),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR Apache-2.0) AND AGPL-3.0", false),
        ("", false),
    ] {
        assert_eq!(may_be_used(expression), may, "{expression}");
    }
}
