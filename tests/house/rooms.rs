//! What a room looks like: know one function, know all.

use crate::{below, folders, none, packages, read, template};

/// How long the file may be that wires a function.
const MAIN_LINES: usize = 30;

#[test]
fn every_function_has_the_same_files() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let here = format!("functions/{folder}/");
        let files = below(&here, "");
        for needed in ["Cargo.toml", "src/main.rs", "src/handler.rs", "src/tests.rs"] {
            if !files.contains(&format!("{here}{needed}")) {
                wrong.push(format!("{here}{needed} is missing"));
            }
        }
        for file in &files {
            // A longer function may have further modules beside its handler, its tests too.
            let inside = &file[here.len()..];
            let module = inside.strip_prefix("src/").and_then(|name| name.strip_suffix(".rs"));
            let module = module.map(|name| name.strip_prefix("tests/").unwrap_or(name));
            if inside != "Cargo.toml" && module.is_none_or(|name| name.contains('/')) {
                wrong.push(format!("{file} does not belong into a function"));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_main_is_short_and_opens_with_its_routes() {
    let mut wrong = Vec::new();
    for function in template().functions {
        let path = format!("functions/{}/src/main.rs", function.name);
        let main = read(&path);
        let lines = main.lines().count();
        if lines > MAIN_LINES {
            wrong.push(format!("{path} has {lines} lines"));
        }
        let first = main.lines().next().unwrap_or_default();
        if !first.starts_with("//! `") {
            wrong.push(format!("{path} does not open with its route"));
        }
        for key in function.routes.iter().map(|route| route.key()).filter(|key| key != "$default") {
            let word = key.rsplit('/').next().unwrap_or_default();
            if !first.contains(&format!("/{word}`")) {
                wrong.push(format!("the first line of {path} does not tell {key}"));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_binary_is_called_what_its_folder_is_called() {
    let mut wrong = Vec::new();
    for package in packages() {
        let Some(folder) = package.folder.strip_prefix("functions/") else { continue };
        if package.name != folder || package.binaries != [folder] {
            wrong.push(format!(
                "functions/{folder} is the package {} with the binaries {:?}",
                package.name, package.binaries
            ));
        }
    }
    none(wrong);
}
