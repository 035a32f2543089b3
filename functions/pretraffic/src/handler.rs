//! Asks the new version who somebody is whom nobody knows. To say so it has to start, to have all of its
//! settings, and, where that is its work, to be let at its table.

use domain::{AccountId, SessionToken};
use rollout::{Answer, Rollout};
use serde_json::{Value, json};
use web::{Failure, Invoke, log};

/// Everything that the check needs.
pub(crate) struct Pretraffic {
    pub(crate) rollout: Rollout,
}

impl Invoke for Pretraffic {
    async fn invoke(&self, event: Value) -> Result<Value, Failure> {
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let (Some(deployment), Some(hook)) =
            (text("DeploymentId"), text("LifecycleEventHookExecutionId"))
        else {
            return Err(Failure::bad_request("the event is none of CodeDeploy's"));
        };
        let verdict = self.check(&deployment).await;
        if let Err(why) = &verdict {
            log::failure("the new version stays out", why);
        }
        // Without an answer CodeDeploy would wait for an hour, and visitors with it.
        let told = self.rollout.report(&deployment, &hook, verdict.is_ok()).await;
        told.map_err(Failure::unavailable)?;
        Ok(json!({ "may_take_over": verdict.is_ok() }))
    }
}

impl Pretraffic {
    async fn check(&self, deployment: &str) -> Result<(), Failure> {
        let versions = self.rollout.next(deployment).await.map_err(Failure::unavailable)?;
        if versions.is_empty() {
            return Err(Failure::unavailable("CodeDeploy names no version"));
        }
        for version in &versions {
            let answer = self.rollout.ask(version, &stranger()?).await;
            judge(&answer.map_err(Failure::unavailable)?).map_err(Failure::unavailable)?;
        }
        Ok(())
    }
}

/// Whether a version may meet visitors: any answer will do that is no fault.
///
/// # Errors
///
/// What is wrong.
pub(crate) fn judge(answer: &Answer) -> Result<(), &'static str> {
    if answer.failed {
        return Err("it returned an error, or ended");
    }
    if answer.returned["statusCode"].as_u64().is_some_and(|status| status >= 500) {
        return Err("it answered that something is wrong");
    }
    // The authorizer says no to everybody, and only its log tells why.
    let is_error =
        |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"] == "ERROR");
    if answer.log.lines().any(is_error) {
        return Err("it logged that something is wrong");
    }
    Ok(())
}

/// A request that API Gateway could send to a function or to its authorizer, by somebody with a token that
/// was never given out.
fn stranger() -> Result<Value, Failure> {
    let nobody = AccountId::parse("nobody").ok_or_else(|| Failure::broken("nobody has a name"))?;
    let token = SessionToken::open(&nobody, &mut web::rng());
    Ok(json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeKey": "GET /auth/session",
        "rawPath": "/auth/session",
        "rawQueryString": "",
        "headers": { "accept": "application/json", "authorization": format!("Bearer {}", token.expose()) },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "pretraffic",
            "domainName": "pretraffic",
            "domainPrefix": "pretraffic",
            "http": {
                "method": "GET",
                "path": "/auth/session",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "pretraffic",
            },
            "requestId": "pretraffic",
            "routeKey": "GET /auth/session",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_u64,
        },
        "isBase64Encoded": false,
    }))
}
