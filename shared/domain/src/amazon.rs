//! What we know of Login with Amazon without asking Amazon.

use std::{fmt, str::FromStr};

use crate::{Challenge, Email, State};

/// Amazon's permanent name for a customer, one per Amazon account and company: the only identity.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AmazonUserId(String);

impl AmazonUserId {
    /// Takes a `user_id` from Amazon: 1 to 128 of `A-Z a-z 0-9 . _ -`.
    ///
    /// The length is not checked further: Amazon documents only the prefix `amzn1.account.`, and
    /// its own examples are shorter than its real ids.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as Amazon wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id stays out of logs: it names a person.
impl fmt::Debug for AmazonUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AmazonUserId(…)")
    }
}

/// What Amazon tells about a customer. Only the id is always there.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who it is.
    pub user_id: AmazonUserId,
    /// The address registered at Amazon, which Amazon does not promise to have verified.
    pub email: Option<Email>,
    /// The customer's name, as a text fit to show.
    pub name: Option<String>,
    /// The postal code of the primary shipping address, in any country's format.
    pub postal_code: Option<String>,
}

/// A person's data stay out of logs.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// Makes a text from outside fit to show on one line: no control, formatting or bidirectional
/// characters, no white space around it, at most `longest` characters; nothing if nothing is left.
pub fn fit_to_show(text: &str, longest: usize) -> Option<String> {
    let invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}')
    };
    let shown: String = text.trim().chars().filter(|c| !invisible(*c)).take(longest).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// Which of Amazon's regions serves the sign-in. A code of one is good at all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Region {
    /// North America, and the default of Amazon's documentation.
    #[default]
    Na,
    /// Europe.
    Eu,
    /// The Far East.
    Fe,
}

impl Region {
    /// Where a browser is sent to sign in.
    pub fn authorize_url(self) -> &'static str {
        match self {
            Self::Na => "https://www.amazon.com/ap/oa",
            Self::Eu => "https://eu.account.amazon.com/ap/oa",
            Self::Fe => "https://apac.account.amazon.com/ap/oa",
        }
    }

    /// The origin of the token, tokeninfo and profile endpoints.
    pub fn api_url(self) -> &'static str {
        match self {
            Self::Na => "https://api.amazon.com",
            Self::Eu => "https://api.amazon.co.uk",
            Self::Fe => "https://api.amazon.co.jp",
        }
    }
}

impl FromStr for Region {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "na" => Ok(Self::Na),
            "eu" => Ok(Self::Eu),
            "fe" => Ok(Self::Fe),
            _ => Err(()),
        }
    }
}

/// What a sign-in asks of Amazon.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The client id of the web client.
    pub client_id: String,
    /// Space-separated scopes.
    pub scope: String,
    /// Which scopes are essential, as Amazon's JSON; empty leaves it to the console's setting.
    pub scope_data: String,
    /// Our callback, registered at Amazon to the letter.
    pub redirect_uri: String,
}

impl Authorization {
    /// The query of the authorize URL, by name.
    ///
    /// The challenge method is always said: Amazon reads a missing one as `plain`.
    pub fn parameters<'a>(
        &'a self,
        state: &'a State,
        challenge: &'a Challenge,
    ) -> Vec<(&'static str, &'a str)> {
        let mut parameters = vec![
            ("client_id", self.client_id.as_str()),
            ("scope", &self.scope),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri),
            ("state", state.expose()),
            ("code_challenge", challenge.expose()),
            ("code_challenge_method", "S256"),
        ];
        if !self.scope_data.is_empty() {
            parameters.push(("scope_data", &self.scope_data));
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e24_a_user_id_is_an_opaque_word() {
        let longest = "a".repeat(128);
        for id in ["amzn1.account.K2LI23KL2LK2", "A", &longest] {
            assert_eq!(AmazonUserId::parse(id).map(|id| id.0), Some(id.to_owned()));
        }
        let too_long = "a".repeat(129);
        for odd in ["", " A", "A ", "A#B", "../A", "A/B", "amzn1.account.\u{c4}", "A\0", &too_long]
        {
            assert!(AmazonUserId::parse(odd).is_none(), "{odd:?}");
        }
    }

    #[test]
    fn a_name_is_made_fit_to_show() {
        for (name, shown) in [
            ("Ann", Some("Ann")),
            ("  Ann\r\nSet-Cookie: x ", Some("AnnSet-Cookie: x")),
            ("\u{202e}nnA", Some("nnA")),
            ("<b>Ann</b>", Some("<b>Ann</b>")),
            ("José \u{1f600}", Some("José \u{1f600}")),
            (" \u{200b}\t", None),
            ("", None),
        ] {
            assert_eq!(fit_to_show(name, 128).as_deref(), shown, "{name:?}");
        }
        assert_eq!(fit_to_show(&"é".repeat(200), 128).map(|name| name.chars().count()), Some(128));
    }
}
