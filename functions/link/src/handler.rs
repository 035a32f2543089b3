//! Asks for the password of the account that has the customer's address, and links.

use accounts::{Proof, Record, System as _, Verdict};
use domain::{
    AccountId, Email, LinkTicket, Status, Timestamp,
    link::{LIVES_AFTER_FORGOT, Purpose, Ticket, limits},
    session::{How, Kind},
    sign_in::Refusal,
};
use entrance::{Entrance, Entry, Visit};
use serde_json::json;
use store::{Attempt, Part};
use web::{
    Code, Cookie, Failure, Handle, Reply, Request, Site, StatusCode, cookie,
    csrf::{form_of_holder, form_of_ticket},
    log::{self, Event},
    page,
    reply::{self, with_cookie},
};

/// Everything linking needs.
pub(crate) struct Link {
    pub(crate) site: Site,
    pub(crate) entrance: Entrance,
}

/// A ticket that waits for a password.
struct Waiting {
    key: LinkTicket,
    ticket: Ticket,
    account: AccountId,
    email: Option<Email>,
    attempts_left: u32,
}

impl Handle for Link {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/auth/amazon/link") => self.ask(request).await,
            ("POST", "/auth/amazon/link") => self.link(request).await,
            ("POST", "/auth/amazon/link/forgot") => self.forgot(request).await,
            ("POST", "/auth/amazon/link/cancel") => self.cancel(request).await,
            (_, "/auth/amazon/link") => Err(Failure::wrong_method("GET, POST")),
            _ => Err(Failure::wrong_method("POST")),
        }
    }
}

