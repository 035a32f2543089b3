//! The sample sites of `infra/sites`, as servers of this machine: other people's account systems.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use crate::{Error, id};

/// How long a server may take to say that it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sample site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Python, with Django's passwords.
    Python,
    /// Node, with bcrypt.
    Node,
}

/// A sample site that runs, with a database of its own; both end when this is dropped.
pub struct Site {
    /// Where it answers questions about accounts; what `ACCOUNTS_WEBHOOK_URL` is set to.
    pub webhook_url: String,
    directory: PathBuf,
    server: Program,
    database: Program,
}

/// A program, and what it says: it would end if nobody listened any more.
struct Program {
    process: Child,
    _output: Lines<BufReader<ChildStdout>>,
}

impl Sample {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Python, Self::Node];

    /// Its folder below `infra/sites`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
        }
    }

    /// The sample of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sample| sample.as_str() == text)
    }

    /// Starts it, with the accounts that the shop has, for whoever signs with this secret. What it needs
    /// from its registry is installed the first time.
    ///
    /// # Errors
    ///
    /// PostgreSQL or the language is missing; or it does not start.
    pub async fn start(self, secret: &str) -> Result<Site, Error> {
        let mut serve = self.install().await?;
        let directory = env::temp_dir().join(format!("site-{}", id()));
        let folder = folder(self);
        let database = Command::new(sites().join("database"))
            .args([&directory, &folder.join("schema.sql"), &folder.join("seed.sql")])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (database, url) = said(database, "postgresql://").await?;
        serve
            .env("DATABASE_URL", url)
            .env("ACCOUNTS_WEBHOOK_SECRET", secret)
            .env("PORT", "0")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let (server, line) = said(serve.spawn()?, "listening on ").await?;
        let url = line.trim_start_matches("listening on ").trim_end_matches('/');
        Ok(Site { webhook_url: format!("{url}/lwa-accounts"), directory, server, database })
    }

    /// Installs what it needs beside our own programs, and gives the command that serves it.
    async fn install(self) -> Result<Command, Error> {
        let place = place()?.join(self.as_str());
        let folder = folder(self);
        std::fs::create_dir_all(&place)?;
        // Whoever else is about to install the same waits.
        let lock = std::fs::File::create(place.with_extension("lock"))?;
        lock.lock()?;
        match self {
            Self::Python => {
                let python = place.join("bin/python");
                let requirements = folder.join("requirements.txt");
                if !same(&requirements, &place.join("requirements.txt")) {
                    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&place))
                        .await?;
                    let mut pip = Command::new(&python);
                    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
                    run(pip.arg("-r").arg(&requirements)).await?;
                    std::fs::copy(&requirements, place.join("requirements.txt"))?;
                }
                let mut serve = Command::new(python);
                serve.arg(folder.join("accounts.py"));
                Ok(serve)
            }
            Self::Node => {
                let wanted = folder.join("package-lock.json");
                let installed = same(&wanted, &place.join("package-lock.json"));
                for file in ["accounts.js", "package.json"] {
                    std::fs::copy(folder.join(file), place.join(file))?;
                }
                if !installed || !place.join("node_modules").is_dir() {
                    std::fs::copy(&wanted, place.join("package-lock.json"))?;
                    let mut npm = Command::new("npm");
                    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
                    run(npm.arg("--prefix").arg(&place)).await?;
                }
                let mut serve = Command::new("node");
                serve.arg(place.join("accounts.js"));
                Ok(serve)
            }
        }
    }
}

impl Site {
    /// Stops its database: it can answer nothing any more.
    ///
    /// # Errors
    ///
    /// The database cannot be stopped.
    pub async fn lose_database(&mut self) -> Result<(), Error> {
        self.database.ask_to_end()?;
        self.database.process.wait().await?;
        Ok(())
    }
}

impl Program {
    /// Asks the program to end in order.
    fn ask_to_end(&self) -> Result<(), Error> {
        let Some(id) = self.process.id() else { return Ok(()) };
        std::process::Command::new("kill").arg(id.to_string()).status()?;
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Both end by themselves with us, if this fails.
        let _ = self.server.process.start_kill();
        // The database leaves its directory alone once it has ended.
        let _ = self.database.ask_to_end();
        for _ in 0..500 {
            if !matches!(self.database.process.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Waits until a program says a line that begins so.
async fn said(mut process: Child, beginning: &str) -> Result<(Program, String), Error> {
    let output = process.stdout.take().ok_or("a program without output")?;
    let mut lines = BufReader::new(output).lines();
    let waiting = async {
        while let Some(line) = lines.next_line().await? {
            if line.starts_with(beginning) {
                return Ok(line);
            }
        }
        Err(Error::from(format!("it ended before it said {beginning:?}")))
    };
    let line = timeout(PATIENCE, waiting).await.map_err(|_| "it does not start")??;
    Ok((Program { process, _output: lines }, line))
}

async fn run(command: &mut Command) -> Result<(), Error> {
    let what = format!("{:?}", command.as_std().get_program());
    let status = command.status().await.map_err(|error| format!("cannot run {what}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed").into()) }
}

/// Whether two files are there and say the same.
fn same(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(std::fs::read);
    matches!((one, other), (Ok(one), Ok(other)) if one == other)
}

fn sites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sites")
}

fn folder(sample: Sample) -> PathBuf {
    sites().join(sample.as_str())
}

/// Where the sites' libraries are kept: beside our own programs.
fn place() -> Result<PathBuf, Error> {
    let ours = env::current_exe()?;
    let beside = ours.parent().ok_or("this program is nowhere")?;
    let beside = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
    Ok(beside.join("sites"))
}
