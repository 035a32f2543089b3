//! What no file of the project contains.

use crate::{below, files, none, read};

/// How long a file may be: what does not fit is two things. A function's tests are a list of all its
/// endings, which is as long as it is.
const LINES: usize = 400;

#[test]
fn no_file_is_too_long_to_be_read_in_one_go() {
    let mut sources = below("shared/", ".rs");
    sources.extend(below("functions/", ".rs"));
    let lengths = sources
        .iter()
        .filter(|path| path.contains("/src/") && !path.ends_with("/tests.rs"))
        .map(|path| {
            let lines = read(path).lines().count();
            (path, lines)
        });
    let long = lengths.filter(|(_, lines)| *lines > LINES);
    none(long.map(|(path, lines)| format!("{path} has {lines} lines")).collect());
}

#[test]
fn nothing_is_left_for_later_or_tied_to_one_machine() {
    // In two halves, or this file would be found.
    let words = [["TO", "DO"], ["FIX", "ME"], ["/wo", "rk/"], ["/ro", "ot/"], ["/tm", "p/"]];
    let words = words.map(|halves| halves.concat());
    let mut wrong = Vec::new();
    for path in files() {
        let bytes = std::fs::read(std::path::Path::new(crate::ROOT).join(&path)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let found = words.iter().filter(|word| text.contains(word.as_str()));
        wrong.extend(found.map(|word| format!("{path} contains {word}")));
    }
    none(wrong);
}
