//! Asks a newcomer for what Amazon did not tell, and opens an account.

use std::collections::BTreeMap;

use domain::{
    Account, Email, LinkTicket, Profile,
    link::{LIVES, Purpose, Ticket},
    registration::{Field, Wrong},
    session::Kind,
    sign_in::{Decision, Refusal, decide},
};
use entrance::{Entrance, Entry, Visit};
use store::Part;
use web::{
    Code, Cookie, Failure, Form, Handle, Reply, Request, Site, StatusCode, cookie,
    csrf::form_of_holder,
    log::{self, Event},
    page,
    reply::{self, with_cookie},
};

/// Everything registration needs.
pub(crate) struct Register {
    pub(crate) site: Site,
    pub(crate) entrance: Entrance,
    /// Where the link page is: ours, or the site's own.
    pub(crate) link_path: String,
}

/// What the visitor filled in, and what is wrong with it.
struct Filled {
    /// The address; Amazon's cannot be changed.
    email: String,
    email_wrong: Option<Wrong>,
    /// In the order of the fields.
    values: Vec<(String, Option<Wrong>)>,
}

impl Handle for Register {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match request.method.as_str() {
            "GET" => self.ask(request).await,
            "POST" => self.register(request).await,
            _ => Err(Failure::wrong_method("GET, POST")),
        }
    }
}

