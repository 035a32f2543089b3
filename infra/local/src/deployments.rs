//! CodeDeploy of this machine, about to lead traffic to a new version, and Lambda's door to that version.
//! Answers as <https://docs.aws.amazon.com/codedeploy/latest/APIReference/> tells.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{Error, id, logs::Logs, runtime::Lambda, server::Server};

/// The number of the version that is new.
const NEXT: &str = "2";

/// What is being deployed; it stops listening when dropped.
pub struct Deployments {
    /// Where it listens: what `AWS_ENDPOINT_URL_CODEDEPLOY` is set to.
    pub url: String,
    desk: Arc<Desk>,
    _server: Server,
}

#[derive(Default)]
struct Desk {
    functions: Mutex<Option<(Arc<Lambda>, Arc<Logs>)>>,
    state: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The function of each deployment.
    targets: BTreeMap<String, String>,
    /// What a hook said of it, by deployment and by the hook's id.
    told: BTreeMap<(String, String), String>,
    /// What a version returns, and logs meanwhile, where no function runs.
    answer: Option<Spoken>,
    broken: bool,
}

#[derive(Clone)]
struct Spoken {
    returned: Value,
    log: String,
    failed: bool,
}

impl Deployments {
    pub(crate) async fn start() -> Result<Self, Error> {
        let desk = Arc::<Desk>::default();
        let router = Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .fallback(codedeploy)
            .with_state(Arc::clone(&desk));
        let server = Server::start(0, router).await?;
        Ok(Self { url: server.url.clone(), desk, _server: server })
    }

    /// From now on these functions are what is deployed.
    pub(crate) fn of(&self, lambda: Arc<Lambda>, logs: Arc<Logs>) {
        *hold(&self.desk.functions) = Some((lambda, logs));
    }

    /// Begins to deploy a function, and gives the event that its hook is invoked with.
    pub fn begin(&self, function: &str) -> Value {
        let deployment = format!("d-{}", &id()[..9]);
        hold(&self.desk.state).targets.insert(deployment.clone(), function.to_owned());
        json!({ "DeploymentId": deployment, "LifecycleEventHookExecutionId": id() })
    }

    /// What the hook said that was invoked with this event: `Succeeded`, `Failed`, or nothing yet.
    pub fn told(&self, event: &Value) -> Option<String> {
        let part = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let key = (part("DeploymentId"), part("LifecycleEventHookExecutionId"));
        hold(&self.desk.state).told.get(&key).cloned()
    }

    /// Lets the new version return this and log that, where no function runs; `failed` if as an error.
    pub fn answer(&self, returned: Value, log: &str, failed: bool) {
        let log = log.to_owned();
        hold(&self.desk.state).answer = Some(Spoken { returned, log, failed });
    }

    /// Lets CodeDeploy fail (500), or none of its answers any more.
    pub fn break_down(&self, broken: bool) {
        hold(&self.desk.state).broken = broken;
    }
}

async fn codedeploy(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut held = hold(&desk.state);
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let deployment = text("deploymentId");
    let Some(function) = held.targets.get(&deployment).cloned() else {
        return refuse("DeploymentDoesNotExistException");
    };
    if held.broken {
        return (StatusCode::INTERNAL_SERVER_ERROR, "{}").into_response();
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.strip_prefix("CodeDeploy_20141006.")) {
        Some("ListDeploymentTargets") => {
            reply(&json!({ "targetIds": [format!("{function}:live")] }))
        }
        Some("BatchGetDeploymentTargets") => reply(&json!({ "deploymentTargets": [{
            "deploymentTargetType": "LambdaFunction",
            "lambdaTarget": {
                "deploymentId": deployment,
                "targetId": format!("{function}:live"),
                "status": "InProgress",
                "lambdaFunctionInfo": {
                    "functionName": function,
                    "functionAlias": "live",
                    "currentVersion": "1",
                    "targetVersion": NEXT,
                    "targetVersionWeight": 0.0,
                },
            },
        }] })),
        Some("PutLifecycleEventHookExecutionStatus") => {
            let hook = text("lifecycleEventHookExecutionId");
            held.told.insert((deployment, hook.clone()), text("status"));
            reply(&json!({ "lifecycleEventHookExecutionId": hook }))
        }
        _ => refuse("InvalidInputException"),
    }
}

async fn invoke(
    State(desk): State<Arc<Desk>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    if query.get("Qualifier").is_none_or(|qualifier| qualifier != NEXT) {
        return (StatusCode::NOT_FOUND, "{}").into_response();
    }
    let functions = hold(&desk.functions).clone();
    let spoken = match functions {
        Some((lambda, _)) if !lambda.has(&name) => None,
        Some((lambda, logs)) => {
            let before = logs.lines(Some(&name)).len();
            let returned = lambda.invoke(&name, (&id(), ""), body).await;
            // A function has always logged something by the time it answers; it only takes a moment to get here.
            while logs.lines(Some(&name)).len() == before {
                tokio::task::yield_now().await;
            }
            let log = logs.lines(Some(&name)).split_off(before).join("\n");
            let failed = returned.is_err();
            let returned = returned.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            Some(Spoken { returned: returned.unwrap_or_default(), log, failed })
        }
        None => hold(&desk.state).answer.clone(),
    };
    let Some(Spoken { returned, log, failed }) = spoken else {
        return (StatusCode::NOT_FOUND, "{}").into_response();
    };
    let mut response = returned.to_string().into_response();
    let headers = response.headers_mut();
    if failed {
        headers.insert("x-amz-function-error", header::HeaderValue::from_static("Unhandled"));
    }
    if let Ok(log) = STANDARD.encode(log).parse() {
        headers.insert("x-amz-log-result", log);
    }
    response
}

fn reply(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}

fn refuse(kind: &str) -> Response {
    (StatusCode::BAD_REQUEST, json!({ "__type": kind }).to_string()).into_response()
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
