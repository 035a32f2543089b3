//! The calls to Login with Amazon.
//!
//! A sign-in takes three, the last two at once:
//!
//! 1. `POST /auth/o2/token` redeems the code, with PKCE and the client secret.
//! 2. `GET /auth/o2/tokeninfo` says whom the access token was issued to: it must be us.
//! 3. `GET /user/profile` says who the customer is.
//!
//! The token is dropped afterwards; we never ask anything else of Amazon. Redirects are not
//! followed, answers are not decompressed and are read up to 64 KiB, and an answer that is not
//! exactly what Amazon documents counts as none.

mod answer;
#[cfg(test)]
mod certificates;
mod device;
mod handoff;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::time::Duration;

use domain::{AmazonUserId, PkceVerifier, Profile};
use reqwest::RequestBuilder;

use answer::{Refused, agreed, read, redeemed, told};

pub use device::{CodePair, Progress};

/// How long a connection to Amazon may take.
const CONNECT_WITHIN: Duration = Duration::from_millis(1500);
/// How long the redemption may take. It is tried once.
const REDEEM_WITHIN: Duration = Duration::from_secs(4);
/// How long one try at the other two calls may take. They change nothing, so they are tried twice.
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// What can go wrong at Amazon, by whose fault it is. No message holds anything that was sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The code is invalid, used, expired, or not for this verifier.
    #[error("Amazon refused the code ({0})")]
    CodeRefused(&'static str),
    /// Our client id or secret is wrong. Amazon authenticated nobody, so the code is still good.
    #[error("Amazon refused our client id or secret")]
    ClientRefused,
    /// Amazon does not serve such requests: a bug of ours, or a wrong setting.
    #[error("Amazon refused our request ({0})")]
    RequestRefused(&'static str),
    /// The token is not one that Amazon issued to us.
    #[error("the access token is not meant for us ({0})")]
    TokenRefused(&'static str),
    /// Amazon did not answer, or not as documented.
    #[error("Amazon's {endpoint} endpoint {problem}")]
    Unavailable {
        /// Which one.
        endpoint: &'static str,
        /// What happened.
        problem: String,
    },
}

/// A client to call Amazon with.
///
/// # Errors
///
/// Where TLS cannot be set up at all.
pub fn http() -> Result<reqwest::Client, https::Error> {
    https::client(CONNECT_WITHIN)
}

/// Login with Amazon, as one client of ours.
pub struct Client {
    /// See [`http`].
    pub http: reqwest::Client,
    /// The origin of Amazon's API, by region.
    pub api: String,
    /// The client id.
    pub client_id: String,
    /// The callback, as it was sent to the authorize page; a television has none.
    pub redirect_uri: String,
}

/// A token that opens a customer's profile for an hour.
pub struct AccessToken(String);

impl Client {
    /// Redeems a code (step 1).
    ///
    /// It is never tried twice: a code is burnt by the first try, even by one that fails.
    ///
    /// # Errors
    ///
    /// [`Error::CodeRefused`], [`Error::ClientRefused`] or [`Error::Unavailable`].
    pub async fn redeem(
        &self,
        code: &str,
        verifier: &PkceVerifier,
        client_secret: &str,
    ) -> Result<AccessToken, Error> {
        let request = self.http.post(self.url("/auth/o2/token")).timeout(REDEEM_WITHIN).form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("client_id", &self.client_id),
            ("client_secret", client_secret),
            ("code_verifier", verifier.expose()),
        ]);
        redeemed(read("token", request).await?)
    }

    /// Asks at once whom the token was issued to (step 2) and who the customer is (step 3).
    ///
    /// Only for a token that we redeemed ourselves: one that somebody handed over must pass step 2
    /// before it may reach step 3.
    ///
    /// # Errors
    ///
    /// [`Error::TokenRefused`] or [`Error::Unavailable`].
    pub async fn customer(&self, token: &AccessToken) -> Result<Profile, Error> {
        let ours = std::slice::from_ref(&self.client_id);
        let (issued_for, profile) = tokio::join!(self.issued_for(token, ours), self.profile(token));
        agreed(issued_for?, profile?)
    }

    /// Asks whom the token was issued to (step 2), and who the customer is (step 3) only if that was
    /// one of these clients: a token of somebody else's must not reach the profile.
    ///
    /// # Errors
    ///
    /// [`Error::TokenRefused`] or [`Error::Unavailable`].
    pub async fn customer_of(
        &self,
        token: &AccessToken,
        clients: &[String],
    ) -> Result<Profile, Error> {
        let issued_for = self.issued_for(token, clients).await?;
        agreed(issued_for, self.profile(token).await?)
    }

    /// Whom the token stands for, if it was issued to one of these clients.
    async fn issued_for(
        &self,
        token: &AccessToken,
        clients: &[String],
    ) -> Result<Option<AmazonUserId>, Error> {
        let ask =
            || self.http.get(self.url("/auth/o2/tokeninfo")).query(&[("access_token", &token.0)]);
        answer::issued_for(ask_twice("tokeninfo", ask).await?, clients)
    }

    /// The customer's profile, or nothing where the token does not reach it.
    async fn profile(&self, token: &AccessToken) -> Result<Option<Profile>, Error> {
        let ask = || self.http.get(self.url("/user/profile")).bearer_auth(&token.0);
        told(ask_twice("profile", ask).await?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.api)
    }
}

/// Asks for something that changes nothing, once more if Amazon stumbled.
async fn ask_twice<T: answer::Documented>(
    endpoint: &'static str,
    ask: impl Fn() -> RequestBuilder,
) -> Result<Result<T, Refused>, Error> {
    let stumbled = |answer: &Result<Result<T, Refused>, Error>| match answer {
        Ok(Ok(_)) => false,
        Ok(Err(refused)) => refused.status >= 500 || refused.status == 429,
        Err(_) => true,
    };
    let first = read(endpoint, ask().timeout(ASK_WITHIN)).await;
    if stumbled(&first) { read(endpoint, ask().timeout(ASK_WITHIN)).await } else { first }
}

fn unavailable(endpoint: &'static str, problem: &str) -> Error {
    Error::Unavailable { endpoint, problem: problem.to_owned() }
}
