//! What journeys share: a visitor's browser that keeps cookies and follows nothing by itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where")]

mod answer;
mod ask;
mod browser;
mod cookie;
mod flow;
mod invariants;
pub mod load;
mod named;
mod scale;
mod shapes;
pub mod stage;

pub use answer::Answer;
pub use ask::Ask;
pub use browser::Browser;
pub use flow::{Flow, Scene, Standing};
pub use invariants::Tables;
pub use named::named;
pub use scale::{Scale, cheap_passwords};
pub use shapes::shapes;

/// The cookie of a session.
pub const SESSION: &str = "__Host-lwa_session";
/// The cookie of a ticket to the link, registration or switch page.
pub const TICKET: &str = "__Host-lwa_ticket";
/// The cookie of the sign-ins that have begun.
pub const LOGIN: &str = "__Host-lwa_login";

/// `http://host:port` of a URL.
fn origin(url: &str) -> &str {
    let path = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    &url[..path]
}

/// The host of a URL, without its port: cookies do not tell ports apart.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split([':', '/', '?']).next().unwrap()
}
