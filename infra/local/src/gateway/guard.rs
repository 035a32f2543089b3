//! Routes of the site's own for which somebody has to be signed in: the function `authorizer` is asked,
//! as an HTTP API asks a Lambda authorizer (payload format 2.0, simple responses, no identity source,
//! nothing remembered), and the site is told who it is.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use serde_json::{Map, Value};

use super::{Gateway, refuse, tagged};
use crate::{
    ACCOUNT, REGION,
    event::{self, Arrival},
    id, now,
};

/// How long API Gateway waits for an authorizer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The function that is asked.
const AUTHORIZER: &str = "authorizer";

/// What the authorizer says of whoever is signed in, and the headers that tell it to the site. In the
/// cloud, parameters of the integration do: `overwrite:header.x-account-id`.
const TOLD: [(&str, &str); 3] =
    [("account_id", "x-account-id"), ("session_id", "x-session-id"), ("kind", "x-session-kind")];

/// Lets a request through to the site if the authorizer says so.
pub(super) async fn ask(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let request_id = id();
    let response = match pass(gateway, from, request, &request_id).await {
        Ok(request) => next.run(request).await,
        Err(status) => refuse(status),
    };
    tagged(response, request_id)
}

/// Takes away what only the gateway may say, on the way to pages that nobody guards.
pub(super) async fn strip(mut request: Request, next: Next) -> Response {
    forget(request.headers_mut());
    next.run(request).await
}

fn forget(headers: &mut HeaderMap) {
    for (_, header) in TOLD {
        headers.remove(header);
    }
}

async fn pass(
    gateway: Arc<Gateway>,
    from: SocketAddr,
    request: Request,
    id: &str,
) -> Result<Request, StatusCode> {
    let (mut head, body) = request.into_parts();
    // The route is one of GET alone.
    if head.method != Method::GET {
        return Err(StatusCode::NOT_FOUND);
    }
    if event::size(&head) > event::MOST_OF_A_HEAD {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let route = format!("GET {}", head.uri.path());
    if !gateway.buckets.take(&route) {
        return Err(StatusCode::TOO_MANY_REQUESTS);
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
    let question = Bytes::from(question(&head, &arrival).to_string());
    let (id, patience) = (id.to_owned(), gateway.patience_with_authorizer);
    // A task of its own, as for every function: it goes on when the gateway gives up.
    let asked =
        tokio::spawn(
            async move { gateway.functions.invoke(AUTHORIZER, (&id, &trace), question).await },
        );
    let returned = tokio::time::timeout(patience, asked).await.ok().and_then(Result::ok);
    let returned = returned.and_then(Result::ok);
    let context = returned.as_deref().and_then(verdict).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let context = context.ok_or(StatusCode::FORBIDDEN)?;
    forget(&mut head.headers);
    for (name, header) in TOLD {
        let Some(text) = context.get(name).and_then(Value::as_str) else { continue };
        let text = HeaderValue::try_from(text).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        head.headers.insert(HeaderName::from_static(header), text);
    }
    Ok(Request::from_parts(head, body))
}

/// The event that an authorizer is given: the request without its body, and its cookies once more.
fn question(head: &Parts, arrival: &Arrival<'_>) -> Value {
    let mut event = event::from_request(head, &[], arrival);
    let cookies = event["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    if !cookies.is_empty() {
        event["headers"]["cookie"] = cookies.into();
    }
    let (method, path) = (&head.method, head.uri.path());
    event["type"] = "REQUEST".into();
    event["routeArn"] =
        format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:local/$default/{method}{path}").into();
    event["identitySource"] = Value::Null;
    event["stageVariables"] = Value::Null;
    if let Some(event) = event.as_object_mut() {
        event.remove("isBase64Encoded");
    }
    event
}

/// What an authorizer's answer tells of whoever may pass; nothing of whoever may not. Where it is no such
/// answer there is no verdict, and AWS calls that an error of ours.
fn verdict(returned: &[u8]) -> Option<Option<Map<String, Value>>> {
    let Ok(Value::Object(mut returned)) = serde_json::from_slice(returned) else { return None };
    match returned.remove("isAuthorized")?.as_bool()? {
        true => match returned.remove("context") {
            None | Some(Value::Null) => Some(Some(Map::new())),
            Some(Value::Object(context)) => Some(Some(context)),
            Some(_) => None,
        },
        false => Some(None),
    }
}
