//! The house is what it is drawn as: one test per wall. A test names everything that stands wrong.

#![cfg(test)]

#[path = "house/audit.rs"]
mod audit;
#[path = "house/code.rs"]
mod code;
#[path = "house/controls.rs"]
mod controls;
#[path = "house/cost.rs"]
mod cost;
#[path = "house/deployment.rs"]
mod deployment;
#[path = "house/floors.rs"]
mod floors;
#[path = "house/hosts.rs"]
mod hosts;
#[path = "house/release.rs"]
mod release;
#[path = "house/rooms.rs"]
mod rooms;
#[path = "house/routes.rs"]
mod routes;
#[path = "house/settings.rs"]
mod settings;
#[path = "house/specimens.rs"]
mod specimens;
#[path = "house/threats.rs"]
mod threats;
#[path = "house/words.rs"]
mod words;

use std::{fs, path::Path, process::Command};

use local_stack::template::Template;
use serde_json::Value;

/// A crate of ours, as cargo sees it.
struct Package {
    name: String,
    folder: String,
    dependencies: Vec<Dependency>,
    binaries: Vec<String>,
}

struct Dependency {
    name: String,
    ours: bool,
    version: String,
    development: bool,
}

/// All crates of ours.
fn packages() -> Vec<Package> {
    let root = Path::new(ROOT).canonicalize().unwrap();
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        folder: {
            let manifest = text(&package["manifest_path"]);
            let folder = Path::new(&manifest).parent().unwrap().canonicalize().unwrap();
            folder.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()
        },
        dependencies: list(&package["dependencies"]).iter().map(dependency).collect(),
        binaries: list(&package["targets"])
            .iter()
            .filter(|target| target["kind"][0] == "bin")
            .map(|target| text(&target["name"]))
            .collect(),
    };
    list(&cargo()["packages"]).iter().map(package).collect()
}

fn dependency(dependency: &Value) -> Dependency {
    Dependency {
        name: text(&dependency["name"]),
        ours: dependency["path"].is_string(),
        version: text(&dependency["req"]),
        development: dependency["kind"] == "dev",
    }
}

/// What cargo knows of the workspace.
fn cargo() -> Value {
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--offline"];
    serde_json::from_str(&output("cargo", &arguments)).unwrap()
}

/// The template as it is deployed, with the parameters that have no default.
fn template() -> Template {
    let needed = [
        ("PublicUrl", "https://shop.example"),
        ("LwaClientId", "amzn1.application-oa2-client.0123"),
        ("LwaClientSecretArn", "arn:aws:secretsmanager:us-east-1:000000000000:secret:lwa"),
    ];
    let needed = needed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Template::read(&needed.into()).unwrap()
}

/// Every file that belongs to the project, those not yet committed included.
fn files() -> Vec<String> {
    // Whoever checked the project out need not be who runs the tests.
    let arguments =
        ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard"];
    let listed = output("git", &arguments);
    let mut files: Vec<_> = listed
        .lines()
        .filter(|path| Path::new(ROOT).join(path).is_file())
        .map(String::from)
        .collect();
    files.sort();
    files.dedup();
    assert!(files.contains(&"Cargo.toml".to_owned()), "git lists none of the project's files");
    files
}

/// The files below a folder whose names end so.
fn below(folder: &str, ending: &str) -> Vec<String> {
    let here = |path: &String| path.starts_with(folder) && path.ends_with(ending);
    files().into_iter().filter(here).collect()
}

/// The names of the functions' folders.
fn folders() -> Vec<String> {
    let folder =
        |path: &String| Some(path.strip_prefix("functions/")?.split_once('/')?.0.to_owned());
    let mut folders: Vec<_> = files().iter().filter_map(folder).collect();
    folders.dedup();
    assert!(!folders.is_empty());
    folders
}

fn is_test(path: &str) -> bool {
    ["tests", "properties"]
        .iter()
        .any(|name| path.ends_with(&format!("/{name}.rs")) || path.contains(&format!("/{name}/")))
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

/// Fails with every complaint there is.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
