//! `threats.toml` and the names of the tests keep in step: what is feared is answered by a test that is
//! there, and a test that says what it answers is listed there.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::{below, none, read};

const LIST: &str = "tests/threats.toml";

/// What may stand in place of tests.
const WORDS: [&str; 2] = ["superseded", "not"];

/// The groups of threats, with the number of the last one of each.
const THREATS: [(&str, u32); 13] = [
    ("A", 24),
    ("B", 14),
    ("C", 22),
    ("D", 22),
    ("E", 26),
    ("F", 16),
    ("G", 11),
    ("H", 9),
    ("N", 15),
    ("J", 12),
    ("K", 12),
    ("L", 14),
    ("M", 20),
];

/// What a visitor might ask for twice.
const TWICE: [&str; 14] = [
    "LOGIN", "CB", "PROMPT", "CONFIRM", "REG", "SESS", "AUTHZ", "LOGOUT", "HAND", "DSTART",
    "DPOLL", "LSTART", "UNLINK", "REAUTH",
];

/// What reads bytes from outside.
const PARSERS: [&str; 16] = [
    "F-EVENT",
    "F-QUERY",
    "F-COOKIE",
    "F-RETURN",
    "F-EMAIL",
    "F-NAME",
    "F-LWA",
    "F-LWA-CBL",
    "F-SEAL",
    "F-TICKET",
    "F-FORM",
    "F-JSON",
    "F-ITEM",
    "F-HDR",
    "F-MODEL",
    "F-DIFF",
];

/// A row of the list.
struct Row {
    id: String,
    tests: Vec<String>,
    /// What stands in place of tests, or beside them: the word and the reason.
    told: Option<(String, String)>,
}

/// Every row that there has to be: its group, its id, and how the name of its test begins.
fn needed() -> Vec<(String, String, String)> {
    let numbered = |group: &str, last: u32, id: &dyn Fn(u32) -> String| {
        let row = |number| (group.to_owned(), id(number), id(number).to_lowercase());
        (1..=last).map(row).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = THREATS
        .iter()
        .flat_map(|(group, last)| numbered(group, *last, &|number| format!("{group}{number:02}")))
        .collect();
    all.extend(numbered("promises", 5, &|number| format!("R{number}")));
    all.extend(numbered("faults", 36, &|number| format!("R-{number:02}")));
    let twice = |name: &&str| ("twice".into(), (*name).into(), format!("{name}_twice"));
    all.extend(TWICE.iter().map(twice));
    all.extend(numbered("invariants", 20, &|number| format!("INV-{number:02}")));
    let parser = |name: &&str| ("parsers".into(), (*name).into(), name.replace('-', "_"));
    all.extend(PARSERS.iter().map(parser));
    for (_, _, beginning) in &mut all {
        *beginning = beginning.to_lowercase().replace('-', "");
    }
    all
}

/// The list, in its order: groups, and the rows of each.
fn listed() -> Vec<(String, Row)> {
    let list: Table = read(LIST).parse().unwrap();
    let mut rows = Vec::new();
    for (group, members) in list {
        let Value::Table(members) = members else { panic!("{group} is no group") };
        rows.extend(members.into_iter().map(|(id, answer)| (group.clone(), row(id, answer))));
    }
    rows
}

fn row(id: String, answer: Value) -> Row {
    let mut told = match answer {
        Value::Table(told) => told,
        tests => Table::from_iter([("tests".to_owned(), tests)]),
    };
    let tests = told.remove("tests").unwrap_or(Value::Array(Vec::new()));
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => panic!("{id}: {other:?} is not a text"),
    };
    let Value::Array(tests) = tests else { panic!("{id}: {tests:?} is not a list") };
    let tests = tests.into_iter().map(&text).collect();
    let mut told = told.into_iter();
    let reason = told.next().map(|(word, why)| (word, text(why)));
    assert!(told.next().is_none(), "{id} gives two reasons");
    Row { id, tests, told: reason }
}

/// The tests of the project, and the files that each is in.
pub(crate) fn tests() -> BTreeMap<String, Vec<String>> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in below("", ".rs") {
        let mut is_test = false;
        for line in read(&path).lines().map(str::trim_start) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
            if let Some(function) = function.filter(|_| is_test) {
                let end = function.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
                let name = &function[..end.unwrap_or(function.len())];
                tests.entry(name.to_owned()).or_default().push(path.clone());
                is_test = false;
            }
        }
    }
    for path in below("tests/template/", ".py") {
        for line in read(&path).lines() {
            let name =
                line.trim_start().strip_prefix("def test_").and_then(|line| line.split_once('('));
            if let Some((name, _)) = name {
                tests.entry(name.to_owned()).or_default().push(path.clone());
            }
        }
    }
    tests
}

