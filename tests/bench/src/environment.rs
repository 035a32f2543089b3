//! One process of a function, run as Lambda runs it: it asks us for its next request, answers, and asks
//! again. Its clock starts when the request leaves us and stops when the answer is there.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    Error,
    http::{Message, Server},
};

/// How long anything may take: under callgrind a start takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is run, and with what in its environment.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) settings: BTreeMap<String, String>,
}

/// Where a program of this machine is: a process without a `PATH` would not find it.
pub(crate) fn installed(name: &str) -> Result<PathBuf, Error> {
    let said = Command::new("sh").args(["-c", "command -v \"$0\"", name]).output()?;
    let path = String::from_utf8(said.stdout)?;
    if path.is_empty() {
        Err(format!("{name} is missing").into())
    } else {
        Ok(path.trim_end().into())
    }
}

/// A running process; it is killed when dropped.
pub(crate) struct Environment {
    process: Child,
    invocations: Sender<Vec<u8>>,
    events: Receiver<Event>,
    logged: Arc<AtomicU64>,
    /// The line that it logged last, without its end.
    last: Arc<Mutex<Vec<u8>>>,
    _server: Server,
    /// From the start of the process until it asked for its first request.
    pub(crate) init: Duration,
}

/// What a process does.
enum Event {
    /// It waits for a request.
    Waits(Instant),
    /// It has answered, after so long.
    Answered(Vec<u8>, Duration),
    /// It has failed, and says why.
    Failed(Vec<u8>),
}

/// What the connections of one process share.
struct Seat {
    invocations: Mutex<Receiver<Vec<u8>>>,
    events: Sender<Event>,
    left: Mutex<Instant>,
}

impl Environment {
    /// Starts a process and waits until it asks for its first request.
    pub(crate) fn start(program: &Program) -> Result<Self, Error> {
        let (invocations, incoming) = channel();
        let (happens, events) = channel();
        let left = Mutex::new(Instant::now());
        let ends = happens.clone();
        let seat = Seat { invocations: Mutex::new(incoming), events: happens, left };
        let server = Server::start(move |stream| {
            // Whatever ends a connection, its process says the rest.
            let _ = serve(&stream, &seat);
        })?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(&program.settings)
            .envs(OF_LAMBDA)
            .env("AWS_LAMBDA_RUNTIME_API", server.address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let started = Instant::now();
        let process = command.spawn();
        let mut process =
            process.map_err(|error| format!("{}: {error}", program.path.display()))?;
        let (logged, last) = (Arc::<AtomicU64>::default(), Arc::<Mutex<Vec<u8>>>::default());
        if let Some(lines) = process.stdout.take() {
            let (logged, last) = (Arc::clone(&logged), Arc::clone(&last));
            thread::spawn(move || {
                for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
                    logged.fetch_add(line.len() as u64 + 1, Ordering::Relaxed);
                    *hold(&last) = line;
                }
                // Nobody waits for it any more, or somebody waits in vain.
                let _ = ends.send(Event::Failed(b"its process has ended".to_vec()));
            });
        }
        let init = Duration::ZERO;
        let mut environment =
            Self { process, invocations, events, logged, last, _server: server, init };
        match environment.event()? {
            Event::Waits(at) => environment.init = at - started,
            Event::Answered(said, _) | Event::Failed(said) => {
                return Err(String::from_utf8_lossy(&said).into());
            }
        }
        Ok(environment)
    }

    /// What it answers, and after how long; it waits for the next one when this returns.
    pub(crate) fn invoke(&self, event: &[u8]) -> Result<(Vec<u8>, Duration), Error> {
        self.invocations.send(event.to_vec())?;
        let (answer, took) = match self.event()? {
            Event::Answered(answer, took) => (answer, took),
            Event::Failed(said) => return Err(String::from_utf8_lossy(&said).into()),
            Event::Waits(_) => return Err("it asked twice".into()),
        };
        match self.event()? {
            Event::Waits(_) => Ok((answer, took)),
            _ => Err("it answered twice".into()),
        }
    }

    fn event(&self) -> Result<Event, Error> {
        Ok(self.events.recv_timeout(PATIENCE)?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// What all of its threads have spent on a processor so far.
    pub(crate) fn cpu(&self) -> Result<Duration, Error> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.id()))? {
            let spent = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += spent.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The most memory that it ever had, in KiB.
    pub(crate) fn peak(&self) -> Result<u64, Error> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        Ok(line.ok_or("no VmHWM")?.trim().trim_end_matches(" kB").parse()?)
    }

    /// How many bytes it has logged so far.
    pub(crate) fn logged(&self) -> u64 {
        self.logged.load(Ordering::Relaxed)
    }

    /// What it logged last.
    pub(crate) fn last_line(&self) -> String {
        String::from_utf8_lossy(&hold(&self.last)).into_owned()
    }

    /// Ends it as Lambda would, so that it may still write down what it has counted.
    pub(crate) fn end(mut self) -> Result<(), Error> {
        Command::new("kill").arg(self.id().to_string()).status()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        // Where it has ended already, there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One connection of a process.
fn serve(stream: &TcpStream, seat: &Seat) -> Option<()> {
    let (mut from, mut to) = (BufReader::new(stream), stream);
    while let Some(request) = Message::read(&mut from).ok()? {
        if request.target().ends_with("/invocation/next") {
            seat.events.send(Event::Waits(Instant::now())).ok()?;
            let invocation = invocation(hold(&seat.invocations).recv().ok()?).bytes();
            *hold(&seat.left) = Instant::now();
            std::io::Write::write_all(&mut to, &invocation).ok()?;
            continue;
        }
        let took = hold(&seat.left).elapsed();
        Message::json("202 Accepted", "{}").send(&mut to).ok()?;
        let answered = request.target().ends_with("/response");
        let body = request.body;
        let event = if answered { Event::Answered(body, took) } else { Event::Failed(body) };
        seat.events.send(event).ok()?;
    }
    Some(())
}

/// The time since 1970.
pub(crate) fn now() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "Lambda tells real time, in milliseconds")]
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn invocation(event: Vec<u8>) -> Message {
    let mut message = Message::json("200 OK", event);
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", &(now().as_millis() + 12_000).to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:f"),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        ),
    ] {
        message.headers.push((name.to_owned(), value.to_owned()));
    }
    message
}

/// What Lambda itself puts into the environment.
const OF_LAMBDA: [(&str, &str); 7] = [
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_NAME", "f"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
    ("LANG", "en_US.UTF-8"),
    ("TZ", ":UTC"),
    ("_HANDLER", "bootstrap"),
];

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
