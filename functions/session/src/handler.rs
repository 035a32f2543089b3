//! Looks one row up, and believes it.

use std::time::Duration;

use domain::{
    Clock, SessionToken,
    session::{Kind, Session as SignedIn},
};
use serde_json::json;
use store::Sessions;
use web::{
    Code, Failure, Handle, Reply, Request, Site, StatusCode, cookie, log,
    reply::{self, with_header},
};

/// Everything a session check needs.
pub(crate) struct Session {
    pub(crate) clock: Clock,
    pub(crate) site: Site,
    /// A session ends when it was not used for so long.
    pub(crate) idle: Duration,
    pub(crate) sessions: Sessions,
}

impl Handle for Session {
    /// Every page of a site may wait for this. The token was never anybody's: its row is looked for.
    const REHEARSAL: Option<&'static str> = Some(include_str!("../../../events/session.json"));

    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/auth/session") => self.tell(request).await,
            ("GET", "/auth/verify") => self.verify(request).await,
            (_, "/auth/session" | "/auth/verify") => Err(Failure::wrong_method("GET")),
            _ => Err(Failure::new(Code::NotFound, "no such route")),
        }
    }
}

impl Session {
    async fn tell(&self, request: &Request) -> Result<Reply, Failure> {
        let Some((token, session)) = self.signed_in(request).await? else {
            return Ok(reply::json(StatusCode::UNAUTHORIZED, &json!({ "signed_in": false })));
        };
        let mut answer = json!({
            "signed_in": true,
            "account": { "id": session.account.as_str(), "name": session.name },
            "session": {
                "id": session.id,
                "kind": session.kind.as_str(),
                "how": session.how.as_str(),
                "started_at": session.started_at.rfc3339(),
                "expires_at": session.expires_at.rfc3339(),
            },
        });
        if session.kind == Kind::Browser {
            answer["csrf"] = token.csrf().expose().into();
        }
        Ok(reply::json(StatusCode::OK, &answer))
    }

    /// For a proxy that asks before it lets a request through.
    async fn verify(&self, request: &Request) -> Result<Reply, Failure> {
        let Some((_, session)) = self.signed_in(request).await? else {
            return Ok(reply::empty(StatusCode::UNAUTHORIZED));
        };
        let id = session.account.as_str();
        if !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Failure::new(Code::Broken, "the account's id does not fit into a header"));
        }
        let reply = with_header(reply::empty(StatusCode::OK), "x-auth-request-user", id);
        Ok(with_header(reply, "remote-user", id))
    }

    /// Who is signed in: by cookie in a browser, by bearer token in an app, never one for the other.
    async fn signed_in(
        &self,
        request: &Request,
    ) -> Result<Option<(SessionToken, SignedIn)>, Failure> {
        let (token, bearer) = cookie::credential(request);
        let Some(token) = token else { return Ok(None) };
        let found = self.sessions.live(&token, bearer, self.idle, self.clock.now()).await;
        let Some(live) = found.map_err(Failure::unavailable)? else { return Ok(None) };
        if let Some(error) = live.unnoted {
            log::warning("the use of a session was not noted", &error);
        }
        Ok(Some((token, live.session)))
    }
}
