//! The fields of a hash string. Each value has one spelling, so that a damaged hash is not taken for
//! an undamaged one.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::GeneralPurpose;
pub(crate) use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use subtle::ConstantTimeEq;

/// Lengths of a salt, in bytes: 8 is the least that Argon2 takes, 64 more than any default.
const SALT: RangeInclusive<usize> = 8..=64;

/// A decimal number without sign or leading zeros.
pub(crate) fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The numbers of `m=65536,t=3,p=4`, in the order of `keys`, where exactly these keys stand in this order.
pub(crate) fn numbers<const N: usize>(text: &str, keys: [&str; N]) -> Option<[u32; N]> {
    let pairs: Vec<_> = text.split(',').collect();
    let pairs: [&str; N] = pairs.try_into().ok()?;
    let mut numbers = [0; N];
    for ((place, pair), key) in numbers.iter_mut().zip(pairs).zip(keys) {
        *place = number(pair.strip_prefix(key)?.strip_prefix('=')?)?;
    }
    Some(numbers)
}

/// A salt, where its length is one that libraries use.
pub(crate) fn salt(bytes: impl Into<Vec<u8>>) -> Option<Vec<u8>> {
    Some(bytes.into()).filter(|salt| SALT.contains(&salt.len()))
}

/// The bytes behind base64 of this alphabet and padding, spelled as the encoder would.
pub(crate) fn base64(alphabet: &GeneralPurpose, text: &str) -> Option<Vec<u8>> {
    alphabet.decode(text).ok()
}

/// The bytes behind hexadecimal in lower case.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Hexadecimal in lower case.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digits of crypt's base64, in order.
pub(crate) const CRYPT: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The bytes behind crypt's base64, which begins at the low end of every three bytes.
pub(crate) fn crypt64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for digits in text.as_bytes().chunks(4) {
        let mut bits: u32 = 0;
        for digit in digits.iter().rev() {
            bits = bits << 6 | u32::try_from(CRYPT.find(char::from(*digit))?).ok()?;
        }
        let length = digits.len() * 6 / 8;
        // One digit is no byte, and no digit says what is not read of it.
        (length > 0 && bits >> (8 * length) == 0).then_some(())?;
        bytes.extend(&bits.to_le_bytes()[..length]);
    }
    Some(bytes)
}

/// Whether the computed hash is the stored one, in a time that does not tell where they differ.
pub(crate) fn same(computed: &[u8], stored: &[u8]) -> bool {
    computed.ct_eq(stored).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_value_has_one_spelling_in_crypts_base64() {
        // Of no digits, and of one, two and three: as many values as there are bytes.
        let mut texts = vec![String::new()];
        for values in [1, 0, 1 << 8, 1 << 16] {
            let read: Vec<_> = texts.iter().filter_map(|text| crypt64(text)).collect();
            assert_eq!(read.len(), values);
            assert_eq!(read.iter().collect::<HashSet<_>>().len(), values);
            let longer = |text| CRYPT.chars().map(move |digit| format!("{text}{digit}"));
            texts = texts.iter().flat_map(longer).collect();
        }
        // The first byte is in the first digit.
        assert_eq!(crypt64("/..."), Some(vec![1, 0, 0]));
        assert_eq!(crypt64("/.../."), Some(vec![1, 0, 0, 1]));
    }
}
