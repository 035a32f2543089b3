//! A gigabyte of spaces in seven megabytes of gzip (RFC 1951 and 1952), written by hand.
//!
//! One block with the fixed codes: a space, then over and over "258 times what was one byte back". That
//! takes 13 bits, so the bytes repeat every 13. The stream never ends properly; who reads so far has
//! other troubles.

use axum::body::Bytes;

/// A gzip header without anything optional.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
/// 13 bytes hold 8 times 258 spaces.
const GIGABYTE: usize = (1 << 30) / (8 * 258);

/// The stream in pieces of 64 KiB or so.
pub(super) fn chunks() -> impl Iterator<Item = Bytes> + Send + 'static {
    // Bits are filled into bytes from the lowest up: "last block", "fixed codes" (01, low bit first),
    // then codes from their highest bit: space = 0x30 + 0x20, length 258 = 285 → 0xc5, distance 1 → 0.
    let start = bits([(0b1, 1), (0b10, 2), (0x50, 8)]);
    let run = bits([(0xc5, 8), (0, 5)]);
    let stream: Vec<bool> = start.into_iter().chain(run.repeat(16)).collect();
    let bytes: Vec<u8> = stream
        .chunks_exact(8)
        .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit)))
        .collect();
    let (first, period) = (bytes[..13].to_vec(), &bytes[13..26]);
    let chunk = Bytes::from(period.repeat(5_000));
    let head = Bytes::from([&HEADER[..], &first].concat());
    std::iter::once(head).chain(std::iter::repeat_n(chunk, GIGABYTE / 5_000))
}

/// Codes of so many bits each, highest bit first.
fn bits<const N: usize>(codes: [(u8, u32); N]) -> Vec<bool> {
    let each = |(code, length): (u8, u32)| (0..length).rev().map(move |bit| code >> bit & 1 == 1);
    codes.into_iter().flat_map(each).collect()
}
