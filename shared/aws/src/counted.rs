//! Counts what is asked of AWS. It stands where requests leave, so that what the SDK tries again counts
//! again.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream, config_bag::ConfigBag};
use serde_json::Value;
use tally::{Outcome, Service};

/// A client, or a connector of one, whose exchanges are counted.
#[derive(Debug)]
pub(crate) struct Counted<T>(pub(crate) T);

impl HttpClient for Counted<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Counted(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.0, components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_final_config(&self.0, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

impl HttpConnector for Counted<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = service(&request);
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let exchange = tally::begin(service);
            let mut answer = answer.await?;
            exchange.end(outcome(&mut answer).await?);
            Ok(answer)
        })
    }
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

/// How an exchange ended. What an error says is read for that, and put back.
async fn outcome(answer: &mut HttpResponse) -> Result<Outcome, ConnectorError> {
    let status = answer.status().as_u16();
    if status < 400 {
        // A function that failed is an answer of Lambda's, and none to what was asked.
        let failed = answer.headers().get("x-amz-function-error").is_some();
        return Ok(if failed { Outcome::Failed } else { Outcome::Answered });
    }
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let outcome = told(status, &body);
    *answer.body_mut() = SdkBody::from(body);
    Ok(outcome)
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

    #[tokio::test]
    async fn what_an_error_says_can_still_be_read() {
        let body = r#"{"__type":"x#ThrottlingException"}"#;
        let status = 400.try_into().unwrap();
        let mut answer = HttpResponse::new(status, SdkBody::from(body));
        assert_eq!(outcome(&mut answer).await.unwrap(), Throttled);
        assert_eq!(answer.body().bytes(), Some(body.as_bytes()));
        let mut answer = HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"));
        assert_eq!(outcome(&mut answer).await.unwrap(), Answered);
        answer.headers_mut().insert("x-amz-function-error", "Unhandled");
        assert_eq!(outcome(&mut answer).await.unwrap(), Failed);
    }
}
