//! Somebody between us and Amazon, who has a certificate that nobody vouched for.

use std::{
    io::Read as _,
    net::TcpListener,
    sync::Arc,
    thread::{JoinHandle, spawn},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use super::*;

/// A certificate for `localhost` that vouches for itself until 2126; the key opens nothing else.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkjCCATigAwIBAgIUYM0z5aYted6bpcENfFppyO5eYwYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTE2MjIyNVoYDzIxMjYxMTAx
MTYyMjI1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQfof9EUS9lcozQeC9IFQTm5ee4spd6s8KmgCUhHKhWpsUt9xxRgLcH
R/qRu2eBHtjcB0UqJlnQYZgR1uOjhOZLo2YwZDAdBgNVHQ4EFgQU2iHwsx1z7nVf
dgCZlWoy6Kz9sTYwHwYDVR0jBBgwFoAU2iHwsx1z7nVfdgCZlWoy6Kz9sTYwFAYD
VR0RBA0wC4IJbG9jYWxob3N0MAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDSAAw
RQIhAOX7gMZnhfBPi3W+6B9uU4omqYbUeDPFnqnWkSjIyJ+9AiAjNtAkx7J7S3TZ
En6gcxZ6L38BpEPw9K31M/gbYY5T6g==
-----END CERTIFICATE-----
";
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcGKEhlnNZldZHWc6
i+6XiUa2I1dJDxeQ+m77DiOI/IKhRANCAAQfof9EUS9lcozQeC9IFQTm5ee4spd6
s8KmgCUhHKhWpsUt9xxRgLcHR/qRu2eBHtjcB0UqJlnQYZgR1uOjhOZL
-----END PRIVATE KEY-----
";

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()
}

/// Listens for one caller: where, and what it will have been told.
fn stranger() -> (String, JoinHandle<String>) {
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let told = spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let (mut told, mut buffer) = (Vec::new(), [0; 4096]);
        // Whoever does not trust us hangs up, which is an error here.
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            told.extend_from_slice(&buffer[..length]);
            if told.windows(16).any(|part| part == b"client_secret=am") {
                break;
            }
        }
        String::from_utf8(told).unwrap()
    });
    (url, told)
}

async fn redeem(client: Client, at: &Setting) -> Result<AccessToken, Error> {
    client.redeem("code", &at.verifier, SHOP_CLIENT_SECRET).await
}

#[tokio::test]
async fn l03_whoever_stands_between_us_and_amazon_is_told_nothing() {
    let at = setting().await;
    let (api, told) = stranger();
    let client = |http, api| Client {
        http,
        api,
        client_id: SHOP_CLIENT_ID.into(),
        redirect_uri: CALLBACK.into(),
    };
    let redeemed = redeem(client(http().unwrap(), api), &at).await;
    assert!(matches!(redeemed, Err(Error::Unavailable { .. })));
    assert_eq!(told.join().unwrap(), "");

    // Somebody who trusts that certificate would have told the secret.
    let (api, told) = stranger();
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    let trusting = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let trusting = reqwest::Client::builder().tls_backend_preconfigured(trusting).build().unwrap();
    let _ = redeem(client(trusting, api), &at).await;
    assert!(told.join().unwrap().contains("client_secret="));
}
