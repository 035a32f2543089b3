//! Shows somebody who is signed in how the account can be entered through us, and who is in; links,
//! unlinks, and ends sessions. Everything is looked up among what is one's own.

use std::cmp::Reverse;

use accounts::Record;
use domain::{
    AmazonUserId, Email, ReturnTo, SessionToken, Status, Timestamp,
    amazon::Authorization,
    login::Intent,
    session::{Kind, Session, Verdict, verdict},
    sign_in::Refusal,
};
use entrance::{Current, Entrance, Entry, Opened};
use serde_json::{Value, json};
use store::{Identity, Listed, Part};
use web::{
    Code, Cookie, Failure, Form, Handle, Reply, Request, Site, StatusCode, cookie,
    csrf::{check_origin, check_token},
    log::{self, Event},
    page,
    reply::{self, with_cookie},
    send_to_amazon,
};

use crate::revoke::Revoke;

pub(crate) const PAGE: &str = "/auth/connections";

/// Everything that showing and changing connections takes.
pub(crate) struct Connections {
    pub(crate) site: Site,
    pub(crate) authorization: Authorization,
    pub(crate) entrance: Entrance,
}

/// Somebody who is signed in.
struct Visitor {
    token: SessionToken,
    session: Session,
}

impl Handle for Connections {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", PAGE) => self.show(request).await,
            ("POST", "/auth/connections/amazon/link") => self.link(request).await,
            ("POST", "/auth/connections/amazon/unlink") => self.unlink(request).await,
            ("POST", "/auth/connections/sessions/revoke") => self.revoke(request).await,
            ("GET", "/auth/connections/undo") => self.ask_to_undo(request).await,
            ("POST", "/auth/connections/undo") => self.undo(request).await,
            (_, "/auth/connections/undo") => Err(Failure::wrong_method("GET, POST")),
            (_, PAGE) => Err(Failure::wrong_method("GET")),
            _ => Err(Failure::wrong_method("POST")),
        }
    }
}

impl Connections {
    async fn show(&self, request: &Request) -> Result<Reply, Failure> {
        let visitor = self.visitor(request).await?;
        let link = self.link_of(&visitor).await?;
        let sessions = self.sessions_of(&visitor).await?;
        let identity = link.as_ref().map(|(_, identity)| identity);
        if request.wants_json() {
            return Ok(reply::json(StatusCode::OK, &as_json(&visitor, identity, &sessions)));
        }
        Ok(self.page(request, &visitor, identity, &sessions))
    }

    /// Begins a way to Amazon and back that is bound to this session and good for nothing else.
    async fn link(&self, request: &Request) -> Result<Reply, Failure> {
        let form = Form::read(request, &["csrf", "return_to"], false)?;
        let visitor = self.browser(request, form.get("csrf")).await?;
        self.check_proof(&visitor)?;
        if self.link_of(&visitor).await?.is_some() {
            return Err(already_linked().about_account(&visitor.session.account));
        }
        let to = form.get("return_to").and_then(ReturnTo::parse).unwrap_or_default();
        let (intent, now) = (Intent::Link(visitor.token.hash()), self.entrance.clock.now());
        Ok(send_to_amazon(request, &self.site, &self.authorization, to, intent, now))
    }

    /// Removes the link, unless it is the only way into the account, and ends what it opened. Unlinking
    /// twice is fine, and finishes what a fault has left.
    async fn unlink(&self, request: &Request) -> Result<Reply, Failure> {
        let form = Form::read(request, &["csrf"], false)?;
        let mut visitor = self.browser(request, form.get("csrf")).await?;
        self.check_proof(&visitor)?;
        let account = visitor.session.account.clone();
        let mut customer = None;
        if let Some((linked, _)) = self.link_of(&visitor).await? {
            let opened = self.detach(&visitor, &linked).await;
            let opened = opened.map_err(|failure| failure.about_account(&account))?;
            visitor = Visitor { token: opened.token, session: opened.session };
            customer = Some(linked);
        }
        let current = visitor.token.hash();
        let opened_by_link =
            |Listed { hash, session }: &&Listed| session.how.is_by_link() && *hash != current;
        let ended = self.entrance.sessions.end_those(&account, opened_by_link).await;
        ended.map_err(Failure::unavailable)?;
        if let Some(customer) = &customer {
            let cancelled = self.entrance.tickets.cancel_all(customer).await;
            cancelled.map_err(Failure::unavailable)?;
        }
        let reply = self.changed(request);
        if customer.is_none() {
            // The session that asked may have been replaced by a first click, whose cookie stays.
            return Ok(reply);
        }
        Ok(reply::renewed(reply, (&visitor.token, &visitor.session), self.entrance.clock.now()))
    }

