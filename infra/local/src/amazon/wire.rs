//! Connections that can be told to fail: reset without an answer, or one byte a second.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep, sleep_until},
};

const STEADY: u8 = 0;
const CUT: u8 = 1;
const DRIP: u8 = 2;

/// How a connection behaves; whoever answers on it holds a copy.
#[derive(Clone, Default)]
pub(super) struct Wire(Arc<AtomicU8>);

impl Wire {
    /// Resets the connection (RST) instead of writing anything more.
    pub(super) fn cut(&self) {
        self.0.store(CUT, Ordering::Relaxed);
    }

    /// Whether it was reset.
    pub(super) fn is_cut(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CUT
    }

    /// Writes one byte a second from now on.
    pub(super) fn drip(&self) {
        self.0.store(DRIP, Ordering::Relaxed);
    }
}

/// A listener whose connections have a [`Wire`].
pub(super) struct Door(pub(super) TcpListener);

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    wire: Wire,
    next_byte: Pin<Box<Sleep>>,
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without it answers are only slower.
        let _ = stream.set_nodelay(true);
        let next_byte = Box::pin(sleep(Duration::ZERO));
        (Connection { stream, wire: Wire::default(), next_byte }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().wire.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.wire.0.load(Ordering::Relaxed) {
            CUT => {
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            DRIP => {
                ready!(self.next_byte.as_mut().poll(cx));
                self.next_byte = Box::pin(sleep_until(Instant::now() + Duration::from_secs(1)));
                Pin::new(&mut self.stream).poll_write(cx, &buf[..buf.len().min(1)])
            }
            STEADY.. => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
