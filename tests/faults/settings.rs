//! Settings that are missing, empty or wrong.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use local_stack::Stack;
use tests::{
    Answer, Browser, Flow,
    stage::{Stage, careless, code, side_by_side, timed},
};

use crate::ending::Pages;

/// What every setting that is wrong says, where it says so much.
const CANARY: &str = "canary";

/// What is wrong for a setting, apart from what is said of it here.
#[derive(Clone, Copy)]
struct Setting {
    /// Whether the function cannot do without.
    needed: bool,
    wrong: &'static [&'static str],
}

const PATH: Setting = optional(&[
    "canary",
    "//canary.example",
    "///canary.example",
    "https://canary.example/",
    "/\\canary.example",
    "/canary page",
    "/canary\u{e4}",
    "/canary\r\nX-Canary: 1",
    "javascript:canary",
]);
const SECONDS: Setting = optional(&["0", "-1", "+-1", "1.5", "1e3", "canary", " 60", "60s"]);
const STAND_IN: Setting = optional(&[
    "https://canary.example",
    "http://localhost@canary.example",
    "http://localhost.canary.example",
    "http://127.0.0.1:80:canary",
    "http://169.254.169.254/canary",
    "//localhost/canary",
    "canary",
]);
/// What only Amazon, or AWS, can say no to.
const ANY_TEXT: Setting = optional(&[]);
const NEEDED: Setting = Setting { needed: true, wrong: &[] };

const fn optional(wrong: &'static [&'static str]) -> Setting {
    Setting { needed: false, wrong }
}

/// Every setting that some function has.
fn setting(function: &str, name: &str) -> Setting {
    match name {
        "PUBLIC_URL" => Setting {
            needed: true,
            wrong: &[
                "canary",
                "http://canary.example",
                "https://canary.example/",
                "https://canary.example:443",
                "https://Canary.example",
                "https://a@canary.example",
                "https://canary.example\r\nX-Canary: 1",
                "//canary.example",
                "javascript:canary",
            ],
        },
        "SIGN_IN_PATH" | "SIGNED_IN_PATH" | "BRAND_LOGO_PATH" | "LINK_PAGE_PATH"
        | "REGISTER_PAGE_PATH" => PATH,
        "PASSWORD_RESET_URL" => optional(&[
            "canary",
            "http://canary.example",
            "//canary.example",
            "/\\canary.example",
            "/canary page",
            "/canary\r\nX-Canary: 1",
            "https://",
            "https://canary.example:443/reset",
            "https://a@canary.example/reset",
            "https://canary.example/re set",
            "https://canary.example/\r\nX-Canary: 1",
            "https://canary.example\\.evil.example",
            "javascript:canary",
            "javascript://canary.example/%0aalert(1)",
        ]),
        "LWA_REGION" => optional(&["canary", "NA", "us", "na,eu", " na"]),
        "LWA_AUTHORIZE_URL" | "LWA_API_URL" => STAND_IN,
        "LWA_SCOPE_DATA" => optional(&[
            "canary",
            "{\"canary\":",
            "[\"canary\"]",
            "\"canary\"",
            "null",
            "{\"profile\":{\"essential\":true}}canary",
        ]),
        "BRAND_COLOR" => optional(&["canary", "#12345", "#1234567", "#12345;", "#canary", "red"]),
        "REGISTRATION" => optional(&["canary", "Open", "true", "open,closed"]),
        "REGISTRATION_FIELDS" => optional(&[
            "canary",
            "{\"canary\":1}",
            "[{\"name\":\"canary\"}]",
            "[{\"name\":\"ca nary\",\"label\":\"Canary\"}]",
            "[{\"name\":\"csrf\",\"label\":\"canary\"}]",
            "[{\"name\":\"canary\",\"label\":\"A\",\"type\":\"password\"}]",
            "[{\"name\":\"canary\",\"label\":\"A\",\"pattern\":\"(\"}]",
            "[{\"name\":\"canary\",\"label\":\"A\"}",
        ]),
        "PROFILE_SYNC" => {
            optional(&["canary", "name=canary", "canary=never", "email=always", "name=always;"])
        }
        "ACCOUNTS_ATTRIBUTES" => optional(&["canary", "id=", "canary=id"]),
        "SESSION_IDLE_SECONDS" | "SESSION_LIFETIME_SECONDS" => SECONDS,
        "BRAND_NAME" | "LWA_SCOPE" | "ACCOUNTS_EMAIL_INDEX" => ANY_TEXT,
        "LWA_DEVICE_CLIENT_ID" => optional(&["canary id", "canary\r\nX-Canary: 1", "canary&x=y"]),
        "LWA_ACCEPTED_CLIENT_IDS" => {
            optional(&["canary id", "canary,a b", "canary\r\nX-Canary: 1", "https://canary/"])
        }
        "TRUSTED_PROXY" => optional(&[
            "canary",
            "canary=",
            "x-forwarded-for=canary",
            "=arn:aws:secretsmanager:us-east-1:000000000000:secret:canary",
        ]),
        "LWA_CLIENT_ID"
        | "LWA_CLIENT_SECRET_ARN"
        | "IDENTITIES_TABLE"
        | "SESSIONS_TABLE"
        | "TICKETS_TABLE"
        | "ACCOUNTS_TABLE" => NEEDED,
        // The login function asks nothing of AWS.
        "AWS_REGION" => Setting { needed: function != "login", wrong: &[] },
        _ => panic!("{function} has {name}, and nobody says here what is wrong for it"),
    }
}

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
        _ => panic!("{function} is new: which routes has it?"),
    }
}

