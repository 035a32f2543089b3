//! What visitors can and cannot sign in with, against hashes that the sites' own libraries made.

mod opens;
mod stored;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use passwords::{SaltedDigest, Stored, Unsupported, decoy};
use proptest::prelude::*;
use serde_json::Value;

/// A password and its hash, as `vectors.py` made it cheaply.
struct Vector {
    format: String,
    digest: Option<SaltedDigest>,
    password: String,
    stored: String,
}

impl Vector {
    fn parse(&self, stored: &str) -> Result<Stored, Unsupported> {
        match &self.digest {
            Some(digest) => Stored::parse_with(stored, digest),
            None => Stored::parse(stored),
        }
    }

    fn opens(&self, password: &str, stored: &str) -> bool {
        self.parse(stored).is_ok_and(|stored| stored.verify(password))
    }
}

#[expect(clippy::unwrap_used, reason = "a fixture that cannot be read is a failed test")]
fn vectors() -> Vec<Vector> {
    let files = [include_str!("../vectors.json"), include_str!("../wordpress.json")];
    let vectors = files.map(|file| serde_json::from_str::<Vec<Value>>(file).unwrap()).concat();
    let text = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    let read = |vector| Vector {
        format: text(vector, "format"),
        digest: vector["description"].as_str().map(|description| description.parse().unwrap()),
        password: text(vector, "password"),
        stored: text(vector, "stored"),
    };
    vectors.iter().map(read).collect()
}

/// One vector of each kind of hash.
fn kinds() -> Vec<Vector> {
    vectors().into_iter().filter(|vector| vector.password == "x").collect()
}

fn opens(password: &str, stored: &str) -> bool {
    Stored::parse(stored).is_ok_and(|stored| stored.verify(password))
}

/// The name and the text of every hash of full cost, as real tables hold them, and their password.
#[expect(clippy::unwrap_used, reason = "a fixture that cannot be read is a failed test")]
fn corpus() -> (Vec<(String, String)>, String) {
    let corpus: Value = serde_json::from_str(include_str!("../password-hashes.json")).unwrap();
    let hash = |(name, stored): (&String, &Value)| (name.clone(), stored.as_str().unwrap().into());
    let hashes = corpus["hashes"].as_object().unwrap().iter().map(hash).collect();
    (hashes, corpus["password"].as_str().unwrap().to_owned())
}
