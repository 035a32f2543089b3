//! Asks somebody who is signed in for the account's password once more; where it has none, Amazon.

use accounts::{Proof, Record, System as _, Verdict};
use domain::{
    Email, ReturnTo, SessionToken, Status,
    amazon::Authorization,
    login::Intent,
    session::{How, PROOF_LIVES, Session, limits},
    sign_in::Refusal,
};
use entrance::{Current, Entrance, Entry};
use serde_json::json;
use store::Taken;
use web::{
    Code, Failure, Form, Handle, Reply, Request, Site, StatusCode, cookie,
    csrf::{check_origin, check_token},
    log::{self, Event},
    page, reply, send_to_amazon,
};

/// Where a visitor goes who did not say otherwise.
const CONNECTIONS: &str = "/auth/connections";

/// Everything a proof takes.
pub(crate) struct Reauthenticate {
    pub(crate) site: Site,
    pub(crate) authorization: Authorization,
    pub(crate) entrance: Entrance,
}

/// Somebody who is signed in, and where they go afterwards.
struct Visitor {
    token: SessionToken,
    session: Session,
    record: Box<Record>,
    /// Nothing leads to the connections.
    return_to: Option<ReturnTo>,
}

impl Handle for Reauthenticate {
    fn site(&self) -> &Site {
        &self.site
    }

    async fn handle(&self, request: &Request) -> Result<Reply, Failure> {
        match request.method.as_str() {
            "GET" => {
                let return_to = request.query("return_to")?.and_then(ReturnTo::parse);
                let visitor = self.visitor(request, return_to).await?;
                Ok(self.page(request, &visitor, (StatusCode::OK, "ok"), (false, false)))
            }
            "POST" => self.prove(request).await,
            _ => Err(Failure::wrong_method("GET, POST")),
        }
    }
}

impl Reauthenticate {
    async fn prove(&self, request: &Request) -> Result<Reply, Failure> {
        let names = ["csrf", "username", "password", "code", "return_to"];
        let form = Form::read(request, &names, false)?;
        check_origin(request, &self.site)?;
        // Before anybody looks the session up.
        let token = cookie::session(request).ok_or_else(not_signed_in)?;
        check_token(form.get("csrf"), &token.csrf())?;
        let return_to = form.get("return_to").and_then(ReturnTo::parse);
        let visitor = self.visitor(request, return_to).await?;
        if visitor.record.account.has_password {
            let password = form.get("password");
            let password = password.ok_or(Failure::bad_request("there is no password"))?;
            let proof = Proof { password, code: form.get("code").filter(|code| !code.is_empty()) };
            let proven = self.prove_by_password(request, &visitor, proof).await;
            return proven.map_err(|failure| failure.about_account(&visitor.session.account));
        }
        // Whoever has no password came by Amazon, and can be vouched for by nobody else.
        let intent = Intent::Prove(visitor.token.hash());
        let (to, now) = (visitor.return_to.unwrap_or_default(), self.entrance.clock.now());
        Ok(send_to_amazon(request, &self.site, &self.authorization, to, intent, now))
    }

    async fn prove_by_password(
        &self,
        request: &Request,
        visitor: &Visitor,
        proof: Proof<'_>,
    ) -> Result<Reply, Failure> {
        let Visitor { token, session, record, return_to } = visitor;
        let (account, now) = (&session.account, self.entrance.clock.now());
        // Read before the password is compared, as when it is linked.
        let epoch = self.entrance.sessions.epoch(account).await.map_err(Failure::unavailable)?;
        let taken = self.entrance.tickets.take(&limits(account, now)).await;
        if let Taken::Limited { resets_at } = taken.map_err(Failure::unavailable)? {
            let why = "too many guesses in this session";
            return Err(Failure::too_many_attempts(why, now, resets_at));
        }
        let verdict = self.entrance.accounts.verify(account, Some(record), proof).await;
        let verdict = verdict.map_err(|error| match error {
            error @ accounts::Error::Hash => Failure::broken(error),
            error => Failure::unavailable(error),
        })?;
        match verdict {
            Verdict::Match => {}
            Verdict::NoPassword => return Err(Refusal::NoPassword.into()),
            Verdict::Closed => return Err(Refusal::AccountClosed.into()),
            Verdict::Mismatch => {
                log::event(Event::WrongPassword).session(session).how(How::Password).write();
                let wrong = Failure::new(Code::WrongPassword, "not the account's password");
                return self.ask_again(request, visitor, wrong, proof.code.is_some());
            }
            Verdict::MfaRequired => {
                log::event(Event::MfaRequired).session(session).how(How::Password).write();
                let needed = Failure::new(Code::MfaRequired, "no right code of the second factor");
                return self.ask_again(request, visitor, needed, proof.code.is_some());
            }
        }
        let current = Current { token, session, epoch };
        match self.entrance.prove(current, record, now).await? {
            Entry::Open(opened) => {
                let reply = if request.wants_json() {
                    reply::json(
                        StatusCode::OK,
                        &json!({
                            "status": "proven",
                            "proven_until": (now + PROOF_LIVES).rfc3339(),
                            "csrf": opened.token.csrf().expose(),
                        }),
                    )
                } else {
                    let to = return_to.as_ref().map_or(CONNECTIONS, ReturnTo::as_str);
                    reply::see_other(&self.site.absolute(to))
                };
                Ok(reply::renewed(reply, opened.parts(), now))
            }
            entry if entry.ended() => Err(not_signed_in()),
            Entry::Changed(_) | Entry::Invalid(_) => {
                Err(Failure::start_over("the account has changed meanwhile"))
            }
        }
    }

    async fn visitor(
        &self,
        request: &Request,
        return_to: Option<ReturnTo>,
    ) -> Result<Visitor, Failure> {
        let (token, session) = self.entrance.current(request).await?.ok_or_else(not_signed_in)?;
        let record = self.entrance.account(&session.account).await?;
        let open = record.filter(|record| record.account.status == Status::Active);
        let closed = || Failure::from(Refusal::AccountClosed).about_account(&session.account);
        let record = open.ok_or_else(closed)?;
        Ok(Visitor { token, session, record, return_to })
    }

    /// Shows the form once more. `coded` says whether a code came along.
    fn ask_again(
        &self,
        request: &Request,
        visitor: &Visitor,
        failure: Failure,
        coded: bool,
    ) -> Result<Reply, Failure> {
        if request.wants_json() {
            return Err(failure);
        }
        let (code, needed) = (failure.code, failure.code == Code::MfaRequired);
        // Whoever is only now asked for a code has done nothing wrong.
        let (wrong, second_factor) = (coded || !needed, coded || needed);
        Ok(self.page(request, visitor, (code.status(), code.as_str()), (wrong, second_factor)))
    }

    fn page(
        &self,
        request: &Request,
        visitor: &Visitor,
        ending: (StatusCode, &'static str),
        (wrong, second_factor): (bool, bool),
    ) -> Reply {
        let account = &visitor.record.account;
        let return_to = visitor.return_to.as_ref().map(ReturnTo::as_str);
        reply::page(&self.site, request, ending, |frame| {
            page::Reauthenticate {
                csrf: visitor.token.csrf().expose(),
                email: account.email.as_ref().map(Email::as_str),
                has_password: account.has_password,
                wrong,
                second_factor,
                return_to: return_to.unwrap_or_default(),
                back_href: return_to.unwrap_or(CONNECTIONS),
            }
            .html(frame)
        })
    }
}

fn not_signed_in() -> Failure {
    Failure::new(Code::NotSignedIn, "nobody is signed in")
}
