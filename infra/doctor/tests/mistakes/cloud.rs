//! AWS, as far as a stack is looked at: CloudFormation's and Lambda's own words, and a DynamoDB that tells
//! what ours does not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use local_stack::Stack;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    here::Here,
    run::{Ran, run},
};

/// An account at AWS with one stack, which is called `shop`.
pub(crate) struct Cloud {
    pub(crate) url: String,
    pub(crate) told: Arc<Mutex<Told>>,
}

/// What AWS tells.
pub(crate) struct Told {
    /// How the last deployment ended.
    pub(crate) status: &'static str,
    /// Functions' environments, by name.
    pub(crate) functions: BTreeMap<String, BTreeMap<String, String>>,
    /// A function that does not run.
    pub(crate) failed: Option<&'static str>,
    /// Whether links can be brought back.
    pub(crate) recovery: bool,
    /// An error in place of everything that Secrets Manager is asked.
    pub(crate) secrets_refused: bool,
    /// Who asked, by the ids of their keys.
    pub(crate) keys: Vec<String>,
    outputs: String,
    dynamodb: String,
    secrets: String,
}

impl Cloud {
    /// The cloud that has what `here` has.
    pub(crate) async fn of(here: &Here) -> Self {
        let functions = Stack::functions().unwrap().into_iter().map(|name| {
            let ours = here.stack.settings(&name).into_iter();
            (name, ours.filter(|(name, _)| !name.starts_with("AWS_")).collect())
        });
        let outputs = format!(
            "<member><OutputKey>ApiUrl</OutputKey><OutputValue>{}</OutputValue></member>",
            here.stack.url
        );
        let told = Arc::new(Mutex::new(Told {
            status: "UPDATE_COMPLETE",
            functions: functions.collect(),
            failed: None,
            recovery: true,
            secrets_refused: false,
            keys: Vec::new(),
            outputs,
            dynamodb: here.stack.dynamodb.url.clone(),
            secrets: here.stack.secrets.url.clone(),
        }));
        let router = Router::new()
            .route("/cloudformation/", post(cloudformation))
            .route("/lambda/2015-03-31/functions/{name}/configuration", get(configuration))
            .route("/dynamodb/", post(dynamodb))
            .route("/secrets/", post(secrets))
            .with_state(Arc::clone(&told));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, told }
    }

    /// Changes what AWS tells.
    pub(crate) fn tell(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap());
    }

    /// Sets something for these functions, or for all of them if there are none.
    pub(crate) fn set(&self, functions: &[&str], name: &str, value: &str) {
        self.tell(|told| {
            let all = told.functions.iter_mut();
            let wanted =
                all.filter(|(own, _)| functions.is_empty() || functions.contains(&own.as_str()));
            for (_, settings) in wanted.filter(|(_, settings)| settings.contains_key(name)) {
                settings.insert(name.to_owned(), value.to_owned());
            }
        });
    }

    /// Looks at a stack, signed in by keys in the environment.
    pub(crate) async fn look(&self, stack: &str) -> Ran {
        let keys =
            [("AWS_ACCESS_KEY_ID", "AKIAPERSON"), ("AWS_SECRET_ACCESS_KEY", "a-persons-own-key")];
        self.look_as(stack, &keys).await
    }

    pub(crate) async fn look_as(&self, stack: &str, signed_in: &[(&str, &str)]) -> Ran {
        let at = |path: &str| format!("{}/{path}/", self.url);
        let (cloudformation, lambda) = (at("cloudformation"), at("lambda"));
        let (dynamodb, secrets) = (at("dynamodb"), at("secrets"));
        let mut environment = vec![
            ("AWS_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/nowhere"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
            ("AWS_ENDPOINT_URL_CLOUDFORMATION", &cloudformation),
            ("AWS_ENDPOINT_URL_LAMBDA", &lambda),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &secrets),
        ];
        environment.extend(signed_in);
        run(&["--stack", stack], &environment).await
    }
}

/// What the ARNs of functions begin with.
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:";

/// The logical id of a function.
fn logical_id(function: &str) -> String {
    let (first, rest) = function.split_at(1);
    format!("{}{rest}Function", first.to_uppercase())
}

