//! The HTTP edge: what every function does before and after its own work.

pub mod address;
pub mod cookie;
pub mod csrf;
mod failure;
mod form;
pub mod log;
mod look;
pub mod page;
#[cfg(test)]
mod properties;
pub mod reply;
mod request;
mod serve;
mod setting;
mod site;
mod start;
#[cfg(test)]
mod tests;
pub mod words;

pub use cookie::Cookie;
pub use failure::{About, Code, Failure};
pub use form::Form;
pub use lambda_http::http::StatusCode;
pub use lambda_http::{self};
pub use reply::Reply;
pub use request::Request;
pub use serve::{Fatal, Handle, Invoke, reply_to, serve, serve_both, serve_invocations};
pub use setting::{Settings, Unset};
pub use site::{Site, with_query};
pub use start::send_to_amazon;

use std::collections::BTreeMap;

use domain::registration::{self, Field, Wrong};
use rand_core::{CryptoRng, UnwrapErr};

/// Randomness straight from the operating system: nothing is kept that a snapshot of this process
/// could repeat.
pub fn rng() -> impl CryptoRng {
    UnwrapErr(getrandom::SysRng)
}

/// A site's own pattern, which like HTML's `pattern` must match the whole value.
///
/// # Errors
///
/// Where the pattern is not understood.
pub fn pattern(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    // By itself first, as browsers do: `a)|(b` is none, but would be two with something around it.
    regex_lite::Regex::new(pattern)?;
    regex_lite::Regex::new(&format!("^(?:{pattern})$"))
}

/// Says what is wrong with a field's value, the site's own pattern included.
///
/// # Errors
///
/// [`Wrong`], for the message beside the field.
pub fn check_field(field: &Field, value: &str) -> Result<(), Wrong> {
    registration::check(field, value)?;
    match &field.pattern {
        Some(own) if !value.is_empty() && !pattern(own).is_ok_and(|own| own.is_match(value)) => {
            Err(Wrong::Invalid)
        }
        _ => Ok(()),
    }
}

/// What a registration field is called in this language, or in the first one it has a name in.
pub fn label(field: &Field, language: words::Language) -> &str {
    in_language(&field.label, language).unwrap_or(&field.name)
}

/// What helps to fill a registration field in, likewise.
pub fn help(field: &Field, language: words::Language) -> Option<&str> {
    in_language(&field.help, language)
}

fn in_language(texts: &BTreeMap<String, String>, language: words::Language) -> Option<&str> {
    // The language of last resort, `""`, sorts before all others.
    texts.get(language.code()).or_else(|| texts.values().next()).map(String::as_str)
}
