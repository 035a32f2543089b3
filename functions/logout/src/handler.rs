//! Ends the session that the browser or the app holds. Saying so twice is fine.

use domain::{ReturnTo, SessionToken};
use store::Sessions;
use web::{
    Cookie, Failure, Form, Handle, Reply, Request, Site, StatusCode, cookie,
    csrf::{check_origin, check_token},
    log::{self, Event},
    reply::{self, with_cookie},
};

/// Everything a log-out needs.
pub(crate) struct Logout {
    pub(crate) site: Site,
    pub(crate) sessions: Sessions,
}

impl Handle for Logout {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        if request.method != "POST" {
            return Err(Failure::wrong_method("POST"));
        }
        if let Some(text) = request.bearer() {
            return self.end_app(text).await;
        }
        let form = match request.body()? {
            [] => Form::default(),
            _ => Form::read(request, &["csrf", "return_to"], false)?,
        };
        check_origin(request, &self.site)?;
        if let Some(token) = cookie::session(request) {
            check_token(form.get("csrf").or(request.header("x-csrf-token")), &token.csrf())?;
            self.end(&token, false).await?;
        }
        let reply = if request.content_type() == "application/x-www-form-urlencoded" {
            let return_to = form.get("return_to").and_then(ReturnTo::parse).unwrap_or_default();
            reply::see_other(&self.site.absolute(return_to.as_str()))
        } else {
            reply::empty(StatusCode::NO_CONTENT)
        };
        Ok(with_cookie(reply, &Cookie::gone(cookie::SESSION)))
    }
}

impl Logout {
    /// An app's token is no cookie: nobody can make it come along, so nothing else is asked for.
    async fn end_app(&self, text: &str) -> Result<Reply, Failure> {
        if let Ok(token) = SessionToken::presented(text) {
            self.end(&token, true).await?;
        }
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    async fn end(&self, token: &SessionToken, bearer: bool) -> Result<(), Failure> {
        let ended = self.sessions.end(token, bearer).await.map_err(Failure::unavailable)?;
        if let Some(session) = ended {
            log::event(Event::SignedOut).session(&session).write();
        }
        Ok(())
    }
}