    /// Removes the link in one transaction with the certainty that the account has its password still.
    async fn detach(&self, visitor: &Visitor, linked: &AmazonUserId) -> Result<Opened, Failure> {
        let Visitor { token, session } = visitor;
        for _ in 0..3 {
            let record = self.record(visitor).await?;
            if !record.account.has_password {
                return Err(last_way_in());
            }
            let epoch = self.entrance.sessions.epoch(&session.account).await;
            let epoch = epoch.map_err(Failure::unavailable)?;
            let current = Current { token, session, epoch };
            match self.entrance.detach(current, &record, linked).await? {
                Entry::Open(opened) => return Ok(*opened),
                entry if entry.ended() => return Err(not_signed_in()),
                // The password was changed, or removed, at this very moment.
                entry if entry.changed(Part::Account) => {}
                Entry::Changed(_) | Entry::Invalid(_) => {
                    return Err(Failure::start_over("the link has changed"));
                }
            }
        }
        Err(Failure::new(Code::Unavailable, "the account kept changing"))
    }

    async fn revoke(&self, request: &Request) -> Result<Reply, Failure> {
        let (revoke, csrf) = Revoke::read(request)?;
        if request.bearer().is_none() {
            check_origin(request, &self.site)?;
            check_form(request, csrf.as_deref())?;
        }
        let visitor = self.visitor(request).await?;
        let account = &visitor.session.account;
        let sessions = self.entrance.sessions.list(account).await.map_err(Failure::unavailable)?;
        let current = visitor.token.hash();
        let ends = |listed: &&Listed| match &revoke {
            Revoke::One(id) => listed.session.id == *id,
            Revoke::Others => listed.hash != current,
        };
        let ends: Vec<&Listed> = sessions.iter().filter(ends).collect();
        if ends.is_empty() && matches!(revoke, Revoke::One(_)) {
            return Err(Failure::new(Code::NotFound, "the account has no such session"));
        }
        let itself = ends.iter().any(|listed| listed.hash == current);
        let hashes = ends.iter().map(|listed| listed.hash.as_str());
        self.entrance.sessions.end_all(account, hashes).await.map_err(Failure::unavailable)?;
        for Listed { session, .. } in ends {
            log::event(Event::SessionRevoked).session(session).write();
        }
        let reply = self.changed(request);
        Ok(if itself { with_cookie(reply, &Cookie::gone(cookie::SESSION)) } else { reply })
    }

    /// The answer to a change: the page as it is now; nothing for programs.
    fn changed(&self, request: &Request) -> Reply {
        match request.wants_json() {
            true => reply::empty(StatusCode::NO_CONTENT),
            false => reply::see_other(&self.site.absolute(PAGE)),
        }
    }

    /// Who is signed in, in a browser or an app.
    async fn visitor(&self, request: &Request) -> Result<Visitor, Failure> {
        let (token, bearer) = cookie::credential(request);
        let token = token.ok_or_else(not_signed_in)?;
        let Entrance { sessions, lifetimes, clock, .. } = &self.entrance;
        let live = sessions.live(&token, bearer, lifetimes.idle, clock.now()).await;
        let live = live.map_err(Failure::unavailable)?.ok_or_else(not_signed_in)?;
        if live.session.kind == Kind::Device {
            // Somebody else may sit before a television.
            let needed = proof_needed("a device changes nothing about an account");
            return Err(needed.about_account(&live.session.account));
        }
        Ok(Visitor { token, session: live.session })
    }

    /// Who is signed in, in the browser that a form of ours was sent from.
    async fn browser(&self, request: &Request, csrf: Option<&str>) -> Result<Visitor, Failure> {
        check_origin(request, &self.site)?;
        check_form(request, csrf)?;
        let visitor = self.visitor(request).await?;
        if visitor.session.kind != Kind::Browser {
            let needed = proof_needed("only a browser links and unlinks");
            return Err(needed.about_account(&visitor.session.account));
        }
        Ok(visitor)
    }

    fn check_proof(&self, visitor: &Visitor) -> Result<(), Failure> {
        match visitor.session.is_proven(self.entrance.clock.now()) {
            true => Ok(()),
            false => {
                let needed = proof_needed("the last proof was too long ago");
                Err(needed.about_account(&visitor.session.account))
            }
        }
    }

    async fn record(&self, visitor: &Visitor) -> Result<Box<Record>, Failure> {
        let record = self.entrance.account(&visitor.session.account).await?;
        let open = record.filter(|record| record.account.status == Status::Active);
        Ok(open.ok_or(Refusal::AccountClosed)?)
    }

