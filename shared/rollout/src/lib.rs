//! A new version takes over from the old one, and is asked beforehand whether it can.
//!
//! 1. CodeDeploy is about to move an alias, and invokes the hook before any traffic: with the id of the
//!    deployment and one for the hook's answer.
//! 2. It says which version is next ([`Rollout::next`]).
//! 3. That version is invoked as nobody else can yet: by its number ([`Rollout::ask`]).
//! 4. CodeDeploy waits until it is told ([`Rollout::report`]), and moves nothing unless it succeeded.

use std::error::Error as StdError;

use aws_sdk_codedeploy::types::LifecycleEventStatus;
use aws_sdk_lambda::{primitives::Blob, types::LogType};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// What takes part in a rollout.
pub struct Rollout {
    codedeploy: aws_sdk_codedeploy::Client,
    lambda: aws_sdk_lambda::Client,
}

/// AWS did not answer, or not so that it could be understood.
#[derive(Debug, thiserror::Error)]
#[error("AWS failed to {0}")]
pub struct Error(&'static str, #[source] Box<dyn StdError + Send + Sync>);

/// A version of a function that nobody is led to yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The function's name.
    pub function: String,
    /// The version's number.
    pub number: String,
}

/// What a version did with an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it returned an error, or ended without returning anything.
    pub failed: bool,
    /// What it returned; `null` if that is not JSON.
    pub returned: Value,
    /// The last 4 KB of what it logged meanwhile.
    pub log: String,
}

impl Rollout {
    /// A rollout by CodeDeploy of functions of Lambda's.
    pub fn new<C>(codedeploy: &C, lambda: &C) -> Self
    where
        for<'a> aws_sdk_codedeploy::Config: From<&'a C>,
        for<'a> aws_sdk_lambda::Config: From<&'a C>,
    {
        Self {
            codedeploy: aws_sdk_codedeploy::Client::from_conf(codedeploy.into()),
            lambda: aws_sdk_lambda::Client::from_conf(lambda.into()),
        }
    }

    /// The versions that a deployment is about to lead traffic to: one, as SAM makes deployments.
    ///
    /// # Errors
    ///
    /// [`Error`]
    pub async fn next(&self, deployment: &str) -> Result<Vec<Version>, Error> {
        const TO: &str = "say what is deployed";
        let targets = self.codedeploy.list_deployment_targets().deployment_id(deployment).send();
        let targets = targets.await.map_err(|error| Error(TO, error.into()))?;
        let described = self
            .codedeploy
            .batch_get_deployment_targets()
            .deployment_id(deployment)
            .set_target_ids(targets.target_ids)
            .send();
        let described = described.await.map_err(|error| Error(TO, error.into()))?;
        let targets = described.deployment_targets.unwrap_or_default().into_iter();
        let functions = targets.filter_map(|target| target.lambda_target?.lambda_function_info);
        let versions = functions.filter_map(|function| {
            Some(Version { function: function.function_name?, number: function.target_version? })
        });
        Ok(versions.collect())
    }

    /// Invokes a version.
    ///
    /// # Errors
    ///
    /// [`Error`] where it could not be invoked; what it did wrong itself is in the [`Answer`].
    pub async fn ask(&self, version: &Version, event: &Value) -> Result<Answer, Error> {
        let invoked = self
            .lambda
            .invoke()
            .function_name(&version.function)
            .qualifier(&version.number)
            .log_type(LogType::Tail)
            .payload(Blob::new(event.to_string()))
            .send();
        let invoked =
            invoked.await.map_err(|error| Error("invoke the new version", error.into()))?;
        let returned = invoked.payload.map(Blob::into_inner).unwrap_or_default();
        let log = invoked.log_result.and_then(|log| STANDARD.decode(log).ok()).unwrap_or_default();
        Ok(Answer {
            failed: invoked.function_error.is_some(),
            returned: serde_json::from_slice(&returned).unwrap_or_default(),
            log: String::from_utf8_lossy(&log).into_owned(),
        })
    }

    /// Tells CodeDeploy whether it may go on.
    ///
    /// # Errors
    ///
    /// [`Error`]; CodeDeploy then waits, for an hour, and takes it for a no.
    pub async fn report(&self, deployment: &str, hook: &str, may: bool) -> Result<(), Error> {
        let status =
            if may { LifecycleEventStatus::Succeeded } else { LifecycleEventStatus::Failed };
        let told = self
            .codedeploy
            .put_lifecycle_event_hook_execution_status()
            .deployment_id(deployment)
            .lifecycle_event_hook_execution_id(hook)
            .status(status)
            .send();
        told.await.map(drop).map_err(|error| Error("take the answer", error.into()))
    }
}
