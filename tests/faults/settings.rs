//! Settings that are missing, empty or wrong.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use local_stack::{Stack, specimen::Specimen};
use tests::{
    Answer, Browser, Flow, SESSION,
    stage::{Stage, careless, code, side_by_side, timed},
};

use crate::{
    ending::Pages,
    wrong::{Setting, setting},
};

/// What every setting that is wrong says, where it says so much.
const CANARY: &str = "canary";

/// What a function's routes are asked: a method each, and a path.
fn requests(function: &str) -> &'static [(&'static str, &'static str)] {
    match function {
        "login" => &[("GET", "/auth/amazon/login"), ("POST", "/auth/amazon/login")],
        "callback" => &[
            ("GET", "/auth/amazon/callback"),
            ("GET", "/auth/amazon/callback?code=ANx&state=x"),
            ("POST", "/auth/amazon/switch"),
        ],
        "link" => &[
            ("GET", "/auth/amazon/link"),
            ("POST", "/auth/amazon/link"),
            ("POST", "/auth/amazon/link/forgot"),
            ("POST", "/auth/amazon/link/cancel"),
        ],
        "register" => &[("GET", "/auth/amazon/register"), ("POST", "/auth/amazon/register")],
        "session" => &[
            ("GET", "/auth/session"),
            ("GET", "/auth/verify"),
            ("GET", "/auth/nowhere"),
            ("DELETE", "/auth/session"),
        ],
        "logout" => &[("POST", "/auth/logout"), ("GET", "/auth/logout")],
        "handoff" => &[("POST", "/auth/amazon/token"), ("GET", "/auth/amazon/token")],
        "device" => &[
            ("POST", "/auth/amazon/device"),
            ("GET", "/auth/amazon/device"),
            ("POST", "/auth/amazon/device/poll"),
        ],
        "accept" => &[("POST", "/auth/session/accept"), ("GET", "/auth/session/accept")],
        "reauthenticate" => &[("GET", "/auth/reauthenticate"), ("POST", "/auth/reauthenticate")],
        "connections" => &[
            ("GET", "/auth/connections"),
            ("POST", "/auth/connections/amazon/link"),
            ("POST", "/auth/connections/amazon/unlink"),
            ("POST", "/auth/connections/sessions/revoke"),
            ("GET", "/auth/connections/undo?token=x"),
            ("POST", "/auth/connections/undo"),
        ],
        "lifecycle" => &[("POST", "/auth/lifecycle"), ("GET", "/auth/lifecycle")],
        // These are invoked.
        "authorizer" | "notices" | "pretraffic" => &[],
        _ => panic!("{function} is new: which routes has it?"),
    }
}

/// What a function is invoked with by something else than a request, if it ever is. The authorizer
/// is asked about somebody who is signed in, so that it has no other reason to say no.
fn event(stack: &Stack, function: &str, session: &str) -> Option<String> {
    match function {
        "authorizer" => Some(Specimen::of("authorizer").cookie(SESSION, session).event()),
        "lifecycle" => {
            let event = r#"{"type":"enabled","account_id":"bob","at":"2025-01-01T00:00:00Z"}"#;
            Some(event.to_owned())
        }
        "notices" => Some(Specimen::of("notices").event()),
        // All others are in trouble here themselves: it tells of one that is not there.
        "pretraffic" => Some(stack.deployments.begin("nobody").to_string()),
        _ => None,
    }
}

/// What an invocation returns where settings are wrong; one that returns nothing has failed.
fn refusal(function: &str) -> Option<Vec<u8>> {
    (function == "authorizer").then(|| br#"{"isAuthorized":false}"#.to_vec())
}

/// How every request ends without a setting that a site need not have, where that is not as usual.
fn without(function: &str, name: &str) -> Option<(u16, String)> {
    // There are no televisions then, or no signed messages.
    let routes = [("device", "LWA_DEVICE_CLIENT_ID"), ("lifecycle", "ACCOUNTS_WEBHOOK_SECRET_ARN")];
    routes.contains(&(function, name)).then(|| (404, "not_found".to_owned()))
}

/// The session of somebody who is signed in.
async fn session(stack: &Stack) -> String {
    let browser = Browser::new(stack);
    assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303);
    browser.cookie(SESSION).unwrap()
}

/// Whether a line of the log is Lambda's own, which tells no more than a failure's code.
fn is_lambdas(line: &str) -> bool {
    line.starts_with("RequestId: ") && line.contains(r#""errorMessage":"unavailable""#)
}

/// One function, and the settings that it has.
struct Function<'a> {
    stack: &'a Stack,
    browser: Browser<'a>,
    name: String,
    settings: BTreeMap<String, String>,
    /// How its requests end when all is well.
    usual: Vec<(u16, String)>,
    /// What it is invoked with, and what it returns then when all is well.
    event: Option<(String, Vec<u8>)>,
}

