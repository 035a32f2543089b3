//! What nginx finds around itself: names, the API with its certificate, and the site.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// What the API is called, as API Gateway calls one.
pub(super) const API: &str = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";

/// An authority, and a certificate that it signed.
pub(super) struct Certificates {
    /// The authority's certificate, as PEM.
    pub(super) authority: String,
    /// The server's certificate, as PEM.
    pub(super) certificate: String,
    /// Its key, as PEM.
    pub(super) key: String,
    tls: TlsAcceptor,
}

impl Certificates {
    /// A certificate for a server of this name.
    pub(super) fn of(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        Self {
            authority: pem("CERTIFICATE", authority.der()),
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
            tls: TlsAcceptor::from(Arc::new(config)),
        }
    }
}

fn pem(what: &str, der: &[u8]) -> String {
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", STANDARD.encode(der))
}

/// A server of this test; it ends when dropped.
pub(super) struct Served {
    /// Where it is: `127.0.0.1:PORT`.
    pub(super) at: String,
    desk: Arc<Desk>,
    task: AbortHandle,
}

/// What came in, and what is answered whatever comes.
#[derive(Default)]
struct Desk {
    heads: Mutex<Vec<String>>,
    instead: Mutex<Option<String>>,
}

impl Served {
    /// The API as the world reaches it: by TLS, and only by its name. Behind it is the gateway.
    pub(super) async fn api(certificates: &Certificates, gateway: &str) -> Self {
        let (tls, gateway) = (certificates.tls.clone(), gateway.to_owned());
        Self::start(move |stream, desk| {
            let (tls, gateway) = (tls.clone(), gateway.clone());
            async move {
                let mut stream = tls.accept(stream).await?;
                let named = stream.get_ref().1.server_name() == Some(API);
                let head = desk.receive(&mut stream).await?;
                let instead = desk.instead.lock().unwrap().clone();
                // API Gateway knows an API by its host.
                if !named || !value(&head, "host").is_some_and(|host| host.starts_with(API)) {
                    stream.write_all(says("403 Forbidden", "Forbidden").as_bytes()).await?;
                } else if let Some(instead) = instead {
                    stream.write_all(instead.as_bytes()).await?;
                } else {
                    let mut gateway = TcpStream::connect(&gateway).await?;
                    gateway.write_all(head.as_bytes()).await?;
                    copy_bidirectional(&mut stream, &mut gateway).await?;
                }
                stream.shutdown().await
            }
        })
        .await
    }

    /// A site that shows what it was asked.
    pub(super) async fn mirror() -> Self {
        Self::start(|mut stream, desk| async move {
            let head = desk.receive(&mut stream).await?;
            let (kind, length) = ("content-type: text/plain", head.len());
            let answer =
                format!("HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{head}");
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        })
        .await
    }

    async fn start<Serving>(
        serve: impl Fn(TcpStream, Arc<Desk>) -> Serving + Send + 'static,
    ) -> Self
    where
        Serving: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let desk = Arc::new(Desk::default());
        let behind = Arc::clone(&desk);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serve(stream, Arc::clone(&behind));
                // Whoever hangs up early gets nothing.
                tokio::spawn(async move { drop(serving.await) });
            }
        });
        Self { at, desk, task: task.abort_handle() }
    }

    /// First lines and headers of all that came in, decrypted.
    pub(super) fn heads(&self) -> Vec<String> {
        self.desk.heads.lock().unwrap().clone()
    }

    /// Answers everything like this from now on; `None` sets it right again.
    pub(super) fn answer(&self, instead: Option<String>) {
        *self.desk.instead.lock().unwrap() = instead;
    }

    /// Takes no connection any more.
    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Desk {
    /// Everything up to the empty line, and not a byte more.
    async fn receive(&self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        self.heads.lock().unwrap().push(head.clone());
        Ok(head)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What API Gateway says by itself.
pub(super) fn says(status: &str, message: &str) -> String {
    let body = format!(r#"{{"message":"{message}"}}"#);
    let length = body.len();
    let headers = format!("content-type: application/json\r\ncontent-length: {length}");
    format!("HTTP/1.1 {status}\r\n{headers}\r\nconnection: close\r\n\r\n{body}")
}

/// The value of a header; of two with the same name, a comma is between them.
pub(super) fn value(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let values = lines.filter(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// A DNS server by which every name is this machine's; ends with the test.
pub(super) fn names() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = socket.local_addr().unwrap();
    socket.set_nonblocking(true).unwrap();
    let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            // A name ends with an empty label, after which stand type and class.
            let name = query[12..length].iter().position(|byte| *byte == 0).unwrap() + 13;
            let mut answer = query[..name + 4].to_vec();
            let is_a = query[name..name + 2] == [0, 1];
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, is_a.into(), 0, 0, 0, 0]);
            if is_a {
                // The same name, A, IN, a minute, four bytes.
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            socket.send_to(&answer, from).await.unwrap();
        }
    });
    at
}
