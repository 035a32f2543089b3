//! Gateway and runtime together, with a function that does what the body of a request says.
//!
//! The function is this very test program, called to run [`plays_a_function`] alone.

mod guard;
mod limits;
mod turns;

use std::{collections::BTreeMap, process, time::Instant};

use axum::routing::get;
use reqwest::Method;
use serde_json::Value;

use super::*;
use crate::{
    logs::Logs,
    release::Release,
    runtime::Binary,
    server::Server,
    template::{Function, Route, Throttle, Throttles},
};

struct Site {
    url: String,
    http: reqwest::Client,
    lambda: Arc<Lambda>,
    logs: Arc<Logs>,
    _server: Server,
}

/// How long the functions may take, how long the gateway waits for them, how many invocations of one
/// may run at once, and how many requests are taken, none coming back.
struct Limits {
    timeout: Duration,
    patience: Duration,
    reserved: Option<usize>,
    burst: Option<u32>,
}

const AMPLE: Limits = Limits {
    timeout: Duration::from_secs(20),
    patience: Duration::from_secs(25),
    reserved: None,
    burst: None,
};

fn function(name: &str) -> Function {
    let route = |method: &str| Route::Path { method: method.to_owned(), path: "/auth/one".into() };
    Function {
        id: format!("{name}Function"),
        name: name.to_owned(),
        routes: if name == "one" { vec![route("ANY")] } else { Vec::new() },
        settings: BTreeMap::new(),
        memory: 256,
        timeout: AMPLE.timeout,
        reserved: None,
    }
}

async fn serve(functions: Functions, patience: Duration) -> Server {
    serve_with(functions, patience, Throttles::default()).await
}

async fn serve_with(functions: Functions, patience: Duration, throttles: Throttles) -> Server {
    let template = Template { functions: vec![function("one")], tables: Vec::new(), throttles };
    let gateway = Gateway {
        patience,
        patience_with_authorizer: patience,
        ..Gateway::new(template, functions)
    };
    let shop = Router::new()
        .route("/basket", get(async || "the shop"))
        .route("/told", get(guard::what_the_shop_is_told))
        .route("/api/orders", get(guard::what_the_shop_is_told));
    Server::start(0, gateway.router(shop)).await.unwrap()
}

async fn site(limits: Limits) -> Site {
    let logs = Arc::new(Logs::new(false));
    let binary = |name, release, colour: &str| Binary {
        release,
        function: Function { timeout: limits.timeout, reserved: limits.reserved, ..function(name) },
        settings: [("COLOUR".to_owned(), colour.to_owned())].into(),
        path: std::env::current_exe().unwrap(),
        arguments: ["--ignored", "--exact", "gateway::tests::plays_a_function", "--nocapture"]
            .map(str::to_owned)
            .into(),
    };
    let binaries = [
        binary("one", Release::This, "red"),
        binary("one", Release::Previous, "blue"),
        binary("authorizer", Release::This, "red"),
    ];
    let lambda = Arc::new(Lambda::start(binaries, Arc::clone(&logs)).await.unwrap());
    let stage = limits.burst.map(|burst| Throttle { rate: 0, burst });
    let throttles = Throttles { stage, ..Throttles::default() };
    let here = Functions::Here(Arc::clone(&lambda));
    let server = serve_with(here, limits.patience, throttles).await;
    let (url, http) = (server.url.clone(), server::http().unwrap());
    Site { url, http, lambda, logs, _server: server }
}

impl Site {
    fn request(&self, order: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}/auth/one?a=1", self.url));
        request.header("content-type", "text/plain").body(order.to_owned())
    }

    /// What the function, or the gateway, answers to an order.
    async fn order(&self, order: &str) -> (u16, Value) {
        let answer = self.request(order).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
    }

    /// The number of the process that carries an order out.
    async fn process(&self, order: &str) -> u64 {
        let (status, said) = self.order(order).await;
        assert_eq!(status, 200, "{said}");
        said["process"].as_u64().unwrap()
    }
}

