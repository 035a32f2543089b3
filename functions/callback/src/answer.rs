//! What Amazon's answer says, before anything is believed.

use domain::State;
use web::{Code, Failure, Request};

/// Where answers of Login with Amazon come from (RFC 9207); Amazon does not say so today.
const ISSUER: &str = "https://www.amazon.com";

/// What Amazon sent the visitor back with.
pub(crate) struct Answer {
    /// The state that we sent along.
    pub(crate) state: State,
    /// What became of it.
    pub(crate) outcome: Outcome,
}

/// What became of a visit to Amazon.
pub(crate) enum Outcome {
    /// The customer consented.
    Code(String),
    /// The customer said no.
    Cancelled,
    /// Something went wrong at Amazon.
    Failed(Failure),
}

impl Answer {
    /// Reads the query. Amazon's own words for errors are for developers and could be anybody's, so
    /// none of them is passed on.
    pub(crate) fn read(request: &Request) -> Result<Self, Failure> {
        let (code, error) = (request.query("code")?, request.query("error")?);
        if request.query("access_token")?.is_some() {
            return Err(Failure::bad_request("an access token in a URL is refused"));
        }
        if request.query("iss")?.is_some_and(|issuer| issuer != ISSUER) {
            return Err(Failure::bad_request("the answer is not Amazon's"));
        }
        let state = request.query("state")?.map(State::presented);
        let Some(Ok(state)) = state else {
            let why = "the state is missing, or none of ours";
            return Err(Failure::start_over(why).about_state("foreign"));
        };
        let outcome = match (code, error) {
            (Some(_), Some(_)) => return Err(Failure::bad_request("both a code and an error")),
            (Some(code), None) if is_code(code) => Outcome::Code(code.to_owned()),
            (Some(_), None) => return Err(Failure::bad_request("the code is none")),
            (None, Some("access_denied")) => Outcome::Cancelled,
            (None, Some("server_error" | "temporarily_unavailable")) => {
                Outcome::Failed(Failure::new(Code::Unavailable, "Amazon is not available"))
            }
            (None, Some("invalid_scope" | "unauthorized_client" | "unsupported_response_type")) => {
                let why = "Amazon refused our request: see LWA_CLIENT_ID and LWA_SCOPE";
                Outcome::Failed(Failure::start_over(why))
            }
            (None, Some(_)) => {
                Outcome::Failed(Failure::start_over("Amazon told of an unknown error"))
            }
            (None, None) => return Err(Failure::start_over("neither a code nor an error")),
        };
        Ok(Self { state, outcome })
    }
}

/// RFC 6749, appendix A.11: visible ASCII. Amazon's codes have at most 128 characters.
fn is_code(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
