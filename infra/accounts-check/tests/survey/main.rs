//! Surveys of tables that are made for it, small and large.

#![cfg(test)]

mod customers;
mod email_key;
mod reading;
#[path = "../run.rs"]
mod run;
mod scale;
