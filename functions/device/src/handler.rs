//! Lets people in on televisions: they type a code at Amazon, elsewhere, while the television asks.
//!
//! Whatever becomes of a television it never sees a password, and no page of ours takes a code.

use std::net::IpAddr;

use domain::{
    Profile,
    device::{DeviceHandle, Grant, Poll, limits, poll},
    session::{Kind, Verdict, verdict},
};
use entrance::{Arrival, Brought, Entrance, Visit};
use lwa::Progress;
use secret::Secret;
use serde_json::json;
use store::Taken;
use web::{
    Code, Failure, Form, Handle, Reply, Request, Site, StatusCode,
    address::Proxy,
    csrf::check_app,
    log::{self, Event},
    reply::{self, to_device},
};

/// Everything that televisions need.
pub(crate) struct Device {
    pub(crate) site: Site,
    pub(crate) entrance: Entrance,
    /// Login with Amazon, as the client for televisions; nothing where the site has none.
    pub(crate) amazon: Option<lwa::Client>,
    /// What to ask Amazon for.
    pub(crate) scope: String,
    pub(crate) proxied: Option<Proxied>,
}

/// A proxy before the gateway, and what it shows to be believed.
pub(crate) struct Proxied {
    pub(crate) proxy: Proxy,
    pub(crate) secret: Secret,
}

impl Handle for Device {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        let none = || Failure::new(Code::NotFound, "LWA_DEVICE_CLIENT_ID is not set");
        let amazon = self.amazon.as_ref().ok_or_else(none)?;
        if request.method != "POST" {
            return Err(Failure::wrong_method("POST"));
        }
        check_app(request)?;
        match request.path.as_str() {
            "/auth/amazon/device" => self.begin(request, amazon).await,
            _ => self.poll(request, amazon).await,
        }
    }
}

impl Device {
    /// Asks Amazon for codes, once the limits have allowed it, and gives the television a handle in
    /// place of the one that is not for people.
    async fn begin(&self, request: &Request, amazon: &lwa::Client) -> Result<Reply, Failure> {
        read(request, &[])?;
        self.within_limits(request).await?;
        let now = self.entrance.clock.now();
        let pair = amazon.code_pair(&self.scope).await.map_err(blame)?;
        let handle = DeviceHandle::mint(&mut web::rng());
        let sealed = handle.seal_codes(&pair.codes);
        let sealed = sealed.ok_or_else(|| Failure::broken("Amazon's codes cannot be sealed"))?;
        let grant = Grant::new(sealed, pair.expires_in, pair.interval, now);
        self.entrance.tickets.open_device(&handle, &grant).await.map_err(Failure::unavailable)?;
        log::event(Event::DeviceBegun).write();
        Ok(reply::json(
            StatusCode::OK,
            &json!({
                "device_code": handle.expose(),
                "user_code": pair.codes.user_code(),
                "verification_uri": pair.verification_uri,
                "expires_in": grant.expires_at.since(now).as_secs(),
                "interval": grant.interval.as_secs(),
            }),
        ))
    }

    /// Answers a television that asks. What our own row can answer, Amazon is not asked.
    async fn poll(&self, request: &Request, amazon: &lwa::Client) -> Result<Reply, Failure> {
        let form = read(request, &["device_code"])?;
        let code = form.get("device_code");
        let code = code.ok_or_else(|| Failure::bad_request("there is no device_code"))?;
        // Nobody need look up what has not the shape of ours.
        let Ok(handle) = DeviceHandle::presented(code) else { return Ok(over()) };
        let tickets = &self.entrance.tickets;
        let Some(grant) = tickets.device(&handle).await.map_err(Failure::unavailable)? else {
            return Ok(over());
        };
        let now = self.entrance.clock.now();
        match poll(&grant, now) {
            Poll::Over => Ok(over()),
            Poll::TooSoon => self.slow_down(&handle, &grant).await,
            Poll::Repeat(sealed) => self.repeat(&handle, sealed).await,
            question @ (Poll::Ask(_) | Poll::LookUp(_)) => {
                let asked = grant.asked(now);
                let first = tickets.pace_device(&handle, &grant, &asked).await;
                match (first.map_err(Failure::unavailable)?, question) {
                    (true, Poll::Ask(sealed)) => self.ask(&handle, (&asked, sealed), amazon).await,
                    (true, Poll::LookUp(customer)) => self.let_in(&handle, customer, false).await,
                    // Of questions that come at once the first is the one in time.
                    _ => Ok(to_device("slow_down")),
                }
            }
        }
    }

    /// Makes a television wait longer that asks too soon, unless it waits long enough already.
    async fn slow_down(&self, handle: &DeviceHandle, grant: &Grant) -> Result<Reply, Failure> {
        if let Some(slowed) = grant.slowed() {
            let paced = self.entrance.tickets.pace_device(handle, grant, &slowed).await;
            // Where another question came at the same time, one of them counts.
            paced.map_err(Failure::unavailable)?;
        }
        Ok(to_device("slow_down"))
    }

