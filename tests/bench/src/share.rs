//! A small function's share of a processor: Lambda gives a whole one to 1,769 MB, and less to less. While
//! a function starts it has all of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::Error;

/// Shares, if this machine lets us deal them out.
pub(crate) struct Share {
    real: bool,
    dealt: AtomicU64,
}

/// A control group with a share; gone when dropped, if its processes are.
pub(crate) struct Group(PathBuf);

impl Share {
    /// Of one processor.
    pub(crate) const OF_128_MB: f64 = 128.0 / 1769.0;

    /// How often a share is dealt out, in microseconds.
    const PERIOD: f64 = 20_000.0;

    pub(crate) fn new() -> Self {
        let mut share = Self { real: false, dealt: AtomicU64::new(0) };
        share.real = share.group().is_some();
        share
    }

    /// Whether it is measured here, and not computed from the time on a processor.
    pub(crate) fn is_real(&self) -> bool {
        self.real
    }

    /// Gives a process no more than this from now on. What one has used up is no other's loss.
    pub(crate) fn confine(&self, process: u32) -> Result<Group, Error> {
        let group = self.group().ok_or("no control group")?;
        fs::write(group.0.join("cgroup.procs"), process.to_string())?;
        Ok(group)
    }

    /// A new group, by the first version of control groups or the second.
    fn group(&self) -> Option<Group> {
        let (period, quota) = (Self::PERIOD, Self::PERIOD * Self::OF_128_MB);
        let (period, quota) = (format!("{period:.0}"), format!("{quota:.0}"));
        let name =
            format!("bench-{}-{}", process::id(), self.dealt.fetch_add(1, Ordering::Relaxed));
        let first = [("cpu.cfs_period_us", &*period), ("cpu.cfs_quota_us", &*quota)];
        Group::make(Path::new("/sys/fs/cgroup/cpu").join(&name), &first).or_else(|| {
            let both = format!("{quota} {period}");
            Group::make(Path::new("/sys/fs/cgroup").join(&name), &[("cpu.max", &both)])
        })
    }
}

impl Group {
    fn make(path: PathBuf, settings: &[(&str, &str)]) -> Option<Self> {
        let parent = path.parent()?.join("cgroup.procs");
        if !parent.exists() || fs::create_dir(&path).is_err() {
            return None;
        }
        let group = Self(path);
        let set = |(file, text): &(&str, &str)| fs::write(group.0.join(file), text).is_ok();
        settings.iter().all(set).then_some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Where somebody is still in it, it stays, and harms nobody.
        let _ = fs::remove_dir(&self.0);
    }
}
