use domain::{
    Account, AmazonUserId,
    session::{Kind, Session},
    sign_in::{Decision, decide},
};
use store::Part;
use web::{
    Code, Failure,
    log::{self, Event},
};

use crate::{Entrance, Entry, Found, Opened, Visit};

/// What comes of a customer whom Amazon has just vouched for.
pub enum Arrival<'a> {
    /// They are in.
    Open(Box<Opened>),
    /// They have to prove this account with its password first.
    ProvePassword(Account),
    /// The same for the account that they are linked to, whose password was reset.
    ProveAgain(Account),
    /// They have to tell more about themselves first, or to say that they want a new account.
    Register,
    /// They would enter this account, and are signed in to another one.
    Elsewhere(&'a Session, Account),
}

impl Arrival<'_> {
    /// Tells the audit what the customer has to do first, if anything.
    pub fn tell(&self, customer: &AmazonUserId) {
        let (event, account) = match self {
            Self::Open(_) => return,
            Self::ProvePassword(account) => (Event::LinkRequired, Some(account)),
            Self::ProveAgain(account) => (Event::LinkToProve, Some(account)),
            Self::Register => (Event::RegistrationRequired, None),
            Self::Elsewhere(_, account) => (Event::SwitchRequired, Some(account)),
        };
        let line = log::event(event).customer(customer);
        account.into_iter().fold(line, |line, account| line.account(&account.id)).write();
    }
}

impl Entrance {
    /// Looks a customer up, decides, and acts. Where somebody else was quicker the facts have changed,
    /// and are looked up anew. `current` is the session that their browser has.
    ///
    /// # Errors
    ///
    /// The refusals; `unavailable`.
    pub async fn arrive<'a>(
        &self,
        visit: Visit<'_>,
        current: Option<&'a Session>,
    ) -> Result<Arrival<'a>, Failure> {
        for attempt in 0..3 {
            let found = self.look_up(visit.customer, attempt > 0).await?;
            let facts = self.facts(&found, visit.customer);
            let entry = match decide(facts, self.policy) {
                Decision::Refuse(refusal) => return Err(found.refused(refusal)),
                Decision::ProvePassword(account) if found.identity.is_some() => {
                    return Ok(Arrival::ProveAgain(account));
                }
                Decision::ProvePassword(account) => return Ok(Arrival::ProvePassword(account)),
                // Somebody else may sit before a television: its person says so on a page.
                Decision::Create if visit.kind == Kind::Device => return Ok(Arrival::Register),
                Decision::Create if current.is_none() => self.create_known(visit, &found).await?,
                // To leave an account for a new one takes a page with a button.
                Decision::Register | Decision::Create => return Ok(Arrival::Register),
                Decision::Enter(account) => match current {
                    Some(session) if session.account != account.id => {
                        return Ok(Arrival::Elsewhere(session, account));
                    }
                    _ => self.enter_found(visit, &found).await?,
                },
            };
            match entry {
                Entry::Open(opened) => return Ok(Arrival::Open(opened)),
                // What Amazon told does not do: the newcomer sees why on the page.
                Entry::Invalid(_) => return Ok(Arrival::Register),
                Entry::Changed(_) => {}
            }
        }
        Err(Failure::new(Code::Unavailable, "what we looked up kept changing"))
    }

    /// Lets in a customer by the link that was found.
    ///
    /// # Errors
    ///
    /// `unavailable`; it may have been written or not.
    pub async fn enter_found(&self, visit: Visit<'_>, found: &Found) -> Result<Entry, Failure> {
        match (&found.identity, &found.record) {
            (Some(identity), Some(record)) => self.enter(visit, identity, record).await,
            _ => Ok(Entry::Changed(vec![Part::Identity])),
        }
    }

    /// Amazon told all that the site needs: the account is created at once.
    async fn create_known(&self, visit: Visit<'_>, found: &Found) -> Result<Entry, Failure> {
        let customer = visit.customer;
        let new = self.newcomer(customer, customer.email.clone(), self.known(customer));
        self.create(visit, &new, found).await
    }
}
