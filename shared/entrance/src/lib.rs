//! The one way in.
//!
//! Whoever lets somebody in – the callback, the link page, the registration page – does it through
//! here, so that every way in decides by the same facts and writes the same things together. It is
//! the mezzanine of the house: it brings the account system, our tables and the rules together,
//! and knows neither Amazon nor pages.

mod admit;
mod arrive;
mod create;
mod look_up;
mod newcomer;
mod renew;
mod system;
mod tell;

use accounts::Accounts;
use domain::{
    AccountId, AmazonUserId, Clock, LinkTicket, Profile, ReturnTo, SessionToken, Timestamp,
    link::{Limit, Purpose, Ticket},
    notice::{self, Destination, Notice},
    registration::Field,
    session::{Kind, Lifetimes, Session, Verdict, verdict},
    sign_in::{Policy, Refusal},
    sync::ProfileSync,
};
use store::{Commit, Identities, Part, Sessions, Tickets, commit};
use web::{Failure, Fatal, Reply, Request, Settings, Site, Unset, cookie, log, reply};

pub use admit::{Brought, Entry, Opened, Visit};
pub use arrive::Arrival;
pub use look_up::Found;
pub use renew::Current;
pub use system::{accounts, destination, webhook_secret};

/// Everything that letting somebody in takes.
pub struct Entrance {
    /// The time.
    pub clock: Clock,
    /// What the operator allows.
    pub policy: Policy,
    /// What the site wants to know of a newcomer.
    pub fields: Vec<Field>,
    /// What of Amazon's data is copied into accounts.
    pub sync: ProfileSync,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// Where owners are told of what happens to their accounts.
    pub notices: Destination,
    /// The account system.
    pub accounts: Accounts,
    /// Our table of links.
    pub identities: Identities,
    /// Our table of sessions.
    pub sessions: Sessions,
    /// Our table of tickets.
    pub tickets: Tickets,
}

impl Entrance {
    /// Reads the settings, and opens the connection to DynamoDB before the first visitor needs it.
    ///
    /// # Errors
    ///
    /// [`Fatal`] naming the setting that is missing or wrong.
    pub async fn open(settings: &Settings) -> Result<Self, Fatal> {
        let entrance = Self::read(settings)?;
        entrance.sessions.warm_up().await;
        Ok(entrance)
    }

    /// Reads the settings, and asks nobody.
    ///
    /// # Errors
    ///
    /// [`Fatal`] naming the setting that is missing or wrong.
    pub fn read(settings: &Settings) -> Result<Self, Fatal> {
        let (region, endpoint) = settings.aws("AWS_ENDPOINT_URL_DYNAMODB")?;
        let client = store::connect(&aws::config(aws::Place { region, endpoint })?);
        let accounts = accounts(settings, &client)?;
        let table = |name| settings.text(name);
        let fields = settings.registration_fields()?;
        if let Accounts::Table(accounts) = &accounts
            && fields.iter().any(|field| accounts.attributes.is_reserved(&field.name))
        {
            let problem = "has a field that the table of accounts needs for something else";
            return Err(Unset { name: "REGISTRATION_FIELDS", problem }.into());
        }
        Ok(Self {
            clock: Clock::System,
            policy: Policy {
                registration_open: settings.one_of("REGISTRATION", ["open", "closed"])? == "open",
            },
            fields,
            sync: settings.parsed("PROFILE_SYNC", ProfileSync::default())?,
            lifetimes: Lifetimes {
                idle: settings.seconds("SESSION_IDLE_SECONDS", 43_200)?,
                total: settings.seconds("SESSION_LIFETIME_SECONDS", 604_800)?,
            },
            notices: destination(settings, &accounts)?,
            accounts,
            identities: Identities { client: client.clone(), table: table("IDENTITIES_TABLE")? },
            sessions: Sessions { client: client.clone(), table: table("SESSIONS_TABLE")? },
            tickets: Tickets { client, table: table("TICKETS_TABLE")? },
        })
    }

