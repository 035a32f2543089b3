//! The shop's own desk: signing in and out, and registering, by e-mail address and password.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use domain::Email;
use serde::Deserialize;

use super::{
    Open, accounts, cookie, cookie_gone, local_path, page,
    problem::Problem,
    token,
    visitor::{self, SESSION, Visitor},
};

#[derive(Template)]
#[template(path = "shop/sign_in.html")]
struct SignIn<'a> {
    visitor: &'a Visitor,
    return_to: &'a str,
    email: &'a str,
    /// Whether the visitor said no at Amazon.
    cancelled: bool,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "shop/register.html")]
struct Register<'a> {
    visitor: &'a Visitor,
    return_to: &'a str,
    email: &'a str,
    name: &'a str,
    wrong: Option<&'a str>,
    /// Whether the address has an account.
    taken: bool,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    return_to: Option<String>,
    amazon: Option<String>,
}

/// Shows the form, to guests.
pub(super) async fn ask(visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    let return_to = local_path(asked.return_to.as_deref());
    if visitor.signed_in() {
        return Redirect::to(return_to).into_response();
    }
    let cancelled = asked.amazon.as_deref() == Some("cancelled");
    let page = SignIn { visitor: &visitor, return_to, email: "", cancelled, wrong: None };
    page::show(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(super) struct Said {
    email: String,
    password: String,
    return_to: Option<String>,
}

/// Compares the password, and lets in.
pub(super) async fn sign_in(
    State(open): State<Arc<Open>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let return_to = local_path(said.return_to.as_deref());
    let email = said.email.trim();
    let account = open.accounts.find_by_email(email).await?;
    let verified = accounts::verify(account.as_ref(), said.password).await?;
    let wrong = match account {
        Some(account) if verified && account.open => {
            return let_in(&open, &headers, account.id, return_to).await;
        }
        Some(_) if verified => "This account is closed.",
        _ => "That e-mail address and password do not belong together.",
    };
    let page = SignIn { visitor: &visitor, return_to, email, cancelled: false, wrong: Some(wrong) };
    Ok(page::show(StatusCode::UNAUTHORIZED, &page))
}

/// Forgets the shop's own session. Who is signed in below `/auth/` too is passed on to be signed
/// out there, form and all.
pub(super) async fn sign_out(
    State(open): State<Arc<Open>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = visitor::cookie(&headers, SESSION) {
        open.memory().sessions.remove(token);
    }
    let next = match visitor.session {
        Some(_) => Redirect::temporary("/auth/logout"),
        None => Redirect::to("/"),
    };
    ([(header::SET_COOKIE, cookie_gone(SESSION))], next).into_response()
}

/// Shows the form for newcomers.
pub(super) async fn ask_newcomer(visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    let return_to = local_path(asked.return_to.as_deref());
    if visitor.signed_in() {
        return Redirect::to(return_to).into_response();
    }
    let page =
        Register { visitor: &visitor, return_to, email: "", name: "", wrong: None, taken: false };
    page::show(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(super) struct Newcomer {
    email: String,
    name: String,
    password: String,
    return_to: Option<String>,
}

/// Opens an account, and lets in.
pub(super) async fn register(
    State(open): State<Arc<Open>>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(newcomer): Form<Newcomer>,
) -> Result<Response, Problem> {
    let return_to = local_path(newcomer.return_to.as_deref());
    let (email, name) = (newcomer.email.trim(), newcomer.name.trim());
    let again = |status, wrong, taken| {
        let page =
            Register { visitor: &visitor, return_to, email, name, wrong: Some(wrong), taken };
        Ok(page::show(status, &page))
    };
    if Email::parse(email).is_none() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, "That is no e-mail address.", false);
    }
    if name.is_empty() || name.chars().count() > 128 {
        return again(StatusCode::UNPROCESSABLE_ENTITY, "Please tell us your name.", false);
    }
    if !fit(&newcomer.password) {
        return again(StatusCode::UNPROCESSABLE_ENTITY, TOO_SHORT, false);
    }
    match open.accounts.register(email, name, newcomer.password).await? {
        Some(id) => let_in(&open, &headers, id, return_to).await,
        None => again(StatusCode::CONFLICT, "This e-mail address has an account already.", true),
    }
}

/// What to say where a password is not [`fit`].
pub(super) const TOO_SHORT: &str = "A password has at least 8 characters.";

/// Whether a password may be set; longer ones are never verified.
pub(super) fn fit(password: &str) -> bool {
    password.chars().count() >= 8 && password.len() <= 1024
}

/// Opens a session here, and one below `/auth/` too.
async fn let_in(
    open: &Open,
    headers: &HeaderMap,
    account: String,
    return_to: &str,
) -> Result<Response, Problem> {
    let there = open.sign_in_there(&account, headers).await;
    let token = token()?;
    let cookie = cookie(SESSION, &token);
    open.memory().sessions.insert(token, account);
    let mut response = ([(header::SET_COOKIE, cookie)], Redirect::to(return_to)).into_response();
    for cookie in there {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Opens a session here for a visitor who has just signed in below `/auth/`, as `SIGNED_IN_PATH` asks.
pub(super) async fn signed_in(
    State(open): State<Arc<Open>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let to = Redirect::to(local_path(asked.return_to.as_deref()));
    let Some(session) = visitor.session else { return Ok(to.into_response()) };
    let token = token()?;
    let cookie = cookie(SESSION, &token);
    open.memory().sessions.insert(token, session.account.id);
    Ok(([(header::SET_COOKIE, cookie)], to).into_response())
}
