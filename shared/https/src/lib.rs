//! Requests that carry secrets, and answers that are not trusted.
//!
//! Certificates are verified against Mozilla's roots, redirects are not followed, proxies are not used,
//! and nothing is sent twice. An answer is read up to a length, is not decompressed, and what is said
//! about one that failed holds nothing of what was sent: reqwest's own words print URLs.

use std::{sync::Arc, time::Duration};

use reqwest::{RequestBuilder, redirect::Policy};
use rustls::RootCertStore;

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

/// Sends a request, and gives the status and the body of its answer, of this many bytes at most.
///
/// # Errors
///
/// What happened instead, to follow the words "the server …".
pub async fn send(request: RequestBuilder, longest: usize) -> Result<(u16, Vec<u8>), &'static str> {
    let mut response = request.send().await.map_err(problem)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(problem)? {
        body.extend_from_slice(&chunk);
        if body.len() > longest {
            return Err("answered at too great length");
        }
    }
    Ok((response.status().as_u16(), body))
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