    /// What the owner of an account must know, if anybody is to be told. Of a link it tells to the second
    /// when it was made: that is how it is found again.
    pub fn notice(
        &self,
        kind: notice::Kind,
        account: &AccountId,
        customer: Option<&AmazonUserId>,
        now: Timestamp,
    ) -> Option<Notice> {
        let told = self.notices != Destination::Nowhere;
        told.then(|| Notice::new(kind, account, customer, now, &mut web::rng()))
    }

    /// Tells the owner of an account that somebody guesses at its password, once for each window of
    /// guesses. Whether or not that can be written, the guesses are over.
    pub async fn tell_throttled(&self, account: &AccountId, limit: &Limit) {
        let Some(notice) =
            self.notice(notice::Kind::AttemptsThrottled, account, None, limit.started_at())
        else {
            return;
        };
        if let Err(error) = self.tickets.notice_of_limit(&notice, limit).await {
            log::warning("the owner was not told of guesses", &error);
        }
    }

    /// The session that this browser still has. One read, and none without a cookie of ours.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn current(
        &self,
        request: &Request,
    ) -> Result<Option<(SessionToken, Session)>, Failure> {
        let Some(token) = cookie::session(request) else { return Ok(None) };
        let session = self.sessions.find(&token).await.map_err(Failure::unavailable)?;
        let live = |session: &Session| {
            session.kind == Kind::Browser
                && verdict(session, self.lifetimes.idle, self.clock.now()) != Verdict::Ended
        };
        Ok(session.filter(live).map(|session| (token, session)))
    }

    /// Answers a second click on a form that has done its work: whoever is signed in by the first one
    /// goes where that led.
    ///
    /// # Errors
    ///
    /// `ticket_expired` for anybody else; `unavailable`.
    pub async fn done_before(
        &self,
        site: &Site,
        request: &Request,
        ticket: &Ticket,
    ) -> Result<Reply, Failure> {
        let (customer, to) = (&ticket.customer.user_id, &ticket.return_to);
        let used = || Failure::ticket_expired("the ticket was used before").on_the_way_to(to);
        let (_, session) = self.current(request).await?.ok_or_else(used)?;
        let identity = self.identities.find(customer).await.map_err(Failure::unavailable)?;
        match identity {
            Some(identity) if identity.account == session.account => {
                Ok(reply::onward(site, request, &session, to))
            }
            _ => Err(used()),
        }
    }

    /// Opens a ticket: the sign-in waits for its visitor on another page. It takes the place of an
    /// earlier ticket, if that led here.
    ///
    /// # Errors
    ///
    /// `unavailable`; `ticket_expired` where the earlier ticket is over or used.
    pub async fn wait(
        &self,
        purpose: Purpose,
        customer: &Profile,
        return_to: &ReturnTo,
        earlier: Option<&LinkTicket>,
    ) -> Result<LinkTicket, Failure> {
        self.wait_for(Kind::Browser, purpose, customer, return_to, earlier).await
    }

    /// The same for what carries the ticket, and will carry the session.
    ///
    /// # Errors
    ///
    /// `unavailable`; `ticket_expired` where the earlier ticket is over or used.
    pub async fn wait_for(
        &self,
        kind: Kind,
        purpose: Purpose,
        customer: &Profile,
        return_to: &ReturnTo,
        earlier: Option<&LinkTicket>,
    ) -> Result<LinkTicket, Failure> {
        let now = self.clock.now();
        let ticket = Ticket::new(purpose, customer.clone(), return_to.clone(), now);
        let ticket = Ticket { kind, ..ticket };
        let key = LinkTicket::open(&customer.user_id, &mut web::rng());
        let account = ticket.purpose.account();
        let mut writes = self.tickets.open(&key, &ticket).map_err(Failure::broken)?;
        if let Some(account) = account {
            writes.push(self.sessions.not_deleted(account).map_err(Failure::broken)?);
        }
        if let Some(earlier) = earlier {
            writes.push(self.tickets.using(earlier, now).map_err(Failure::broken)?);
        }
        match commit(&self.tickets.client, writes).await.map_err(Failure::unavailable)? {
            Commit::Done => Ok(key),
            refused if refused.refused(Part::Epoch) => Err(Refusal::AccountClosed.into()),
            Commit::Refused(_) => Err(Failure::ticket_expired("the ticket was used meanwhile")),
        }
    }
}