impl<'a> Function<'a> {
    async fn new(stack: &'a Stack, name: String, session: &str) -> Self {
        // Where AWS is, and who we are there, is none of ours.
        let ours = |name: &str| !name.starts_with("AWS_") || name == "AWS_REGION";
        let settings = stack.settings(&name).into_iter().filter(|(name, _)| ours(name)).collect();
        let browser = Browser::new(stack);
        let (usual, event_of) = (Vec::new(), event(stack, &name, session));
        let mut function = Self { stack, browser, name, settings, usual, event: None };
        for answer in function.ask_all().await {
            function.usual.push((answer.status, code(&answer)));
        }
        if let Some(event) = event_of {
            let returned = stack.invoke(&function.name, event.clone()).await;
            let returned = returned.unwrap_or_else(|| panic!("{} fails", function.name));
            assert_ne!(Some(&returned), refusal(&function.name).as_ref());
            function.event = Some((event, returned));
        }
        function
    }

    /// Asks for every route, as a page and as JSON.
    async fn ask_all(&self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for (method, path) in requests(&self.name) {
            answers.push(self.browser.ask(method, path).send().await);
            let ask = self.browser.ask(method, path).header("accept", "application/json");
            answers.push(ask.send().await);
        }
        answers
    }

    /// What is wrong when this setting has this value, or none.
    async fn wrong_with(&self, setting: &str, value: Option<&str>, named: bool) -> Vec<String> {
        self.stack.set(&self.name, setting, value);
        let lines = self.stack.logs_of(&self.name).len();
        let mut wrong = Vec::new();
        let mut processes = Vec::new();
        let pages = Pages::default();
        for (answer, usual) in self.ask_all().await.iter().zip(&self.usual) {
            processes.push(self.stack.processes(&self.name));
            let end = (answer.status, code(answer));
            if !named {
                let usual = without(&self.name, setting).unwrap_or_else(|| usual.clone());
                if end != usual {
                    wrong.push(format!("{} {end:?}, not {usual:?}", answer.url));
                }
                continue;
            }
            if end != (503, "unavailable".to_owned()) {
                wrong.push(format!("{} {end:?}", answer.url));
            }
            wrong.extend(careless(answer));
            wrong.extend(pages.wrong_with(self.stack, answer));
            if answer.header("retry-after").is_none() || answer.headers.contains_key("set-cookie") {
                wrong.push(format!("{:?}", answer.headers));
            }
            if answer.text.contains(setting) || answer.text.to_lowercase().contains(CANARY) {
                wrong.push(format!("it is told: {}", answer.text));
            }
        }
        if let Some((event, usual)) = &self.event {
            let returned = self.stack.invoke(&self.name, event.clone()).await;
            processes.push(self.stack.processes(&self.name));
            let expected = if named { refusal(&self.name) } else { Some(usual.clone()) };
            if returned != expected {
                let text = returned.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                wrong.push(format!("invoked: {text:?}"));
            }
        }
        if processes.iter().any(|these| these.len() != 1 || *these != processes[0]) {
            wrong.push(format!("processes come and go: {processes:?}"));
        }
        let mut logs = self.stack.logs_of(&self.name).split_off(lines);
        let told = logs.iter().any(|line| line.to_lowercase().contains(CANARY));
        wrong.extend(told.then(|| format!("the log tells what it is: {logs:?}")));
        // Lambda notes in its own words that an invocation has failed; and there are others beside the
        // lines of requests, which tell how long they took.
        logs.retain(|line| !is_lambdas(line) && line.contains(r#""ms":"#));
        if named && !logs.iter().all(|line| line.contains(&format!("the setting {setting} "))) {
            wrong.push(format!("the log does not name it: {logs:?}"));
        }
        let all = logs.len() == processes.len();
        wrong.extend((!all).then(|| format!("{} lines of {}", logs.len(), processes.len())));
        let original = self.settings.get(setting).map(String::as_str);
        self.stack.set(&self.name, setting, original);
        wrong
    }

    /// Every setting missing, empty and wrong.
    async fn suffer(&self) -> (usize, Vec<String>) {
        let (mut runs, mut found) = (0, Vec::new());
        for name in self.settings.keys() {
            let Setting { needed, wrong } = setting(&self.name, name);
            let missing = [(None, needed), (Some(""), needed)].into_iter();
            for (value, named) in missing.chain(wrong.iter().map(|value| (Some(*value), true))) {
                let wrong = self.wrong_with(name, value, named).await;
                runs += 1;
                let what = format!("{}, {name} {value:?}", self.name);
                found.extend(wrong.into_iter().map(|one| format!("{what}: {one}")));
            }
        }
        (runs, found)
    }
}

#[tokio::test]
async fn k05_r24_a_setting_that_cannot_be_is_named_in_the_log_and_every_request_answered() {
    let stack = Stack::start().await.unwrap();
    let session = session(&stack).await;
    let all = Stack::functions().unwrap().into_iter().map(async |name| {
        let function = Function::new(&stack, name, &session).await;
        assert!(function.settings.len() > 5, "{:?}", function.settings);
        function.suffer().await
    });
    let all = join_all(all).await;
    let runs: usize = all.iter().map(|(runs, _)| runs).sum();
    let wrong: Vec<_> = all.into_iter().flat_map(|(_, wrong)| wrong).collect();
    println!("settings: {runs} runs, {} violations", wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[tokio::test]
async fn r24_a_function_without_any_setting_answers_too() {
    let stack = Stack::start().await.unwrap();
    let session = session(&stack).await;
    for name in Stack::functions().unwrap() {
        let function = Function::new(&stack, name, &session).await;
        for setting in function.settings.keys() {
            stack.set(&function.name, setting, None);
        }
        for answer in function.ask_all().await {
            let end = (answer.status, code(&answer));
            assert_eq!(end, (503, "unavailable".to_owned()), "{} {}", function.name, answer.url);
            assert_eq!(careless(&answer), [""; 0], "{}", function.name);
        }
        if let Some((event, _)) = &function.event {
            let returned = stack.invoke(&function.name, event.clone()).await;
            assert_eq!(returned, refusal(&function.name), "{}", function.name);
        }
    }
}

/// What only the table, or DynamoDB, can say no to, by function and setting.
const WRONG_FOR_DYNAMODB: [(&str, Option<&str>); 7] = [
    ("IDENTITIES_TABLE", Some(CANARY)),
    ("SESSIONS_TABLE", Some(CANARY)),
    ("TICKETS_TABLE", Some(CANARY)),
    ("ACCOUNTS_TABLE", Some(CANARY)),
    ("SESSIONS_TABLE", Some("no table's name")),
    ("AWS_SECRET_ACCESS_KEY", None),
    ("AWS_ENDPOINT_URL_DYNAMODB", Some("http://127.0.0.1:9")),
];

#[tokio::test]
async fn k05_r21_r24_tables_that_cannot_be_had_let_nobody_in_and_say_nothing() {
    let flows = [
        Flow::Known,
        Flow::Newcomer,
        Flow::RightPassword,
        Flow::Register,
        Flow::Session,
        Flow::Verify,
        Flow::LogOut,
    ];
    side_by_side("tables", &flows, async |stack, seed, flow, findings| {
        let stage = Stage::set(stack, seed, *flow).await;
        let function = flow.function();
        let settings = stack.settings(function);
        for (name, value) in WRONG_FOR_DYNAMODB {
            let Some(original) = settings.get(name) else { continue };
            let visitor = stage.visitor();
            stack.set(function, name, value);
            let (answer, late) = timed(visitor.act()).await;
            let processes = stack.processes(function);
            stack.set(function, name, Some(original));
            let mut wrong = careless(&answer);
            wrong.extend(late);
            if (answer.status, code(&answer).as_str()) != (503, "unavailable") {
                wrong.push(format!("{} {}", answer.status, answer.text));
            }
            if processes.len() != 1 || answer.text.contains(CANARY) {
                wrong.push(format!("{processes:?} {}", answer.text));
            }
            wrong.extend(stage.wrong(&visitor).await);
            wrong.extend(stage.wrong_when_repeated(visitor).await);
            findings.run(&format!("{flow:?}, {name} {value:?}"), wrong);
        }
    })
    .await;
}

#[tokio::test]
async fn n13_r24_sessions_may_live_for_as_long_as_numbers_go() {
    let stack = Stack::start().await.unwrap();
    let longest = u64::MAX.to_string();
    for name in ["SESSION_IDLE_SECONDS", "SESSION_LIFETIME_SECONDS"] {
        stack.set("callback", name, Some(&longest));
        stack.set("session", name, Some(&longest));
        let browser = Browser::new(&stack);
        assert_eq!(browser.sign_in_at_amazon("lin", "/").await.status, 303, "{name}");
        assert_eq!(browser.account().await.as_deref(), Some("lin"), "{name}");
        assert_eq!(browser.log_out().await.status, 303, "{name}");
        assert_eq!(browser.account().await, None, "{name}");
    }
}
