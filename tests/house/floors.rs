//! Who may use whom. A wall that matters is a crate; these are its doors.

use crate::{Package, below, none, packages, read};

/// A crate, what it may use of ours, and what it must not use of others': names that begin so.
type Floor = (&'static str, &'static [&'static str], &'static [&'static str]);

const FLOORS: &[Floor] = &[
    ("domain", &[], &[]), // what it may use of others' is listed below
    ("passwords", &[], &["aws", "lambda", "http", "reqwest", "serde", "tokio"]),
    ("tally", &[], &["aws", "lambda", "http", "reqwest", "serde", "tokio"]),
    ("aws", &["tally"], &["aws-sdk", "lambda"]),
    ("https", &["tally"], &["aws", "lambda", "serde", "tokio"]),
    ("lwa", &["domain", "https"], &["aws", "lambda"]),
    ("notify", &["domain"], &["aws-sdk-dynamodb", "lambda", "reqwest"]),
    ("rollout", &[], &["aws-sdk-dynamodb", "lambda", "reqwest"]),
    ("store", &["domain"], &["lambda", "reqwest"]),
    ("accounts", &["domain", "https", "passwords", "secret"], &["lambda"]),
    ("secret", &["domain"], &["aws-sdk-dynamodb", "lambda"]),
    ("web", &["domain", "tally"], &["aws", "reqwest"]),
    (
        "entrance",
        &["accounts", "aws", "domain", "passwords", "secret", "store", "web"],
        &["lambda", "reqwest"],
    ),
    ("accounts-check", &["accounts", "aws", "domain", "https", "passwords"], &["lambda"]),
    (
        "lwa-doctor",
        &[
            "accounts",
            "accounts-check",
            "aws",
            "domain",
            "entrance",
            "https",
            "lwa",
            "secret",
            "web",
        ],
        &["lambda"],
    ),
    ("local-stack", &["aws", "domain", "passwords", "store"], &["lambda"]),
    ("tests", &["local-stack"], &["lambda"]),
    ("bench", &["local-stack", "tests"], &["aws", "lambda"]),
    ("hello", &[], &["aws"]),
    ("get-item", &["aws"], &[]),
];

/// What a function may use of ours, and must not of others': that is what our crates are for.
const ANY_FUNCTION: Floor = (
    "functions/*",
    &[
        "accounts",
        "aws",
        "domain",
        "entrance",
        "lwa",
        "notify",
        "passwords",
        "rollout",
        "secret",
        "store",
        "web",
    ],
    &["aws-", "reqwest"],
);

/// The busiest functions, which cannot call Amazon or the account system.
const BUSY: [&str; 5] = ["accept", "authorizer", "login", "logout", "session"];
const NOT_FOR_THE_BUSY: [&str; 5] = ["accounts", "entrance", "lwa", "passwords", "secret"];

/// What values and pure functions need.
const PURE: [&str; 7] =
    ["base64", "chacha20poly1305", "hmac", "rand_core", "sha2", "subtle", "thiserror"];

/// Named in a manifest for its features, which Cargo then switches on or off for all who use it.
const FOR_ITS_FEATURES: [&str; 1] = ["idna_adapter"];

fn is_function(package: &Package) -> bool {
    package.folder.starts_with("functions/")
}

fn floor(package: &Package) -> Floor {
    let known = FLOORS.iter().find(|(name, ..)| *name == package.name);
    match known {
        Some(floor) => *floor,
        None if is_function(package) => ANY_FUNCTION,
        None => panic!("{} is not in the drawing: say what it may use", package.name),
    }
}

#[test]
fn no_crate_knows_a_higher_floor_or_the_room_beside_it() {
    let mut wrong = Vec::new();
    for package in packages() {
        let (_, ours, never) = floor(&package);
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let for_tests = dependency.development && name == "local-stack";
            if dependency.ours && !ours.contains(&name) && !for_tests {
                wrong.push(format!("{} must not use {name}", package.name));
            }
            let banned = never.iter().any(|beginning| name.starts_with(beginning));
            if !dependency.ours && !dependency.development && banned {
                wrong.push(format!("{} must not use {name}", package.name));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_busiest_functions_cannot_call_amazon_or_the_account_system() {
    let mut wrong = Vec::new();
    for package in packages().iter().filter(|package| BUSY.contains(&package.name.as_str())) {
        for dependency in &package.dependencies {
            if NOT_FOR_THE_BUSY.contains(&dependency.name.as_str()) {
                wrong.push(format!("{} must not use {}", package.name, dependency.name));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_domain_needs_no_clock_no_network_and_nothing_asynchronous() {
    let packages = packages();
    let domain = packages.iter().find(|package| package.name == "domain").unwrap();
    let used = domain.dependencies.iter().filter(|dependency| !dependency.development);
    let foreign = used.filter(|dependency| !PURE.contains(&dependency.name.as_str()));
    none(foreign.map(|dependency| format!("domain must not use {}", dependency.name)).collect());
}

#[test]
fn m17_nothing_that_is_deployed_contains_the_local_stack() {
    let mut wrong = Vec::new();
    for package in packages().iter().filter(|package| !package.folder.starts_with("tests")) {
        for dependency in &package.dependencies {
            if dependency.name == "local-stack" && !dependency.development {
                wrong.push(format!("{} uses local-stack outside tests", package.name));
            }
        }
    }
    none(wrong);
}

#[test]
fn the_young_dynamodb_stays_in_the_local_stack_at_the_version_that_was_tried() {
    let mut seen = 0;
    for package in packages() {
        for dependency in package.dependencies.iter().filter(|one| one.name == "dynoxide-rs") {
            assert_eq!(package.name, "local-stack");
            assert!(dependency.version.starts_with('='), "{}", dependency.version);
            seen += 1;
        }
    }
    assert_eq!(seen, 1, "the local stack has lost its DynamoDB");
}

#[test]
fn every_dependency_is_used() {
    let mut wrong = Vec::new();
    for package in packages() {
        let sources: Vec<_> =
            below(&format!("{}/", package.folder), ".rs").iter().map(|path| read(path)).collect();
        for dependency in &package.dependencies {
            let name = dependency.name.trim_end_matches("-rs").replace('-', "_");
            if FOR_ITS_FEATURES.contains(&dependency.name.as_str()) {
                continue;
            }
            if !sources.iter().any(|source| mentions(source, &name)) {
                wrong.push(format!("{} does not use {}", package.name, dependency.name));
            }
        }
    }
    none(wrong);
}

/// Whether a path begins with this crate's name.
fn mentions(source: &str, name: &str) -> bool {
    source.match_indices(name).any(|(at, _)| {
        let continues =
            source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        !continues && source[at + name.len()..].starts_with("::")
    })
}

#[test]
fn every_crate_lives_by_the_rules_of_the_workspace() {
    let mut wrong = Vec::new();
    for package in packages() {
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest = read(&path);
        for rule in [
            "\nedition.workspace = true\n",
            "\nlicense.workspace = true\n",
            "\nrust-version.workspace = true\n",
            "\n[lints]\nworkspace = true\n",
        ] {
            if !manifest.contains(rule) {
                wrong.push(format!("{path} lacks {}", rule.trim().replace('\n', " ")));
            }
        }
    }
    none(wrong);
}

#[test]
fn encryption_is_rings_alone() {
    let lock = read("Cargo.lock");
    assert!(lock.contains("\nname = \"ring\"\n"));
    let others = ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];
    let found = others.into_iter().filter(|name| lock.contains(&format!("\nname = \"{name}\"\n")));
    none(found.map(|name| format!("Cargo.lock has {name}")).collect());
}
