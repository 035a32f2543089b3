//! How the SDK's requests leave: by hyper, over HTTP/1.1. The SDK's own client would bring HTTP/2 along,
//! which nobody whom we ask needs. What is asked is counted here, so that what the SDK tries again counts
//! again.

use std::{sync::Arc, time::Duration};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::Headers,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Hyper, connect::HttpConnector as Tcp},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;
use tally::{Outcome, Service};

/// How long to wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A client that trusts the authorities of AWS's own services and no others.
#[derive(Clone, Debug)]
pub(crate) struct Client(Hyper<HttpsConnector<Tcp>, SdkBody>);

impl Client {
    pub(crate) fn new() -> Result<Self, BoxError> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(include_bytes!("roots.pem")) {
            roots.add(root?)?;
        }
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls);
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        Ok(Self(Hyper::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", None))
    }
}

impl HttpConnector for Client {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(client) = self.clone();
        HttpConnectorFuture::new(async move {
            let service = service(&request);
            let request = request.try_into_http1x().map_err(never)?;
            let exchange = tally::begin(service);
            let (head, body) = client.request(request).await.map_err(broken)?.into_parts();
            let body = body.collect().await.map_err(broken)?.to_bytes();
            let headers = Headers::try_from(head.headers).map_err(never)?;
            exchange.end(outcome(head.status.as_u16(), &headers, &body));
            let mut answer = HttpResponse::new(head.status.into(), SdkBody::from(body));
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}

/// The SDK tries again, where it has not tried often enough.
fn broken(error: impl Into<BoxError>) -> ConnectorError {
    ConnectorError::io(error.into())
}

/// What the SDK asks for, and what AWS answers, is well-formed.
fn never(error: impl Into<BoxError>) -> ConnectorError {
    ConnectorError::user(error.into())
}

/// Whom a request goes to: the JSON protocols say so in a header, Lambda's says nothing there.
fn service(request: &HttpRequest) -> Service {
    match request.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
        None => Service::Accounts,
        Some(("secretsmanager", _)) => Service::Secrets,
        Some((service, _)) if service.starts_with("DynamoDB_") => Service::Dynamodb,
        Some(_) => Service::Others,
    }
}

/// How an exchange ended.
fn outcome(status: u16, headers: &Headers, body: &[u8]) -> Outcome {
    if status >= 400 {
        return told(status, body);
    }
    // A function that failed is an answer of Lambda's, and none to what was asked.
    if headers.contains_key("x-amz-function-error") { Outcome::Failed } else { Outcome::Answered }
}

/// What an error means. A condition that did not hold is an answer, and so is a transaction that met
/// another one: a visitor's second click makes both.
fn told(status: u16, body: &[u8]) -> Outcome {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = body["__type"].as_str().unwrap_or_default();
    let word = match kind.rsplit('#').next().unwrap_or_default() {
        "ConditionalCheckFailedException" | "TransactionConflictException" => {
            return Outcome::Answered;
        }
        "TransactionCanceledException" => {
            let reasons = body["CancellationReasons"].as_array().map_or(&[][..], Vec::as_slice);
            let gave = |words: &[&str]| {
                let mut codes = reasons.iter().filter_map(|reason| reason["Code"].as_str());
                codes.any(|code| words.contains(&code))
            };
            return if gave(&["ThrottlingError", "ProvisionedThroughputExceeded"]) {
                Outcome::Throttled
            } else if gave(&["ConditionalCheckFailed", "TransactionConflict"]) {
                Outcome::Answered
            } else {
                Outcome::Failed
            };
        }
        word => word,
    };
    let throttled = [
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
    ];
    match status == 429 || throttled.contains(&word) {
        true => Outcome::Throttled,
        false => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome::*, *};

    #[test]
    fn a_condition_that_did_not_hold_is_an_answer_and_too_much_is_none() {
        let dynamodb = |error: &str| format!("com.amazonaws.dynamodb.v20120810#{error}");
        for (status, error, outcome) in [
            (400, "ConditionalCheckFailedException", Answered),
            (400, "TransactionConflictException", Answered),
            (400, "ProvisionedThroughputExceededException", Throttled),
            (400, "ThrottlingException", Throttled),
            (400, "RequestLimitExceeded", Throttled),
            (400, "ValidationException", Failed),
            (400, "AccessDeniedException", Failed),
            (500, "InternalServerError", Failed),
        ] {
            let body = serde_json::json!({ "__type": dynamodb(error) }).to_string();
            assert_eq!(told(status, body.as_bytes()), outcome, "{error}");
        }
        for (reasons, outcome) in [
            (vec!["None", "ConditionalCheckFailed"], Answered),
            (vec!["TransactionConflict"], Answered),
            (vec!["ConditionalCheckFailed", "ThrottlingError"], Throttled),
            (vec!["ProvisionedThroughputExceeded"], Throttled),
            (vec!["ValidationError"], Failed),
            (vec![], Failed),
        ] {
            let reasons: Vec<_> =
                reasons.iter().map(|code| serde_json::json!({ "Code": code })).collect();
            let kind = dynamodb("TransactionCanceledException");
            let body = serde_json::json!({ "__type": kind, "CancellationReasons": reasons });
            assert_eq!(told(400, body.to_string().as_bytes()), outcome, "{body}");
        }
        for (status, body, outcome) in
            [(429, "", Throttled), (503, "<html>", Failed), (400, "", Failed), (403, "[]", Failed)]
        {
            assert_eq!(told(status, body.as_bytes()), outcome, "{status} {body}");
        }
    }

    #[test]
    fn a_request_says_whom_it_goes_to() {
        for (target, expected) in [
            (Some("DynamoDB_20120810.GetItem"), Service::Dynamodb),
            (Some("secretsmanager.GetSecretValue"), Service::Secrets),
            (Some("AmazonSQS.SendMessage"), Service::Others),
            (Some("AWSEvents.PutEvents"), Service::Others),
            (None, Service::Accounts),
        ] {
            let mut request = HttpRequest::empty();
            if let Some(target) = target {
                request.headers_mut().insert("x-amz-target", target);
            }
            assert_eq!(service(&request), expected, "{target:?}");
        }
    }

    #[test]
    fn a_function_that_failed_is_no_answer() {
        let mut headers = Headers::new();
        assert_eq!(outcome(200, &headers, b"{}"), Answered);
        headers.insert("x-amz-function-error", "Unhandled");
        assert_eq!(outcome(200, &headers, b"{}"), Failed);
        assert_eq!(outcome(400, &headers, br#"{"__type":"x#ThrottlingException"}"#), Throttled);
    }
}
