//! Amazon's answers, read strictly.

use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Error, unavailable};

/// The most bytes of an answer.
const LONGEST: usize = 64 * 1024;

/// An answer that Amazon documents.
pub(crate) trait Documented: DeserializeOwned {}

/// The answer of the token endpoint, of which we need no more.
#[derive(Deserialize)]
pub(crate) struct Token {
    pub(crate) access_token: String,
    pub(crate) token_type: String,
}

/// The answer of the tokeninfo endpoint. Amazon documents only `aud`; the others were seen.
#[derive(Deserialize)]
pub(crate) struct TokenInfo {
    pub(crate) aud: String,
    pub(crate) user_id: Option<String>,
    pub(crate) iss: Option<String>,
    pub(crate) exp: Option<i64>,
}

/// The answer of the profile endpoint. Only the id is promised.
#[derive(Deserialize)]
pub(crate) struct Profile {
    pub(crate) user_id: String,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) postal_code: Option<String>,
}

impl Documented for Token {}
impl Documented for TokenInfo {}
impl Documented for Profile {}

/// A clear no from Amazon.
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// Amazon's word, such as `invalid_grant`; empty where it gave none.
    pub(crate) error: String,
}

impl Refused {
    /// For a no that this endpoint is not known to give.
    pub(crate) fn unexpected(&self, endpoint: &'static str) -> Error {
        unavailable(endpoint, &format!("answered {}", self.status))
    }
}

#[derive(Deserialize)]
struct Refusal {
    error: Option<String>,
}

/// Sends a request and reads its answer: what is documented, a clear no, or neither.
pub(crate) async fn read<T: Documented>(
    endpoint: &'static str,
    request: RequestBuilder,
) -> Result<Result<T, Refused>, Error> {
    // Transport errors print the URL, and in it the token: they are cut off here.
    let transport = |error: reqwest::Error| {
        let problem = if error.is_timeout() {
            "took too long"
        } else if error.is_connect() {
            "could not be reached"
        } else {
            "broke off"
        };
        unavailable(endpoint, problem)
    };
    let mut response = request.send().await.map_err(transport)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(unavailable(endpoint, "answered at too great length"));
        }
    }

    // serde would take an array for a struct.
    let object = body.trim_ascii_start().first() == Some(&b'{');
    let refusal = if object { serde_json::from_slice::<Refusal>(&body).ok() } else { None };
    match (status, refusal.and_then(|refusal| refusal.error)) {
        (200, None) if object => serde_json::from_slice(&body)
            .map(Ok)
            .map_err(|_| unavailable(endpoint, "answered in a form that is not documented")),
        // An error member counts, whatever the status says.
        (200, Some(_)) => Err(unavailable(endpoint, "answered 200 with an error")),
        (200, None) => Err(unavailable(endpoint, "answered in a form that is not documented")),
        (300..=399, _) => Err(unavailable(endpoint, "answered with a redirect")),
        (status, error) => Ok(Err(Refused { status, error: error.unwrap_or_default() })),
    }
}
