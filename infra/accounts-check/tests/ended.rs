//! What a report says of its checks.

use crate::run::Ran;

impl Ran {
    /// The checks that ended like this.
    pub(crate) fn ended(&self, outcome: &str) -> Vec<String> {
        let report = self.json();
        let checks = report["checks"].as_array().unwrap();
        let ended = checks.iter().filter(|check| check["outcome"] == outcome);
        ended.map(|check| check["id"].as_str().unwrap().to_owned()).collect()
    }
}
