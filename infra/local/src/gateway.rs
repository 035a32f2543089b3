//! The front of the site: paths below `/auth/` go to the functions as API Gateway would send them,
//! everything else to the shop, as the site's own host does in the cloud. One path of the shop's is a
//! route of the API's, too, and guarded by the authorizer.

mod guard;
#[cfg(test)]
mod tests;
mod throttle;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{any, any_service},
};
use serde_json::json;

use self::throttle::Buckets;
use crate::{
    Error,
    event::{self, Arrival},
    id,
    logs::Logs,
    now,
    runtime::{Lambda, Nothing},
    server,
    shop::orders,
    template::Template,
};

/// How long API Gateway waits for a function.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest body that API Gateway takes, in bytes.
const LONGEST_BODY: usize = 10 << 20;

/// The HTTP API.
pub(crate) struct Gateway {
    pub(crate) template: Template,
    pub(crate) functions: Functions,
    buckets: Buckets,
    /// How long it waits for a function.
    pub(crate) patience: Duration,
    /// How long it waits for the authorizer.
    pub(crate) patience_with_authorizer: Duration,
}

/// Where the functions run.
pub(crate) enum Functions {
    /// In processes of ours.
    Here(Arc<Lambda>),
    /// Behind somebody else's Lambda API, such as that of `cargo lambda watch`.
    At(Elsewhere),
}

/// Somebody else's Lambda API.
pub(crate) struct Elsewhere {
    url: String,
    http: reqwest::Client,
    logs: Arc<Logs>,
}

impl Elsewhere {
    /// The Lambda API at this origin.
    pub(crate) fn new(url: &str, logs: Arc<Logs>) -> Result<Self, Error> {
        Ok(Self { url: url.trim_end_matches('/').to_owned(), http: server::http()?, logs })
    }

    async fn invoke(&self, name: &str, event: Bytes) -> Result<Bytes, Nothing> {
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.url);
        let Ok(answer) = self.http.post(url).body(event).send().await else {
            self.logs.write(name, format!("{} does not answer", self.url));
            return Err(Nothing::Failed);
        };
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return Err(Nothing::Throttled);
        }
        let failed = answer.headers().contains_key("x-amz-function-error");
        if failed || !answer.status().is_success() {
            self.logs.write(name, format!("{} failed: {}", self.url, answer.status()));
            return Err(Nothing::Failed);
        }
        answer.bytes().await.map_err(|_| Nothing::Failed)
    }
}

impl Functions {
    async fn invoke(
        &self,
        name: &str,
        (id, trace): (&str, &str),
        event: Bytes,
    ) -> Result<Bytes, Nothing> {
        match self {
            Self::Here(lambda) => lambda.invoke(name, (id, trace), event).await,
            Self::At(elsewhere) => elsewhere.invoke(name, event).await,
        }
    }
}

impl Gateway {
    /// A gateway as patient as API Gateway.
    pub(crate) fn new(template: Template, functions: Functions) -> Self {
        let (patience, patience_with_authorizer) = (PATIENCE, guard::PATIENCE);
        let buckets = Buckets::new(&template.throttles);
        Self { template, functions, buckets, patience, patience_with_authorizer }
    }

    /// The whole site: the functions below `/auth/`, and the shop.
    pub(crate) fn router(self, shop: Router) -> Router {
        let gateway = Arc::new(self);
        let functions = any(answer).with_state(Arc::clone(&gateway));
        let guarded = any_service(shop.clone()).layer(from_fn_with_state(gateway, guard::ask));
        Router::new()
            .route("/auth/", functions.clone())
            .route("/auth/{*rest}", functions)
            .route(orders::PATH, guarded)
            .fallback_service(shop.layer(from_fn(guard::strip)))
    }
}

async fn answer(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let request_id = id();
    let response = pass(gateway, from, request, &request_id).await;
    tagged(response, request_id)
}

/// The response with the gateway's name for the request.
fn tagged(mut response: Response, request_id: String) -> Response {
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

async fn pass(gateway: Arc<Gateway>, from: SocketAddr, request: Request, id: &str) -> Response {
    let (head, body) = request.into_parts();
    if event::size(&head) > event::MOST_OF_A_HEAD {
        return refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let found = gateway.template.route(head.method.as_str(), head.uri.path());
    let Some((function, route)) = found else { return refuse(StatusCode::NOT_FOUND) };
    if !gateway.buckets.take(&route) {
        return refuse(StatusCode::TOO_MANY_REQUESTS);
    }
    let epoch_ms = now();
    let trace = event::trace(&head, id, epoch_ms);
    let arrival = Arrival {
        route: &route,
        source_ip: from.ip().to_string(),
        request_id: id,
        trace: &trace,
        epoch_ms,
    };
    let event = Bytes::from(event::from_request(&head, &body, &arrival).to_string());
    let (name, id, patience) = (function.name.clone(), id.to_owned(), gateway.patience);
    // A task of its own: a function goes on when the visitor has gone or the gateway gives up.
    let invocation =
        tokio::spawn(async move { gateway.functions.invoke(&name, (&id, &trace), event).await });
    let Ok(returned) = tokio::time::timeout(patience, invocation).await else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE);
    };
    let response = match returned {
        Ok(Ok(returned)) => event::to_response(&returned),
        Ok(Err(Nothing::Throttled)) => Some(refuse(StatusCode::SERVICE_UNAVAILABLE)),
        Ok(Err(Nothing::Failed)) | Err(_) => None,
    };
    response.unwrap_or_else(|| refuse(StatusCode::INTERNAL_SERVER_ERROR))
}

/// An answer of the gateway's own, in its words.
fn refuse(status: StatusCode) -> Response {
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, json!({"message": message}).to_string()).into_response()
}
