//! Thousands of runs: whatever fails, whoever dies and whoever is quicker, every promise is kept.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod crashes;
mod dynamodb;
mod pairs;
mod races;
mod rows;
mod schedule;
mod wires;
