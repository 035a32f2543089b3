//! Which sessions are to end.

use serde::Deserialize;
use web::{Failure, Form, Request};

/// What a caller wants to end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Revoke {
    /// The session of this id.
    One(String),
    /// All but the one that asks.
    Others,
}

/// The body, as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    csrf: Option<String>,
    id: Option<String>,
    #[serde(default)]
    all_others: bool,
}

impl Revoke {
    /// Reads the body, and the form's token beside it.
    ///
    /// # Errors
    ///
    /// `bad_request` unless it says one of the two, and those of [`Form::read`].
    pub(crate) fn read(request: &Request) -> Result<(Self, Option<String>), Failure> {
        let Body { csrf, id, all_others } = match &*request.content_type() {
            "application/json" => serde_json::from_slice(request.body()?)
                .map_err(|_| Failure::bad_request("the body is not JSON of the expected shape"))?,
            _ => {
                let form = Form::read(request, &["csrf", "id", "all_others"], false)?;
                let text = |name| form.get(name).map(str::to_owned);
                let all_others = match form.get("all_others") {
                    None => false,
                    Some("true") => true,
                    Some(_) => return Err(Failure::bad_request("all_others is not true")),
                };
                Body { csrf: text("csrf"), id: text("id"), all_others }
            }
        };
        match (id, all_others) {
            (Some(id), false) => Ok((Self::One(id), csrf)),
            (None, true) => Ok((Self::Others, csrf)),
            _ => Err(Failure::bad_request("neither a session's id nor all others")),
        }
    }
}
