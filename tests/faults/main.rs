//! What visitors meet when somebody whom we depend on fails: real binaries, and every promise kept.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

mod amazon;
mod cases;
mod clock;
mod door;
mod ending;
mod limits;
mod secrets;
mod settings;
mod tables;
mod televisions;
mod transport;
mod wrong;