/// The function, as AWS documents what a runtime does.
#[tokio::test]
#[ignore = "the other tests run it as a function"]
#[expect(clippy::disallowed_methods, reason = "this is how Lambda tells a function anything")]
async fn plays_a_function() {
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    let (api, http) = (format!("{api}/2018-06-01/runtime/invocation"), server::http().unwrap());
    loop {
        let invocation = http.get(format!("{api}/next")).send().await.unwrap();
        let header = |name: &str| invocation.headers()[name].to_str().unwrap().to_owned();
        let id = header("lambda-runtime-aws-request-id");
        let deadline = header("lambda-runtime-deadline-ms");
        let arn = header("lambda-runtime-invoked-function-arn");
        let trace = header("lambda-runtime-trace-id");
        let event: Value = serde_json::from_str(&invocation.text().await.unwrap()).unwrap();
        let (mut what, mut returned) = ("response", None);
        let mut said = json!({ "process": process::id(), "event": event });
        // An authorizer is told no body.
        let order = event["body"].as_str().or(event["headers"]["order"].as_str());
        match order.unwrap_or_default() {
            "die" => process::exit(3),
            "hang" => std::future::pending().await,
            "take your time" => tokio::time::sleep(Duration::from_millis(400)).await,
            "fail" => (what, returned) = ("error", Some(json!({"errorMessage": "on request"}))),
            "talk nonsense" => returned = Some(json!({"statusCode": 7})),
            "log" => println!("one line"),
            "log, then hang" => {
                println!("at work");
                std::future::pending().await
            }
            "tell your environment" => {
                said["environment"] =
                    std::env::vars().collect::<BTreeMap<_, _>>().into_iter().collect();
                said["deadline"] = deadline.parse::<i64>().unwrap().into();
                said["arn"] = arn.into();
                said["trace"] = trace.into();
            }
            "answer somebody else" => {
                let answer = http.post(format!("{api}/0-0/response")).body("{}").send().await;
                said["status"] = answer.unwrap().status().as_u16().into();
            }
            order => returned = guard::what_an_authorizer_returns(order, &event),
        }
        let returned = returned.unwrap_or_else(
            || json!({ "statusCode": 200, "cookies": ["a=1", "b=2"], "body": said.to_string() }),
        );
        let answer = http.post(format!("{api}/{id}/{what}")).body(returned.to_string()).send();
        assert_eq!(answer.await.unwrap().status(), 202);
    }
}

#[tokio::test]
async fn the_second_visitor_meets_the_same_process() {
    let site = site(AMPLE).await;

    assert_eq!(site.process("").await, site.process("").await);
}

#[tokio::test]
async fn visitors_at_the_same_time_meet_different_processes_and_none_is_turned_away() {
    let site = site(AMPLE).await;
    let six = (0..6).map(|_| site.process("take your time"));

    let mut processes = futures_util::future::join_all(six).await;

    processes.sort_unstable();
    processes.dedup();
    assert_eq!(processes.len(), 4);
}

#[tokio::test]
async fn whoever_kills_the_function_gets_500_and_the_next_visitor_a_new_process() {
    let site = site(AMPLE).await;
    let first = site.process("").await;

    assert_eq!(site.order("die").await, (500, json!({"message": "Internal Server Error"})));

    assert_ne!(site.process("").await, first);
    let log = site.logs.lines(Some("one"));
    assert!(log.iter().any(|line| line.ends_with("Runtime exited: exit status: 3")), "{log:?}");
}