/// How every request ends without a setting that a site need not have, where that is not as usual.
fn without(name: &str) -> Option<(u16, String)> {
    // There are no televisions then.
    (name == "LWA_DEVICE_CLIENT_ID").then(|| (404, "not_found".to_owned()))
}

/// One function, and the settings that it has.
struct Function<'a> {
    stack: &'a Stack,
    browser: Browser<'a>,
    name: String,
    settings: BTreeMap<String, String>,
    /// How its requests end when all is well.
    usual: Vec<(u16, String)>,
}

impl<'a> Function<'a> {
    async fn new(stack: &'a Stack, name: String) -> Self {
        // Where AWS is, and who we are there, is none of ours.
        let ours = |name: &str| !name.starts_with("AWS_") || name == "AWS_REGION";
        let settings = stack.settings(&name).into_iter().filter(|(name, _)| ours(name)).collect();
        let browser = Browser::new(stack);
        let mut function = Self { stack, browser, name, settings, usual: Vec::new() };
        for answer in function.ask_all().await {
            function.usual.push((answer.status, code(&answer)));
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
                let usual = without(setting).unwrap_or_else(|| usual.clone());
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
        if processes.iter().any(|these| these.len() != 1 || *these != processes[0]) {
            wrong.push(format!("processes come and go: {processes:?}"));
        }
        let logs = self.stack.logs_of(&self.name).split_off(lines);
        if named && !logs.iter().all(|line| line.contains(&format!("the setting {setting} "))) {
            wrong.push(format!("the log does not name it: {logs:?}"));
        }
        if logs.iter().any(|line| line.to_lowercase().contains(CANARY)) {
            wrong.push(format!("the log tells what it is: {logs:?}"));
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
    let all = Stack::functions().unwrap().into_iter().map(async |name| {
        let function = Function::new(&stack, name).await;
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
    for name in Stack::functions().unwrap() {
        let function = Function::new(&stack, name).await;
        for setting in function.settings.keys() {
            stack.set(&function.name, setting, None);
        }
        for answer in function.ask_all().await {
            let end = (answer.status, code(&answer));
            assert_eq!(end, (503, "unavailable".to_owned()), "{} {}", function.name, answer.url);
            assert_eq!(careless(&answer), [""; 0], "{}", function.name);
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
