//! Finds out whom Amazon sent back, and acts on what [`decide`] says.

use domain::{
    Account, LinkTicket, Profile, ReturnTo, State,
    link::{LIVES, Purpose, Ticket},
    login::Login,
    session::{Kind, Session},
    sign_in::{Decision, decide},
};
use entrance::{Arrival, Entrance, Entry, Visit};
use secret::Secret;
use store::Part;
use web::{
    Cookie, Failure, Handle, Reply, Request, Site, StatusCode, cookie,
    csrf::form_of_ticket,
    log::{self, Event},
    page,
    reply::{self, with_cookie},
};

use crate::answer::{Answer, Outcome};

/// Everything a callback needs.
pub(crate) struct Callback {
    pub(crate) site: Site,
    pub(crate) entrance: Entrance,
    pub(crate) amazon: lwa::Client,
    pub(crate) client_secret: Secret,
    /// Where the link page is: ours, or the site's own.
    pub(crate) link_path: String,
    /// Where the registration page is: ours, or the site's own.
    pub(crate) register_path: String,
}

impl Handle for Callback {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match (request.method.as_str(), request.path.as_str()) {
            // A look ahead must not use up what the visitor comes back with.
            ("GET", "/auth/amazon/callback") if request.looks_ahead() => {
                Ok(reply::empty(StatusCode::NO_CONTENT))
            }
            ("GET", "/auth/amazon/callback") => self.come_back(request).await,
            ("POST", "/auth/amazon/switch") => self.switch(request).await,
            (_, "/auth/amazon/switch") => Err(Failure::wrong_method("POST")),
            _ => Err(Failure::wrong_method("GET")),
        }
    }
}

impl Callback {
    /// Nothing is touched until the state turns out to be one that this browser was given: so a
    /// stranger cannot use up anybody's sign-in.
    async fn come_back(&self, request: &Request) -> Result<Reply, Failure> {
        let answer = Answer::read(request)?;
        let Some(login) = cookie::logins(request).finish(&answer.state) else {
            let why = "this browser began no such sign-in";
            return Err(Failure::start_over(why).about_state("foreign"));
        };
        let finished = self.finish(request, answer.outcome, &login).await;
        finished.map_err(|failure| failure.on_the_way_to(&login.return_to))
    }

    async fn finish(
        &self,
        request: &Request,
        outcome: Outcome,
        login: &Login,
    ) -> Result<Reply, Failure> {
        let now = self.entrance.clock.now();
        if login.is_over(now) {
            let why = "the visitor came back too late";
            return Err(Failure::start_over(why).about_state("expired"));
        }
        // Used up before anything is redeemed: however often a callback comes, one goes on.
        let by = State::mint(&mut web::rng()).hash();
        let first = self.entrance.tickets.use_state(&login.state, &by, now).await;
        if !first.map_err(Failure::unavailable)? {
            return self.come_back_again(request, login).await;
        }
        if let Some(session) = login.intent.session() {
            return self.come_back_to(request, outcome, login, session).await;
        }
        match outcome {
            Outcome::Code(code) => {
                let customer = self.customer(&code, login).await?;
                let entered = self.let_in(request, &customer, &login.return_to).await;
                entered.map_err(|failure| failure.about_customer(&customer.user_id))
            }
            Outcome::Cancelled => {
                log::event(Event::Cancelled).write();
                let path = web::with_query(&self.site.sign_in_path, &[("amazon", "cancelled")]);
                Ok(reply::see_other(&self.site.absolute(&path)))
            }
            Outcome::Failed(failure) => Err(failure),
        }
    }

    /// The page was loaded again. Whoever is signed in by now goes where they were going.
    async fn come_back_again(&self, request: &Request, login: &Login) -> Result<Reply, Failure> {
        let to = &login.return_to;
        match self.entrance.current(request).await? {
            Some(_) if login.intent.session().is_some() => Ok(self.onward(to)),
            Some(_) => Ok(reply::see_other(&self.site.after_sign_in(to))),
            None => {
                Err(Failure::start_over("this sign-in was finished before").about_state("used"))
            }
        }
    }

    /// Whom Amazon vouches for.
    pub(crate) async fn customer(&self, code: &str, login: &Login) -> Result<Profile, Failure> {
        let token = self.redeem(code, login).await?;
        self.amazon.customer(&token).await.map_err(blame)
    }

    /// Redeems the code; once more only if Amazon did not know us and our secret has changed.
    async fn redeem(&self, code: &str, login: &Login) -> Result<lwa::AccessToken, Failure> {
        let now = self.entrance.clock.now();
        let secret = self.client_secret.read(now).await.map_err(Failure::unavailable)?;
        match self.amazon.redeem(code, &login.verifier, &secret).await {
            Err(lwa::Error::ClientRefused) => {
                let fresh =
                    self.client_secret.read_anew(now).await.map_err(Failure::unavailable)?;
                if fresh == secret {
                    return Err(Failure::unavailable(lwa::Error::ClientRefused));
                }
                self.amazon.redeem(code, &login.verifier, &fresh).await.map_err(blame)
            }
            redeemed => redeemed.map_err(blame),
        }
    }

