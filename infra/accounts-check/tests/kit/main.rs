//! The kit against a site that is right, and against the same site with one thing wrong.

#![cfg(test)]

mod ask;
mod defects;
#[path = "../ended.rs"]
mod ended;
#[path = "../run.rs"]
mod run;
mod site;
mod ways;