async fn cloudformation(
    State(told): State<Arc<Mutex<Told>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut told = told.lock().unwrap();
    let authorization = headers[header::AUTHORIZATION].to_str().unwrap();
    let key = authorization.split_once("Credential=").unwrap().1.split('/').next().unwrap();
    told.keys.push(key.to_owned());
    let xml = |status: StatusCode, body: String| {
        (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
    };
    let namespace = "xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"";
    let id = "<ResponseMetadata><RequestId>00000000</RequestId></ResponseMetadata>";
    if !body.contains("StackName=shop") {
        let error = format!(
            "<ErrorResponse {namespace}><Error><Type>Sender</Type><Code>ValidationError</Code>\
             <Message>Stack with id other does not exist</Message></Error></ErrorResponse>"
        );
        return xml(StatusCode::BAD_REQUEST, error);
    }
    if body.contains("Action=DescribeStacks") {
        let described = format!(
            "<DescribeStacksResponse {namespace}><DescribeStacksResult><Stacks><member>\
             <StackName>shop</StackName><CreationTime>2026-11-20T09:30:00Z</CreationTime>\
             <StackStatus>{}</StackStatus><Outputs>{}</Outputs></member></Stacks>\
             </DescribeStacksResult>{id}</DescribeStacksResponse>",
            told.status, told.outputs
        );
        return xml(StatusCode::OK, described);
    }
    assert!(body.contains("Action=ListStackResources"), "{body}");
    // Two pages, as of a large stack.
    let second = body.contains("NextToken=second");
    let (next, half) =
        (if second { "" } else { "<NextToken>second</NextToken>" }, usize::from(second));
    let functions = told.functions.keys().enumerate().filter(|(nth, _)| nth % 2 == half);
    let resource = |id: String, physical: String, kind: &str| {
        format!(
            "<member><LogicalResourceId>{id}</LogicalResourceId>\
             <PhysicalResourceId>{physical}</PhysicalResourceId>\
             <ResourceType>AWS::Lambda::{kind}</ResourceType>\
             <LastUpdatedTimestamp>2026-11-20T09:30:00Z</LastUpdatedTimestamp>\
             <ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>"
        )
    };
    let resources = functions.flat_map(|(_, name)| {
        let (id, physical) = (logical_id(name), format!("shop-{name}-0123"));
        let alias = format!("{FUNCTION}{physical}:live");
        [resource(format!("{id}Aliaslive"), alias, "Alias"), resource(id, physical, "Function")]
    });
    let resources: String = resources.collect();
    let listed = format!(
        "<ListStackResourcesResponse {namespace}><ListStackResourcesResult><StackResourceSummaries>\
         {resources}</StackResourceSummaries>{next}</ListStackResourcesResult>{id}\
         </ListStackResourcesResponse>"
    );
    xml(StatusCode::OK, listed)
}

async fn configuration(
    State(told): State<Arc<Mutex<Told>>>,
    Path(physical): Path<String>,
) -> Json<Value> {
    let told = told.lock().unwrap();
    // What runs is the version that the alias leads to, and none of the others.
    let physical =
        physical.strip_prefix(FUNCTION).and_then(|name| name.strip_suffix(":live")).unwrap();
    let name = physical.strip_prefix("shop-").and_then(|name| name.strip_suffix("-0123")).unwrap();
    let failed = told.failed == Some(name);
    let mut configuration = json!({
        "FunctionName": physical,
        "FunctionArn": format!("{FUNCTION}{physical}:live"),
        "Runtime": "provided.al2023",
        "State": if failed { "Failed" } else { "Active" },
        "LastUpdateStatus": "Successful",
        "Environment": { "Variables": told.functions[name] },
    });
    if failed {
        configuration["StateReason"] = "The image of the function is gone".into();
    }
    Json(configuration)
}

async fn dynamodb(
    State(told): State<Arc<Mutex<Told>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (url, recovery) = {
        let told = told.lock().unwrap();
        (told.dynamodb.clone(), told.recovery)
    };
    let target = headers["x-amz-target"].to_str().unwrap().to_owned();
    if target.ends_with("DescribeContinuousBackups") {
        let status = if recovery { "ENABLED" } else { "DISABLED" };
        return Json(json!({ "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
        }}))
        .into_response();
    }
    let (status, body) = forward(&url, headers, body).await;
    if !target.ends_with("DescribeTable") || status != StatusCode::OK {
        return (status, body).into_response();
    }
    let mut described: Value = serde_json::from_slice(&body).unwrap();
    described["Table"]["DeletionProtectionEnabled"] = true.into();
    Json(described).into_response()
}

async fn secrets(
    State(told): State<Arc<Mutex<Told>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (url, refused) = {
        let told = told.lock().unwrap();
        (told.secrets.clone(), told.secrets_refused)
    };
    if refused {
        let error = json!({ "__type": "AccessDeniedException", "Message": "no" });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    forward(&url, headers, body).await.into_response()
}

async fn forward(url: &str, mut headers: HeaderMap, body: Bytes) -> (StatusCode, Bytes) {
    for hop in [header::HOST, header::CONTENT_LENGTH] {
        headers.remove(hop);
    }
    let http = https::client(Duration::from_secs(1)).unwrap();
    let answer = http.post(url).headers(headers).body(body).send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap())
}
