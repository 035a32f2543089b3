//! Every specimen in `events/` is a request that API Gateway could send, and some test sends it.

use serde_json::Value;

use crate::{below, folders, is_test, none, read, template};

/// The specimens, each with its name.
fn specimens() -> Vec<(String, Value)> {
    let specimen = |path: &String| {
        let name = path.strip_prefix("events/").unwrap().strip_suffix(".json").unwrap();
        let event = serde_json::from_str(&read(path));
        (name.to_owned(), event.unwrap_or_else(|error| panic!("{path}: {error}")))
    };
    below("events/", ".json").iter().map(specimen).collect()
}

#[test]
fn every_specimen_is_named_after_where_the_gateway_would_send_it() {
    let template = template();
    let (mut wrong, mut answered) = (Vec::new(), Vec::new());
    for (name, event) in specimens() {
        let first = name.split('-').next().unwrap_or_default();
        // What the gateway asks its authorizer, and what comes without the gateway.
        if event["type"] == "REQUEST" || event["requestContext"].is_null() {
            let own = if event["type"] == "REQUEST" {
                "authorizer"
            } else if event["Records"].is_array() {
                "notices"
            } else if event["DeploymentId"].is_string() {
                "pretraffic"
            } else {
                "lifecycle"
            };
            if first != own {
                wrong.push(format!("{name} is nothing that {own} is told"));
            }
            answered.push(own.to_owned());
            continue;
        }
        let http = &event["requestContext"]["http"];
        let (Some(method), Some(path)) = (http["method"].as_str(), http["path"].as_str()) else {
            wrong.push(format!("{name} has no method or no path"));
            continue;
        };
        let same = [
            (&event["version"], "2.0"),
            (&event["rawPath"], path),
            (&event["routeKey"], event["requestContext"]["routeKey"].as_str().unwrap_or_default()),
        ];
        if same.iter().any(|(found, expected)| *found != expected)
            || !event["headers"].is_object()
            || !event["isBase64Encoded"].is_boolean()
        {
            wrong.push(format!("{name} is no event of payload version 2.0"));
        }
        let Some((function, key)) = template.route(method, path) else {
            wrong.push(format!("{name} leads nowhere"));
            continue;
        };
        if event["routeKey"] != key {
            wrong.push(format!("{name} would come by the route {key}"));
        }
        if first != function.name && !path.ends_with(&format!("/{first}")) {
            wrong.push(format!("{name} would go to {}", function.name));
        }
        answered.push(function.name.clone());
    }
    let lonely = folders().into_iter().filter(|function| !answered.contains(function));
    wrong.extend(lonely.map(|function| format!("{function} has no specimen")));
    none(wrong);
}

#[test]
fn every_specimen_is_the_input_of_a_test() {
    let mut tests = below("functions/", ".rs");
    tests.retain(|path| is_test(path));
    tests.extend(below("tests/", ".rs").into_iter().filter(|path| !path.contains("house")));
    let tests: String = tests.iter().map(|path| read(path)).collect();
    let sent = |name: &str| {
        let by_name = tests.contains(&format!("Specimen::of(\"{name}\")"));
        // Nothing else is called so.
        by_name || (name.contains('-') && tests.contains(&format!("\"{name}\"")))
    };
    let unsent = specimens().into_iter().filter(|(name, _)| !sent(name));
    none(unsent.map(|(name, _)| format!("no test sends events/{name}.json")).collect());
}

#[test]
fn every_specimen_is_explained() {
    let readme = read("events/README.md");
    let told = |name: &str| {
        readme.contains(&format!("`{name}`")) || readme.contains(&format!("{name}.json"))
    };
    let untold = specimens().into_iter().filter(|(name, _)| !told(name));
    none(untold.map(|(name, _)| format!("events/README.md does not mention {name}")).collect());
}
