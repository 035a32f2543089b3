//! Lambda's `Invoke`, for the gateway of the local stack: runs the release binaries, and keeps what each of
//! them was last asked and what it called for it.

use std::{
    collections::{BTreeMap, HashMap},
    io::BufReader,
    net::TcpStream,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use local_stack::Stack;

use crate::{
    Error,
    doors::{Door, Exchange, Exchanges, Whom, hold},
    environment::{Environment, Program},
    http::{Message, Server},
};

/// The functions, one process of each.
pub(crate) struct Lambda {
    server: Server,
    functions: Arc<Mutex<HashMap<String, Arc<Mutex<Function>>>>>,
}

/// One function, and all that it was ever asked.
struct Function {
    program: Program,
    exchanges: Exchanges,
    _doors: Vec<Door>,
    environment: Option<Environment>,
    /// What it called before its last request.
    before: Vec<Exchange>,
    last: Option<Invocation>,
}

/// A request, its answer, and what was called for it.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The program, whose settings still lead to the recorded doors.
    pub(crate) program: Program,
    pub(crate) event: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    pub(crate) took: Duration,
    /// What its process called before that, such as for a secret that it keeps.
    pub(crate) before: Vec<Exchange>,
    pub(crate) exchanges: Vec<Exchange>,
}

/// The settings that lead somewhere, and where.
pub(crate) const PLACES: [(&str, Whom); 5] = [
    ("AWS_ENDPOINT_URL_DYNAMODB", Whom::Dynamodb),
    ("AWS_ENDPOINT_URL_LAMBDA", Whom::Other),
    ("AWS_ENDPOINT_URL_SECRETS_MANAGER", Whom::Other),
    ("AWS_ENDPOINT_URL_SQS", Whom::Other),
    ("LWA_API_URL", Whom::Amazon),
];

impl Lambda {
    /// Answers the gateway, once it knows its functions.
    pub(crate) fn start() -> Result<Self, Error> {
        let functions = Arc::<Mutex<HashMap<String, Arc<Mutex<Function>>>>>::default();
        let known = Arc::clone(&functions);
        let server = Server::start(move |stream| {
            // The gateway says that nobody answers.
            let _ = serve(&stream, &known);
        })?;
        Ok(Self { server, functions })
    }

    /// Where the gateway finds it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Gets to know the functions of a stack, whose binaries lie in this folder.
    pub(crate) fn meet(&self, stack: &Stack, binaries: &Path) -> Result<(), Error> {
        for name in Stack::functions()? {
            let mut settings: BTreeMap<_, _> = stack.settings(&name).into_iter().collect();
            let exchanges = Exchanges::default();
            let mut doors = Vec::new();
            for (setting, whom) in PLACES {
                let Some(url) = settings.get_mut(setting) else { continue };
                let door = Door::recording(whom, url, &exchanges)?;
                *url = door.url();
                doors.push(door);
            }
            let program = Program { path: binaries.join(&name), arguments: Vec::new(), settings };
            let function = Function {
                program,
                exchanges,
                _doors: doors,
                environment: None,
                before: Vec::new(),
                last: None,
            };
            hold(&self.functions).insert(name, Arc::new(Mutex::new(function)));
        }
        Ok(())
    }

    /// What a function answers to an event that no gateway has made.
    pub(crate) fn invoke(&self, function: &str, event: &[u8]) -> Result<Vec<u8>, Error> {
        invoke(&self.functions, function, event)
    }

    /// What a function was asked last.
    pub(crate) fn last(&self, function: &str) -> Result<Invocation, Error> {
        let known = hold(&self.functions).get(function).cloned();
        let last = known.and_then(|function| hold(&function).last.clone());
        last.ok_or_else(|| format!("nobody has asked {function}").into())
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        // Before the doors close: a process that finds nobody says so.
        hold(&self.functions).clear();
    }
}

fn serve(
    stream: &TcpStream,
    functions: &Mutex<HashMap<String, Arc<Mutex<Function>>>>,
) -> Result<(), Error> {
    let (mut from, mut to) = (BufReader::new(stream), stream);
    while let Some(request) = Message::read(&mut from)? {
        let name = request.target().split('/').nth(3).unwrap_or_default();
        let answer = match invoke(functions, name, &request.body) {
            Ok(answer) => Message::json("200 OK", answer),
            Err(error) => {
                let mut answer = Message::json("200 OK", "{}");
                answer.headers.push(("x-amz-function-error".to_owned(), error.to_string()));
                answer
            }
        };
        answer.send(&mut to)?;
    }
    Ok(())
}

fn invoke(
    functions: &Mutex<HashMap<String, Arc<Mutex<Function>>>>,
    name: &str,
    event: &[u8],
) -> Result<Vec<u8>, Error> {
    let function = hold(functions).get(name).cloned();
    let function = function.ok_or_else(|| format!("there is no function {name}"))?;
    let mut function = hold(&function);
    let environment = match function.environment.take() {
        Some(environment) => environment,
        None => {
            let environment = Environment::start(&function.program)?;
            function.before = taken(&function.exchanges);
            environment
        }
    };
    let (answer, took) = environment.invoke(event)?;
    let exchanges = taken(&function.exchanges);
    if let Some(last) = function.last.take() {
        function.before.extend(last.exchanges);
    }
    function.last = Some(Invocation {
        program: function.program.clone(),
        event: event.to_vec(),
        answer: answer.clone(),
        took,
        before: function.before.clone(),
        exchanges,
    });
    function.environment = Some(environment);
    Ok(answer)
}

/// What was exchanged since the last time.
fn taken(exchanges: &Exchanges) -> Vec<Exchange> {
    std::mem::take(&mut *hold(exchanges))
}
