//! Who visits: by the session that the routes below `/auth/` tell of, or by the shop's own.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::Deserialize;

use super::{
    Open,
    accounts::Account,
    page::{PRODUCTS, Product, price},
    problem::Problem,
};

/// The cookie of the shop's own session.
pub(super) const SESSION: &str = "shop_session";
/// The cookie that holds the basket: numbers of products, with dots between.
pub(super) const BASKET: &str = "shop_basket";
/// The cookie that a visitor holds who was asked to link an account.
const TICKET: &str = "__Host-lwa_ticket";
/// A page waits no longer than this for an answer.
const PATIENCE: Duration = Duration::from_secs(9);

/// A visitor, as a page needs to know them.
pub(super) struct Visitor {
    /// What `/auth/session` says.
    pub(super) session: Option<Session>,
    /// The account that signed in at the shop's own desk.
    pub(super) account: Option<Account>,
    /// What is in the basket.
    pub(super) basket: Vec<&'static Product>,
    /// Whether there is an account to be linked.
    pub(super) linking: bool,
}

/// What `/auth/session` says of a browser that is signed in.
#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) account: Owner,
    pub(super) session: About,
    pub(super) csrf: String,
}

/// Whose session it is.
#[derive(Deserialize)]
pub(super) struct Owner {
    pub(super) id: String,
    pub(super) name: Option<String>,
}

/// How it came to be, and until when it lasts.
#[derive(Deserialize)]
pub(super) struct About {
    pub(super) how: String,
    pub(super) started_at: String,
    pub(super) expires_at: String,
}

impl Visitor {
    pub(super) fn signed_in(&self) -> bool {
        self.session.is_some() || self.account.is_some()
    }

    /// What to call them.
    pub(super) fn who(&self) -> &str {
        let name = match (&self.session, &self.account) {
            (Some(session), _) => &session.account.name,
            (None, Some(account)) => &account.name,
            (None, None) => return "Guest",
        };
        name.as_deref().unwrap_or("you")
    }

    /// Where the log-out form goes: who is signed in twice leaves by our desk first.
    pub(super) fn way_out(&self) -> &str {
        if self.account.is_some() { "/sign-out" } else { "/auth/logout" }
    }

    /// What the basket costs.
    pub(super) fn total(&self) -> String {
        price(self.basket.iter().map(|product| product.cents).sum())
    }
}

impl FromRequestParts<Arc<Open>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, open: &Arc<Open>) -> Result<Self, Problem> {
        let headers = &parts.headers;
        let basket = cookie(headers, BASKET).unwrap_or_default().split('.');
        Ok(Self {
            session: open.session(headers).await,
            account: open.account(headers).await?,
            basket: basket
                .filter_map(|number| PRODUCTS.get(number.parse::<usize>().ok()?))
                .collect(),
            linking: cookie(headers, TICKET).is_some(),
        })
    }
}

impl Open {
    /// Asks who is signed in. Where there is no answer, nobody is.
    async fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let cookies = headers.get(header::COOKIE)?;
        let request =
            self.http.get(format!("{}/session", self.auth_url)).header(header::COOKIE, cookies);
        let answer = request.timeout(PATIENCE).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }

    /// The account of the shop's own session, as long as it may come in.
    async fn account(&self, headers: &HeaderMap) -> Result<Option<Account>, Problem> {
        let Some(token) = cookie(headers, SESSION) else { return Ok(None) };
        let Some(id) = self.memory().sessions.get(token).cloned() else { return Ok(None) };
        Ok(self.accounts.find(&id).await?.filter(|account| account.open))
    }
}

/// A cookie of the request.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get(header::COOKIE)?.to_str().ok()?.split(';');
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
