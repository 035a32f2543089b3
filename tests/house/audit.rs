//! What the audit can tell is told in some scene, so that somebody has looked at it.

use crate::{none, read};

#[test]
fn k10_every_event_is_written_in_some_scene() {
    let source = read("shared/web/src/log/event.rs");
    let (_, words) = source.split_once("pub fn as_str(self) -> &'static str {").unwrap();
    let (words, _) = words.split_once("\n    }\n").unwrap();
    let words: Vec<_> = words.split('"').skip(1).step_by(2).collect();
    assert!(words.len() > 20, "{words:?}");
    let scenes = read("tests/journeys/audit/scenes.txt");
    let told = |word: &&&str| scenes.contains(&format!("\"event\":\"{word}\""));
    let silent = words.iter().filter(|word| !told(word));
    none(silent.map(|word| format!("no scene tells {word}")).collect());
}
