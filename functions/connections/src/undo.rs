//! Undoes a link that was not the owner's, by the token of the notice about it.

use domain::{UndoToken, notice};
use store::{Commit, Identity, Listed, Undo, commit};
use web::{
    Code, Failure, Form, Reply, Request, StatusCode,
    csrf::check_origin,
    log::{self, Event},
    page, reply,
};

use crate::handler::{Connections, PAGE};

impl Connections {
    /// Shows a button. Mail programs open what they find, so this changes nothing.
    pub(crate) async fn ask_to_undo(&self, request: &Request) -> Result<Reply, Failure> {
        let token = request.query("token")?.map(UndoToken::presented);
        let (token, _) = self.undoable(token).await?;
        Ok(self.undo_page(request, Some(&token)))
    }

    /// Removes the link, if it is still the one of the notice, and ends the sessions that it opened.
    /// Nothing but the token is needed: whoever made the link may have changed all else.
    pub(crate) async fn undo(&self, request: &Request) -> Result<Reply, Failure> {
        let form = Form::read(request, &["token"], false)?;
        check_origin(request, &self.site)?;
        let (token, undo) = self.undoable(form.get("token").map(UndoToken::presented)).await?;
        let entrance = &self.entrance;
        let Undo { account, customer, linked_at, .. } = &undo;
        self.remove(&undo).await?;
        let opened = |Listed { session, .. }: &&Listed| {
            session.how.is_by_link() && session.started_at >= *linked_at
        };
        entrance.sessions.end_those(account, opened).await.map_err(Failure::unavailable)?;
        entrance.tickets.cancel_all(customer).await.map_err(Failure::unavailable)?;
        // Last of all: until here, asking once more does the rest.
        let used = entrance.tickets.using_undo(&token).map_err(Failure::broken)?;
        commit(&entrance.tickets.client, vec![used]).await.map_err(Failure::unavailable)?;
        Ok(self.undo_page(request, None))
    }

    /// Removes the link of a notice, if it is still there. Where it has just changed it is looked up
    /// anew.
    async fn remove(&self, undo: &Undo) -> Result<(), Failure> {
        let (entrance, Undo { account, customer, linked_at, .. }) = (&self.entrance, undo);
        for _ in 0..3 {
            let identity =
                entrance.identities.find(customer).await.map_err(Failure::unavailable)?;
            let own = |link: &Identity| link.account == *account && link.linked_at == *linked_at;
            if !identity.is_some_and(|link| own(&link)) {
                return Ok(());
            }
            let unlinked = entrance.identities.unlink(customer, account);
            let mut writes = Vec::from(unlinked.map_err(Failure::broken)?);
            let now = entrance.clock.now();
            let told = entrance.notice(notice::Kind::Unlinked, account, Some(customer), now);
            if let Some(told) = told {
                writes.push(entrance.tickets.noticing(&told).map_err(Failure::broken)?);
            }
            let done = commit(&entrance.tickets.client, writes).await;
            if done.map_err(Failure::unavailable)? == Commit::Done {
                log::event(Event::Undone).account(account).customer(customer).write();
                return Ok(());
            }
        }
        Err(Failure::new(Code::Unavailable, "the link kept changing"))
    }

    async fn undoable(
        &self,
        token: Option<Result<UndoToken, domain::Malformed>>,
    ) -> Result<(UndoToken, Undo), Failure> {
        let over = || {
            let failure = Failure::ticket_expired("the token is unknown, used or over");
            // Whoever is signed in sees there whether anything is left to do.
            failure.back_to(PAGE)
        };
        let Some(Ok(token)) = token else { return Err(over()) };
        let undo = self.entrance.tickets.find_undo(&token).await.map_err(Failure::unavailable)?;
        let now = self.entrance.clock.now();
        let undo = undo.filter(|undo| now < undo.expires_at).ok_or_else(over)?;
        Ok((token, undo))
    }

    fn undo_page(&self, request: &Request, token: Option<&UndoToken>) -> Reply {
        let token = token.map(UndoToken::expose);
        reply::page(&self.site, request, (StatusCode::OK, "ok"), |frame| {
            page::Undo {
                token: token.as_deref(),
                password_reset_href: self.site.password_reset_url.as_deref(),
                sign_in_href: &self.site.sign_in_path,
            }
            .html(frame)
        })
    }
}
