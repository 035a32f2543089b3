//! Code-based linking: how a television without a keyboard comes to a token.
//!
//! 1. `POST /auth/o2/create/codepair` gives a code for a person to type at Amazon, and one for us.
//! 2. `POST /auth/o2/token` with both says how far that person is, and in the end gives the token.
//!
//! Amazon wants no secret for either. The token has come by way of a device, so whom it was issued
//! to is asked before anything else (see [`Client::customer_of`]).

use std::time::Duration;

use domain::device::{self, Codes};
use serde::Deserialize;

use crate::{
    AccessToken, Client, Error, REDEEM_WITHIN,
    answer::{Documented, Refused, read, token},
    unavailable,
};

/// Amazon's shops, whose pages a person may be sent to: these domains and what is below them.
const SHOPS: [&str; 24] = [
    "amazon.ae",
    "amazon.ca",
    "amazon.cn",
    "amazon.co.jp",
    "amazon.co.uk",
    "amazon.co.za",
    "amazon.com",
    "amazon.com.au",
    "amazon.com.be",
    "amazon.com.br",
    "amazon.com.mx",
    "amazon.com.tr",
    "amazon.de",
    "amazon.eg",
    "amazon.es",
    "amazon.fr",
    "amazon.ie",
    "amazon.in",
    "amazon.it",
    "amazon.nl",
    "amazon.pl",
    "amazon.sa",
    "amazon.se",
    "amazon.sg",
];

/// Two codes that belong together, and what a television shows of them.
pub struct CodePair {
    /// What Amazon is asked with.
    pub codes: Codes,
    /// Where the person types the code.
    pub verification_uri: String,
    /// How long that takes at most.
    pub expires_in: Duration,
    /// How long to wait between two questions.
    pub interval: Duration,
}

/// How far the person at Amazon is.
pub enum Progress {
    /// They have not decided yet.
    Pending,
    /// The same, and we asked too soon.
    SlowDown,
    /// They said no.
    Denied,
    /// The codes are over, used, or were refused: Amazon does not always tell which.
    Over,
    /// They said yes.
    Allowed(AccessToken),
}

/// The answer of the codepair endpoint.
#[derive(Deserialize)]
pub(crate) struct Pair {
    pub(crate) user_code: String,
    pub(crate) device_code: String,
    pub(crate) verification_uri: String,
    pub(crate) expires_in: u64,
    pub(crate) interval: u64,
}

impl Documented for Pair {}

impl Client {
    /// Asks for two codes (step 1). It is tried once.
    ///
    /// # Errors
    ///
    /// [`Error::ClientRefused`], [`Error::RequestRefused`] or [`Error::Unavailable`].
    pub async fn code_pair(&self, scope: &str) -> Result<CodePair, Error> {
        let request =
            self.http.post(self.url("/auth/o2/create/codepair")).timeout(REDEEM_WITHIN).form(&[
                ("response_type", "device_code"),
                ("client_id", &self.client_id),
                ("scope", scope),
            ]);
        paired(read("codepair", request).await?, &self.api)
    }

    /// Asks how far the person is (step 2). It is tried once: Amazon gives the token once.
    ///
    /// # Errors
    ///
    /// [`Error::ClientRefused`], [`Error::RequestRefused`] or [`Error::Unavailable`].
    pub async fn progress(&self, codes: &Codes) -> Result<Progress, Error> {
        let request = self.http.post(self.url("/auth/o2/token")).timeout(REDEEM_WITHIN).form(&[
            ("grant_type", "device_code"),
            ("device_code", codes.device_code()),
            ("user_code", codes.user_code()),
        ]);
        progressed(read("token", request).await?)
    }
}

/// What came of step 1.
pub(crate) fn paired(answer: Result<Pair, Refused>, api: &str) -> Result<CodePair, Error> {
    let pair = match answer {
        Ok(pair) => pair,
        Err(Refused { status: 401, .. }) => return Err(Error::ClientRefused),
        Err(refused) if refused.status < 500 => {
            return Err(match refused.error.as_str() {
                // Amazon's words for a client id that is malformed, unknown, or no television's.
                "InvalidValue" | "invalid_client" | "unauthorized_client" => Error::ClientRefused,
                "invalid_request" => Error::RequestRefused("invalid_request"),
                "invalid_scope" => Error::RequestRefused("invalid_scope"),
                _ => refused.unexpected("codepair"),
            });
        }
        Err(refused) => return Err(refused.unexpected("codepair")),
    };
    let none = || unavailable("codepair", "gave codes that are none");
    if !may_show(&pair.verification_uri, api) {
        return Err(unavailable("codepair", "would send people elsewhere"));
    }
    let lives = 1..=device::LIVES.as_secs();
    if pair.expires_in == 0 || !lives.contains(&pair.interval) {
        return Err(none());
    }
    Ok(CodePair {
        codes: Codes::new(&pair.device_code, &pair.user_code).ok_or_else(none)?,
        verification_uri: pair.verification_uri,
        expires_in: Duration::from_secs(pair.expires_in),
        interval: Duration::from_secs(pair.interval),
    })
}

/// What came of step 2.
pub(crate) fn progressed(answer: Result<crate::answer::Token, Refused>) -> Result<Progress, Error> {
    let refused = match answer {
        Ok(told) => return token(told).map(Progress::Allowed),
        Err(Refused { status: 401, .. }) => return Err(Error::ClientRefused),
        Err(refused) if refused.status >= 500 => return Err(refused.unexpected("token")),
        Err(refused) => refused,
    };
    match refused.error.as_str() {
        "authorization_pending" => Ok(Progress::Pending),
        "slow_down" => Ok(Progress::SlowDown),
        "access_denied" => Ok(Progress::Denied),
        "invalid_code_pair" | "invalid_grant" | "expired_token" => Ok(Progress::Over),
        "invalid_client" | "unauthorized_client" => Err(Error::ClientRefused),
        "invalid_request" => Err(Error::RequestRefused("invalid_request")),
        "unsupported_grant_type" => Err(Error::RequestRefused("unsupported_grant_type")),
        "InvalidValue" => Err(Error::RequestRefused("InvalidValue")),
        _ => Err(refused.unexpected("token")),
    }
}

/// Whether a television may show this address: a page of Amazon's, or, where a stand-in on this
/// machine takes Amazon's place, one of that stand-in's.
///
/// It is read by a grammar: up to the first slash there is nothing but a host, so no parser can
/// find another one there.
pub(crate) fn may_show(uri: &str, api: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    if uri.len() > 256 || !uri.bytes().all(plain) {
        return false;
    }
    if api.starts_with("http://") {
        // Only a stand-in is spoken to in the clear (see `LWA_API_URL`).
        return uri.strip_prefix(api).is_some_and(|path| path.starts_with('/'));
    }
    let Some(rest) = uri.strip_prefix("https://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let is_host =
        host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b));
    let below = |shop: &&str| {
        let above = host.strip_suffix(*shop);
        above.is_some_and(|above| above.is_empty() || (above.ends_with('.') && above.len() > 1))
    };
    is_host && !host.contains("..") && !host.starts_with('.') && SHOPS.iter().any(below)
}

#[cfg(test)]
mod tests;
