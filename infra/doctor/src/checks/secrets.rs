//! What is in Secrets Manager. Nothing of it is ever shown.

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata as _};
use domain::{Clock, webhook::Key};
use secret::Secret;

use crate::{
    deployment::said,
    round::{Check, Otherwise, Round, Seen, advice, not_checked, ok, wrong},
};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "client-secret",
        name: "The client secret is where LWA_CLIENT_SECRET_ARN says",
        after: &["settings", "endpoints"],
        mend: "Set LWA_CLIENT_SECRET_ARN to the ARN of a secret in the functions' own region and account.",
        read: "Settings",
    },
    Check {
        id: "client-secret-shape",
        name: "The client secret looks like one",
        after: &["client-secret"],
        mend: "Put the Client Secret of your security profile's web settings into the secret that LWA_CLIENT_SECRET_ARN names, as it is or as {\"client_secret\":\"…\"}.",
        read: "Settings",
    },
    Check {
        id: "webhook-secret",
        name: "The webhook's secret is there, and is one",
        after: &["settings", "endpoints"],
        mend: "Put the output of `echo \"whsec_$(openssl rand -base64 32)\"` into the secret that ACCOUNTS_WEBHOOK_SECRET_ARN names, as it is or as {\"webhook_secret\":\"…\"}, and give your site the same.",
        read: "Your site, over HTTPS",
    },
    Check {
        id: "proxy-secret",
        name: "The proxy's secret is there, and fits into a header",
        after: &["settings", "endpoints"],
        mend: "Put a long random word of letters and digits into the secret that TRUSTED_PROXY names, as it is or as {\"proxy_secret\":\"…\"}, and have your proxy send it as X-Lwa-Proxy-Secret.",
        read: "Settings",
    },
];

pub(super) async fn look(round: &mut Round<'_>) {
    let settings = round.deployment.settings();
    if round.is_due("client-secret") {
        let arn = settings.optional("LWA_CLIENT_SECRET_ARN").unwrap_or_default();
        let given = settings.optional("LWA_CLIENT_SECRET").filter(|_| round.deployment.is_here());
        match (given, find(round, arn, "client_secret").await) {
            (Some(given), _) => {
                round.client_secret = Some(given.to_owned());
                round.note(
                    "client-secret",
                    Ok("it is LWA_CLIENT_SECRET, on this machine".to_owned()),
                );
                round.note("client-secret-shape", ok());
            }
            (None, Ok(found)) => {
                round.note("client-secret", ok());
                round.note("client-secret-shape", client_secret(&found));
                round.client_secret = found.value;
            }
            (None, Err(otherwise)) => {
                if matches!(otherwise, Otherwise::NotChecked(_)) {
                    round.note("client-secret-shape", not_checked("it could not be read"));
                }
                round.note("client-secret", Err(otherwise));
            }
        }
    }
    if round.is_due("webhook-secret") {
        let seen = match settings.optional("ACCOUNTS_WEBHOOK_SECRET_ARN") {
            None => Ok("there is none".to_owned()),
            Some(arn) => find(round, arn, "webhook_secret").await.and_then(|found| webhook(&found)),
        };
        round.note("webhook-secret", seen);
    }
    if round.is_due("proxy-secret") {
        let seen = match settings.proxy("TRUSTED_PROXY") {
            Ok(Some(proxy)) => find(round, &proxy.secret_arn, "proxy_secret")
                .await
                .and_then(|found| in_a_header(&found)),
            _ => Ok("there is none".to_owned()),
        };
        round.note("proxy-secret", seen);
    }
}

/// A secret, as it is kept.
struct Found {
    /// As the functions read it; nothing where they cannot.
    value: Option<String>,
    /// As Secrets Manager has it; nothing where it is no text.
    stored: Option<String>,
}

async fn find(round: &Round<'_>, arn: &str, member: &'static str) -> Result<Found, Otherwise> {
    let deployment = round.deployment;
    let elsewhere = arn.split(':').nth(3).filter(|region| *region != deployment.region);
    if let Some(region) = elsewhere {
        return wrong(format!("it is in {region}, and the functions are in {}", deployment.region));
    }
    let config = &deployment.aws.secrets;
    let asked = Client::new(config).get_secret_value().secret_id(arn).send().await;
    let stored = match asked {
        Ok(found) => found.secret_string,
        Err(error) => {
            return match error.code() {
                Some("ResourceNotFoundException") => wrong("there is no such secret"),
                Some("InvalidRequestException") => wrong("it is about to be deleted"),
                Some("DecryptionFailure") => wrong("its key does not decrypt it"),
                Some("AccessDeniedException") => {
                    not_checked("you are not allowed to read it (the functions may be)")
                }
                _ => not_checked(said(&error)),
            };
        }
    };
    // By the functions' own code, whatever this program thinks of it.
    let secret = Secret::stored(config, arn.to_owned(), member);
    Ok(Found { value: secret.read(Clock::System.now()).await.ok(), stored })
}

