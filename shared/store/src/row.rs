use std::{collections::HashMap, fmt::Write as _};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::Error;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A text.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The SHA-256 of a text, in hex: a key that tells nothing of it.
pub(crate) fn hash(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// A row under this key, to which attributes are added.
pub(crate) fn row<const N: usize>(pairs: [(&str, AttributeValue); N]) -> Item {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Adds a text to a row, if there is one.
pub(crate) fn put_optional(row: &mut Item, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        row.insert(name.to_owned(), s(text));
    }
}

/// The text of an attribute, if it is there.
pub(crate) fn optional<'a>(row: &'a Item, name: &'static str) -> Result<Option<&'a str>, Error> {
    match row.get(name) {
        None => Ok(None),
        Some(AttributeValue::S(text)) => Ok(Some(text)),
        Some(_) => Err(Error::Row(name)),
    }
}

/// The text of an attribute, read as what it must be.
pub(crate) fn text<T>(
    row: &Item,
    name: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Error> {
    optional(row, name)?.and_then(parse).ok_or(Error::Row(name))
}

/// The same of an attribute that may be absent.
pub(crate) fn optional_text<T>(
    row: &Item,
    name: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    optional(row, name)?.map(|text| parse(text).ok_or(Error::Row(name))).transpose()
}

/// The number of an attribute.
pub(crate) fn number<T: std::str::FromStr>(row: &Item, name: &'static str) -> Result<T, Error> {
    match row.get(name) {
        Some(AttributeValue::N(number)) => number.parse().map_err(|_| Error::Row(name)),
        _ => Err(Error::Row(name)),
    }
}

/// The same of an attribute that may be absent.
pub(crate) fn optional_number<T: std::str::FromStr>(
    row: &Item,
    name: &'static str,
) -> Result<Option<T>, Error> {
    row.contains_key(name).then(|| number(row, name)).transpose()
}

/// The moment of an attribute, in seconds since 1970.
pub(crate) fn moment(row: &Item, name: &'static str) -> Result<Timestamp, Error> {
    number(row, name).map(Timestamp)
}

/// Whether an attribute is there, which is then true. Our conditions ask only whether it is there, so
/// anything else is neither yes nor no.
pub(crate) fn is_set(row: &Item, name: &'static str) -> Result<bool, Error> {
    match row.get(name) {
        None => Ok(false),
        Some(AttributeValue::Bool(true)) => Ok(true),
        Some(_) => Err(Error::Row(name)),
    }
}
