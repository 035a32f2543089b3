//! A Lambda function: the question is its payload, and its result is the answer.

use aws_sdk_lambda::{
    Client,
    config::{Builder, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata as _, SdkError},
    primitives::Blob,
};
use serde_json::Value;

use super::{Fault, Heard, PATIENCE, chain};

/// A function, and how it is invoked.
pub(crate) struct Function {
    client: Client,
    arn: String,
}

impl Function {
    pub(crate) fn new(aws: &aws::Config, arn: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(PATIENCE)
            .operation_timeout(PATIENCE)
            .build();
        let config =
            Builder::from(aws).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
        Self { client: Client::from_conf(config.build()), arn }
    }

    pub(super) async fn ask(&self, question: &Value) -> Result<Heard, Fault> {
        let payload = Blob::new(question.to_string());
        let invoked = self.client.invoke().function_name(&self.arn).payload(payload).send().await;
        let invoked = invoked.map_err(|error| match &error {
            SdkError::TimeoutError(_) => {
                Fault::Broken(format!("it did not answer within {} seconds", PATIENCE.as_secs()))
            }
            SdkError::ServiceError(refused) => {
                let code = refused.err().code().unwrap_or("nothing");
                Fault::Unreachable(format!("Lambda said {code}"))
            }
            _ => Fault::Unreachable(chain(&error)),
        })?;
        if let Some(kind) = invoked.function_error() {
            // A function has no other way to refuse a question.
            let said = format!("the function ended with an error ({kind})");
            return Err(Fault::Refused(None, said));
        }
        let payload = invoked.payload.map(Blob::into_inner).unwrap_or_default();
        match serde_json::from_slice(&payload) {
            Ok(value @ Value::Object(_)) => Ok(Heard { value, bytes: payload.len() }),
            _ => Err(Fault::Broken("it returned something else than a JSON object".to_owned())),
        }
    }
}
