//! Trades the code that the site was given for a visitor for a session. The site vouches for whoever
//! signed in at its own door; that the code came into this very browser is what the site saw to, and
//! no other site can post one of its own: the form's origin is ours.

use domain::{
    Account, Clock, ReturnTo, SignInCode, Status,
    session::{How, Kind, Lifetimes, Session},
};
use store::{Commit, LocalSignIn, Sessions, Tickets, commit};
use web::{
    Failure, Form, Handle, Reply, Request, Site, cookie,
    csrf::check_origin,
    log::{self, Event},
    reply,
};

/// Everything accepting takes.
pub(crate) struct Accept {
    pub(crate) clock: Clock,
    pub(crate) site: Site,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) sessions: Sessions,
    pub(crate) tickets: Tickets,
}

impl Handle for Accept {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        if request.method != "POST" {
            return Err(Failure::wrong_method("POST"));
        }
        let form = Form::read(request, &["code", "return_to"], false)?;
        check_origin(request, &self.site)?;
        let to = form.get("return_to").and_then(ReturnTo::parse).unwrap_or_default();
        let code = form.get("code").map(SignInCode::presented);
        let Some(Ok(code)) = code else {
            return Err(Failure::start_over("there is no code of ours").on_the_way_to(&to));
        };
        let accepted = self.accept(request, &code, &to).await;
        accepted.map_err(|failure| failure.on_the_way_to(&to))
    }
}

impl Accept {
    async fn accept(
        &self,
        request: &Request,
        code: &SignInCode,
        to: &ReturnTo,
    ) -> Result<Reply, Failure> {
        let now = self.clock.now();
        let found = self.tickets.find_code(code).await.map_err(Failure::unavailable)?;
        let Some(sign_in) = found.filter(|sign_in| now < sign_in.expires_at) else {
            return self.accepted_before(request, code, to).await;
        };
        let (token, session) = self.start(sign_in);
        if session.expires_at <= now {
            return Err(Failure::start_over("the visitor signed in too long ago"));
        }
        let mut writes = vec![self.tickets.using_code(code, &session).map_err(Failure::broken)?];
        writes.extend(self.sessions.open(&token, &session).map_err(Failure::broken)?);
        if let Some(replaced) = cookie::session(request) {
            writes.push(self.sessions.ending(&replaced).map_err(Failure::broken)?);
        }
        match commit(&self.sessions.client, writes).await.map_err(Failure::unavailable)? {
            Commit::Done => {
                log::event(Event::Accepted).session(&session).write();
                Ok(reply::signed_in(&self.site, request, (&token, &session), to))
            }
            Commit::Refused(_) => self.accepted_before(request, code, to).await,
        }
    }

    /// The session begins when its owner signed in, not when the browser got around to telling us: so
    /// what ends all earlier sessions ends this one too.
    fn start(&self, sign_in: LocalSignIn) -> (domain::SessionToken, Session) {
        let LocalSignIn { account, name, how, at, proven, epoch, .. } = sign_in;
        let (status, has_password) = (Status::Active, how == How::Password);
        let account = Account { id: account, email: None, name, status, has_password };
        let (kind, total, rng) = (Kind::Browser, self.lifetimes.total, &mut web::rng());
        let (token, mut session) = Session::start(&account, kind, how, epoch, total, at, rng);
        session.last_seen = self.clock.now();
        session.proven_at = proven.then_some(at);
        (token, session)
    }

    /// A second click: whoever is signed in by the first one goes on.
    async fn accepted_before(
        &self,
        request: &Request,
        code: &SignInCode,
        to: &ReturnTo,
    ) -> Result<Reply, Failure> {
        let over = || Failure::start_over("the code is unknown, used or over");
        let token = cookie::session(request).ok_or_else(over)?;
        let (idle, now) = (self.lifetimes.idle, self.clock.now());
        let live = self.sessions.live(&token, false, idle, now).await;
        match live.map_err(Failure::unavailable)? {
            Some(live) if live.session.account.tag() == code.tag() => {
                Ok(reply::onward(&self.site, request, &live.session, to))
            }
            _ => Err(over()),
        }
    }
}
