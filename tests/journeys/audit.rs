//! What the audit is told, scene by scene: `audit/scenes.txt` has every line of it.
//!
//! A scene's lines stand by function, for what functions write at the same time has no order. What is
//! another one each time is replaced by a letter and a number: requests, sessions, accounts, customers.

mod asked;
mod owners;
mod programs;
mod site;
mod turned_away;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use local_stack::{Options, Stack};
use serde_json::{Map, Value};
use tests::Browser;

const SCENES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/journeys/audit/scenes.txt");

/// Scenes that are played one after the other, and what was told wrongly.
#[derive(Default)]
struct Scenes(Vec<String>);

impl Scenes {
    /// Plays a scene, and compares what the audit was told with what it should be. The walk gives the
    /// gateway's names for the requests it made: the lines of all of them must be there first.
    async fn play(
        &mut self,
        name: &str,
        parameters: &[(&str, &str)],
        walk: impl AsyncFnOnce(&Stack) -> BTreeSet<String>,
    ) {
        let stack = Options::with(parameters).start().await.unwrap();
        let requests = walk(&stack).await;
        let scenes = fs::read_to_string(SCENES).unwrap();
        let expected =
            scenes.split("# ").find_map(|scene| scene.strip_prefix(&format!("{name}\n")));
        let expected = expected.unwrap_or_default().trim_end();
        let start = Instant::now();
        loop {
            let (told, ended) = told(&stack);
            if requests.is_subset(&ended) && told.trim_end() == expected {
                return;
            }
            if start.elapsed() > Duration::from_secs(5) {
                return self.0.push(format!("# {name}\n{told}"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Fails with all that was told otherwise than the file has it.
    fn end(self) {
        assert!(self.0.is_empty(), "{SCENES} has it otherwise:\n{}", self.0.join("\n"));
    }
}

/// The audit so far, as the file has it, and which requests have ended.
fn told(stack: &Stack) -> (String, BTreeSet<String>) {
    let (mut told, mut ended, mut names) = (String::new(), BTreeSet::new(), Names::default());
    for function in Stack::functions().unwrap() {
        for line in stack.logs_of(&function) {
            let Ok(mut line) = serde_json::from_str::<Map<String, Value>>(&line) else { continue };
            if line.contains_key("ms") {
                ended.insert(line["request_id"].as_str().unwrap().to_owned());
            }
            if !line.contains_key("event") {
                continue;
            }
            // The same on every line, or other than last time.
            for name in ["_aws", "log_group", "events", "timestamp", "level", "version"] {
                assert!(line.remove(name).is_some(), "{name}: {line:?}");
            }
            names.replace(&mut line);
            // Writing to a string cannot fail.
            let _ = writeln!(told, "{}", Value::from(line));
        }
    }
    (told, ended)
}

/// The names of what is another one each time.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn replace(&mut self, line: &mut Map<String, Value>) {
        for (member, letter) in
            [("request_id", 'r'), ("session", 's'), ("customer", 'c'), ("account_id", 'a')]
        {
            let Some(Value::String(text)) = line.get_mut(member) else { continue };
            // The seeded accounts are called by their names.
            if member == "account_id" && text.len() != 36 {
                continue;
            }
            let next = 1 + self.0.values().filter(|name| name.starts_with(letter)).count();
            let name = self.0.entry(text.clone()).or_insert_with(|| format!("{letter}{next}"));
            name.clone_into(text);
        }
    }
}

/// The requests of these browsers.
fn of(browsers: &[&Browser<'_>]) -> BTreeSet<String> {
    browsers.iter().flat_map(|browser| browser.requests()).collect()
}

#[tokio::test]
async fn k10_who_signs_in_is_told_to_the_audit() {
    let mut scenes = Scenes::default();
    scenes
        .play("a customer who is known", &[], async |stack| {
            let lin = Browser::new(stack);
            lin.sign_in_at_amazon("lin", "/").await;
            of(&[&lin])
        })
        .await;
    scenes
        .play("a newcomer", &[], async |stack| {
            let nora = Browser::new(stack);
            nora.sign_in_at_amazon("nora", "/").await;
            of(&[&nora])
        })
        .await;
    scenes
        .play("somebody signs out, and a copy of the cookie is dead", &[], async |stack| {
            let lin = Browser::new(stack);
            lin.sign_in_at_amazon("lin", "/").await;
            let copy = lin.copy();
            lin.log_out().await;
            assert_eq!(copy.get("/auth/connections").await.code(), "not_signed_in");
            of(&[&lin, &copy])
        })
        .await;
    scenes
        .play("somebody switches accounts", &[], async |stack| {
            stack.link("ann", "ann").await.unwrap();
            let lin = Browser::new(stack);
            lin.sign_in_at_amazon("lin", "/").await;
            let page = lin.sign_in_at_amazon("ann", "/").await;
            lin.post("/auth/amazon/switch", &[("csrf", page.input("csrf"))]).await;
            of(&[&lin])
        })
        .await;
    scenes.end();
}
