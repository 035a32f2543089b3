//! Ways to Amazon and back that somebody who is signed in has begun: to link the account, or to prove
//! once more who they are. They are bound to that session, and good for nothing else.

use domain::{
    Profile, ReturnTo, SessionToken, Status,
    login::{Intent, Login},
    session::Session,
    sign_in::Refusal,
};
use entrance::{Current, Entry};
use store::{Identity, Part};
use web::{
    Code, Failure, Reply, Request,
    log::{self, Event},
    reply,
};

use crate::{answer::Outcome, handler::Callback};

/// Where such a way leads back to, unless it began on a page of the site's own.
const CONNECTIONS: &str = "/auth/connections";

/// The session that a way is bound to.
struct Bound {
    token: SessionToken,
    session: Session,
}

impl Callback {
    /// Goes on with a way that is bound to this session.
    pub(crate) async fn come_back_to(
        &self,
        request: &Request,
        outcome: Outcome,
        login: &Login,
        session: &str,
    ) -> Result<Reply, Failure> {
        let finished = self.finish_for(request, outcome, login, session).await;
        finished.map_err(|failure| failure.back_to(CONNECTIONS))
    }

    async fn finish_for(
        &self,
        request: &Request,
        outcome: Outcome,
        login: &Login,
        session: &str,
    ) -> Result<Reply, Failure> {
        let current = self.entrance.current(request).await?;
        // Another session, be it of the same account, is somebody else at this browser.
        let Some((token, session)) = current.filter(|(token, _)| token.hash() == session) else {
            return Err(Failure::new(Code::NotSignedIn, "the session that began this has ended"));
        };
        let bound = Bound { token, session };
        let finished = self.finish_bound(outcome, login, &bound).await;
        finished.map_err(|failure| failure.about_account(&bound.session.account))
    }

    async fn finish_bound(
        &self,
        outcome: Outcome,
        login: &Login,
        bound: &Bound,
    ) -> Result<Reply, Failure> {
        let linking = matches!(login.intent, Intent::Link(_));
        if linking {
            self.check_proof(bound)?;
        }
        let code = match outcome {
            Outcome::Code(code) => code,
            Outcome::Cancelled => {
                log::event(Event::Cancelled).session(&bound.session).write();
                let path = web::with_query(CONNECTIONS, &[("amazon", "cancelled")]);
                return Ok(reply::see_other(&self.site.absolute(&path)));
            }
            Outcome::Failed(failure) => return Err(failure),
        };
        let customer = self.customer(&code, login).await?;
        let account = &bound.session.account;
        // Read before the rest, so that whatever ends the account's sessions meanwhile ends this too.
        let epoch = self.entrance.sessions.epoch(account).await.map_err(Failure::unavailable)?;
        let identity = self.entrance.identities.find(&customer.user_id).await;
        let identity = identity.map_err(Failure::unavailable)?;
        let entry = match linking {
            true => self.attach(bound, epoch, &customer, identity).await,
            false => self.prove(bound, epoch, identity).await,
        };
        match entry.map_err(|failure| failure.about_customer(&customer.user_id))? {
            Some(Entry::Open(opened)) => {
                let now = self.entrance.clock.now();
                Ok(reply::renewed(self.onward(&login.return_to), opened.parts(), now))
            }
            Some(entry) if entry.ended() => {
                Err(Failure::new(Code::NotSignedIn, "the session has ended meanwhile"))
            }
            Some(entry) if entry.changed(Part::Identity) || entry.changed(Part::Reverse) => {
                Err(already_linked())
            }
            Some(Entry::Changed(_) | Entry::Invalid(_)) => {
                Err(Failure::start_over("the account has changed meanwhile"))
            }
            None => Ok(self.onward(&login.return_to)),
        }
    }

    /// Whether the page was loaded again after it had done its work, or somebody else did it.
    pub(crate) fn onward(&self, to: &ReturnTo) -> Reply {
        let path = if *to == ReturnTo::home() { CONNECTIONS } else { to.as_str() };
        reply::see_other(&self.site.absolute(path))
    }

    /// What the cookie says of when this began is the browser's own word, so it is now that the proof
    /// must be fresh. Whoever took long at Amazon gives it once more.
    fn check_proof(&self, bound: &Bound) -> Result<(), Failure> {
        match bound.session.is_proven(self.entrance.clock.now()) {
            true => Ok(()),
            false => {
                let why = "the last proof was too long ago";
                Err(Failure::new(Code::ReauthenticationRequired, why))
            }
        }
    }

    /// Links. Nothing is done where it is this very link that is there already.
    async fn attach(
        &self,
        bound: &Bound,
        epoch: u64,
        customer: &Profile,
        identity: Option<Identity>,
    ) -> Result<Option<Entry>, Failure> {
        let Bound { token, session } = bound;
        match &identity {
            Some(identity) if identity.account != session.account => return Err(already_linked()),
            Some(identity) if !identity.prove_again => return Ok(None),
            _ => {}
        }
        let before = identity.map(|identity| identity.copied).unwrap_or_default();
        let record = self.entrance.account(&session.account).await?;
        let open = record.filter(|record| record.account.status == Status::Active);
        let record = open.ok_or(Refusal::AccountClosed)?;
        let current = Current { token, session, epoch };
        self.entrance.attach(current, &record, customer, &before).await.map(Some)
    }

    /// The customer to whom the account is linked has shown who they are.
    async fn prove(
        &self,
        bound: &Bound,
        epoch: u64,
        identity: Option<Identity>,
    ) -> Result<Option<Entry>, Failure> {
        let Bound { token, session } = bound;
        let own =
            |identity: &Identity| identity.account == session.account && !identity.prove_again;
        if !identity.is_some_and(|identity| own(&identity)) {
            let why = "it is not the customer to whom the account is linked";
            return Err(Failure::new(Code::ReauthenticationRequired, why));
        }
        let record = self.entrance.account(&session.account).await?;
        let open = record.filter(|record| record.account.status == Status::Active);
        let record = open.ok_or(Refusal::AccountClosed)?;
        if record.account.has_password {
            let why = "an account with a password is proven with that";
            return Err(Failure::new(Code::ReauthenticationRequired, why));
        }
        let current = Current { token, session, epoch };
        self.entrance.prove(current, &record, self.entrance.clock.now()).await.map(Some)
    }
}

fn already_linked() -> Failure {
    Failure::new(Code::AlreadyLinked, "the customer or the account is linked otherwise")
}
