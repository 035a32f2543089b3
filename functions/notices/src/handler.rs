//! Empties the outbox, oldest first. What is not taken stays, and keeps nothing else from being told.

use std::time::Duration;

use accounts::{Accounts, Done, System as _};
use domain::{
    Clock, UndoToken,
    notice::{Notice, UNDO_LIVES},
};
use futures_util::future::join_all;
use notify::Messenger;
use serde_json::{Value, json};
use store::{Tickets, Undo, Waiting};
use web::{Code, Failure, Invoke, Site, log, with_query};

/// So many notices at most are delivered at a time; the schedule comes back for the rest.
const MOST: usize = 200;

/// Everything that telling takes.
pub(crate) struct Notices {
    pub(crate) clock: Clock,
    pub(crate) site: Site,
    pub(crate) tickets: Tickets,
    /// Who takes notices, if anybody does.
    pub(crate) listener: Option<Listener>,
}

/// Who takes notices.
pub(crate) enum Listener {
    /// A queue or a bus.
    Messenger(Messenger),
    /// The account system.
    Accounts(Box<Accounts>),
}

impl Invoke for Notices {
    /// Whatever it was that woke us, what is to be told lies in the outbox.
    async fn invoke(&self, _event: Value) -> Result<Value, Failure> {
        let Some(listener) = &self.listener else { return Ok(json!({ "delivered": 0 })) };
        let at_once = match listener {
            // In their order.
            Listener::Messenger(_) => 1,
            // A site that is slow with a few must not use up the time of all others.
            Listener::Accounts(_) => 25,
        };
        let (mut delivered, mut failed) = (0, 0);
        let mut last: Option<Waiting> = None;
        let mut seen_all = false;
        while delivered + failed < MOST {
            let waiting = self.tickets.outbox(last.as_ref()).await.map_err(Failure::unavailable)?;
            let Some(end) = waiting.last().cloned() else {
                seen_all = true;
                break;
            };
            for some in waiting.chunks(at_once) {
                for delivery in join_all(some.iter().map(|one| self.deliver(listener, one))).await {
                    match delivery {
                        Ok(()) => delivered += 1,
                        Err(failure) => {
                            failed += 1;
                            log::failure("a notice was not delivered", &failure);
                        }
                    }
                }
            }
            last = Some(end);
        }
        let oldest = match (failed, seen_all) {
            (0, true) => None,
            _ => self.tickets.outbox(None).await.map_err(Failure::unavailable)?.into_iter().next(),
        };
        let now = self.clock.now();
        log::outbox_age(oldest.map_or(Duration::ZERO, |waiting| now.since(waiting.notice.at)));
        match failed {
            0 => Ok(json!({ "delivered": delivered })),
            // Lambda counts the error, which an alarm watches.
            _ => Err(Failure::new(Code::Unavailable, "some notices were not delivered")),
        }
    }
}

impl Notices {
    async fn deliver(&self, listener: &Listener, waiting: &Waiting) -> Result<(), Failure> {
        let notice = &waiting.notice;
        let undo = match notice.can_be_undone() {
            true => self.undo_url(notice).await?,
            false => None,
        };
        let message = notify::message(notice, undo.as_deref());
        match listener {
            Listener::Messenger(messenger) => {
                messenger.deliver(notice, &message).await.map_err(Failure::unavailable)?;
            }
            Listener::Accounts(accounts) => {
                let told = accounts.notify(&message).await.map_err(Failure::unavailable)?;
                if told == Done::Unsupported {
                    return Err(Failure::unavailable("the account system takes no notices"));
                }
            }
        }
        // If this fails it is told once more, by the same id.
        self.tickets.taken(waiting).await.map_err(Failure::unavailable)
    }

    /// A token is minted only now, so that none lies in the outbox.
    async fn undo_url(&self, notice: &Notice) -> Result<Option<String>, Failure> {
        let Some(customer) = notice.customer.clone() else { return Ok(None) };
        let expires_at = notice.at + UNDO_LIVES;
        if self.clock.now() >= expires_at {
            return Ok(None);
        }
        let token = UndoToken::open(&notice.account, &mut web::rng());
        let (account, linked_at) = (notice.account.clone(), notice.at);
        let undo = Undo { account, customer, linked_at, expires_at };
        self.tickets.keep_undo(&token, &undo).await.map_err(Failure::unavailable)?;
        let url = self.site.absolute("/auth/connections/undo");
        Ok(Some(with_query(&url, &[("token", &token.expose())])))
    }
}
