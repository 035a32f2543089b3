//! What goes wrong in a shop.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::page;

/// Why there is no page but this one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Problem {
    /// There is no such page.
    NotFound,
    /// A form came from somewhere else.
    ForeignOrigin,
    /// A link to reset a password was used, replaced or made up.
    LinkOver,
    /// The accounts cannot be reached.
    Unavailable,
}

#[derive(Template)]
#[template(path = "shop/problem.html")]
struct Page<'a> {
    title: &'a str,
    text: &'a str,
    next: (&'a str, &'a str),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let home = ("/", "To the shop");
        let (status, title, text, next) = match self {
            Self::NotFound => {
                (StatusCode::NOT_FOUND, "Not on our shelves", "There is no such page.", home)
            }
            Self::ForeignOrigin => (
                StatusCode::FORBIDDEN,
                "That came from somewhere else",
                "This form was not sent from one of our pages, so nothing was done.",
                home,
            ),
            Self::LinkOver => (
                StatusCode::GONE,
                "This link no longer works",
                "A link works once, and a newer one replaces it.",
                ("/reset-password", "Get a new link"),
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Back in a moment",
                "We cannot reach our accounts just now. Please try again.",
                home,
            ),
        };
        // Nobody is asked who they are, which could go wrong again, and so the page does not say.
        page::show(status, &Page { title, text, next })
    }
}