#[tokio::test]
async fn a_function_that_fails_or_talks_nonsense_is_500_and_stays() {
    let site = site(AMPLE).await;
    let first = site.process("").await;

    for order in ["fail", "talk nonsense"] {
        let answer = site.order(order).await;
        assert_eq!(answer, (500, json!({"message": "Internal Server Error"})), "{order}");
    }

    assert_eq!(site.process("").await, first);
    assert!(site.logs.lines(None).iter().any(|line| line.contains("on request")));
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_ended() {
    let site = site(Limits { timeout: Duration::from_millis(1500), ..AMPLE }).await;
    let first = site.process("").await;

    assert_eq!(site.order("hang").await, (500, json!({"message": "Internal Server Error"})));

    assert_ne!(site.process("").await, first);
    let log = site.logs.lines(None);
    assert!(log.iter().any(|line| line.ends_with("Task timed out after 1.50 seconds")), "{log:?}");
}

#[tokio::test]
async fn the_gateway_gives_up_first_and_the_function_goes_on() {
    let site = site(Limits { patience: Duration::from_millis(1500), ..AMPLE }).await;
    let first = site.process("").await;
    let started = Instant::now();

    assert_eq!(site.order("hang").await, (503, json!({"message": "Service Unavailable"})));

    assert!(started.elapsed() < Duration::from_secs(10));
    assert_ne!(site.process("").await, first, "the first one is still at it");
}

#[tokio::test]
async fn a_visitor_who_hangs_up_does_not_stop_the_function() {
    let site = site(AMPLE).await;
    let first = site.process("").await;
    let order = site.request("take your time").timeout(Duration::from_millis(100));

    assert!(order.send().await.unwrap_err().is_timeout());

    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(site.process("").await, first);
}

#[tokio::test]
async fn nobody_is_left_when_the_stack_stops() {
    let site = site(AMPLE).await;
    let process = site.process("").await.to_string();

    site.lambda.stop();

    let is_there = || process::Command::new("kill").args(["-0", &process]).output().unwrap();
    for _ in 0..100 {
        if !is_there().status.success() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!is_there().status.success());
    assert_eq!(site.order("").await.0, 500);
}

#[tokio::test]
async fn a_function_knows_its_settings_and_nothing_of_this_machine() {
    let site = site(AMPLE).await;

    let (_, said) = site.order("tell your environment").await;

    let environment = said["environment"].as_object().unwrap();
    for (name, value) in [
        ("COLOUR", "red"),
        ("AWS_LAMBDA_FUNCTION_NAME", "one"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ] {
        assert_eq!(environment[name], value);
    }
    assert!(!environment.contains_key("PATH"));
    assert_eq!(said["arn"], "arn:aws:lambda:us-east-1:000000000000:function:one");
    let left = said["deadline"].as_i64().unwrap() - now();
    assert!((1..=20_000).contains(&left), "{left}");
    // One trace for what the gateway got and what the function was told.
    assert!(said["trace"].as_str().unwrap().starts_with("Root=1-"), "{}", said["trace"]);
    assert_eq!(said["trace"], said["event"]["headers"]["x-amzn-trace-id"]);
}

#[tokio::test]
async fn a_trace_that_a_visitor_brings_along_is_kept() {
    let site = site(AMPLE).await;
    let request = site.request("tell your environment").header("x-amzn-trace-id", "Root=1-2-3");

    let said: Value =
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();

    assert_eq!(said["trace"], "Root=1-2-3");
}

#[tokio::test]
async fn a_function_that_is_killed_at_work_is_gone_and_others_are_not() {
    let site = site(AMPLE).await;
    let idle = site.process("").await;
    site.lambda.kill("one");
    assert_eq!(site.process("").await, idle, "it was not at work");

    let killer = async {
        while !site.logs.lines(Some("one")).iter().any(|line| line.ends_with("at work")) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        site.lambda.kill("one");
    };
    let (answer, ()) = tokio::join!(site.order("log, then hang"), killer);

    assert_eq!(answer.0, 500);
    assert_ne!(site.process("").await, idle);
    let log = site.logs.lines(Some("one"));
    assert!(
        log.iter().any(|line| line.ends_with("Runtime exited: signal: 9 (SIGKILL)")),
        "{log:?}"
    );
}

#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let site = site(AMPLE).await;

    assert_eq!(site.order("answer somebody else").await.1["status"], 400);
}

#[tokio::test]
async fn what_the_function_says_is_in_its_log() {
    let site = site(AMPLE).await;
    site.order("log").await;
    site.order("").await;

    assert!(site.logs.lines(Some("one")).contains(&"one line".to_owned()));
    assert!(site.logs.lines(Some("two")).is_empty());
}

#[tokio::test]
async fn the_function_gets_the_request_and_the_visitor_the_answer() {
    let site = site(AMPLE).await;

    let answer = site.request("hello").header("cookie", "c=3").send().await.unwrap();

    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let id = answer.headers()["apigw-requestid"].to_str().unwrap().to_owned();
    let said: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let event = &said["event"];
    assert_eq!(event["requestContext"]["requestId"], id);
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["routeKey"], "ANY /auth/one");
    assert_eq!(event["cookies"], json!(["c=3"]));
    assert_eq!((&event["rawQueryString"], &event["body"]), (&json!("a=1"), &json!("hello")));
}

