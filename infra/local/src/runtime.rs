//! Runs the functions as Lambda does, each in processes of its own that speak the Runtime API.
//!
//! 1. A request takes an environment that is idle, or starts one, or waits for one: an environment
//!    handles one request at a time ([`Lambda::invoke`]). Beyond the concurrency that is set aside
//!    for the function it is refused.
//! 2. The function's process asks for its next request: `GET …/invocation/next`.
//! 3. It posts what it returns to `…/invocation/ID/response`, or `…/error`. Then it is idle again.
//!
//! An environment that dies or takes too long is gone, and the next request starts another.
//!
//! A function may have a version of each release; they take turns, request by request.

mod desk;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{Notify, Semaphore, mpsc, oneshot},
    time::sleep,
};

use self::desk::{Desk, Invocation};
use crate::{Error, logs::Logs, now, release::Release, server::Server, template};

/// How many environments a function has at most: enough to see what concurrency does.
const ENVIRONMENTS: usize = 4;

/// Where all functions of this stack write their logs.
const LOG_GROUP: &str = "/lwa-bridge/local";

/// The functions of a stack.
pub(crate) struct Lambda {
    functions: HashMap<String, Function>,
    desk: Arc<Desk>,
    logs: Arc<Logs>,
    environments: AtomicU64,
    /// Whose versions answer, in turn; this release's if there is none.
    turns: Mutex<Vec<Release>>,
    invocations: AtomicUsize,
    server: Server,
}

struct Function {
    versions: Vec<Version>,
    timeout: Duration,
    /// How many more invocations may come, if some concurrency is set aside.
    reserved: Option<Semaphore>,
    places: Semaphore,
    /// Told when the processes at work are to be killed.
    killed: Notify,
}

/// A release of a function.
struct Version {
    release: Release,
    binary: PathBuf,
    arguments: Vec<String>,
    settings: Mutex<BTreeMap<String, String>>,
    idle: Mutex<Vec<Environment>>,
}

/// A function to be run.
pub(crate) struct Binary {
    /// What the template says of it.
    pub(crate) function: template::Function,
    /// The release that it is of.
    pub(crate) release: Release,
    /// Its whole environment, save what tells it about Lambda.
    pub(crate) settings: BTreeMap<String, String>,
    /// The program.
    pub(crate) path: PathBuf,
    /// What it is called with.
    pub(crate) arguments: Vec<String>,
}

/// A process of a function; it is killed when dropped.
struct Environment {
    number: u64,
    process: Child,
    invocations: mpsc::Sender<Invocation>,
    desk: Arc<Desk>,
}

/// Why a function has returned nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// It fails, dies or takes too long, which its log tells.
    Failed,
    /// As many invocations as may run at once are running: Lambda's `TooManyRequestsException`.
    Throttled,
}

/// Why there is no answer.
enum Trouble {
    /// The function said so itself, in these words.
    Failed(Bytes),
    /// Its process ended.
    Died(String),
    /// It took too long.
    Late,
}

impl Lambda {
    /// Makes the functions ready to be started by their first requests. What the template of the
    /// first binary of a function says holds for its other versions, too.
    pub(crate) async fn start(
        functions: impl IntoIterator<Item = Binary>,
        logs: Arc<Logs>,
    ) -> Result<Self, Error> {
        let desk = Arc::<Desk>::default();
        let server = Server::start(0, desk.router(Arc::clone(&logs))).await?;
        let mut all = HashMap::new();
        for Binary { function, release, mut settings, path, arguments } in functions {
            settings.extend(of_lambda(&function));
            let version = Version {
                release,
                binary: path,
                arguments,
                settings: Mutex::new(settings),
                idle: Mutex::default(),
            };
            let name = function.name.clone();
            all.entry(name).or_insert_with(|| Function::new(&function)).versions.push(version);
        }
        Ok(Self {
            functions: all,
            desk,
            logs,
            environments: AtomicU64::new(1),
            turns: Mutex::default(),
            invocations: AtomicUsize::new(0),
            server,
        })
    }

    /// Lets the versions of these releases answer from now on, in turn.
    pub(crate) fn take_turns(&self, turns: &[Release]) {
        *hold(&self.turns) = turns.to_vec();
        self.invocations.store(0, Ordering::Relaxed);
    }

    fn turn(&self) -> Release {
        let turns = hold(&self.turns);
        let number = self.invocations.fetch_add(1, Ordering::Relaxed);
        number.checked_rem(turns.len()).map_or(Release::This, |turn| turns[turn])
    }

    /// What a function returns for an event, or why it returns nothing.
    pub(crate) async fn invoke(
        &self,
        name: &str,
        (id, trace): (&str, &str),
        event: Bytes,
    ) -> Result<Bytes, Nothing> {
        let function = self.functions.get(name).ok_or(Nothing::Failed)?;
        let reserved = function.reserved.as_ref().map(Semaphore::try_acquire);
        let _reserved = reserved.transpose().map_err(|_| Nothing::Throttled)?;
        let _place = function.places.acquire().await.map_err(|_| Nothing::Failed)?;
        let version = function.version(self.turn()).ok_or(Nothing::Failed)?;
        let mut environment = match version.take_idle() {
            Some(environment) => environment,
            None => match self.environment(name, version) {
                Ok(environment) => environment,
                Err(error) => {
                    self.logs.write(name, format!("{}: {error}", version.binary.display()));
                    return Err(Nothing::Failed);
                }
            },
        };
        let trouble = match environment.handle((id, trace), event, function).await {
            Ok(answer) => {
                function.keep(version, environment);
                return Ok(answer);
            }
            Err(trouble) => trouble,
        };
        let said = match trouble {
            Trouble::Failed(error) => {
                function.keep(version, environment);
                String::from_utf8_lossy(&error).into_owned()
            }
            Trouble::Died(how) => format!("Runtime exited: {how}"),
            Trouble::Late => {
                format!("Task timed out after {:.2} seconds", function.timeout.as_secs_f64())
            }
        };
        self.logs.write(name, format!("RequestId: {id} {said}"));
        Err(Nothing::Failed)
    }

