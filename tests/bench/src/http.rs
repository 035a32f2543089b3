//! The little of HTTP/1.1 that Lambda's runtimes and AWS's SDKs speak. It blocks: between the clock and
//! what is measured there is nothing but a socket.

use std::{
    io::{self, BufRead, Read as _, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A request or an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// `GET /path HTTP/1.1`, or `HTTP/1.1 200 OK`.
    pub(crate) start: String,
    /// Names in lowercase.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What one connection alone is told.
const HOPS: [&str; 4] = ["connection", "content-length", "keep-alive", "transfer-encoding"];

impl Message {
    /// An answer in JSON.
    pub(crate) fn json(status: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { start: format!("HTTP/1.1 {status}"), headers, body: body.into() }
    }

    /// The next message of a connection; nothing where it has ended.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(start) = line(from)? else { return Ok(None) };
        let mut message = Self { start, ..Self::default() };
        while let Some(line) = line(from)?.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if message.header("transfer-encoding") == Some("chunked") {
            message.body = chunks(from)?;
        } else if let Some(length) = message.header("content-length") {
            message.body = vec![0; length.parse().map_err(io::Error::other)?];
            from.read_exact(&mut message.body)?;
        } else if message.start.starts_with("HTTP/") {
            from.read_to_end(&mut message.body)?;
        }
        message.headers.retain(|(name, _)| !HOPS.contains(&name.as_str()));
        Ok(Some(message))
    }

    /// The whole message in bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }

    pub(crate) fn send(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.bytes())?;
        to.flush()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    /// The path of a request, with its query.
    pub(crate) fn target(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }
}

/// Listens on this machine, with a thread for every connection; it stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> io::Result<Self> {
        // Whichever of its addresses a client tries first.
        let listener = TcpListener::bind("localhost:0")?;
        let (address, stopped) = (listener.local_addr()?, Arc::<AtomicBool>::default());
        let (serve, stop) = (Arc::new(serve), Arc::clone(&stopped));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let serve = Arc::clone(&serve);
                thread::spawn(move || {
                    // Without it answers are only slower.
                    let _ = stream.set_nodelay(true);
                    serve(stream);
                });
            }
        });
        Ok(Self { address, stopped })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // It only notices when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

/// A line without its end; nothing where there is none.
fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    match from.read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line.trim_end().to_owned())),
        // Whoever was killed says no good-bye.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(error),
    }
}

fn chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(from)?.unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
        let read = from.by_ref().take(size).read_to_end(&mut body)?;
        line(from)?;
        if size == 0 || (read as u64) < size {
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_can_be_read() {
        let mut message = Message::json("200 OK", "{}");
        message.headers.push(("x-more".to_owned(), "a: b".to_owned()));
        assert_eq!(Message::read(&mut &message.bytes()[..]).unwrap(), Some(message));
    }

    #[test]
    fn a_body_may_come_in_chunks() {
        let text = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        let mut from = text.as_bytes();
        let first = Message::read(&mut from).unwrap().unwrap();
        assert_eq!((first.target(), &first.body[..]), ("/a", &b"abcde"[..]));
        assert_eq!(Message::read(&mut from).unwrap().unwrap().target(), "/");
        assert_eq!(Message::read(&mut from).unwrap(), None);
    }
}
