//! What an app hands over: its access token as it is, or a code that is redeemed for it.

use domain::handoff::{HandedCode, HandedToken};

use crate::{
    AccessToken, Client, Error, REDEEM_WITHIN,
    answer::{read, redeemed},
};

impl From<&HandedToken> for AccessToken {
    fn from(token: &HandedToken) -> Self {
        Self(token.expose().to_owned())
    }
}

impl Client {
    /// Redeems an app's code with the verifier that the app keeps. Apps have no secret to go with it.
    ///
    /// It is never tried twice: a code is burnt by the first try, even by one that fails.
    ///
    /// # Errors
    ///
    /// [`Error::CodeRefused`], [`Error::ClientRefused`] or [`Error::Unavailable`].
    pub async fn redeem_for(
        &self,
        handed: &HandedCode,
        client_secret: Option<&str>,
    ) -> Result<AccessToken, Error> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", &handed.code),
            ("redirect_uri", &handed.redirect_uri),
            ("client_id", &handed.client_id),
            ("code_verifier", &handed.verifier),
        ];
        form.extend(client_secret.map(|secret| ("client_secret", secret)));
        let request = self.http.post(self.url("/auth/o2/token")).timeout(REDEEM_WITHIN).form(&form);
        redeemed(read("token", request).await?)
    }
}