/// The ids that a test's name begins with, and what comes after them.
fn ids<'a>(mut name: &'a str, needed: &[(String, String, String)]) -> (Vec<String>, &'a str) {
    let mut ids = Vec::new();
    // Of two beginnings that fit, the longer one is meant.
    let begins = |name: &'a str| {
        let fit = needed.iter().filter_map(|(_, id, beginning)| {
            Some((id, name.strip_prefix(beginning.as_str())?.strip_prefix('_')?))
        });
        fit.min_by_key(|(_, rest)| rest.len())
    };
    while let Some((id, rest)) = begins(name) {
        ids.push(id.clone());
        name = rest;
    }
    (ids, name)
}

/// Whether a word looks like an id.
fn is_like_an_id(word: &str) -> bool {
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = &word[..word.len() - digits.len()];
    let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number && (letters.len() == 1 || letters == "inv")
}

#[test]
fn every_threat_is_listed_in_its_place_and_in_words() {
    let (needed, listed) = (needed(), listed());
    let needed = needed.iter().map(|(group, id, _)| (group.as_str(), id.as_str()));
    let found = listed.iter().map(|(group, row)| (group.as_str(), row.id.as_str()));
    let (needed, found): (Vec<_>, Vec<_>) = (needed.collect(), found.collect());
    let missing = needed.iter().filter(|row| !found.contains(row));
    let mut wrong: Vec<_> = missing.map(|row| format!("{row:?} is missing")).collect();
    let unknown = found.iter().filter(|row| !needed.contains(row));
    wrong.extend(unknown.map(|row| format!("{row:?} is not known")));
    if wrong.is_empty() && needed != found {
        wrong.push("the rows stand in another order".to_owned());
    }
    let text = read(LIST);
    let lines: Vec<_> = text.lines().collect();
    for pair in lines.windows(2) {
        let is_row = found.iter().any(|(_, id)| pair[1].starts_with(&format!("{id} = ")));
        if is_row && !(pair[0].starts_with("# ") && pair[0].ends_with('.')) {
            wrong.push(format!("no sentence says what this is about: {}", pair[1]));
        }
    }
    none(wrong);
}

#[test]
fn every_answer_to_a_threat_is_a_test_that_is_there_or_a_reason() {
    let (needed, tests) = (needed(), tests());
    let mut wrong = Vec::new();
    for (_, Row { id, tests: named, told }) in listed() {
        for test in &named {
            match tests.get(test).map_or(0, Vec::len) {
                1 => {}
                0 => wrong.push(format!("{id}: there is no test {test}")),
                _ => wrong.push(format!("{id}: {test} is the name of several tests")),
            }
        }
        if !named.is_empty() && !named.iter().any(|test| ids(test, &needed).0.contains(&id)) {
            wrong.push(format!("{id}: none of its tests says so in its name"));
        }
        let Some((word, why)) = told else { continue };
        if !WORDS.contains(&word.as_str()) {
            wrong.push(format!("{id}: {word} is none of {WORDS:?}"));
        }
        if !why.ends_with('.') || why.split_whitespace().count() < 2 {
            wrong.push(format!("{id}: no sentence says why it is {word}"));
        }
        if word == "not" && !named.is_empty() {
            wrong.push(format!("{id} does not apply, and has tests"));
        }
    }
    none(wrong);
}

#[test]
fn every_test_that_names_a_threat_is_listed_there() {
    let (needed, listed) = (needed(), listed());
    let mut wrong = Vec::new();
    for (test, files) in tests() {
        let (ids, rest) = ids(&test, &needed);
        if is_like_an_id(rest.split('_').next().unwrap_or_default()) {
            wrong.push(format!("{test} in {files:?} names a threat that is not known"));
        }
        for id in ids {
            let row = listed.iter().find(|(_, row)| row.id == id);
            if !row.is_some_and(|(_, row)| row.tests.contains(&test)) {
                wrong.push(format!("{id} does not list {test} in {files:?}"));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_threat_is_answered() {
    let listed = listed();
    let open = listed.iter().filter(|(_, row)| row.tests.is_empty());
    let open =
        open.filter(|(_, row)| !matches!(&row.told, Some((word, _)) if word != "superseded"));
    none(open.map(|(_, row)| format!("{} has no test", row.id)).collect());
}

#[test]
fn threats_are_counted() {
    let listed = listed();
    let count =
        |wanted: &dyn Fn(&Row) -> bool| listed.iter().filter(|(_, row)| wanted(row)).count();
    let told = |row: &Row, word: &str| matches!(&row.told, Some((found, _)) if found == word);
    let plain = count(&|row| row.told.is_none() && !row.tests.is_empty());
    println!("| threats, faults, promises | {} |\n|---|---|", listed.len());
    println!("| answered by tests | {plain} |");
    for (word, words) in [
        ("superseded", "answered otherwise than they were thought of, by tests"),
        ("not", "that do not apply"),
    ] {
        println!("| {words} | {} |", count(&|row| told(row, word)));
    }
    let named: usize = listed.iter().map(|(_, row)| row.tests.len()).sum();
    println!("| answers that name a test | {named} |");
    let open = count(&|row| row.told.is_none() && row.tests.is_empty());
    println!("| open | {open} |");
    assert_eq!(needed().len(), listed.len());
}
