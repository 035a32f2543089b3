//! Runs the functions as Lambda does, each in processes of its own that speak the Runtime API.
//!
//! 1. A request takes an environment that is idle, or starts one, or waits for one: an environment
//!    handles one request at a time ([`Lambda::invoke`]). Beyond the concurrency that is set aside
//!    for the function it is refused.
//! 2. The function's process asks for its next request: `GET …/invocation/next`.
//! 3. It posts what it returns to `…/invocation/ID/response`, or `…/error`. Then it is idle again.
//!
//! An environment that dies or takes too long is gone, and the next request starts another.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::{Notify, Semaphore, mpsc, oneshot},
    time::sleep,
};

use crate::{ACCOUNT, Error, REGION, logs::Logs, now, server::Server, template};

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
    server: Server,
}

struct Function {
    name: String,
    binary: PathBuf,
    arguments: Vec<String>,
    settings: Mutex<BTreeMap<String, String>>,
    timeout: Duration,
    /// How many more invocations may come, if some concurrency is set aside.
    reserved: Option<Semaphore>,
    places: Semaphore,
    idle: Mutex<Vec<Environment>>,
    /// Told when the processes at work are to be killed.
    killed: Notify,
}

/// A function to be run.
pub(crate) struct Binary {
    /// What the template says of it.
    pub(crate) function: template::Function,
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

struct Invocation {
    id: String,
    trace: String,
    deadline_ms: i64,
    event: Bytes,
    answer: oneshot::Sender<Answer>,
}

/// What a function posts: what it returned, or an error.
type Answer = Result<Bytes, Bytes>;

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
    /// Makes the functions ready to be started by their first requests.
    pub(crate) async fn start(
        functions: impl IntoIterator<Item = Binary>,
        logs: Arc<Logs>,
    ) -> Result<Self, Error> {
        let desk = Arc::<Desk>::default();
        let server = Server::start(0, desk.router(Arc::clone(&logs))).await?;
        let functions =
            functions.into_iter().map(|Binary { function, mut settings, path, arguments }| {
                settings.extend(of_lambda(&function));
                let function = Function {
                    name: function.name,
                    binary: path,
                    arguments,
                    settings: Mutex::new(settings),
                    timeout: function.timeout,
                    reserved: function.reserved.map(Semaphore::new),
                    places: Semaphore::new(ENVIRONMENTS),
                    idle: Mutex::default(),
                    killed: Notify::new(),
                };
                (function.name.clone(), function)
            });
        let functions = functions.collect();
        Ok(Self { functions, desk, logs, environments: AtomicU64::new(1), server })
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
        let mut environment = match function.take_idle() {
            Some(environment) => environment,
            None => match self.environment(function) {
                Ok(environment) => environment,
                Err(error) => {
                    self.logs.write(name, format!("{}: {error}", function.binary.display()));
                    return Err(Nothing::Failed);
                }
            },
        };
        let trouble = match environment.handle((id, trace), event, function).await {
            Ok(answer) => {
                function.keep(environment);
                return Ok(answer);
            }
            Err(trouble) => trouble,
        };
        let said = match trouble {
            Trouble::Failed(error) => {
                function.keep(environment);
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

    /// Kills the processes of a function that are handling a request.
    pub(crate) fn kill(&self, name: &str) {
        if let Some(function) = self.functions.get(name) {
            function.killed.notify_waiters();
        }
    }

    /// The processes of a function that are idle, by their ids.
    pub(crate) fn idle(&self, name: &str) -> Vec<u32> {
        let idle = self.functions.get(name).map(|function| hold(&function.idle));
        let idle = idle.iter().flat_map(|idle| idle.iter());
        idle.filter_map(|environment| environment.process.id()).collect()
    }

    /// Ends the processes of a function that are idle.
    pub(crate) fn restart(&self, name: &str) {
        if let Some(function) = self.functions.get(name) {
            hold(&function.idle).clear();
        }
    }

    /// Gives a function a setting another value, or none: processes that start from now on know it.
    pub(crate) fn set(&self, name: &str, setting: &str, value: Option<&str>) {
        let Some(function) = self.functions.get(name) else { return };
        let mut settings = hold(&function.settings);
        match value {
            Some(value) => settings.insert(setting.to_owned(), value.to_owned()),
            None => settings.remove(setting),
        };
    }

    /// Ends all processes and starts no more.
    pub(crate) fn stop(&self) {
        for function in self.functions.values() {
            function.places.close();
            hold(&function.idle).clear();
        }
    }

    fn environment(&self, function: &Function) -> std::io::Result<Environment> {
        let number = self.environments.fetch_add(1, Ordering::Relaxed);
        let (invocations, incoming) = mpsc::channel(1);
        // Before the process is there, which asks for its first request right away.
        let seat = Seat {
            function: function.name.clone(),
            incoming: tokio::sync::Mutex::new(incoming),
            current: Mutex::default(),
        };
        hold(&self.desk.seats).insert(number, Arc::new(seat));
        let mut process = Command::new(&function.binary)
            .args(&function.arguments)
            // What is not in the template is not there in the cloud either.
            .env_clear()
            .envs(&*hold(&function.settings))
            .env("AWS_LAMBDA_RUNTIME_API", format!("{}/{number}", self.server.url))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/{number}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(lines) = process.stdout.take() {
            self.collect(&function.name, lines);
        }
        if let Some(lines) = process.stderr.take() {
            self.collect(&function.name, lines);
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

    fn keep(&self, environment: Environment) {
        let mut idle = hold(&self.idle);
        // Whoever stopped the stack meanwhile has already ended those that were idle.
        if !self.places.is_closed() {
            idle.push(environment);
        }
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
        hold(&self.desk.seats).remove(&self.number);
    }
}

/// Where the processes come for their requests: every environment has a seat.
#[derive(Default)]
struct Desk {
    seats: Mutex<HashMap<u64, Arc<Seat>>>,
}

struct Seat {
    function: String,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    current: Mutex<Option<(String, oneshot::Sender<Answer>)>>,
}

impl Desk {
    fn router(self: &Arc<Self>, logs: Arc<Logs>) -> Router {
        Router::new()
            .route("/{environment}/2018-06-01/runtime/invocation/next", get(next))
            .route("/{environment}/2018-06-01/runtime/invocation/{id}/{what}", post(done))
            .route("/{environment}/2018-06-01/runtime/init/error", post(failed_to_start))
            // Lambda's own limit for what a function returns.
            .layer(axum::extract::DefaultBodyLimit::max(6 << 20))
            .with_state((Arc::clone(self), logs))
    }

    fn seat(&self, environment: u64) -> Option<Arc<Seat>> {
        hold(&self.seats).get(&environment).cloned()
    }
}

type Shared = State<(Arc<Desk>, Arc<Logs>)>;

async fn next(State((desk, _)): Shared, Path(environment): Path<u64>) -> Response {
    let Some(seat) = desk.seat(environment) else { return gone() };
    let Some(invocation) = seat.incoming.lock().await.recv().await else { return gone() };
    let Invocation { id, trace, deadline_ms, event, answer } = invocation;
    *hold(&seat.current) = Some((id.clone(), answer));
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", seat.function);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn),
        // From here the SDK passes it on to every service that it calls.
        ("lambda-runtime-trace-id", trace),
    ];
    (headers, event).into_response()
}

async fn done(
    State((desk, _)): Shared,
    Path((environment, id, what)): Path<(u64, String, String)>,
    body: Bytes,
) -> Response {
    let Some(seat) = desk.seat(environment) else { return gone() };
    let answer = match what.as_str() {
        "response" => Ok(body),
        "error" => Err(body),
        _ => return refuse(StatusCode::NOT_FOUND, "NotFound"),
    };
    match hold(&seat.current).take_if(|(current, _)| *current == id) {
        Some((_, waiting)) => {
            // Whoever asked may have given up.
            let _ = waiting.send(answer);
            accepted()
        }
        None => refuse(StatusCode::BAD_REQUEST, "InvalidRequestID"),
    }
}

async fn failed_to_start(
    State((desk, logs)): Shared,
    Path(environment): Path<u64>,
    body: Bytes,
) -> Response {
    let Some(seat) = desk.seat(environment) else { return gone() };
    logs.write(&seat.function, format!("INIT {}", String::from_utf8_lossy(&body)));
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn gone() -> Response {
    refuse(StatusCode::GONE, "EnvironmentGone")
}

fn refuse(status: StatusCode, kind: &str) -> Response {
    let body: Value = json!({"errorMessage": "refused", "errorType": kind});
    (status, Json(body)).into_response()
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
