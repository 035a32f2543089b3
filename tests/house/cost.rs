//! The model of what all this costs: it runs, and moves the way that its inputs are moved.

use std::process::Command;

use serde_json::Value;

use crate::{ROOT, read};

/// What the model says with these inputs; nothing where it says no.
fn model(inputs: &[&str]) -> Option<Value> {
    let mut python = Command::new("python3");
    let said = python.arg("infra/cost/cost.py").arg("--json").args(inputs).current_dir(ROOT);
    let said = said.output().unwrap();
    said.status.success().then(|| serde_json::from_slice(&said.stdout).unwrap())
}

fn sign_in(model: &Value) -> f64 {
    model["per_million"]["known customer"].as_f64().unwrap()
}

#[test]
fn whatever_gets_dearer_makes_a_sign_in_dearer() {
    let now = model(&[]).unwrap();
    assert!(sign_in(&now) > 1.0, "{now}");
    for input in [
        "api_million_requests=2",
        "lambda_million_requests=1",
        "lambda_gb_second=0.0001",
        "dynamodb_million_writes=2",
        "dynamodb_million_reads=2",
        "logs_gb=1",
        "log_bytes=5000",
        "access_log_bytes=5000",
        "amazon_ms=1000",
    ] {
        let then = model(&[input]).unwrap();
        assert!(sign_in(&then) > sign_in(&now), "{input}: {then}");
        assert!(then["at"]["100"]["$ a month"].as_f64() > now["at"]["100"]["$ a month"].as_f64());
    }
    let fixed = |model: &Value| model["fixed"].as_f64().unwrap();
    for input in ["custom_metrics=100", "alarm_month=1", "secret_month=1", "kms_keys=3"] {
        let then = model(&[input]).unwrap();
        assert!(fixed(&then) > fixed(&now), "{input}");
        assert_eq!(sign_in(&then), sign_in(&now), "{input}");
    }
}

#[test]
fn what_the_readme_says_of_costs_is_what_the_model_says() {
    let said =
        Command::new("python3").arg("infra/cost/cost.py").current_dir(ROOT).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let readme = read("infra/README.md");
    let rows: Vec<_> = said.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "{said}");
    for row in rows {
        assert!(readme.contains(row), "infra/README.md has other costs than the model: {row}");
    }
}

#[test]
fn an_input_that_there_is_not_is_refused() {
    assert!(model(&["lambda_million_request=1"]).is_none());
}
