//! A small function's share of a processor: Lambda gives a whole one to 1,769 MB, and less to less. While
//! a function starts it has all of it.

use std::{fs, path::PathBuf, process};

use crate::Error;

/// A control group of this machine, if it lets us have one; gone when dropped.
pub(crate) struct Share {
    group: Option<PathBuf>,
}

impl Share {
    /// Of one processor.
    pub(crate) const OF_128_MB: f64 = 128.0 / 1769.0;

    /// How often a share is dealt out, in microseconds.
    const PERIOD: f64 = 20_000.0;

    pub(crate) fn new() -> Self {
        let (period, quota) = (Self::PERIOD, Self::PERIOD * Self::OF_128_MB);
        let (period, quota) = (format!("{period:.0}"), format!("{quota:.0}"));
        let name = format!("bench-{}", process::id());
        let first = PathBuf::from("/sys/fs/cgroup/cpu").join(&name);
        let second = PathBuf::from("/sys/fs/cgroup").join(name);
        let made = |group: &PathBuf, settings: &[(&str, &str)]| {
            let parent = group.parent().is_some_and(|parent| parent.join("cgroup.procs").exists());
            let written = parent
                && fs::create_dir(group).is_ok()
                && settings.iter().all(|(file, text)| fs::write(group.join(file), text).is_ok());
            if !written {
                // It may not even be there.
                let _ = fs::remove_dir(group);
            }
            written
        };
        let settings = [("cpu.cfs_period_us", &*period), ("cpu.cfs_quota_us", &*quota)];
        let group = if made(&first, &settings) {
            Some(first)
        } else {
            made(&second, &[("cpu.max", &format!("{quota} {period}"))]).then_some(second)
        };
        Self { group }
    }

    /// Whether it is measured here, and not computed from the time on a processor.
    pub(crate) fn is_real(&self) -> bool {
        self.group.is_some()
    }

    /// Gives a process no more than this from now on; says whether that is so.
    pub(crate) fn confine(&self, process: u32) -> Result<bool, Error> {
        if let Some(group) = &self.group {
            fs::write(group.join("cgroup.procs"), process.to_string())?;
        }
        Ok(self.is_real())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // Empty by now: its processes have been killed.
        let _ = self.group.as_ref().map(fs::remove_dir);
    }
}
