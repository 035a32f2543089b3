//! Requests that carry secrets, and answers that are not trusted.
//!
//! Certificates are verified against Mozilla's roots, redirects are not followed, proxies are not used,
//! and nothing is sent twice. An answer is read up to a length, is not decompressed, and what is said
//! about one that failed holds nothing of what was sent: reqwest's own words print URLs.

use std::{sync::Arc, time::Duration};

use reqwest::{RequestBuilder, redirect::Policy};
use rustls::RootCertStore;
use tally::Outcome;

pub use tally::Service;

/// TLS cannot be set up at all.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client that waits so long at most for a connection.
///
/// # Errors
///
/// Where TLS cannot be set up at all.
pub fn client(connect_within: Duration) -> Result<reqwest::Client, Error> {
    trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() }, connect_within)
}

/// The same that trusts these authorities and no others.
///
/// # Errors
///
/// Where TLS cannot be set up at all.
pub fn trusting(roots: RootCertStore, connect_within: Duration) -> Result<reqwest::Client, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .connect_timeout(connect_within)
        .build()?;
    Ok(client)
}

/// Sends a request to this service, for whom it is counted, and gives the status and the body of its
/// answer, of this many bytes at most.
///
/// # Errors
///
/// What happened instead, to follow the words "the server …".
pub async fn send(
    service: Service,
    request: RequestBuilder,
    longest: usize,
) -> Result<(u16, Vec<u8>), &'static str> {
    let exchange = tally::begin(service);
    let mut response = request.send().await.map_err(problem)?;
    if service == Service::Amazon
        && let Some(Ok(id)) = response.headers().get("x-amzn-requestid").map(|id| id.to_str())
    {
        tally::note_request_id(id);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(problem)? {
        body.extend_from_slice(&chunk);
        if body.len() > longest {
            return Err("answered at too great length");
        }
    }
    let status = response.status().as_u16();
    exchange.end(outcome(service, status));
    Ok((status, body))
}

/// Whether a status is an answer. Amazon says no to a visitor's code in the 400s; an account system
/// says everything with a 200.
fn outcome(service: Service, status: u16) -> Outcome {
    match (service, status) {
        (_, 429) => Outcome::Throttled,
        (Service::Amazon, ..500) | (_, 200) => Outcome::Answered,
        _ => Outcome::Failed,
    }
}

fn problem(error: reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "took too long"
    } else if error.is_connect() {
        "could not be reached"
    } else {
        "broke off"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_of_amazons_is_an_answer_and_an_account_systems_is_none() {
        for (service, status, expected) in [
            (Service::Amazon, 200, Outcome::Answered),
            (Service::Amazon, 400, Outcome::Answered),
            (Service::Amazon, 401, Outcome::Answered),
            (Service::Amazon, 429, Outcome::Throttled),
            (Service::Amazon, 500, Outcome::Failed),
            (Service::Amazon, 503, Outcome::Failed),
            (Service::Accounts, 200, Outcome::Answered),
            (Service::Accounts, 302, Outcome::Failed),
            (Service::Accounts, 401, Outcome::Failed),
            (Service::Accounts, 500, Outcome::Failed),
        ] {
            assert_eq!(outcome(service, status), expected, "{service:?} {status}");
        }
    }
}