impl Found {
    /// The value, if functions can read it.
    fn value(&self, member: &str) -> Result<&str, Otherwise> {
        let Some(stored) = &self.stored else { return wrong("it is binary, and no text") };
        match &self.value {
            Some(value) => Ok(value),
            None if stored.trim().is_empty() => wrong("it is empty"),
            None => wrong(format!(
                "it is JSON, and has no text that is called {member} (or it is no right JSON)"
            )),
        }
    }

    /// What is odd about its white space.
    fn is_tidy(&self) -> Seen {
        let untidy = self
            .stored
            .as_deref()
            .is_some_and(|stored| !stored.trim_start().starts_with('{') && stored.trim() != stored);
        match untidy {
            true => {
                advice("there is a space or a line break around it, which the functions leave out")
            }
            false => ok(),
        }
    }
}

fn client_secret(found: &Found) -> Seen {
    let value = found.value("client_secret")?;
    if value.trim() != value {
        return wrong("it begins or ends with a space or a line break");
    }
    if !value.bytes().all(|b| b.is_ascii_graphic()) {
        return wrong("there are spaces, line breaks or other than ASCII characters in it");
    }
    if value.starts_with("amzn1.application-oa2-client.") {
        return wrong("it is the client id");
    }
    if value.starts_with(['"', '\'']) {
        return wrong("there are quotes around it");
    }
    let lower = value.to_ascii_lowercase();
    let words = ["change", "placeholder", "example", "your", "todo", "xxx", "password", "dummy"];
    let is_word = words.iter().any(|word| lower.contains(word)) || lower.starts_with('<');
    if is_word || value.len() < 16 {
        return wrong("it is what stands there until somebody puts the right one in");
    }
    found.is_tidy()
}

fn webhook(found: &Found) -> Seen {
    let value = found.value("webhook_secret")?;
    if !value.starts_with("whsec_") {
        return wrong("it does not begin with whsec_");
    }
    match Key::parse_all(value) {
        None => wrong("it is not whsec_ and base64 of at least 24 bytes"),
        Some(keys) if keys.len() > 1 => {
            Ok(format!("{} of them, while one is replaced", keys.len()))
        }
        Some(_) => found.is_tidy(),
    }
}

fn in_a_header(found: &Found) -> Seen {
    let value = found.value("proxy_secret")?;
    if !value.bytes().all(|b| b.is_ascii_graphic()) {
        return wrong("there are spaces, line breaks or other than ASCII characters in it");
    }
    if value.len() < 16 {
        return advice("it is short enough to be guessed");
    }
    found.is_tidy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::Otherwise::{Advice, Wrong};

    fn plain(text: &str) -> Found {
        let value = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Found { value, stored: Some(text.to_owned()) }
    }

    fn member(text: &str) -> Found {
        Found { value: Some(text.to_owned()), stored: Some("{…}".to_owned()) }
    }

    #[test]
    fn a_client_secret_is_told_from_what_is_none() {
        let right = "amzn1.oa2-cs.v1.0123456789abcdef";
        assert_eq!(client_secret(&plain(right)), ok());
        assert_eq!(client_secret(&member(right)), ok());
        assert!(matches!(client_secret(&plain(&format!("{right}\n"))), Err(Advice(_))));
        for found in [
            member(&format!("{right}\n")),
            plain("amzn1.oa2-cs.v1.0123 456789abcdef"),
            plain("amzn1.application-oa2-client.0123456789abcdef"),
            plain("\"amzn1.oa2-cs.v1.0123456789abcdef\""),
            plain("<put the client secret here>"),
            plain("REPLACE-OR-CHANGE-ME-BEFORE-USE"),
            plain("short"),
            plain(" "),
            Found { value: None, stored: Some("{\"secret\":\"x\"}".to_owned()) },
            Found { value: None, stored: None },
        ] {
            let seen = client_secret(&found);
            assert!(matches!(seen, Err(Wrong(_))), "{:?} {seen:?}", found.stored);
        }
    }

    #[test]
    fn a_webhooks_secret_begins_with_its_word() {
        let right = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(webhook(&plain(right)), ok());
        assert!(webhook(&plain(&format!("{right} {right}"))).is_ok());
        for text in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", ""] {
            assert!(matches!(webhook(&plain(text)), Err(Wrong(_))), "{text}");
        }
    }
}
