//! A forgotten password: a link by mail, then a new password. The mail is shown on the page.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Open,
    desk::{TOO_SHORT, fit},
    page,
    problem::Problem,
    token,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "shop/reset.html")]
struct Reset<'a> {
    visitor: &'a Visitor,
    mailbox: Option<Mailbox<'a>>,
}

/// What arrived where.
struct Mailbox<'a> {
    email: &'a str,
    link: Option<String>,
}

#[derive(Template)]
#[template(path = "shop/new_password.html")]
struct NewPassword<'a> {
    visitor: &'a Visitor,
    token: &'a str,
    wrong: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "shop/changed.html")]
struct Changed<'a> {
    visitor: &'a Visitor,
}

/// Asks for the address.
pub(super) async fn ask(visitor: Visitor) -> Response {
    page::show(StatusCode::OK, &Reset { visitor: &visitor, mailbox: None })
}

#[derive(Deserialize)]
pub(super) struct Forgot {
    email: String,
}

/// Mails a link, if the address has an account; the page says the same if not.
pub(super) async fn mail(
    State(open): State<Arc<Open>>,
    visitor: Visitor,
    Form(forgot): Form<Forgot>,
) -> Result<Response, Problem> {
    let email = forgot.email.trim();
    let mut link = None;
    if let Some(account) = open.accounts.find_by_email(email).await? {
        let token = token()?;
        link = Some(format!("/reset-password/new?token={token}"));
        let resets = &mut open.memory().resets;
        resets.retain(|_, id| *id != account.id);
        resets.insert(token, account.id);
    }
    let mailbox = Some(Mailbox { email, link });
    Ok(page::show(StatusCode::OK, &Reset { visitor: &visitor, mailbox }))
}

#[derive(Deserialize)]
pub(super) struct Link {
    token: String,
}

/// Asks for the new password.
pub(super) async fn ask_password(
    State(open): State<Arc<Open>>,
    visitor: Visitor,
    Query(link): Query<Link>,
) -> Result<Response, Problem> {
    if !open.memory().resets.contains_key(&link.token) {
        return Err(Problem::LinkOver);
    }
    let page = NewPassword { visitor: &visitor, token: &link.token, wrong: None };
    Ok(page::show(StatusCode::OK, &page))
}

#[derive(Deserialize)]
pub(super) struct Change {
    token: String,
    password: String,
}

/// Sets it, and ends the account's sessions here and below `/auth/`: whoever knew the old one is out.
pub(super) async fn change(
    State(open): State<Arc<Open>>,
    mut visitor: Visitor,
    Form(change): Form<Change>,
) -> Result<Response, Problem> {
    if !fit(&change.password) {
        let page = NewPassword { visitor: &visitor, token: &change.token, wrong: Some(TOO_SHORT) };
        return Ok(page::show(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let id = open.memory().resets.remove(&change.token).ok_or(Problem::LinkOver)?;
    open.accounts.set_password(&id, change.password).await?;
    open.memory().sessions.retain(|_, account| *account != id);
    visitor.account.take_if(|account| account.id == id);
    if open.tell("password_reset", &id).await.is_some() {
        visitor.session.take_if(|session| session.account.id == id);
    }
    Ok(page::show(StatusCode::OK, &Changed { visitor: &visitor }))
}
