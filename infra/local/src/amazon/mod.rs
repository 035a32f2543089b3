//! A stand-in for Login with Amazon: `www.amazon.com` and `api.amazon.com` in one, on this machine.
//!
//! It serves people who click through a sign-in, and every test that needs Amazon, each with a
//! stand-in of its own. A visitor's way through it, and a server's:
//!
//! 1. `GET /ap/oa`: a site sends a visitor (`authorize`), who signs in and agrees (`pages`), and goes
//!    back with a code.
//! 2. `POST /auth/o2/token`: the site's server redeems the code (`token`).
//! 3. `GET /auth/o2/tokeninfo` and `GET /user/profile`: it asks whose token it is, and who that is
//!    (`profile`).
//!
//! A television has another way (`code`): it gets codes, somebody types one of them here (`code_page`),
//! and step 2 is asked until they have.
//!
//! It behaves as Amazon's documents say, and, where they are silent, as was seen or else as is
//! strictest ([`Habits`]). Tests see who called ([`Call`]), change what is true ([`World`]), stop the
//! clock, and break things ([`Fault`]). There is no revocation, discovery or key endpoint: Amazon has
//! none.

mod admin;
mod answer;
mod authorize;
mod bomb;
mod code;
mod code_page;
mod fault;
mod habits;
mod journal;
mod ledger;
mod mint;
mod pages;
mod profile;
mod received;
mod serve;
#[cfg(test)]
mod tests;
mod token;
mod wire;
mod world;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, MutexGuard},
};

use domain::Clock;
use tokio::{net::TcpListener, task::AbortHandle};

pub use self::{
    fault::{Endpoint, Fault},
    habits::{Habits, Refresh},
    journal::Call,
    world::{
        APP_CLIENT_ID, APP_RETURN_URL, Client, Company, Customer, DEVICE_CLIENT_ID,
        FOREIGN_CLIENT_ID, FOREIGN_CLIENT_SECRET, FOREIGN_RETURN_URL, IOS_CLIENT_ID,
        IOS_RETURN_URL, Kind, NotAllowed, SHOP_CLIENT_ID, SHOP_CLIENT_SECRET, Scope,
        SecurityProfile, World,
    },
};
use self::{
    mint::Mint,
    received::Params,
    serve::{Shared, serve},
    wire::Door,
};

/// A running stand-in for Amazon; it stops listening when dropped.
pub struct Amazon {
    /// Where it listens: `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

impl Amazon {
    /// Starts on a port that is free.
    ///
    /// # Errors
    ///
    /// There is no such port, or no randomness.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::start_on(0, world).await
    }

    /// Starts on this port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// The port is taken, or there is no randomness.
    pub async fn start_on(port: u16, mut world: World) -> io::Result<Self> {
        let door = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let url = format!("http://{}", door.local_addr()?);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        world.ledger.mint = Mint::seeded(seed);
        let shared = Arc::new(Shared::new(world));
        let server = tokio::spawn(serve(Door(door), Arc::clone(&shared))).abort_handle();
        Ok(Self { url, shared, server })
    }

    /// Where a site sends its visitors; what `LWA_AUTHORIZE_URL` is set to.
    pub fn authorize_url(&self) -> String {
        format!("{}/ap/oa", self.url)
    }

    /// What is true there, to look at and to change. Everything waits while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// A code, as if this customer had agreed to all of `scope`: good once, for five minutes.
    ///
    /// `challenge` is the challenge and its method. Nothing is checked here: for a customer, client or
    /// return URL that does not exist the code redeems nothing.
    pub fn consent(
        &self,
        customer: &str,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        challenge: Option<(&str, &str)>,
    ) -> String {
        self.world().consent(customer, client_id, redirect_uri, scope, challenge)
    }

    /// An access token for any client, as an app would hand it over: good for an hour.
    pub fn token(&self, customer: &str, client_id: &str, scope: &str) -> String {
        self.world().token(customer, client_id, scope)
    }

    /// Who a customer is to a client; see [`World::user_id`].
    pub fn user_id(&self, customer: &str, client_id: &str) -> String {
        self.world().user_id(customer, client_id)
    }

    /// Changes a customer, if there is one of that login.
    pub fn change(&self, customer: &str, change: impl FnOnce(&mut Customer)) {
        self.world().customer_mut(customer).map(change);
    }

    /// Where a visitor goes who was sent to `url`, signs in as this customer and allows everything:
    /// back to the site, with a code or with the error that `url` earned.
    ///
    /// # Errors
    ///
    /// What Amazon's page says to a visitor whom it does not send back.
    pub fn allow(&self, url: &str, customer: &str) -> Result<String, String> {
        self.answered(url, |world, asked| {
            let scopes = asked.scopes.clone();
            asked.agreed(world, customer, &scopes)
        })
    }

    /// Where a visitor goes who was sent to `url` and presses Cancel.
    ///
    /// # Errors
    ///
    /// What Amazon's page says to a visitor whom it does not send back.
    pub fn cancel(&self, url: &str) -> Result<String, String> {
        self.answered(url, |_, asked| asked.denied())
    }

    /// Types a television's code as this customer and allows everything. Says whether the code was good.
    pub fn allow_code(&self, user_code: &str, customer: &str) -> bool {
        let mut world = self.world();
        let Some(pair) = world.pair(user_code).cloned() else { return false };
        world.remember_consent(customer, &pair.client_id, &pair.scopes);
        world.decide(user_code, code::Verdict::Allowed(customer.to_owned(), pair.scopes))
    }

    /// Types a television's code and presses Cancel. Says whether the code was good.
    pub fn cancel_code(&self, user_code: &str) -> bool {
        self.world().decide(user_code, code::Verdict::Denied)
    }

    /// The code that Amazon wants to see of whoever asks about this television's code: no secret ever
    /// leaves the server that got it.
    pub fn device_code(&self, user_code: &str) -> Option<String> {
        let world = self.world();
        let mut pairs = world.ledger.pairs.iter();
        pairs.find_map(|(code, pair)| (pair.user_code == user_code).then(|| code.clone()))
    }

    /// Every call so far, oldest first; those to `/admin` are left out.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.journal.calls()
    }

    /// The calls of one endpoint so far, oldest first.
    pub fn calls_of(&self, endpoint: Endpoint) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.endpoint() == Some(endpoint)).collect()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.shared.journal.clear();
    }

    /// Lets something go wrong so many times, or for good, once what was set before is through.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault, times: Option<u32>) {
        self.shared.faults().push(endpoint, fault, times);
    }

    /// Lets nothing go wrong there any more.
    pub fn clear_faults(&self, endpoint: Endpoint) {
        self.shared.faults().clear(endpoint);
    }

    /// Sets what time it is there.
    pub fn set_clock(&self, clock: Clock) {
        self.world().clock = clock;
    }

    /// Puts everything back to how it was at the start.
    pub fn reset(&self) {
        self.shared.reset();
    }

    fn answered(
        &self,
        url: &str,
        answer: impl FnOnce(&mut World, authorize::Asked) -> String,
    ) -> Result<String, String> {
        let (_, query) = url.split_once('?').unwrap_or_default();
        let mut world = self.world();
        match authorize::read(&world, &Params::parse(query.as_bytes())) {
            Ok(asked) => Ok(answer(&mut world, asked)),
            Err(authorize::Refused::Redirect(to)) => Ok(to),
            Err(authorize::Refused::Page(summary)) => Err(summary.to_owned()),
        }
    }
}

impl Drop for Amazon {
    fn drop(&mut self) {
        self.server.abort();
    }
}
