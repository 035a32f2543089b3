mod fields;

use std::{collections::HashMap, str::FromStr, time::Duration};

use domain::{amazon::Authorization, registration::Field};
use serde_json::{Map, Value};

use crate::{Site, address::Proxy, site::is_https_url};

/// A setting that is missing or wrong. Every request is answered `unavailable` until it is mended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} {problem}")]
pub struct Unset {
    /// Which setting.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The environment, read once at start. An empty setting counts as absent.
pub struct Settings(HashMap<String, String>);

impl Settings {
    /// Reads the environment of this process.
    pub fn from_env() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        let vars = std::env::vars();
        vars.collect()
    }

    /// A setting that may be absent.
    pub fn optional(&self, name: &'static str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A setting that must be there.
    ///
    /// # Errors
    ///
    /// [`Unset`] where it is not.
    pub fn text(&self, name: &'static str) -> Result<String, Unset> {
        self.optional(name).map(str::to_owned).ok_or(Unset { name, problem: "is missing" })
    }

    /// A setting with a default.
    ///
    /// # Errors
    ///
    /// [`Unset`] where it does not parse.
    pub fn parsed<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, Unset> {
        self.optional(name).map_or(Ok(default), |text| {
            text.parse().map_err(|_| Unset { name, problem: "is not understood" })
        })
    }

    /// A length of time in whole seconds.
    ///
    /// # Errors
    ///
    /// [`Unset`] where it is no number, or 0.
    pub fn seconds(&self, name: &'static str, default: u64) -> Result<Duration, Unset> {
        match self.parsed(name, default)? {
            0 => Err(Unset { name, problem: "must not be 0" }),
            seconds => Ok(Duration::from_secs(seconds)),
        }
    }

    /// One of several words; the first is the default.
    ///
    /// # Errors
    ///
    /// [`Unset`] for any other word.
    pub fn one_of<const N: usize>(
        &self,
        name: &'static str,
        words: [&'static str; N],
    ) -> Result<&'static str, Unset> {
        let word = self.optional(name).unwrap_or(words[0]);
        let known = words.into_iter().find(|known| *known == word);
        known.ok_or(Unset { name, problem: "is none of the words it can be" })
    }

    /// A path on the site's own origin.
    ///
    /// # Errors
    ///
    /// [`Unset`] where it is anything else.
    pub fn path(&self, name: &'static str) -> Result<Option<String>, Unset> {
        match self.optional(name) {
            None => Ok(None),
            Some(path) if is_own_path(path) => Ok(Some(path.to_owned())),
            Some(_) => Err(Unset { name, problem: "is not a path on this site" }),
        }
    }

    /// A JSON object, as it is written; empty where it is absent.
    ///
    /// # Errors
    ///
    /// [`Unset`] where it is anything else.
    pub fn json_object(&self, name: &'static str) -> Result<&str, Unset> {
        match self.optional(name) {
            None => Ok(""),
            Some(json) if serde_json::from_str::<Map<String, Value>>(json).is_ok() => Ok(json),
            Some(_) => Err(Unset { name, problem: "is not a JSON object" }),
        }
    }

    /// A URL that secrets may be sent to: https, or this machine.
    ///
    /// # Errors
    ///
    /// [`Unset`] where it is anything else, or absent.
    pub fn https_url(&self, name: &'static str) -> Result<String, Unset> {
        let url = self.text(name)?;
        match is_https_url(&url) || is_loopback(&url) {
            true => Ok(url),
            false => Err(Unset { name, problem: "is not an https URL" }),
        }
    }

    /// A stand-in for Amazon, for development: honoured on this machine only, so that no setting
    /// can ever send the client secret elsewhere.
    ///
    /// # Errors
    ///
    /// [`Unset`] where the host is not literally `localhost`, `127.0.0.1` or `[::1]`.
    pub fn loopback_url(&self, name: &'static str) -> Result<Option<String>, Unset> {
        match self.optional(name) {
            None => Ok(None),
            Some(url) if is_loopback(url) => Ok(Some(url.trim_end_matches('/').to_owned())),
            Some(_) => Err(Unset { name, problem: "is honoured for this machine only" }),
        }
    }

    /// The proxy before the gateway that may say whose request it passes on.
    ///
    /// # Errors
    ///
    /// [`Unset`] unless it is `header=arn:…`, with the ARN of a secret.
    pub fn proxy(&self, name: &'static str) -> Result<Option<Proxy>, Unset> {
        let problem = "is not a header and the ARN of a secret, with = between";
        let proxy = self.optional(name).map(Proxy::parse);
        proxy.map(|proxy| proxy.ok_or(Unset { name, problem })).transpose()
    }

    /// Where one of AWS's services is: the region, and `AWS_ENDPOINT_URL_<SERVICE>` or
    /// `AWS_ENDPOINT_URL` where set.
    ///
    /// # Errors
    ///
    /// [`Unset`] without `AWS_REGION`.
    pub fn aws(&self, endpoint: &'static str) -> Result<(String, Option<String>), Unset> {
        let url = self.optional(endpoint).or_else(|| self.optional("AWS_ENDPOINT_URL"));
        Ok((self.text("AWS_REGION")?, url.map(str::to_owned)))
    }

    /// `LWA_CLIENT_ID`, `LWA_SCOPE` and `LWA_SCOPE_DATA`: what a visitor is sent to Amazon with.
    ///
    /// # Errors
    ///
    /// [`Unset`] without a client id, or with scope data that is not a JSON object.
    pub fn authorization(&self, site: &Site) -> Result<Authorization, Unset> {
        Ok(Authorization {
            client_id: self.text("LWA_CLIENT_ID")?,
            scope: self.parsed("LWA_SCOPE", "profile".to_owned())?,
            scope_data: self.json_object("LWA_SCOPE_DATA")?.to_owned(),
            redirect_uri: site.redirect_uri(),
        })
    }

    /// `REGISTRATION_FIELDS`: what the site wants to know of a newcomer.
    ///
    /// # Errors
    ///
    /// [`Unset`], saying what is wrong with it.
    pub fn registration_fields(&self) -> Result<Vec<Field>, Unset> {
        let name = "REGISTRATION_FIELDS";
        let Some(json) = self.optional(name) else { return Ok(Vec::new()) };
        let wrong = |problem| Unset { name, problem };
        let Ok(Value::Array(list)) = serde_json::from_str(json) else {
            return Err(wrong("is not a JSON array"));
        };
        let fields: Vec<Field> =
            list.iter().map(fields::field).collect::<Result<_, _>>().map_err(wrong)?;
        let repeated = fields.iter().enumerate().any(|(at, field)| {
            let reserved = ["csrf", "ticket", "email", "fields"].contains(&field.name.as_str());
            reserved || fields[..at].iter().any(|earlier| earlier.name == field.name)
        });
        if repeated {
            return Err(wrong(
                "has a name twice, or one that is ours (csrf, ticket, email, fields)",
            ));
        }
        Ok(fields)
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// A path that a browser cannot take for another host's.
pub(crate) fn is_own_path(path: &str) -> bool {
    let printable = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    path.starts_with('/') && !path.starts_with("//") && printable
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let hosts = ["localhost", "127.0.0.1", "[::1]"];
    let Some(rest) = hosts.into_iter().find_map(|host| rest.strip_prefix(host)) else {
        return false;
    };
    let (port, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port_fits = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    port_fits && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
}

/// As browsers write it: `parse` would take a sign, and zeros in front.
pub(crate) fn is_port(text: &str) -> bool {
    text.parse().is_ok_and(|port: u16| port.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn l01_only_this_machine_can_stand_in_for_amazon() {
        for here in [
            "http://localhost",
            "http://localhost:3001",
            "http://127.0.0.1:1/ap/oa",
            "https://[::1]:9/",
        ] {
            assert!(
                settings(&[("LWA_API_URL", here)]).loopback_url("LWA_API_URL").is_ok(),
                "{here}"
            );
        }
        for elsewhere in [
            "http://169.254.169.254",
            "http://localhost.evil.com",
            "http://localhost@evil.com",
            "http://127.0.0.1:80@evil.com",
            "http://127.0.0.1.evil.com",
            "http://[::1",
            "ftp://localhost",
            "http://LOCALHOST",
            "http://127.1",
            "http://0.0.0.0",
            "//localhost",
            "http://localhost:99999",
            "http://localhost:+80",
            "http://localhost:080",
            "http://localhost/\\evil.com",
            "http://localhost?x",
            "http://localhost#x",
            "http:localhost",
            "https://api.amazon.com",
        ] {
            let settings = settings(&[("LWA_API_URL", elsewhere)]);
            let name = "LWA_API_URL";
            assert_eq!(settings.loopback_url(name).unwrap_err().name, name, "{elsewhere}");
        }
    }

    #[test]
    fn an_empty_setting_is_absent_and_a_wrong_one_is_named() {
        let settings = settings(&[("A", ""), ("N", "0"), ("W", "ajar"), ("P", "//evil.com")]);
        assert_eq!(settings.text("A").unwrap_err().to_string(), "the setting A is missing");
        assert_eq!(settings.seconds("A", 7), Ok(Duration::from_secs(7)));
        assert!(settings.seconds("N", 7).is_err());
        assert!(settings.seconds("W", 7).is_err());
        assert!(settings.one_of("W", ["open", "closed"]).is_err());
        assert_eq!(settings.one_of("A", ["open", "closed"]), Ok("open"));
        assert!(settings.path("P").is_err());
        assert_eq!(settings.json_object("A"), Ok(""));
        assert!(settings.json_object("W").is_err() && settings.json_object("N").is_err());
    }
}
