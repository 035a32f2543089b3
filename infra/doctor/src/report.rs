//! What was seen, for the person at the terminal: one line for each check.

use std::fmt::Write as _;

use crate::round::{Ended, Otherwise};

/// All checks, ended.
pub(crate) struct Report(pub(crate) Vec<Ended>);

impl Report {
    /// Whether nothing that was looked at is wrong.
    pub(crate) fn is_right(&self) -> bool {
        !self.0.iter().any(|ended| matches!(ended.seen, Err(Otherwise::Wrong(_))))
    }

    pub(crate) fn human(&self, colour: bool) -> String {
        let mut text = String::new();
        let mut group = "";
        for Ended { group: now, check, seen } in &self.0 {
            if group != *now {
                group = now;
                let _ = writeln!(text, "{}{group}", if text.is_empty() { "" } else { "\n" });
            }
            let (word, code) = match seen {
                Ok(_) => (OK, "32"),
                Err(Otherwise::Wrong(_)) => (WRONG, "31"),
                Err(Otherwise::Advice(_)) => (ADVICE, "33"),
                Err(Otherwise::NotChecked(_)) => (NOT_CHECKED, "2"),
            };
            let padded = format!("{word:<11}");
            let padded =
                if colour { format!("\x1b[{code}m{padded}\x1b[0m") } else { padded.to_owned() };
            let _ = write!(text, "  {padded}  {:<19}  {}", check.id, check.name);
            // Some of it comes from elsewhere: a terminal must not take it for commands.
            let shown = |seen: &str| seen.replace(char::is_control, " ");
            let _ = match seen {
                Ok(seen) if seen.is_empty() => writeln!(text, "."),
                Ok(seen) | Err(Otherwise::NotChecked(seen)) => writeln!(text, ": {}.", shown(seen)),
                Err(Otherwise::Wrong(seen) | Otherwise::Advice(seen)) => {
                    let (mend, read) = (check.mend, check.read);
                    writeln!(text, ": {}. {mend} See README.md, \"{read}\".", shown(seen))
                }
            };
        }
        let count = |word: &str| self.0.iter().filter(|ended| ended.word() == word).count();
        let [ok, wrong, advice, not_checked] = [OK, WRONG, ADVICE, NOT_CHECKED].map(count);
        let _ = write!(
            text,
            "\n{} checks: {ok} ok, {wrong} wrong, {advice} with advice, {not_checked} not checked.",
            self.0.len(),
        );
        text
    }
}

const OK: &str = "ok";
const WRONG: &str = "wrong";
const ADVICE: &str = "advice";
const NOT_CHECKED: &str = "not checked";

impl Ended {
    fn word(&self) -> &'static str {
        match self.seen {
            Ok(_) => OK,
            Err(Otherwise::Wrong(_)) => WRONG,
            Err(Otherwise::Advice(_)) => ADVICE,
            Err(Otherwise::NotChecked(_)) => NOT_CHECKED,
        }
    }
}
