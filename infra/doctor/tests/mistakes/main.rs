//! What is right is called right; and of what is wrong, the one check that is named for it says so.

#![cfg(test)]

mod cloud;
mod front;
mod here;
mod local;
mod proxies;
mod run;
mod stacks;
