//! Asks Amazon whom a token was issued to and for whom it stands, and lets them in as the callback
//! does.

use std::net::IpAddr;

use domain::{
    Profile, ReturnTo,
    handoff::{HandedCode, limits},
    link::Purpose,
    session::Kind,
};
use entrance::{Arrival, Brought, Entrance, Visit};
use lwa::AccessToken;
use secret::Secret;
use store::Taken;
use web::{
    Code, Failure, Handle, Reply, Request, Site,
    address::Proxy,
    csrf::{check_app, check_origin},
    reply,
};

use crate::handed::{Handed, What};

/// Everything a hand-off needs.
pub(crate) struct Handoff {
    pub(crate) site: Site,
    pub(crate) entrance: Entrance,
    pub(crate) amazon: lwa::Client,
    pub(crate) client_secret: Secret,
    /// The clients whose tokens are ours, the website's first.
    pub(crate) clients: Vec<String>,
    pub(crate) proxied: Option<Proxied>,
}

/// A proxy before the gateway, and what it shows to be believed.
pub(crate) struct Proxied {
    pub(crate) proxy: Proxy,
    pub(crate) secret: Secret,
}

impl Handle for Handoff {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match request.method.as_str() {
            "POST" => self.take(request).await,
            _ => Err(Failure::wrong_method("POST")),
        }
    }
}

impl Handoff {
    /// Takes what is handed over. Before the limits have allowed it nobody is asked anything.
    async fn take(&self, request: &Request) -> Result<Reply, Failure> {
        let Handed { what, kind } = Handed::read(request)?;
        match kind {
            Kind::Browser => check_origin(request, &self.site)?,
            _ => check_app(request)?,
        }
        self.within_limits(request).await?;
        let customer = match &what {
            What::Token(token) => self.amazon.customer_of(&token.into(), &self.clients).await,
            What::Code(code) => {
                let token = self.redeem(code).await?;
                let client = std::slice::from_ref(&code.client_id);
                self.amazon.customer_of(&token, client).await
            }
        };
        let customer = customer.map_err(blame)?;
        let entered = self.let_in(request, &customer, &what, kind).await;
        entered.map_err(|failure| failure.about_customer(&customer.user_id))
    }

    async fn within_limits(&self, request: &Request) -> Result<(), Failure> {
        let now = self.entrance.clock.now();
        let limits = limits(self.address(request).await?, now);
        match self.entrance.tickets.take(&limits).await.map_err(Failure::unavailable)? {
            Taken::Taken => Ok(()),
            Taken::Limited { resets_at } => {
                Err(Failure::too_many_attempts("too much was handed over", now, resets_at))
            }
        }
    }

    /// Where the request comes from, as far as anybody is believed about it.
    async fn address(&self, request: &Request) -> Result<IpAddr, Failure> {
        let Some(Proxied { proxy, secret }) = &self.proxied else { return Ok(request.source) };
        if !Proxy::is_claimed(request) {
            return Ok(request.source);
        }
        let secret = secret.read(self.entrance.clock.now()).await.map_err(Failure::unavailable)?;
        Ok(proxy.client(request, &secret).unwrap_or(request.source))
    }

    /// Redeems a code of one of our clients; only the website has a secret to go with it.
    async fn redeem(&self, code: &HandedCode) -> Result<AccessToken, Failure> {
        if !self.clients.contains(&code.client_id) {
            return Err(rejected("the code is another application's"));
        }
        if code.client_id != self.amazon.client_id {
            return self.amazon.redeem_for(code, None).await.map_err(blame);
        }
        let now = self.entrance.clock.now();
        let secret = self.client_secret.read(now).await.map_err(Failure::unavailable)?;
        match self.amazon.redeem_for(code, Some(&secret)).await {
            // Amazon knew nobody, so the code is still good: once more, if our secret has changed.
            Err(lwa::Error::ClientRefused) => {
                let fresh =
                    self.client_secret.read_anew(now).await.map_err(Failure::unavailable)?;
                if fresh == secret {
                    return Err(Failure::unavailable(lwa::Error::ClientRefused));
                }
                self.amazon.redeem_for(code, Some(&fresh)).await.map_err(blame)
            }
            redeemed => redeemed.map_err(blame),
        }
    }

    async fn let_in(
        &self,
        request: &Request,
        customer: &Profile,
        what: &What,
        kind: Kind,
    ) -> Result<Reply, Failure> {
        let current = match kind {
            Kind::Browser => self.entrance.current(request).await?,
            _ => None,
        };
        let handed = match what {
            What::Token(token) => Some(Brought::Token(token)),
            // A code is good once, and nobody has seen the token that it was redeemed for.
            What::Code(_) => None,
        };
        let replaces = current.as_ref().map(|(token, _)| token);
        let at = self.entrance.clock.now();
        let visit = Visit { customer, kind, replaces, ticket: None, handed, at };
        let session = current.as_ref().map(|(_, session)| session);
        let (to, entrance) = (ReturnTo::home(), &self.entrance);
        let arrival = entrance.arrive(visit, session).await?;
        arrival.tell(&customer.user_id);
        match arrival {
            Arrival::Open(opened) => Ok(reply::let_in(opened.parts())),
            Arrival::ProvePassword(account) | Arrival::ProveAgain(account) => {
                let email = account.email.clone();
                let purpose = Purpose::link(account);
                let key = entrance.wait_for(kind, purpose, customer, &to, None).await?;
                Ok(entrance.tell_to_link(&key, kind, email.as_ref()))
            }
            Arrival::Register => {
                let purpose = Purpose::Register;
                let key = entrance.wait_for(kind, purpose, customer, &to, None).await?;
                Ok(entrance.tell_to_register(&key, kind, customer, request.language))
            }
            Arrival::Elsewhere(..) => {
                let why = "the browser is signed in to another account";
                Err(Failure::new(Code::AlreadyLinked, why))
            }
        }
    }
}

/// Whose fault it is when Amazon's answer is not a customer. What is wrong with a token is told to
/// nobody.
fn blame(error: lwa::Error) -> Failure {
    match error {
        lwa::Error::CodeRefused(_) => rejected("Amazon refused the code"),
        lwa::Error::TokenRefused(why) => rejected(why),
        error @ lwa::Error::RequestRefused(_) => Failure::broken(error),
        error => Failure::unavailable(error),
    }
}

fn rejected(why: &'static str) -> Failure {
    Failure::new(Code::TokenRejected, why)
}
