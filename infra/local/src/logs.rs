//! What the functions write to their logs.

use std::sync::{Mutex, PoisonError};

/// The lines of all functions, oldest first.
pub(crate) struct Logs {
    lines: Mutex<Vec<(String, String)>>,
    /// Whether lines are shown to the person at this machine as they come.
    shown: bool,
}

impl Logs {
    pub(crate) fn new(shown: bool) -> Self {
        Self { lines: Mutex::default(), shown }
    }

    pub(crate) fn write(&self, function: &str, line: String) {
        if self.shown {
            eprintln!("\x1b[2m{function:>10}  {line}\x1b[0m");
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push((function.to_owned(), line));
    }

    /// The lines of this function, or of all.
    pub(crate) fn lines(&self, function: Option<&str>) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = lines.iter().filter(|(name, _)| function.is_none_or(|wanted| wanted == name));
        wanted.map(|(_, line)| line.clone()).collect()
    }
}
