//! A door between the functions and Amazon, on the level of connections: it can be shut, and it can
//! let things happen that no HTTP server does.

use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

/// What becomes of a connection, or of the request on it.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// The connection is reset before anything was read.
    ResetUnread,
    /// It is reset after so many bytes.
    ResetAfter(usize),
    /// It is held, and nothing is ever read.
    Ignore,
    /// The request is read; these bytes are the answer, and then the connection ends.
    Say(Vec<u8>),
    /// The same, and then the connection is held.
    SayAndHold(Vec<u8>),
    /// The same, and then the connection is reset.
    SayAndReset(Vec<u8>),
    /// The request is read, and this is said again and again.
    SayForEver(Vec<u8>),
}

/// A door that is open, until it is shut. Whoever goes through has one request for each connection.
pub(crate) struct Door {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared>>,
    listening: Mutex<Option<AbortHandle>>,
}

#[derive(Default)]
struct Shared {
    /// Where the door leads: `127.0.0.1:PORT`.
    to: String,
    /// What happens, after so many connections that nothing happens to.
    deed: Option<(usize, Deed)>,
    /// The paths that were asked for, so far as they were read; empty for a connection without.
    asked: Vec<String>,
}

impl Door {
    /// An open door on a free port. It leads nowhere yet.
    pub(crate) async fn new() -> Self {
        let listener = listen(0).await;
        let url = format!("http://{}", listener.local_addr().unwrap());
        let door = Self { url, shared: Arc::default(), listening: Mutex::default() };
        door.serve(listener);
        door
    }

    /// It leads to this server from now on.
    pub(crate) fn lead_to(&self, url: &str) {
        url.strip_prefix("http://").unwrap().clone_into(&mut self.shared.lock().unwrap().to);
    }

    /// Whoever knocks finds that nobody listens.
    pub(crate) async fn shut(&self) {
        let listening = self.listening.lock().unwrap().take();
        if let Some(listening) = listening {
            listening.abort();
            // The port is free as soon as the task has ended.
            while !listening.is_finished() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// It is open again.
    pub(crate) async fn open(&self) {
        let port = self.url.rsplit(':').next().unwrap().parse().unwrap();
        self.serve(listen(port).await);
    }

    /// Lets this happen to every connection after the first few, or nothing any more; forgets what
    /// was asked so far.
    pub(crate) fn set(&self, deed: Option<(usize, Deed)>) {
        let mut shared = self.shared.lock().unwrap();
        shared.deed = deed;
        shared.asked.clear();
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        self.shared.lock().unwrap().asked.clear();
    }

    /// What was asked for, connection by connection.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.shared.lock().unwrap().asked.clone()
    }

    fn serve(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A connection that breaks is what this is about.
                    let _ = pass(stream, &shared).await;
                });
            }
        });
        *self.listening.lock().unwrap() = Some(task.abort_handle());
    }
}

async fn listen(port: u16) -> TcpListener {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.unwrap()
}

async fn pass(mut stream: TcpStream, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let (turn, deed, to) = {
        let mut shared = shared.lock().unwrap();
        shared.asked.push(String::new());
        let turn = shared.asked.len() - 1;
        let deed = shared.deed.clone().filter(|(after, _)| turn >= *after);
        (turn, deed.map(|(_, deed)| deed), shared.to.clone())
    };
    match deed {
        Some(Deed::ResetUnread) => return stream.set_zero_linger(),
        Some(Deed::ResetAfter(bytes)) => {
            stream.read_exact(&mut vec![0; bytes]).await?;
            return stream.set_zero_linger();
        }
        Some(Deed::Ignore) => return pending().await,
        _ => {}
    }
    let request = read(&mut stream).await?;
    let head = String::from_utf8_lossy(&request);
    let path = head.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
    if let Some(asked) = shared.lock().unwrap().asked.get_mut(turn) {
        *asked = path;
    }
    match deed {
        Some(Deed::Say(bytes)) => stream.write_all(&bytes).await,
        Some(Deed::SayAndHold(bytes)) => {
            stream.write_all(&bytes).await?;
            pending().await
        }
        Some(Deed::SayAndReset(bytes)) => {
            stream.write_all(&bytes).await?;
            stream.set_zero_linger()
        }
        Some(Deed::SayForEver(bytes)) => loop {
            stream.write_all(&bytes).await?;
        },
        _ => {
            let mut amazon = TcpStream::connect(to).await?;
            // One request for each connection: the next one comes by here again.
            let request =
                String::from_utf8_lossy(&request).replacen("\r\n", "\r\nconnection: close\r\n", 1);
            amazon.write_all(request.as_bytes()).await?;
            copy_bidirectional(&mut stream, &mut amazon).await.map(drop)
        }
    }
}

/// A whole request: its head, and a body as long as that says.
async fn read(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let head = request.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= head + 4 + length {
                return Ok(request);
            }
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}