    async fn link_of(
        &self,
        visitor: &Visitor,
    ) -> Result<Option<(AmazonUserId, Identity)>, Failure> {
        let Entrance { identities, .. } = &self.entrance;
        let account = &visitor.session.account;
        let customer = identities.customer_of(account).await.map_err(Failure::unavailable)?;
        let Some(customer) = customer else { return Ok(None) };
        let identity = identities.find(&customer).await.map_err(Failure::unavailable)?;
        let own = identity.filter(|identity| identity.account == *account);
        Ok(own.map(|identity| (customer, identity)))
    }

    /// The sessions that count, the one that was used last first.
    async fn sessions_of(&self, visitor: &Visitor) -> Result<Vec<Listed>, Failure> {
        let Entrance { sessions, lifetimes, clock, .. } = &self.entrance;
        let listed = sessions.list(&visitor.session.account).await.map_err(Failure::unavailable)?;
        let (idle, now) = (lifetimes.idle, clock.now());
        let counts = |listed: &Listed| verdict(&listed.session, idle, now) != Verdict::Ended;
        let mut listed: Vec<_> = listed.into_iter().filter(counts).collect();
        let current = visitor.token.hash();
        listed.sort_by_key(|one| (one.hash != current, Reverse(one.session.last_seen)));
        Ok(listed)
    }

    fn page(
        &self,
        request: &Request,
        visitor: &Visitor,
        identity: Option<&Identity>,
        sessions: &[Listed],
    ) -> Reply {
        let current = visitor.token.hash();
        let since = identity.map(|identity| day(identity.linked_at));
        let times: Vec<_> = sessions
            .iter()
            .map(|Listed { session, .. }| (minute(session.started_at), minute(session.last_seen)))
            .collect();
        let sessions = sessions.iter().zip(&times).map(|(listed, (started, last_seen))| {
            let (id, kind) = (listed.session.id.as_str(), listed.session.kind);
            page::SignedIn { id, kind, started, last_seen, current: listed.hash == current }
        });
        let link = identity.zip(since.as_deref()).map(|(identity, since)| page::Linked {
            since,
            email: identity.amazon_email.as_ref().map(Email::as_str),
            prove_again: identity.prove_again,
        });
        // A parameter that is not understood is as good as none.
        let cancelled = matches!(request.query("amazon"), Ok(Some("cancelled")));
        reply::page(&self.site, request, (StatusCode::OK, "ok"), |frame| {
            page::Connections {
                csrf: visitor.token.csrf().expose(),
                link,
                sessions: sessions.collect(),
                cancelled,
                back_href: "/",
            }
            .html(frame)
        })
    }
}

/// Makes sure that a form was filled in on a page of its holder's, before anything is looked up. An
/// app's token is no cookie: nobody can make it come along.
fn check_form(request: &Request, csrf: Option<&str>) -> Result<(), Failure> {
    let (token, bearer) = cookie::credential(request);
    let token = token.ok_or_else(not_signed_in)?;
    if bearer { Ok(()) } else { check_token(csrf, &token.csrf()) }
}

fn as_json(visitor: &Visitor, identity: Option<&Identity>, sessions: &[Listed]) -> Value {
    let current = visitor.token.hash();
    let sessions = sessions.iter().map(|Listed { hash, session }| {
        json!({
            "id": session.id,
            "kind": session.kind.as_str(),
            "how": session.how.as_str(),
            "started_at": session.started_at.rfc3339(),
            "last_seen": session.last_seen.rfc3339(),
            "current": *hash == current,
        })
    });
    let mut told = json!({
        "amazon": identity.map(|identity| json!({
            "linked_at": identity.linked_at.rfc3339(),
            "amazon_email": identity.amazon_email.as_ref().map(Email::as_str),
            "prove_again": identity.prove_again,
        })),
        "sessions": sessions.collect::<Vec<_>>(),
    });
    if visitor.session.kind == Kind::Browser {
        told["csrf"] = visitor.token.csrf().expose().into();
    }
    told
}

/// A day, as people write it who have to do with many countries.
fn day(at: Timestamp) -> String {
    at.rfc3339().chars().take(10).collect()
}

/// The same with the time, to the minute.
fn minute(at: Timestamp) -> String {
    let text: String = at.rfc3339().chars().take(16).collect();
    text.replace('T', " ") + " UTC"
}

fn not_signed_in() -> Failure {
    Failure::new(Code::NotSignedIn, "nobody is signed in")
}

fn proof_needed(why: &'static str) -> Failure {
    Failure::new(Code::ReauthenticationRequired, why)
}

fn already_linked() -> Failure {
    Failure::new(Code::AlreadyLinked, "the account is linked already")
}

fn last_way_in() -> Failure {
    Failure::new(Code::LastSignInMethod, "the account has no password")
}
