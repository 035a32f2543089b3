//! A real browser, with JavaScript switched off but for the pages that are about it, and only what a
//! visitor can see and click.
//!
//! The site is `localhost` and Amazon's stand-in `127.0.0.1`: two sites to a browser, as in the
//! world, so that cookies come along, or do not, as they would there. Every step that is worth a
//! look is kept in `target/screenshots`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

mod axe;
mod connections;
mod scripts;
mod visitor;
mod walks;
