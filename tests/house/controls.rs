//! The planted bugs of `tests/controls` fit the code as it is, and name tests that are there.

use crate::{below, none, output, read, threats::tests};

/// How many bugs a suite has to catch before anybody believes it.
const FEWEST: usize = 20;

#[test]
fn every_planted_bug_fits_and_names_the_test_that_must_notice() {
    let patches = below("tests/controls/", ".patch");
    assert!(patches.len() >= FEWEST, "{}", patches.len());
    let tests = tests();
    let mut wrong = Vec::new();
    for path in &patches {
        let patch = read(path);
        let mut lines = patch.lines();
        if !lines.next().is_some_and(|line| line.ends_with('.') && line.contains(' ')) {
            wrong.push(format!("{path} does not begin with a sentence that says what is wrong"));
        }
        let caught_by = lines.next().and_then(|line| line.strip_prefix("Caught by: "));
        let files = caught_by.and_then(|name| tests.get(name));
        if !files.is_some_and(|files| files.iter().all(|file| file.starts_with("tests/"))) {
            wrong.push(format!("{path}: {caught_by:?} is no test of the folder tests"));
        }
    }
    none(wrong);
    // Fails, and says which, where the code has moved on from under a patch.
    for path in &patches {
        output("git", &["-c", "safe.directory=*", "apply", "--check", path]);
    }
}
