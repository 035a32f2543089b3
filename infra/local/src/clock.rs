//! A clock for processes, that a test moves. The functions have no such switch of their own: Debian's
//! `libfaketime` is loaded before them and answers when they ask the machine for the time.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::Timestamp;

use crate::{Error, id};

/// A clock that stands still.
pub(crate) struct StoppedClock {
    library: PathBuf,
    file: PathBuf,
}

impl StoppedClock {
    /// A clock that shows this.
    pub(crate) fn new(now: Timestamp) -> Result<Self, Error> {
        let file = std::env::temp_dir().join(format!("clock-{}", id()));
        let clock = Self { library: library()?, file };
        clock.set(now)?;
        Ok(clock)
    }

    /// Shows this from now on.
    pub(crate) fn set(&self, now: Timestamp) -> Result<(), Error> {
        let text = now.rfc3339().replace('T', " ").replace('Z', "\n");
        // In one step: a process must never read half of it.
        let next = self.file.with_extension("next");
        fs::write(&next, text)?;
        Ok(fs::rename(next, &self.file)?)
    }

    /// What makes a process go by this clock. Timeouts go by another one, which is left alone.
    pub(crate) fn settings(&self) -> [(String, String); 4] {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        [
            ("LD_PRELOAD", path(&self.library)),
            ("FAKETIME_TIMESTAMP_FILE", path(&self.file)),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        // A file that stays behind harms nobody.
        let _ = fs::remove_file(&self.file);
    }
}

fn library() -> Result<PathBuf, Error> {
    let folders = fs::read_dir("/usr/lib").map(|folders| folders.flatten().collect::<Vec<_>>());
    let places = folders.unwrap_or_default().into_iter().map(|folder| folder.path());
    let place = |folder: PathBuf| folder.join("faketime/libfaketime.so.1");
    let found = places.map(place).find(|library| library.is_file());
    found.ok_or_else(|| "libfaketime is missing: apt-get install libfaketime".into())
}
