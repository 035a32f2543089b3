//! What the checks found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::kit::{Ended, Outcome};

/// All checks, ended.
pub(crate) struct Report(pub(crate) Vec<Ended>);

impl Report {
    /// Whether nothing that was looked at is wrong.
    pub(crate) fn is_right(&self) -> bool {
        self.count(Outcome::Failed) == 0
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.0.iter().filter(|ended| ended.outcome == outcome).count()
    }

    /// For people: what is wrong with how to mend it, the rest in a line each.
    pub(crate) fn human(&self, colour: bool) -> String {
        let mut text = String::new();
        let mut group = "";
        for Ended { group: now, check, outcome, seen } in &self.0 {
            if group != *now {
                group = now;
                let _ = writeln!(text, "{}{group}", if text.is_empty() { "" } else { "\n" });
            }
            let (mark, code) = match outcome {
                Outcome::Passed => ("✓", "32"),
                Outcome::Failed => ("✗", "31"),
                Outcome::Advice => ("!", "33"),
                Outcome::NotRun => ("–", "2"),
            };
            let mark = if colour { format!("\x1b[{code}m{mark}\x1b[0m") } else { mark.to_owned() };
            let _ = write!(text, "  {mark} {} {}", check.id, check.name);
            let _ = match outcome {
                Outcome::Passed if seen.is_empty() => writeln!(text),
                Outcome::Passed => writeln!(text, " ({seen})"),
                Outcome::NotRun => writeln!(text, ": not run, {seen}"),
                Outcome::Failed | Outcome::Advice => {
                    writeln!(text, "\n        seen: {seen}.\n        mend: {}", check.mend)
                }
            };
        }
        let _ = write!(
            text,
            "\n{} checks: {} passed, {} failed, {} with advice, {} not run.",
            self.0.len(),
            self.count(Outcome::Passed),
            self.count(Outcome::Failed),
            self.count(Outcome::Advice),
            self.count(Outcome::NotRun),
        );
        text
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        let checks = self.0.iter().map(|Ended { group, check, outcome, seen }| {
            let mut told = json!({
                "id": check.id,
                "group": group,
                "name": check.name,
                "outcome": outcome.word(),
            });
            if !seen.is_empty() {
                told["seen"] = seen.as_str().into();
            }
            if matches!(outcome, Outcome::Failed | Outcome::Advice) {
                told["mend"] = check.mend.into();
            }
            told
        });
        json!({
            "right": self.is_right(),
            "passed": self.count(Outcome::Passed),
            "failed": self.count(Outcome::Failed),
            "advice": self.count(Outcome::Advice),
            "not_run": self.count(Outcome::NotRun),
            "checks": checks.collect::<Vec<_>>(),
        })
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Advice => "advice",
            Self::NotRun => "not_run",
        }
    }
}
