//! Servers that say they are Amazon and cannot prove it: not one byte of a secret goes to them.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use domain::PkceVerifier;
use rand_core::UnwrapErr;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer},
};

use crate::{CONNECT_WITHIN, Client, Error, http};

/// What a server shows for itself.
type Identity = (Vec<CertificateDer<'static>>, KeyPair);

/// An authority that signs whatever it is asked to.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server's certificate for this host, changed a little and signed by this authority.
fn signed(
    by: &CertifiedIssuer<'static, KeyPair>,
    host: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> Identity {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    (vec![certificate.into()], key)
}

/// Serves one connection; tells what came in of it, decrypted.
fn serve(config: ServerConfig) -> (String, mpsc::Receiver<Vec<u8>>) {
    start(move |stream| {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let came_in = receive(&mut stream);
        let token = "{\"access_token\":\"Atza|x\",\"token_type\":\"bearer\"}";
        let length = token.len();
        // A client that has turned away hears nothing of it.
        let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{token}");
        came_in
    })
}

fn start(
    serve: impl FnOnce(TcpStream) -> Vec<u8> + Send + 'static,
) -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (told, came_in) = mpsc::channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        told.send(serve(stream)).unwrap();
    });
    (url, came_in)
}

/// What comes in until a form is complete, or the other side goes.
fn receive(stream: &mut impl std::io::Read) -> Vec<u8> {
    let (mut came_in, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        came_in.extend_from_slice(&chunk[..read]);
        if came_in.windows(13).any(|window| window == b"code_verifier") {
            break;
        }
    }
    came_in
}

fn server(identity: Identity) -> ServerConfig {
    server_speaking(identity, rustls::ALL_VERSIONS)
}

fn server_speaking(
    (chain, key): Identity,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config.with_protocol_versions(versions).unwrap().with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    config.with_single_cert(chain, key).unwrap()
}

async fn redeem(http: reqwest::Client, api: String) -> Result<crate::AccessToken, Error> {
    let client = Client {
        http,
        api,
        client_id: "amzn1.application-oa2-client.x".to_owned(),
        redirect_uri: "https://shop.example/auth/amazon/callback".to_owned(),
    };
    let verifier = PkceVerifier::mint(&mut UnwrapErr(getrandom::SysRng));
    client.redeem("ANcode", &verifier, "amzn1.oa2-cs.v1.CANARY").await
}

fn trusting_in(authority: &CertifiedIssuer<'static, KeyPair>) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    https::trusting(roots, CONNECT_WITHIN).unwrap()
}

#[tokio::test]
async fn the_secret_goes_to_a_server_that_proves_who_it_is() {
    let authority = authority();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let good = signed(&authority, "localhost", |_| {});
        let (url, came_in) = serve(server_speaking(good, &[version]));
        assert!(redeem(trusting_in(&authority), url).await.is_ok());
        let came_in = String::from_utf8(came_in.recv().unwrap()).unwrap();
        assert!(came_in.contains("amzn1.oa2-cs.v1.CANARY"), "{came_in}");
    }
}

#[tokio::test]
async fn l03_r01_nothing_goes_to_a_server_whose_certificate_is_not_good() {
    let (ours, theirs) = (authority(), authority());
    let usual = |_: &mut CertificateParams| {};
    let self_signed = {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (vec![params.self_signed(&key).unwrap().into()], key)
    };
    let below_a_server = {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let between =
            CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &ours).unwrap();
        let (mut chain, key) = signed(&between, "localhost", usual);
        chain.push(between.der().clone());
        (chain, key)
    };
    for (what, identity) in [
        ("signed by itself", self_signed),
        ("signed by somebody else", signed(&theirs, "localhost", usual)),
        ("over", signed(&ours, "localhost", |it| it.not_after = date_time_ymd(2024, 1, 1))),
        (
            "yet to begin",
            signed(&ours, "localhost", |it| it.not_before = date_time_ymd(2099, 1, 1)),
        ),
        ("for another host", signed(&ours, "api.amazon.com", usual)),
        ("for a host below", signed(&ours, "*.localhost", usual)),
        ("for no host", signed(&ours, "localhost", |it| it.subject_alt_names.clear())),
        (
            "for clients",
            signed(&ours, "localhost", |it| {
                it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
        ),
        ("signed by another server", below_a_server),
    ] {
        let (url, came_in) = serve(server(identity));
        let started = Instant::now();
        let redeemed = redeem(trusting_in(&ours), url).await;
        assert!(matches!(redeemed, Err(Error::Unavailable { .. })), "{what}");
        assert!(started.elapsed() < Duration::from_secs(2), "{what}");
        assert_eq!(came_in.recv().unwrap(), b"", "{what}");
    }

    // The client that functions use knows none of these authorities.
    let (url, came_in) = serve(server(signed(&ours, "localhost", usual)));
    assert!(matches!(redeem(http().unwrap(), url).await, Err(Error::Unavailable { .. })));
    assert_eq!(came_in.recv().unwrap(), b"");
}

#[tokio::test]
async fn l03_nothing_goes_to_a_server_without_tls_or_with_an_old_one() {
    // A server's hello in TLS 1.0, with a cipher of that time.
    let mut old = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01".to_vec();
    old.extend([7; 32]);
    old.extend(b"\x00\x00\x2f\x00");
    let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
    for hello in [old, plain, b"\x15\x03\x01\x00\x02\x02\x28".to_vec()] {
        let (url, came_in) = start(move |mut stream| {
            let mut first = [0; 4096];
            let read = stream.read(&mut first).unwrap();
            stream.write_all(&hello).unwrap();
            [&first[..read], &receive(&mut stream)].concat()
        });
        let redeemed = redeem(http().unwrap(), url).await;
        assert!(matches!(redeemed, Err(Error::Unavailable { .. })));
        let came_in = came_in.recv().unwrap();
        assert!(came_in.starts_with(&[0x16, 3]), "a client's hello, and at most an alert");
        assert!(!came_in.windows(6).any(|window| window == b"CANARY" || window == b"ANcode"));
    }
}
