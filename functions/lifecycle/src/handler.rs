//! Makes true what the account system tells. What ends has ended when this answers; where it cannot,
//! it says so, and asking once more does the rest.

use accounts::{Accounts, System as _};
use domain::{
    AccountId, Clock, SignInCode, Status, Timestamp,
    lifecycle::Kind,
    session::How,
    sign_in::Refusal,
    webhook::{self, Headers, Key},
};
use secret::Secret;
use serde_json::{Value, json};
use store::{CODE_LIVES, Kept, LocalSignIn, Write};
use web::{
    Code, Failure, Handle, Invoke, Reply, Request, Site, StatusCode,
    log::{self, Event},
    reply,
};

use crate::event::Said;

/// Everything a lifecycle takes.
pub(crate) struct Lifecycle {
    pub(crate) clock: Clock,
    pub(crate) site: Site,
    /// What signed requests are signed with.
    pub(crate) secret: Option<Secret>,
    /// The account system.
    pub(crate) accounts: Accounts,
    /// Our tables.
    pub(crate) tables: store::Lifecycle,
}

impl Handle for Lifecycle {
    fn site(&self) -> &Site {
        &self.site
    }

    /// A request that the site's server has signed.
    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        let Some(secret) = &self.secret else {
            return Err(Failure::new(Code::NotFound, "ACCOUNTS_WEBHOOK_SECRET_ARN is not set"));
        };
        if request.method != "POST" {
            return Err(Failure::wrong_method("POST"));
        }
        if request.content_type() != "application/json" {
            return Err(Failure::new(Code::UnsupportedMediaType, "not JSON"));
        }
        let (body, now) = (request.body()?, self.clock.now());
        let id = check_signature(secret, request, body, now).await?;
        let message = serde_json::from_slice(body)
            .map_err(|_| Failure::bad_request("the body is not JSON"))?;
        let said = Said::read(message, now)?;
        // All else may come twice. A code must not be had by sending the same bytes once more.
        let message = self.tables.tickets.using_message(id, now).map_err(Failure::broken)?;
        Ok(reply::json(StatusCode::OK, &self.hear(said, Some(message), now).await?))
    }
}

impl Invoke for Lifecycle {
    /// An invocation by somebody who may, or the event of a rule.
    async fn invoke(&self, event: Value) -> Result<Value, Failure> {
        let now = self.clock.now();
        self.hear(Said::read(event, now)?, None, now).await
    }
}

impl Lifecycle {
    async fn hear(
        &self,
        said: Said,
        message: Option<Write>,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        match said {
            Said::SignedIn { account, how, at } => {
                let given = self.give_code(&account, (how, at), message, now).await;
                given.map_err(|failure| failure.about_account(&account))
            }
            Said::Happened(event) => {
                let done = self.tables.apply(&event, now, &mut web::rng()).await;
                let done = done.map_err(Failure::unavailable)?;
                let line = log::event(heard(event.kind)).account(&event.account);
                line.count("sessions_ended", done.sessions_ended)
                    .count("tickets_cancelled", done.tickets_cancelled)
                    .count("links_to_prove", done.links_to_prove)
                    .count("links_removed", done.links_removed)
                    .write();
                Ok(json!({
                    "sessions_ended": done.sessions_ended,
                    "tickets_cancelled": done.tickets_cancelled,
                    "links_to_prove": done.links_to_prove,
                    "links_removed": done.links_removed,
                }))
            }
        }
    }

    /// Gives a code for somebody who has signed in at the site's own door.
    async fn give_code(
        &self,
        account: &AccountId,
        (how, at): (How, Timestamp),
        message: Option<Write>,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let record = self.accounts.find_by_id(account).await.map_err(Failure::unavailable)?;
        let open = record.filter(|record| record.account.status == Status::Active);
        let Some(record) = open else { return Err(Refusal::AccountClosed.into()) };
        let code = SignInCode::open(account, &mut web::rng());
        let (name, expires_at) = (record.account.name, now + CODE_LIVES);
        // Where there is no password to ask for, the site's own word is the proof.
        let proven = how == How::Password || !record.account.has_password;
        let sign_in =
            LocalSignIn { account: account.clone(), name, how, at, proven, epoch: 0, expires_at };
        let kept = self.tables.keep_code(&code, sign_in, message).await;
        match kept.map_err(Failure::unavailable)? {
            Kept::Kept => {}
            Kept::Repeated => return Err(Failure::bad_request("this message was taken before")),
            Kept::Ended => {
                let why = "all sessions of the account have ended since";
                return Err(Failure::new(Code::NotSignedIn, why));
            }
        }
        log::event(Event::CodeGiven).account(account).how(how).write();
        Ok(json!({ "code": code.expose(), "expires_at": expires_at.rfc3339() }))
    }
}

/// What the account system told, as the audit has it.
fn heard(kind: Kind) -> Event {
    match kind {
        Kind::PasswordReset => Event::PasswordReset,
        Kind::Disabled => Event::Disabled,
        Kind::Enabled => Event::Enabled,
        Kind::Deleted => Event::Deleted,
        Kind::EmailChanged => Event::EmailChanged,
    }
}

/// Makes sure that a request was signed with our secret, and gives its id.
async fn check_signature<'a>(
    secret: &Secret,
    request: &'a Request,
    body: &[u8],
    now: Timestamp,
) -> Result<&'a str, Failure> {
    let header = |name| request.header(name).unwrap_or_default();
    let headers = Headers {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
    };
    if headers.signature.is_empty() {
        // Nobody who signs nothing costs us a secret.
        return Err(refused(webhook::Refused::NotSigned));
    }
    let text = secret.read(now).await.map_err(Failure::unavailable)?;
    let keys = Key::parse_all(&text).ok_or_else(|| {
        Failure::unavailable("the secret of ACCOUNTS_WEBHOOK_SECRET_ARN is not whsec_ and base64")
    })?;
    webhook::verify(&keys, headers, body, now).map_err(refused)?;
    Ok(headers.id)
}

fn refused(refused: webhook::Refused) -> Failure {
    Failure {
        cause: Some(refused.into()),
        ..Failure::new(Code::NotSignedIn, "not signed by the site")
    }
}
