//! How the stand-in behaves where Amazon's documents leave a choice, or allow more than one thing.

use serde::Deserialize;

/// One switch for each choice; the default is what was seen most, or what is strictest.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habits {
    /// The error for a `code_verifier` that is missing, wrong or unexpected: `unauthorized_client`;
    /// `invalid_grant` was seen as well.
    pub wrong_verifier: String,
    /// Whether a `code_verifier` passes for a code that was asked for without a challenge.
    pub needless_verifier: bool,
    /// Whether a code is spent by its first redemption even if that fails.
    pub burns_codes: bool,
    /// Whether a customer who unticks everything goes back with an empty scope instead of
    /// `access_denied`.
    pub empty_grant: bool,
    /// An error that answers every sign-in, such as `temporarily_unavailable`.
    pub sign_in_error: Option<String>,
    /// The life of an access token in seconds, as the token answer tells it.
    pub expires_in: i64,
    /// Whether tokens are as long as is documented, 2048 bytes.
    pub longest_tokens: bool,
    /// What a refresh does to the refresh token.
    pub refresh: Refresh,
    /// How long a television's codes live, in seconds, as the answer tells it.
    pub codes_live: u64,
    /// How long a television is told to wait between two questions, in seconds.
    pub interval: u64,
    /// How long it must in fact wait, lest it be told to slow down.
    pub least_interval: u64,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refresh {
    /// Hands out another; the old one stays good.
    Another,
    /// Hands out the same again.
    Same,
    /// Hands out another; the old one is dead.
    Rotate,
    /// Hands out none.
    Omit,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            wrong_verifier: "unauthorized_client".to_owned(),
            needless_verifier: false,
            burns_codes: true,
            empty_grant: false,
            sign_in_error: None,
            expires_in: 3600,
            longest_tokens: false,
            refresh: Refresh::Another,
            codes_live: 600,
            interval: 30,
            least_interval: 5,
        }
    }
}