    /// Whether there is a function of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Kills the processes of a function that are handling a request.
    pub(crate) fn kill(&self, name: &str) {
        if let Some(function) = self.functions.get(name) {
            function.killed.notify_waiters();
        }
    }

    /// The processes of a function that are idle, by their ids.
    pub(crate) fn idle(&self, name: &str) -> Vec<u32> {
        let versions = self.functions.get(name).into_iter().flat_map(|f| &f.versions);
        let ids = versions.flat_map(|version| {
            let idle = hold(&version.idle);
            idle.iter().filter_map(|one| one.process.id()).collect::<Vec<_>>()
        });
        ids.collect()
    }

    /// Ends the processes of a function that are idle.
    pub(crate) fn restart(&self, name: &str) {
        for version in self.functions.get(name).into_iter().flat_map(|f| &f.versions) {
            hold(&version.idle).clear();
        }
    }

    /// Gives a function a setting another value, or none: processes that start from now on know it.
    pub(crate) fn set(&self, name: &str, setting: &str, value: Option<&str>) {
        for version in self.functions.get(name).into_iter().flat_map(|f| &f.versions) {
            let mut settings = hold(&version.settings);
            match value {
                Some(value) => settings.insert(setting.to_owned(), value.to_owned()),
                None => settings.remove(setting),
            };
        }
    }

    /// Ends all processes and starts no more.
    pub(crate) fn stop(&self) {
        for function in self.functions.values() {
            function.places.close();
            function.versions.iter().for_each(|version| hold(&version.idle).clear());
        }
    }

    fn environment(&self, function: &str, version: &Version) -> std::io::Result<Environment> {
        let number = self.environments.fetch_add(1, Ordering::Relaxed);
        // Before the process is there, which asks for its first request right away.
        let invocations = self.desk.seat_for(number, function);
        let mut process = Command::new(&version.binary)
            .args(&version.arguments)
            // What is not in the template is not there in the cloud either.
            .env_clear()
            .envs(&*hold(&version.settings))
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/{number}", self.server.url))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/{number}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(lines) = process.stdout.take() {
            self.collect(function, lines);
        }
        if let Some(lines) = process.stderr.take() {
            self.collect(function, lines);
        }
        Ok(Environment { number, process, invocations, desk: Arc::clone(&self.desk) })
    }

    fn collect(&self, function: &str, lines: impl AsyncRead + Send + Unpin + 'static) {
        let (logs, function) = (Arc::clone(&self.logs), function.to_owned());
        tokio::spawn(async move {
            let mut lines = BufReader::new(lines).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                logs.write(&function, line);
            }
        });
    }
}

impl Function {
    fn new(function: &template::Function) -> Self {
        Self {
            versions: Vec::new(),
            timeout: function.timeout,
            reserved: function.reserved.map(Semaphore::new),
            places: Semaphore::new(ENVIRONMENTS),
            killed: Notify::new(),
        }
    }

    /// The version of this release, or the only one.
    fn version(&self, release: Release) -> Option<&Version> {
        let wanted = self.versions.iter().find(|version| version.release == release);
        wanted.or(self.versions.first())
    }

    fn keep(&self, version: &Version, environment: Environment) {
        let mut idle = hold(&version.idle);
        // Whoever stopped the stack meanwhile has already ended those that were idle.
        if !self.places.is_closed() {
            idle.push(environment);
        }
    }
}

impl Version {
    /// An environment that waits for a request. One that died meanwhile is forgotten.
    fn take_idle(&self) -> Option<Environment> {
        let mut idle = hold(&self.idle);
        while let Some(mut environment) = idle.pop() {
            if matches!(environment.process.try_wait(), Ok(None)) {
                return Some(environment);
            }
        }
        None
    }
}

impl Environment {
    async fn handle(
        &mut self,
        (id, trace): (&str, &str),
        event: Bytes,
        function: &Function,
    ) -> Result<Bytes, Trouble> {
        let (answer, answered) = oneshot::channel();
        let timeout = function.timeout;
        let deadline_ms = now().saturating_add_unsigned(timeout.as_millis() as u64);
        let (id, trace) = (id.to_owned(), trace.to_owned());
        // It has room for one, and whoever holds the environment sends no second.
        let _ = self.invocations.try_send(Invocation { id, trace, deadline_ms, event, answer });
        tokio::select! {
            biased;
            () = function.killed.notified() => {
                // It is waited for, so that nothing it did comes later than its end.
                let _ = self.process.kill().await;
                Err(Trouble::Died("signal: 9 (SIGKILL)".to_owned()))
            }
            Ok(answer) = answered => answer.map_err(Trouble::Failed),
            end = self.process.wait() => {
                Err(Trouble::Died(end.map_or_else(|error| error.to_string(), |end| end.to_string())))
            }
            () = sleep(timeout) => Err(Trouble::Late),
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.desk.leave(self.number);
    }
}

/// What Lambda itself puts into the environment.
fn of_lambda(function: &template::Function) -> [(String, String); 8] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", LOG_GROUP.to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
