//! Corner Shop: a stand-in for the site that is there already, with accounts, sessions and pages of
//! its own. It shares an origin with the routes below `/auth/` and knows of them what any site would
//! have to know:
//!
//! 1. "Login with Amazon" is a link to `/auth/amazon/login?return_to=…`; who says no at Amazon comes
//!    back to `/sign-in?amazon=cancelled`.
//! 2. `GET /auth/session`, asked with the visitor's cookies, says who is signed in (`visitor`).
//! 3. Logging out is a form for `POST /auth/logout`, with the `csrf` that 2 told.
//! 4. A visitor who resets the password in the middle of linking goes on at `/auth/amazon/link`.
//! 5. A script of a page (`/app`) may hand over to `POST /auth/amazon/token` what Amazon gave it.
//! 6. `POST /auth/lifecycle`, signed, hears of local sign-ins and new passwords (`tell`); a visitor who
//!    signed in here can connect Amazon at `/auth/connections`.
//! 7. `/api/orders` is guarded by the authorizer: who comes there is signed in, and a header says who it
//!    is (`orders`).
//! 8. Where `SIGNED_IN_PATH` is `/signed-in`, the shop opens a session of its own after each of ours.
//!
//! Everything else is an ordinary shop, without JavaScript: sign-in, registration and password reset
//! against the table of accounts, and a basket that ends nowhere.

mod accounts;
mod app;
mod desk;
mod mail;
pub(crate) mod orders;
mod page;
mod problem;
mod reset;
mod tell;
#[cfg(test)]
mod tests;
mod visitor;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Timestamp, webhook::Key};

pub use self::mail::Mail;
use self::{accounts::Accounts, problem::Problem};

const STYLE: &str = include_str!("../../templates/shop/style.css");

/// What tells the time.
pub type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// What the shop is built on.
pub struct Shop {
    /// The client for its table of accounts.
    pub accounts: aws_sdk_dynamodb::Client,
    /// The table's name.
    pub table: String,
    /// The table's index by e-mail address.
    pub email_index: String,
    /// Where the routes below `/auth` are for the shop's server: `http://127.0.0.1:PORT/auth`.
    pub auth_url: String,
    /// The origin that browsers see.
    pub origin: String,
    /// Where its mail comes from.
    pub mail: Mail,
    /// What the shop signs its messages with.
    pub key: Key,
    /// The time.
    pub now: Now,
    /// The client to ask with.
    pub http: reqwest::Client,
    /// Where Amazon signs customers in.
    pub authorize_url: String,
}

/// The shop's pages.
pub fn router(shop: Shop) -> Router {
    let Shop {
        accounts,
        table,
        email_index,
        auth_url,
        origin,
        mail,
        key,
        now,
        http,
        authorize_url,
    } = shop;
    let accounts =
        Accounts { client: accounts, table, email_index, registering: Default::default() };
    let memory = Default::default();
    let open = Open { accounts, auth_url, origin, mail, key, now, http, authorize_url, memory };
    Router::new()
        .route("/", get(page::home))
        .route("/basket", post(page::take))
        .route("/checkout", get(page::checkout))
        .route("/account", get(page::account))
        .route(orders::PATH, get(orders::list))
        .route("/mailbox", get(mail::show))
        .route("/signed-in", get(desk::signed_in))
        .route("/app", get(app::show))
        .route("/sign-in", get(desk::ask).post(desk::sign_in))
        .route("/sign-out", post(desk::sign_out))
        .route("/register", get(desk::ask_newcomer).post(desk::register))
        .route("/reset-password", get(reset::ask).post(reset::mail))
        .route("/reset-password/new", get(reset::ask_password).post(reset::change))
        .route("/shop.css", get(|| async { ([(header::CONTENT_TYPE, "text/css")], STYLE) }))
        .fallback(|| async { Problem::NotFound })
        .layer(from_fn(guard))
        .with_state(Arc::new(open))
}

/// The shop while it is open.
struct Open {
    accounts: Accounts,
    auth_url: String,
    origin: String,
    mail: Mail,
    key: Key,
    now: Now,
    http: reqwest::Client,
    authorize_url: String,
    memory: Mutex<Memory>,
}

/// What the shop forgets when it closes.
#[derive(Default)]
struct Memory {
    /// Its own sessions: token to account id.
    sessions: HashMap<String, String>,
    /// Links to reset a password, good once: token to account id.
    resets: HashMap<String, String>,
}

impl Open {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses forms of other sites, and tells browsers to be strict.
async fn guard(request: Request, next: Next) -> Response {
    let response = if request.method().is_safe() || from_here(&request) {
        next.run(request).await
    } else {
        Problem::ForeignOrigin.into_response()
    };
    let (mut parts, body) = response.into_parts();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        // With `no-referrer`, browsers would post `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        parts.headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    Response::from_parts(parts, body)
}

/// Whether a form was sent by a page of this host. Every browser says so; silence counts as no.
fn from_here(request: &Request) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    from == Some(host)
}

/// Where a visitor goes next: a path of this host, or home.
fn local_path(asked: Option<&str>) -> &str {
    let local = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    asked.filter(local).unwrap_or("/")
}

/// The link to a page that leads on to another one.
fn leading_to(path: &str, return_to: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.append_pair("return_to", return_to).finish())
}

/// 256 random bits as text.
fn token() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Problem::Unavailable)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A cookie of the shop, for as long as the browser stays open.
fn cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax")
}

/// Takes a cookie of the shop away.
fn cookie_gone(name: &str) -> String {
    cookie(name, "") + "; Max-Age=0"
}
