//! Servers and clients of this machine's own.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, serve::ListenerExt as _};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::Error;

/// A server on 127.0.0.1; it stops listening when dropped.
pub(crate) struct Server {
    /// `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    task: AbortHandle,
}

impl Server {
    /// Serves on this port, or on a free one if it is 0.
    pub(crate) async fn start(port: u16, router: Router) -> Result<Self, Error> {
        Ok(Self::start_on(listen(port).await?, router))
    }

    /// Serves whoever comes to this listener.
    pub(crate) fn start_on(listener: TcpListener, router: Router) -> Self {
        let url = url(&listener);
        let listener = listener.tap_io(|stream| {
            // Without it answers are only slower.
            let _ = stream.set_nodelay(true);
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move { axum::serve(listener, service).await });
        Self { url, task: task.abort_handle() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A listener on this port of 127.0.0.1, or on a free one if it is 0.
pub(crate) async fn listen(port: u16) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
    listener.map_err(|error| taken(port, error))
}

/// The address of a listener: `http://127.0.0.1:PORT`.
pub(crate) fn url(listener: &TcpListener) -> String {
    let port = listener.local_addr().map_or(0, |address| address.port());
    format!("http://127.0.0.1:{port}")
}

/// Says which port is taken and what to do, if that is what went wrong.
pub(crate) fn taken(port: u16, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port {port} is taken: `cargo local --port N` takes N and the three after it")
                .into()
        }
        _ => error.into(),
    }
}

/// A client for servers of this machine: it trusts no certificate at all and follows nothing.
pub(crate) fn http() -> Result<reqwest::Client, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy();
    Ok(client.build()?)
}
