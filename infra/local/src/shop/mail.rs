//! The mailbox of whoever is signed in: what the shop would mail, from the queue of notices.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};

use super::{Open, leading_to, page, visitor::Visitor};
use crate::{id, queue::Reader, runtime::Lambda};

/// Where the shop's mail comes from.
pub struct Mail {
    queue: Reader,
    lambda: Option<Arc<Lambda>>,
}

#[derive(Template)]
#[template(path = "shop/mailbox.html")]
struct Mailbox<'a> {
    visitor: &'a Visitor,
    letters: Vec<Letter>,
}

/// What the shop writes about a notice.
struct Letter {
    at: String,
    text: &'static str,
    undo: Option<String>,
}

impl Mail {
    pub(crate) fn new(queue: Reader, lambda: Option<Arc<Lambda>>) -> Self {
        Self { queue, lambda }
    }

    /// The letters to the owner of an account, newest first, each once.
    fn letters(&self, account: &str) -> Vec<Letter> {
        let mut seen = Vec::new();
        let mut letters = Vec::new();
        for message in self.queue.messages() {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            if text("account_id") != account || seen.contains(&text("id")) {
                continue;
            }
            seen.push(text("id"));
            let words = match text("type").as_str() {
                "linked" => "An Amazon account was connected with your account.",
                "unlinked" => "The Amazon account was disconnected.",
                "link_to_prove" => {
                    "You have a new password. At your next sign-in with Amazon you give it once."
                }
                "attempts_throttled" => {
                    "Somebody tried passwords for your account, and has to wait now."
                }
                _ => "Something happened to your account.",
            };
            let undo = message["undo_url"].as_str().map(str::to_owned);
            letters.push(Letter { at: text("at"), text: words, undo });
        }
        letters.reverse();
        letters
    }
}

/// Shows the mailbox. On this machine no schedule runs: whoever looks, wakes the function.
pub(super) async fn show(State(open): State<Arc<Open>>, visitor: Visitor) -> Response {
    if !visitor.signed_in() {
        return Redirect::to(&leading_to("/sign-in", "/mailbox")).into_response();
    }
    if let Some(lambda) = &open.mail.lambda {
        let _ = lambda.invoke("notices", (&id(), ""), "{}".into()).await;
    }
    let account = match (&visitor.session, &visitor.account) {
        (Some(session), _) => &session.account.id,
        (None, Some(account)) => &account.id,
        (None, None) => "",
    };
    let letters = open.mail.letters(account);
    page::show(StatusCode::OK, &Mailbox { visitor: &visitor, letters })
}