impl Register {
    async fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        let key = cookie::ticket(request)?;
        let ticket = self.ticket(&key, Kind::Browser).await?;
        self.check_open(&ticket)?;
        let filled = self.prefilled(&ticket.customer);
        if request.wants_json() {
            return Ok(reply::json(StatusCode::OK, &self.as_json(request, &key, &ticket, &filled)));
        }
        Ok(self.page(request, &key, &ticket, &filled, (StatusCode::OK, "ok")))
    }

    async fn register(&self, request: &Request) -> Result<Reply, Failure> {
        let (form, key, kind) =
            form_of_holder(request, &self.site, &["csrf", "email"], &["email"], true)?;
        let unknown = |name: &str| !self.entrance.fields.iter().any(|field| field.name == name);
        if form.field_names().any(unknown) {
            return Err(Failure::bad_request("the body has an unknown field"));
        }
        let ticket = self.ticket(&key, kind).await?;
        if ticket.used && kind == Kind::Browser {
            return self.entrance.done_before(&self.site, request, &ticket).await;
        }
        self.check_open(&ticket)?;
        let registered = self.open_account(request, &form, &key, &ticket).await;
        registered.map_err(|failure| {
            let failure = failure.about_customer(&ticket.customer.user_id);
            failure.on_the_way_to(&ticket.return_to)
        })
    }

    async fn open_account(
        &self,
        request: &Request,
        form: &Form,
        key: &LinkTicket,
        ticket: &Ticket,
    ) -> Result<Reply, Failure> {
        let filled = self.filled(form, &ticket.customer)?;
        let (Some(email), true) = (Email::parse(&filled.email), filled.is_right()) else {
            return self.ask_again(request, key, ticket, &filled);
        };
        let session = cookie::session(request);
        let current = self.entrance.current(request).await?.map(|(_, session)| session.account);
        let visit = Visit {
            customer: &ticket.customer,
            kind: ticket.kind,
            replaces: session.as_ref(),
            ticket: Some(key),
            handed: None,
            at: self.entrance.clock.now(),
        };
        let names = self.entrance.fields.iter().map(|field| field.name.clone());
        let values = names.zip(filled.values.into_iter().map(|(value, _)| value)).collect();
        let new = self.entrance.newcomer(&ticket.customer, Some(email), values);

        // Whoever was quicker may have changed the facts: another tab, or the site's own registration.
        for attempt in 0..3 {
            let email = new.email.as_ref();
            let found = self.entrance.look_up_with(&ticket.customer, email, attempt > 0).await?;
            let facts = self.entrance.facts(&found, &ticket.customer);
            let entry = match decide(facts, self.entrance.policy) {
                Decision::Refuse(refusal) => return Err(found.refused(refusal)),
                Decision::ProvePassword(account) => {
                    return self.lead_to_link(request, key, ticket, account).await;
                }
                Decision::Create | Decision::Register => {
                    self.entrance.create(visit, &new, &found).await?
                }
                // Linked meanwhile, in another tab. Whoever is signed in as somebody else is asked first,
                // which the callback does.
                Decision::Enter(account) if current.as_ref().is_none_or(|id| *id == account.id) => {
                    match (&found.identity, &found.record) {
                        (Some(identity), Some(record)) => {
                            self.entrance.enter(visit, identity, record).await?
                        }
                        _ => return Err(Refusal::AccountClosed.into()),
                    }
                }
                Decision::Enter(_) => return Err(Failure::start_over("linked meanwhile")),
            };
            match entry {
                Entry::Open(opened) if ticket.kind.is_bearer() => {
                    return Ok(reply::let_in(opened.parts()));
                }
                Entry::Open(opened) => {
                    let to = &ticket.return_to;
                    let reply = reply::signed_in(&self.site, request, opened.parts(), to);
                    return Ok(with_cookie(reply, &Cookie::gone(cookie::TICKET)));
                }
                Entry::Changed(parts) if parts.contains(&Part::Ticket) => {
                    if ticket.kind.is_bearer() {
                        return Err(Failure::ticket_expired("the ticket was used meanwhile"));
                    }
                    return self.entrance.done_before(&self.site, request, ticket).await;
                }
                Entry::Changed(_) => {}
                Entry::Invalid(wrong) => return self.ask_about(request, key, ticket, form, &wrong),
            }
        }
        Err(Failure::new(Code::Unavailable, "what we looked up kept changing"))
    }

    /// The account system does not take these fields.
    fn ask_about(
        &self,
        request: &Request,
        key: &LinkTicket,
        ticket: &Ticket,
        form: &Form,
        wrong: &BTreeMap<String, Wrong>,
    ) -> Result<Reply, Failure> {
        let mut filled = self.filled(form, &ticket.customer)?;
        filled.email_wrong = wrong.get("email").copied();
        for (field, (_, place)) in self.entrance.fields.iter().zip(&mut filled.values) {
            *place = wrong.get(&field.name).copied();
        }
        // What cannot be put right here is no fault of the visitor's.
        if filled.is_right() {
            return Err(Failure::broken("the account system refuses what it is not asked for"));
        }
        self.ask_again(request, key, ticket, &filled)
    }

    /// Somebody has this address already: the visitor proves the account with its password. The ticket
    /// for registration goes, so that one sign-in does not try many addresses at once.
    async fn lead_to_link(
        &self,
        request: &Request,
        key: &LinkTicket,
        ticket: &Ticket,
        account: Account,
    ) -> Result<Reply, Failure> {
        let line = log::event(Event::LinkRequired).account(&account.id);
        let line = line.customer(&ticket.customer.user_id);
        let email = account.email.clone();
        let purpose = Purpose::link(account);
        let (customer, to) = (&ticket.customer, &ticket.return_to);
        let kind = ticket.kind;
        let link = self.entrance.wait_for(kind, purpose, customer, to, Some(key)).await?;
        line.write();
        if request.wants_json() {
            return Ok(self.entrance.tell_to_link(&link, kind, email.as_ref()));
        }
        let reply = reply::see_other(&self.site.absolute(&self.link_path));
        Ok(with_cookie(reply, &Cookie::ticket(&link, LIVES)))
    }

    fn ask_again(
        &self,
        request: &Request,
        key: &LinkTicket,
        ticket: &Ticket,
        filled: &Filled,
    ) -> Result<Reply, Failure> {
        let invalid = Code::InvalidFields;
        if !request.wants_json() {
            return Ok(self.page(
                request,
                key,
                ticket,
                filled,
                (invalid.status(), invalid.as_str()),
            ));
        }
        let word = |wrong| match wrong {
            Wrong::Missing => "missing",
            Wrong::Invalid => "invalid",
            Wrong::TooLong => "too_long",
        };
        let email = filled.email_wrong.map(|wrong| ("email".to_owned(), word(wrong)));
        let others = self.entrance.fields.iter().zip(&filled.values);
        let others =
            others.filter_map(|(field, (_, wrong))| Some((field.name.clone(), word((*wrong)?))));
        let fields = email.into_iter().chain(others).collect();
        Err(Failure { fields, ..Failure::new(invalid, "some fields are not right") })
    }

    /// The ticket of this key, if it is carried as its kind must be.
    async fn ticket(&self, key: &LinkTicket, kind: Kind) -> Result<Ticket, Failure> {
        if !self.entrance.policy.registration_open {
            return Err(Refusal::RegistrationClosed.into());
        }
        let ticket = self.entrance.tickets.find(key).await.map_err(Failure::unavailable)?;
        let ticket = ticket.ok_or_else(|| Failure::ticket_expired("the ticket is unknown"))?;
        match ticket.kind == kind {
            true => Ok(ticket),
            false => Err(Failure::ticket_expired("the ticket is carried in another way")),
        }
    }

    fn check_open(&self, ticket: &Ticket) -> Result<(), Failure> {
        let open = ticket.is_open(self.entrance.clock.now()) && ticket.purpose == Purpose::Register;
        let closed = || {
            Failure::ticket_expired("the ticket is not open for this")
                .on_the_way_to(&ticket.return_to)
        };
        open.then_some(()).ok_or_else(closed)
    }

    /// What Amazon told, before the visitor has seen the form.
    fn prefilled(&self, customer: &Profile) -> Filled {
        let value = |field: &Field| (field.known(customer).unwrap_or_default().to_owned(), None);
        Filled {
            email: customer.email.as_ref().map_or(String::new(), |email| email.as_str().to_owned()),
            email_wrong: None,
            values: self.entrance.fields.iter().map(value).collect(),
        }
    }

    /// What the visitor filled in. Amazon's address stays what Amazon said: were it editable, one
    /// could come with one's own identity and leave with somebody else's address.
    fn filled(&self, form: &Form, customer: &Profile) -> Result<Filled, Failure> {
        let (email, email_wrong) = match (&customer.email, form.get("email").unwrap_or_default()) {
            (Some(known), "") => (known.as_str().to_owned(), None),
            (Some(known), typed) if Email::parse(typed).as_ref() == Some(known) => {
                (known.as_str().to_owned(), None)
            }
            (Some(_), _) => {
                return Err(Failure::bad_request("Amazon's address cannot be changed here"));
            }
            (None, "") => (String::new(), Some(Wrong::Missing)),
            (None, typed) => {
                (typed.to_owned(), Email::parse(typed).is_none().then_some(Wrong::Invalid))
            }
        };
        let values = self.entrance.fields.iter().map(|field| {
            let value = form.field(&field.name).trim().to_owned();
            let wrong = web::check_field(field, &value).err();
            (value, wrong)
        });
        Ok(Filled { email, email_wrong, values: values.collect() })
    }

    fn as_json(
        &self,
        request: &Request,
        key: &LinkTicket,
        ticket: &Ticket,
        filled: &Filled,
    ) -> serde_json::Value {
        let values = filled.values.iter().map(|(value, _)| value.as_str());
        let (customer, language) = (&ticket.customer, request.language);
        let mut told = self.entrance.registration(customer, values, ticket.expires_at, language);
        told["csrf"] = key.csrf().expose().into();
        told
    }

    fn page(
        &self,
        request: &Request,
        key: &LinkTicket,
        ticket: &Ticket,
        filled: &Filled,
        ending: (StatusCode, &'static str),
    ) -> Reply {
        let inputs = self.entrance.fields.iter().zip(&filled.values);
        let inputs =
            inputs.map(|(field, (value, wrong))| page::Input { field, value, wrong: *wrong });
        let email = match &ticket.customer.email {
            Some(email) => page::Email::Fixed(email.as_str()),
            None => page::Email::Typed { value: &filled.email, wrong: filled.email_wrong },
        };
        reply::page(&self.site, request, ending, |frame| {
            page::Register {
                csrf: key.csrf().expose(),
                email,
                inputs: inputs.collect(),
                sign_in_href: &self.site.sign_in_path,
            }
            .html(frame)
        })
    }
}

impl Filled {
    fn is_right(&self) -> bool {
        self.email_wrong.is_none() && self.values.iter().all(|(_, wrong)| wrong.is_none())
    }
}
