//! Folders, template, the router of `cargo lambda watch` and the log know the same functions and routes.

use std::collections::BTreeSet;

use local_stack::template::Route;
use serde_json::Value;

use crate::{cargo, folders, none, read, template, text};

/// Paths, each with the function that answers it, as the template says.
fn deployed() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for function in template().functions {
        for route in &function.routes {
            if let Route::Path { path, .. } = route {
                routes.insert((path.clone(), function.name.clone()));
            }
        }
    }
    assert!(!routes.is_empty());
    routes
}

fn difference<T: Ord + std::fmt::Debug>(
    here: (&str, &BTreeSet<T>),
    there: (&str, &BTreeSet<T>),
) -> Vec<String> {
    let only = |(name, one): (&str, &BTreeSet<T>), other: &BTreeSet<T>| {
        one.difference(other).map(|what| format!("only {name} has {what:?}")).collect::<Vec<_>>()
    };
    [only(here, there.1), only(there, here.1)].concat()
}

#[test]
fn every_folder_is_a_function_of_the_template_by_the_same_name() {
    let yaml: serde_norway::Value = serde_norway::from_str(&read("infra/template.yaml")).unwrap();
    let (mut deployed, mut wrong) = (BTreeSet::new(), Vec::new());
    for (id, resource) in yaml["Resources"].as_mapping().unwrap() {
        if resource["Type"].as_str() != Some("AWS::Serverless::Function") {
            continue;
        }
        let id = id.as_str().unwrap();
        let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap_or_default();
        let (first, rest) = binary.split_at(binary.len().min(1));
        if id != format!("{}{rest}Function", first.to_uppercase()) {
            wrong.push(format!("{id} is built from {binary:?}"));
        }
        deployed.insert(binary.to_owned());
    }
    let folders = folders().into_iter().collect();
    wrong.extend(difference(("functions/", &folders), ("the template", &deployed)));
    none(wrong);
}

#[test]
fn cargo_lambda_watch_routes_as_the_template_does() {
    let cargo = cargo();
    let router = &cargo["metadata"]["lambda"]["watch"]["router"];
    let Some(router) = router.as_object() else {
        panic!("Cargo.toml lacks [workspace.metadata.lambda.watch.router]")
    };
    let mut watched = BTreeSet::new();
    for (path, target) in router {
        let functions: Vec<String> = match target {
            Value::Array(by_method) => by_method.iter().map(|one| text(&one["function"])).collect(),
            one => vec![text(one)],
        };
        // A wildcard is what the template calls $default.
        if !path.contains("{*") {
            watched.extend(functions.into_iter().map(|function| (path.clone(), function)));
        }
    }
    none(difference(("Cargo.toml", &watched), ("the template", &deployed())));
}

#[test]
fn the_log_knows_every_route_by_name() {
    let log = read("shared/web/src/log.rs");
    let (_, list) = log.split_once("const ROUTES").expect("log.rs has no ROUTES");
    let (list, _) = list.split_once("];").unwrap();
    let paths = list.split('"').filter(|text| text.starts_with('/'));
    let logged: BTreeSet<_> = paths.map(str::to_owned).collect();
    let deployed = deployed().into_iter().map(|(path, _)| path).collect();
    none(difference(("log.rs", &logged), ("the template", &deployed)));
}