    /// Lets a customer in, or leads them to the page that comes first.
    async fn let_in(
        &self,
        request: &Request,
        customer: &Profile,
        to: &ReturnTo,
    ) -> Result<Reply, Failure> {
        let current = self.entrance.current(request).await?;
        let replaces = current.as_ref().map(|(token, _)| token);
        let (kind, at) = (Kind::Browser, self.entrance.clock.now());
        let visit = Visit { customer, kind, replaces, ticket: None, handed: None, at };
        let session = current.as_ref().map(|(_, session)| session);
        let arrival = self.entrance.arrive(visit, session).await?;
        arrival.tell(&customer.user_id);
        match arrival {
            Arrival::Open(opened) => Ok(reply::signed_in(&self.site, request, opened.parts(), to)),
            Arrival::ProvePassword(account) | Arrival::ProveAgain(account) => {
                self.wait(Purpose::link(account), customer, to, &self.link_path).await
            }
            Arrival::Register => {
                self.wait(Purpose::Register, customer, to, &self.register_path).await
            }
            Arrival::Elsewhere(session, account) => {
                self.ask_to_switch(request, session, account, customer, to).await
            }
        }
    }

    /// Sends the visitor on with a ticket.
    async fn wait(
        &self,
        purpose: Purpose,
        customer: &Profile,
        to: &ReturnTo,
        path: &str,
    ) -> Result<Reply, Failure> {
        let key = self.entrance.wait(purpose, customer, to, None).await?;
        let reply = reply::see_other(&self.site.absolute(path));
        Ok(with_cookie(reply, &Cookie::ticket(&key, LIVES)))
    }

    /// The visitor is signed in as somebody else.
    async fn ask_to_switch(
        &self,
        request: &Request,
        from: &Session,
        to: Account,
        customer: &Profile,
        return_to: &ReturnTo,
    ) -> Result<Reply, Failure> {
        let purpose = Purpose::Switch { account: to.id };
        let key: LinkTicket = self.entrance.wait(purpose, customer, return_to, None).await?;
        let page = reply::page(&self.site, request, (StatusCode::OK, "ok"), |frame| {
            page::Switch {
                csrf: key.csrf().expose(),
                from: from.name.as_deref(),
                to: to.name.as_deref(),
                stay_href: &self.site.after_sign_in(return_to),
            }
            .html(frame)
        });
        Ok(with_cookie(page, &Cookie::ticket(&key, LIVES)))
    }

    /// The visitor said yes to leaving one account for another.
    async fn switch(&self, request: &Request) -> Result<Reply, Failure> {
        let (_, key) = form_of_ticket(request, &self.site, &["csrf"], false)?;
        let ticket = self.entrance.tickets.find(&key).await.map_err(Failure::unavailable)?;
        let ticket = ticket.ok_or_else(|| Failure::ticket_expired("the ticket is unknown"))?;
        let switched = self.leave_for(request, &key, &ticket).await;
        switched.map_err(|failure| failure.about_customer(&ticket.customer.user_id))
    }

    async fn leave_for(
        &self,
        request: &Request,
        key: &LinkTicket,
        ticket: &Ticket,
    ) -> Result<Reply, Failure> {
        let account = match &ticket.purpose {
            Purpose::Switch { account } if ticket.is_open(self.entrance.clock.now()) => account,
            _ => {
                return Err(Failure::ticket_expired("the ticket is not open for this")
                    .on_the_way_to(&ticket.return_to));
            }
        };
        let session = cookie::session(request);
        let visit = Visit {
            customer: &ticket.customer,
            kind: Kind::Browser,
            replaces: session.as_ref(),
            ticket: Some(key),
            handed: None,
            at: self.entrance.clock.now(),
        };
        let found = self.entrance.look_up(&ticket.customer, false).await?;
        let facts = self.entrance.facts(&found, &ticket.customer);
        let entry = match decide(facts, self.entrance.policy) {
            Decision::Enter(entered) if entered.id == *account => {
                self.entrance.enter_found(visit, &found).await?
            }
            Decision::Refuse(refusal) => return Err(found.refused(refusal)),
            _ => Entry::Changed(vec![Part::Identity]),
        };
        match entry {
            Entry::Open(opened) => {
                let reply =
                    reply::signed_in(&self.site, request, opened.parts(), &ticket.return_to);
                Ok(with_cookie(reply, &Cookie::gone(cookie::TICKET)))
            }
            Entry::Changed(_) | Entry::Invalid(_) => {
                let failure = Failure::start_over("the link or the account has changed meanwhile");
                Err(failure.on_the_way_to(&ticket.return_to))
            }
        }
    }
}

/// Whose fault it is when Amazon's answer is not a customer.
fn blame(error: lwa::Error) -> Failure {
    match error {
        lwa::Error::CodeRefused(_) => Failure::start_over("Amazon refused the code"),
        lwa::Error::TokenRefused(why) => Failure::start_over(why),
        error @ lwa::Error::RequestRefused(_) => Failure::broken(error),
        error @ (lwa::Error::ClientRefused | lwa::Error::Unavailable { .. }) => {
            Failure::unavailable(error)
        }
    }
}
