//! Which session a token of Amazon's has opened that somebody handed over: see `tickets` for its row.
//!
//! A token that comes again – an app that lost our answer, or somebody who stole it – takes the place
//! of the session that it opened before: however often it comes, at once or in turn, one session
//! lives. The token's hash is the row's key, and each writer puts itself in the place of the writer
//! that it found there, or of none.

use aws_sdk_dynamodb::types::Put;
use domain::{
    SessionToken, Timestamp,
    handoff::{HandedToken, REMEMBERED},
};

use crate::{
    Error, Part, Sessions, Tickets, Write, failed,
    row::{n, row, s, text},
};

/// A token that was handed over, and the session that it has opened before.
#[derive(Clone, Debug)]
pub struct Handed<'a> {
    /// The token.
    pub token: &'a HandedToken,
    /// What it has opened.
    pub earlier: Option<Earlier>,
}

/// The key of the row of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    pk: String,
    sk: String,
}

impl Tickets {
    /// What is known of a token that was handed over.
    ///
    /// # Errors
    ///
    /// [`Error`] where the table does not answer or the row is none of ours.
    pub async fn handed<'a>(&self, token: &'a HandedToken) -> Result<Handed<'a>, Error> {
        let found = self.client.get_item().table_name(&self.table).consistent_read(true);
        let found = found.key("pk", s(key(token))).key("sk", s("HANDED")).send().await;
        let row = found.map_err(failed("read what a token opened"))?.item;
        let whole = |text: &str| Some(text.to_owned());
        let earlier = row.map(|row| {
            let pk = text(&row, "session_pk", whole)?;
            Ok(Earlier { pk, sk: text(&row, "session_sk", whole)? })
        });
        Ok(Handed { token, earlier: earlier.transpose()? })
    }
}

impl Handed<'_> {
    /// Remembers which session the token opens, if it has opened no other one meanwhile, and ends the
    /// one that it opened before, unless `replaced` ends it already.
    pub(crate) fn opening(
        &self,
        token: &SessionToken,
        replaced: Option<&SessionToken>,
        sessions: &Sessions,
        tickets: &Tickets,
        now: Timestamp,
    ) -> Result<Vec<Write>, Error> {
        let put = Put::builder().table_name(&tickets.table).set_item(Some(row([
            ("pk", s(key(self.token))),
            ("sk", s("HANDED")),
            ("session_pk", s(token.tag())),
            ("session_sk", s(token.hash())),
            ("ttl", n((now + REMEMBERED).0)),
        ])));
        let put = match &self.earlier {
            None => put.condition_expression("attribute_not_exists(pk)"),
            // The sort key is the hash of a secret, and so is of one session alone.
            Some(earlier) => put
                .condition_expression("session_sk = :earlier")
                .expression_attribute_values(":earlier", s(&earlier.sk)),
        };
        let put = put.build().map_err(failed("remember what a token opened"))?;
        let mut writes = vec![Write::put(Part::Handed, put)];
        let ends = |earlier: &&Earlier| {
            replaced.is_none_or(|token| {
                (token.tag(), token.hash()) != (&earlier.pk, earlier.sk.clone())
            })
        };
        if let Some(earlier) = self.earlier.as_ref().filter(ends) {
            writes.push(sessions.ending_at(&earlier.pk, &earlier.sk)?);
        }
        Ok(writes)
    }
}

fn key(token: &HandedToken) -> String {
    format!("HANDED#{}", token.hash())
}
