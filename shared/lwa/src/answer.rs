//! Amazon's answers, read strictly.

use domain::{AmazonUserId, Email, amazon::fit_to_show};
use https::Service;
use reqwest::RequestBuilder;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{AccessToken, Error, unavailable};

/// The most bytes of an answer.
const LONGEST: usize = 64 * 1024;
/// Where all of Amazon's tokens come from.
const ISSUER: &str = "https://www.amazon.com";

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

/// Sends a request and reads its answer.
pub(crate) async fn read<T: Documented>(
    endpoint: &'static str,
    request: RequestBuilder,
) -> Result<Result<T, Refused>, Error> {
    let answer = https::send(Service::Amazon, request, LONGEST).await;
    let (status, body) = answer.map_err(|problem| unavailable(endpoint, problem))?;
    understand(endpoint, status, &body)
}

/// What an answer says: what is documented, a clear no, or neither.
pub(crate) fn understand<T: Documented>(
    endpoint: &'static str,
    status: u16,
    body: &[u8],
) -> Result<Result<T, Refused>, Error> {
    // As a map first: serde would take an array for a struct.
    let members: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
    // Amazon's errors are words, but whatever stands there says no.
    let error = members.as_ref().and_then(|members| members.get("error"));
    match (status, error) {
        (200, None) if members.is_some() => serde_json::from_slice(body)
            .map(Ok)
            .map_err(|_| unavailable(endpoint, "answered in a form that is not documented")),
        // An error member counts, whatever the status says.
        (200, Some(_)) => Err(unavailable(endpoint, "answered 200 with an error")),
        (200, None) => Err(unavailable(endpoint, "answered in a form that is not documented")),
        (300..=399, _) => Err(unavailable(endpoint, "answered with a redirect")),
        (status, error) => {
            let error = error.and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok(Err(Refused { status, error }))
        }
    }
}

/// What came of step 1.
pub(crate) fn redeemed(answer: Result<Token, Refused>) -> Result<AccessToken, Error> {
    match answer {
        Ok(told) => token(told),
        Err(Refused { status: 401, .. }) => Err(Error::ClientRefused),
        Err(refused) => {
            Err(match refused.error.as_str() {
                "invalid_grant" => Error::CodeRefused("invalid_grant"),
                "invalid_request" => Error::CodeRefused("invalid_request"),
                // Amazon's word for a verifier that does not fit, among others.
                "unauthorized_client" => Error::CodeRefused("unauthorized_client"),
                "invalid_client" => Error::ClientRefused,
                "invalid_scope" => Error::RequestRefused("invalid_scope"),
                "unsupported_grant_type" => Error::RequestRefused("unsupported_grant_type"),
                // `ServerError`, and whatever Amazon does not document.
                _ => refused.unexpected("token"),
            })
        }
    }
}

/// The token that Amazon gave, if it is one.
pub(crate) fn token(token: Token) -> Result<AccessToken, Error> {
    let bearer = token.token_type.eq_ignore_ascii_case("bearer");
    let fits = (1..=2048).contains(&token.access_token.len())
        && token.access_token.bytes().all(|b| b.is_ascii_graphic());
    if bearer && fits {
        Ok(AccessToken(token.access_token))
    } else {
        Err(unavailable("token", "gave a token that is none"))
    }
}

/// What came of step 2: whom the token stands for, if it was issued to one of these clients.
pub(crate) fn issued_for(
    answer: Result<TokenInfo, Refused>,
    clients: &[impl AsRef<str>],
) -> Result<Option<AmazonUserId>, Error> {
    let info = match answer {
        Ok(info) => info,
        Err(refused) if refused.status == 400 => {
            return Err(Error::TokenRefused("it is invalid"));
        }
        Err(refused) => return Err(refused.unexpected("tokeninfo")),
    };
    if !clients.iter().any(|client| client.as_ref() == info.aud) {
        return Err(Error::TokenRefused("it was issued to another application"));
    }
    if info.iss.is_some_and(|issuer| issuer != ISSUER) {
        return Err(Error::TokenRefused("it was issued by somebody else"));
    }
    // Seconds that are left, not a moment.
    if info.exp.is_some_and(|seconds| seconds <= 0) {
        return Err(Error::TokenRefused("it is over"));
    }
    match info.user_id.as_deref().map(AmazonUserId::parse) {
        None => Ok(None),
        Some(Some(user_id)) => Ok(Some(user_id)),
        Some(None) => Err(unavailable("tokeninfo", "named a customer that cannot be")),
    }
}

/// What came of step 3: the customer's profile, or nothing where the token does not reach it.
pub(crate) fn told(answer: Result<Profile, Refused>) -> Result<Option<domain::Profile>, Error> {
    let profile = match answer {
        Ok(profile) => profile,
        Err(refused) if refused.error == "insufficient_scope" => return Ok(None),
        Err(refused) if refused.status == 400 => {
            return Err(Error::TokenRefused("it opens no profile"));
        }
        Err(refused) => return Err(refused.unexpected("profile")),
    };
    let Some(user_id) = AmazonUserId::parse(&profile.user_id) else {
        return Err(unavailable("profile", "named a customer that cannot be"));
    };
    Ok(Some(domain::Profile {
        user_id,
        // An address that is none is as good as absent: the id is what counts.
        email: profile.email.as_deref().and_then(Email::parse),
        name: profile.name.and_then(|name| fit_to_show(&name, 128)),
        postal_code: profile.postal_code.and_then(|code| fit_to_show(&code, 32)),
    }))
}

/// Who the customer is, if both answers name the same.
pub(crate) fn agreed(
    issued_for: Option<AmazonUserId>,
    profile: Option<domain::Profile>,
) -> Result<domain::Profile, Error> {
    match (issued_for, profile) {
        (Some(user_id), Some(profile)) if user_id != profile.user_id => {
            Err(Error::TokenRefused("tokeninfo and profile name different customers"))
        }
        (_, Some(profile)) => Ok(profile),
        // The customer shares nothing but who they are.
        (Some(user_id), None) => {
            Ok(domain::Profile { user_id, email: None, name: None, postal_code: None })
        }
        (None, None) => Err(Error::TokenRefused("it opens no profile")),
    }
}
