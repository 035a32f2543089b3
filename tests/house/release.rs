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
