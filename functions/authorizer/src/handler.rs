//! Looks one row up, by the same rule as `session`. Whatever goes wrong is no.

use std::time::Duration;

use domain::Clock;
use serde_json::{Value, json};
use store::Sessions;
use web::{Code, Failure, Invoke, Request, cookie, log};

/// Everything an authorization takes.
pub(crate) struct Authorizer {
    pub(crate) clock: Clock,
    /// A session ends when it was not used for so long.
    pub(crate) idle: Duration,
    pub(crate) sessions: Sessions,
}

/// The answer to everybody but those who are signed in.
pub(crate) fn denied() -> Value {
    json!({ "isAuthorized": false })
}

impl Invoke for Authorizer {
    /// Every page of a site may wait for this. The token was never anybody's: its row is looked for.
    const REHEARSAL: Option<&'static str> = Some(include_str!("../../../events/authorizer.json"));

    async fn invoke(&self, event: Value) -> Result<Value, Failure> {
        let Some(request) = Request::of(event) else {
            return Err(Failure::bad_request("the event is no request of API Gateway's"));
        };
        let nobody = || Failure::new(Code::NotSignedIn, "nobody is signed in");
        let (token, bearer) = cookie::credential(&request);
        let token = token.ok_or_else(nobody)?;
        let live = self.sessions.live(&token, bearer, self.idle, self.clock.now()).await;
        let live = live.map_err(Failure::unavailable)?.ok_or_else(nobody)?;
        if let Some(error) = live.unnoted {
            log::warning("the use of a session was not noted", &error);
        }
        // As a header it could be taken for another one's.
        if !live.session.account.as_str().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Failure::new(Code::Broken, "the account's id does not fit into a header"));
        }
        // The context becomes variables and headers of the integration: texts only.
        Ok(json!({
            "isAuthorized": true,
            "context": {
                "account_id": live.session.account.as_str(),
                "session_id": live.session.id,
                "kind": live.session.kind.as_str(),
            },
        }))
    }
}