impl Link {
    async fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        let key = cookie::ticket(request)?;
        let waiting = self.waiting(key, Kind::Browser).await?;
        if request.wants_json() {
            return Ok(reply::json(
                StatusCode::OK,
                &json!({
                    "email": waiting.email.as_ref().map(Email::as_str),
                    "csrf": waiting.key.csrf().expose(),
                    "attempts_left": waiting.attempts_left,
                    "expires_at": waiting.ticket.expires_at.rfc3339(),
                }),
            ));
        }
        Ok(self.page(request, &waiting, (StatusCode::OK, "ok"), Again::default()))
    }

    async fn link(&self, request: &Request) -> Result<Reply, Failure> {
        let names = ["csrf", "username", "password", "code"];
        let of_apps = ["password", "code"];
        let (form, key, kind) = form_of_holder(request, &self.site, &names, &of_apps, false)?;
        let password = form.get("password").ok_or(Failure::bad_request("there is no password"))?;
        let proof = Proof { password, code: form.get("code").filter(|code| !code.is_empty()) };
        let waiting = match self.waiting(key, kind).await {
            // A second click on a form that has done its work.
            Err(Closed { ticket: Some(ticket), .. }) if ticket.used && kind == Kind::Browser => {
                return self.entrance.done_before(&self.site, request, &ticket).await;
            }
            waiting => waiting?,
        };
        let linked = self.prove_and_link(request, &waiting, proof).await;
        let Waiting { ticket, account, .. } = &waiting;
        linked.map_err(|failure| {
            let failure = failure.about_account(account).about_customer(&ticket.customer.user_id);
            failure.on_the_way_to(&ticket.return_to)
        })
    }

    async fn prove_and_link(
        &self,
        request: &Request,
        waiting: &Waiting,
        proof: Proof<'_>,
    ) -> Result<Reply, Failure> {
        let Waiting { key, ticket, account, attempts_left, .. } = waiting;
        let record = self.entrance.account(account).await?;
        // Read before the password is compared: whatever ends this account's sessions meanwhile,
        // such as a new password, ends this too.
        let epoch = self.entrance.sessions.epoch(account).await.map_err(Failure::unavailable)?;

        let now = self.entrance.clock.now();
        let limits = limits(&ticket.customer.user_id, account, now);
        let attempt = self.entrance.tickets.take_attempt(key, &limits, now).await;
        match attempt.map_err(Failure::unavailable)? {
            Attempt::Taken => {}
            Attempt::TicketClosed => {
                return Err(Failure::ticket_expired("the ticket is over, used or out of attempts"));
            }
            Attempt::Limited { resets_at } => {
                let [.., of_account] = &limits;
                self.entrance.tell_throttled(account, of_account).await;
                let why = "too many guesses at this account";
                return Err(Failure::too_many_attempts(why, now, resets_at));
            }
        }

        let verdict = self.entrance.accounts.verify(account, record.as_deref(), proof).await;
        let verdict = verdict.map_err(|error| match error {
            // Time will not mend a hash that is not understood.
            error @ accounts::Error::Hash => Failure::broken(error),
            error => Failure::unavailable(error),
        })?;
        let Some(record) = record else { return Err(Refusal::AccountClosed.into()) };
        if record.account.status != Status::Active {
            return Err(Refusal::AccountClosed.into());
        }
        let event = match verdict {
            Verdict::Mismatch => Some(Event::WrongPassword),
            Verdict::MfaRequired => Some(Event::MfaRequired),
            _ => None,
        };
        if let Some(event) = event {
            let line = log::event(event).account(account).customer(&ticket.customer.user_id);
            line.how(How::Password).write();
        }
        match verdict {
            Verdict::Match => self.let_in(request, waiting, &record, (epoch, now)).await,
            Verdict::NoPassword => Err(Refusal::NoPassword.into()),
            Verdict::Closed => Err(Refusal::AccountClosed.into()),
            Verdict::Mismatch | Verdict::MfaRequired if *attempts_left <= 1 => {
                Err(Failure::ticket_expired("that was the last attempt"))
            }
            Verdict::Mismatch => {
                let wrong = Failure::new(Code::WrongPassword, "not the account's password");
                self.ask_again(request, waiting, wrong, (attempts_left - 1, proof.code.is_some()))
            }
            Verdict::MfaRequired => {
                let needed = Failure::new(Code::MfaRequired, "no right code of the second factor");
                self.ask_again(request, waiting, needed, (attempts_left - 1, proof.code.is_some()))
            }
        }
    }

    /// The password was right.
    async fn let_in(
        &self,
        request: &Request,
        waiting: &Waiting,
        record: &Record,
        (epoch, at): (u64, Timestamp),
    ) -> Result<Reply, Failure> {
        let session = cookie::session(request);
        let visit = Visit {
            customer: &waiting.ticket.customer,
            kind: waiting.ticket.kind,
            replaces: session.as_ref(),
            ticket: Some(&waiting.key),
            handed: None,
            at,
        };
        // Nearly always there is no link yet, and to ask first would be for nothing.
        let mut entry = self.entrance.link(visit, record, epoch, None).await?;
        if entry.changed(Part::Identity) || entry.changed(Part::Reverse) {
            let used = entry.changed(Part::Ticket);
            entry = self.linked_before(visit, record, epoch, used).await?;
        }
        match entry {
            Entry::Open(opened) if waiting.ticket.kind.is_bearer() => {
                Ok(reply::let_in(opened.parts()))
            }
            Entry::Open(opened) => {
                let to = &waiting.ticket.return_to;
                let reply = reply::signed_in(&self.site, request, opened.parts(), to);
                Ok(with_cookie(reply, &Cookie::gone(cookie::TICKET)))
            }
            Entry::Changed(parts) if parts.contains(&Part::Ticket) => {
                Err(Failure::ticket_expired("the ticket was used meanwhile"))
            }
            Entry::Changed(_) | Entry::Invalid(_) => {
                Err(Failure::start_over("the account has changed meanwhile"))
            }
        }
    }

    /// The customer or the account is linked already. Where it is the very link that was wanted, it has
    /// now been proven once more, or the button was pressed twice and they are let in by it; all else
    /// stays as it is. `used` says whether the ticket is.
    async fn linked_before(
        &self,
        visit: Visit<'_>,
        record: &Record,
        epoch: u64,
        used: bool,
    ) -> Result<Entry, Failure> {
        let account = &record.account.id;
        let identity = self.entrance.identities.find(&visit.customer.user_id).await;
        match identity.map_err(Failure::unavailable)? {
            Some(identity) if identity.account == *account && identity.prove_again => {
                self.entrance.link(visit, record, epoch, Some(&identity)).await
            }
            Some(identity) if identity.account == *account => {
                // The ticket is used up all the same, unless the other click has done so.
                let visit = Visit { ticket: visit.ticket.filter(|_| !used), ..visit };
                // The other click may have filled something in.
                match self.entrance.account(account).await? {
                    Some(record) => self.entrance.enter(visit, &identity, &record).await,
                    None => Err(Refusal::AccountClosed.into()),
                }
            }
            _ => Err(Failure::new(
                Code::AlreadyLinked,
                "the customer or the account is linked otherwise",
            )),
        }
    }

    /// Shows the form once more. `coded` says whether a code came along.
    fn ask_again(
        &self,
        request: &Request,
        waiting: &Waiting,
        failure: Failure,
        (attempts_left, coded): (u32, bool),
    ) -> Result<Reply, Failure> {
        if request.wants_json() {
            return Err(Failure { attempts_left: Some(attempts_left), ..failure });
        }
        let code = failure.code;
        // Whoever is only now asked for a code has done nothing wrong.
        let asked_first = code == Code::MfaRequired && !coded;
        let again = Again {
            attempts_left: (!asked_first).then_some(attempts_left),
            second_factor: code == Code::MfaRequired || coded,
        };
        Ok(self.page(request, waiting, (code.status(), code.as_str()), again))
    }

    /// The visitor has to reset the password first. The ticket waits for that, in this browser.
    async fn forgot(&self, request: &Request) -> Result<Reply, Failure> {
        let (_, key) = form_of_ticket(request, &self.site, &["csrf"], false)?;
        let Some(url) = &self.site.password_reset_url else {
            return Err(Failure::new(Code::NotFound, "PASSWORD_RESET_URL is not set"));
        };
        let url = if url.starts_with('/') { self.site.absolute(url) } else { url.clone() };
        let Waiting { key, ticket, .. } = self.waiting(key, Kind::Browser).await?;
        self.entrance.tickets.extend(&key, &ticket).await.map_err(Failure::unavailable)?;
        let ends = ticket.started_at + LIVES_AFTER_FORGOT;
        let lives = ends.since(self.entrance.clock.now());
        Ok(with_cookie(reply::see_other(&url), &Cookie::ticket(&key, lives)))
    }

    async fn cancel(&self, request: &Request) -> Result<Reply, Failure> {
        let (_, key) = form_of_ticket(request, &self.site, &["csrf"], false)?;
        self.entrance.tickets.cancel(&key).await.map_err(Failure::unavailable)?;
        let reply = reply::see_other(&self.site.absolute(&self.site.sign_in_path));
        Ok(with_cookie(reply, &Cookie::gone(cookie::TICKET)))
    }

    /// The ticket of this key, if it is open and is carried as its kind must be.
    async fn waiting(&self, key: LinkTicket, kind: Kind) -> Result<Waiting, Closed> {
        let ticket = self.entrance.tickets.find(&key).await;
        let ticket = ticket
            .map_err(|error| Closed { failure: Failure::unavailable(error), ticket: None })?;
        match ticket {
            Some(ticket) if ticket.kind != kind => Err(Closed {
                failure: Failure::ticket_expired("the ticket is carried in another way"),
                ticket: None,
            }),
            Some(ticket) if ticket.is_open(self.entrance.clock.now()) => {
                match ticket.purpose.clone() {
                    Purpose::Link { account, email, attempts_left } => {
                        Ok(Waiting { key, ticket, account, email, attempts_left })
                    }
                    _ => Err(Closed {
                        failure: Failure::ticket_expired("the ticket is for something else"),
                        ticket: None,
                    }),
                }
            }
            Some(ticket) => {
                let failure = Failure::ticket_expired("the ticket is over or used")
                    .on_the_way_to(&ticket.return_to);
                Err(Closed { failure, ticket: Some(ticket) })
            }
            None => Err(Closed {
                failure: Failure::ticket_expired("the ticket is unknown"),
                ticket: None,
            }),
        }
    }

    fn page(
        &self,
        request: &Request,
        waiting: &Waiting,
        ending: (StatusCode, &'static str),
        Again { attempts_left, second_factor }: Again,
    ) -> Reply {
        reply::page(&self.site, request, ending, |frame| {
            page::Link {
                csrf: waiting.key.csrf().expose(),
                email: waiting.email.as_ref().map(Email::as_str),
                attempts_left,
                second_factor,
                forgot: self.site.password_reset_url.is_some(),
            }
            .html(frame)
        })
    }
}

/// What is different when the form is shown once more.
#[derive(Default)]
struct Again {
    attempts_left: Option<u32>,
    second_factor: bool,
}

/// Why a ticket is not open; with the ticket, where there is one.
struct Closed {
    failure: Failure,
    ticket: Option<Ticket>,
}

impl From<Closed> for Failure {
    fn from(closed: Closed) -> Self {
        closed.failure
    }
}