    /// Asks Amazon how far the person is. Whom Amazon vouches for is noted before anything else: the
    /// token comes once and is not kept.
    async fn ask(
        &self,
        handle: &DeviceHandle,
        (grant, sealed): (&Grant, &[u8]),
        amazon: &lwa::Client,
    ) -> Result<Reply, Failure> {
        let tickets = &self.entrance.tickets;
        let codes = handle.open_codes(sealed);
        let codes = codes.ok_or_else(|| Failure::broken("a grant has codes that do not open"))?;
        let token = match amazon.progress(&codes).await.map_err(blame)? {
            Progress::Pending => return Ok(to_device("authorization_pending")),
            Progress::SlowDown => return self.slow_down(handle, grant).await,
            ended @ (Progress::Denied | Progress::Over) => {
                tickets.end_device(handle).await.map_err(Failure::unavailable)?;
                if matches!(ended, Progress::Over) {
                    return Ok(over());
                }
                log::event(Event::DeviceDenied).write();
                return Ok(to_device("access_denied"));
            }
            Progress::Allowed(token) => token,
        };
        let ours = std::slice::from_ref(&amazon.client_id);
        let customer = amazon.customer_of(&token, ours).await.map_err(blame)?;
        let met = tickets.meet_device(handle, &customer, grant.expires_at).await;
        if !met.map_err(Failure::unavailable)? {
            return Ok(over());
        }
        log::event(Event::DeviceAllowed).customer(&customer.user_id).write();
        self.let_in(handle, &customer, true).await
    }

    /// Lets somebody in as every other way in does. Whoever has to prove or to tell something first
    /// does so in a browser, and a later question finds the link; the audit is told of that once.
    async fn let_in(
        &self,
        handle: &DeviceHandle,
        customer: &Profile,
        first: bool,
    ) -> Result<Reply, Failure> {
        let handed = Some(Brought::Handle(handle));
        let (kind, at) = (Kind::Device, self.entrance.clock.now());
        let visit = Visit { customer, kind, replaces: None, ticket: None, handed, at };
        let arrival = self.entrance.arrive(visit, None).await;
        let arrival = arrival.map_err(|failure| failure.about_customer(&customer.user_id))?;
        if first {
            arrival.tell(&customer.user_id);
        }
        let status = match arrival {
            Arrival::Open(opened) => return Ok(reply::let_in(opened.parts())),
            Arrival::ProvePassword(_) | Arrival::ProveAgain(_) => "link_required",
            Arrival::Register | Arrival::Elsewhere(..) => "registration_required",
        };
        let uri = self.site.absolute("/auth/amazon/login");
        Ok(reply::json(StatusCode::OK, &json!({ "status": status, "verification_uri": uri })))
    }

    /// Gives the same answer once more to a television that may not have got it, as long as the
    /// session lives.
    async fn repeat(&self, handle: &DeviceHandle, sealed: &[u8]) -> Result<Reply, Failure> {
        let token = handle.open_session(sealed);
        let token = token.ok_or_else(|| Failure::broken("a grant has a session that is none"))?;
        let session = self.entrance.sessions.find(&token).await.map_err(Failure::unavailable)?;
        let (idle, now) = (self.entrance.lifetimes.idle, self.entrance.clock.now());
        match session.filter(|session| verdict(session, idle, now) != Verdict::Ended) {
            Some(session) => Ok(reply::let_in((&token, &session))),
            None => Ok(over()),
        }
    }

    async fn within_limits(&self, request: &Request) -> Result<(), Failure> {
        let now = self.entrance.clock.now();
        let limits = limits(self.address(request).await?, now);
        match self.entrance.tickets.take(&limits).await.map_err(Failure::unavailable)? {
            Taken::Taken => Ok(()),
            Taken::Limited { resets_at } => {
                Err(Failure::too_many_attempts("too many devices began", now, resets_at))
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
}

/// Reads the body, which is JSON with these members; where there are none it may be empty.
fn read(request: &Request, names: &[&str]) -> Result<Form, Failure> {
    if request.content_type() != "application/json" {
        return Err(Failure::new(Code::UnsupportedMediaType, "the body is not JSON"));
    }
    if names.is_empty() && request.body()?.is_empty() {
        return Ok(Form::default());
    }
    Form::read(request, names, false)
}

/// The handle is good for nothing any more, if it ever was: the television begins anew.
fn over() -> Reply {
    to_device("expired_token")
}

/// Whose fault it is when Amazon's answer is neither codes nor a customer.
fn blame(error: lwa::Error) -> Failure {
    match error {
        lwa::Error::TokenRefused(why) => Failure::start_over(why),
        error @ lwa::Error::RequestRefused(_) => Failure::broken(error),
        error => Failure::unavailable(error),
    }
}
