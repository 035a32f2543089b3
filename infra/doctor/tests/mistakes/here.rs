//! A stack of this machine, and its settings in a file, where mistakes can be made.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use local_stack::{Options, Stack};

use crate::run::{Ran, run};

/// A whole stack, as it is said to be.
pub(crate) struct Here {
    pub(crate) stack: Stack,
    pub(crate) settings: BTreeMap<String, String>,
    file: PathBuf,
}

impl Here {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let stack = options.start().await.unwrap();
        let settings = stack.settings_of_all().unwrap();
        let nth = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lwa-doctor-{}-{nth}.env", std::process::id());
        Self { stack, settings, file: env::temp_dir().join(name) }
    }

    /// Says something else in the file than the functions were told.
    pub(crate) fn say(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn look(&self) -> Ran {
        let lines = self.settings.iter().map(|(name, value)| format!("{name}='{value}'\n"));
        fs::write(&self.file, lines.collect::<String>()).unwrap();
        run(&["--env-file", self.file.to_str().unwrap()], &[]).await
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        // It is not there if nothing was looked at.
        let _ = fs::remove_file(&self.file);
    }
}

/// An address at which nobody is.
pub(crate) async fn nobody() -> String {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", taken.local_addr().unwrap())
}