#[tokio::test]
async fn what_is_too_large_does_not_reach_the_function() {
    let site = site(AMPLE).await;

    let head = site.request("").header("long", "x".repeat(10_240)).send().await.unwrap();
    let body = site.request(&"x".repeat((10 << 20) + 1)).send().await.unwrap();

    assert_eq!(head.status(), 431);
    assert_eq!(head.text().await.unwrap(), r#"{"message":"Request Header Fields Too Large"}"#);
    assert_eq!(body.status(), 413);
    assert_eq!(body.text().await.unwrap(), r#"{"message":"Request Entity Too Large"}"#);
    assert!(site.logs.lines(None).is_empty(), "nothing was started");
}

#[tokio::test]
async fn paths_below_auth_are_the_functions_and_all_others_the_shops() {
    let site = site(AMPLE).await;
    let get = async |path: &str| {
        let answer = site.http.get(format!("{}{path}", site.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };

    assert_eq!(get("/basket").await, (200, "the shop".to_owned()));
    for path in ["/auth/", "/auth/two", "/auth/one/"] {
        assert_eq!(get(path).await, (404, r#"{"message":"Not Found"}"#.to_owned()), "{path}");
    }
    assert_eq!(get("/auth").await, (404, String::new()));
    assert_eq!(get("/auth/one").await.0, 200);
}

#[tokio::test]
async fn the_functions_may_run_behind_another_lambda_api() {
    let elsewhere = Router::new().fallback(async |request: Request| {
        let (head, body) = request.into_parts();
        let event: Value = serde_json::from_slice(&to_bytes(body, 9999).await.unwrap()).unwrap();
        match event["requestContext"]["http"]["method"].as_str() {
            Some("DELETE") => ([("x-amz-function-error", "Unhandled")], "{}").into_response(),
            Some("PUT") => StatusCode::BAD_GATEWAY.into_response(),
            _ => json!({"statusCode": 201, "body": head.uri.path()}).to_string().into_response(),
        }
    });
    let elsewhere = Server::start(0, elsewhere).await.unwrap();
    let logs = Arc::new(Logs::new(false));
    let there = Elsewhere::new(&format!("{}/", elsewhere.url), Arc::clone(&logs)).unwrap();
    let server = serve(Functions::At(there), AMPLE.patience).await;
    let http = server::http().unwrap();
    let send = async |method: Method| {
        let answer = http.request(method, format!("{}/auth/one", server.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };

    let path = "/2015-03-31/functions/one/invocations".to_owned();
    assert_eq!(send(Method::GET).await, (201, path));
    assert_eq!(send(Method::DELETE).await.0, 500);
    assert_eq!(send(Method::PUT).await.0, 500);
    drop(elsewhere);
    assert_eq!(send(Method::GET).await.0, 500);
    assert!(logs.lines(Some("one")).concat().contains("does not answer"));
}
