//! Requests that no client of HTTP would let anybody send.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use local_stack::Stack;

/// What came back, as text; bytes that are none are replaced.
pub(crate) struct Reply(pub(crate) String);

/// Sends these bytes to the gateway, and reads until it closes the connection.
pub(crate) async fn send(stack: &Stack, bytes: impl Into<Vec<u8>>) -> Reply {
    let (port, bytes) =
        (stack.url.rsplit(':').next().unwrap().parse::<u16>().unwrap(), bytes.into());
    let read = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        connection.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        // However far it came: a server that refuses may break off.
        let _ = connection.read_to_end(&mut answer);
        answer
    });
    Reply(String::from_utf8_lossy(&read.await.unwrap()).into_owned())
}

/// A request of this first line and these header lines, which closes the connection.
pub(crate) fn request(first: &[u8], lines: &[&[u8]]) -> Vec<u8> {
    let mut all = first.to_vec();
    all.extend(b" HTTP/1.1\r\n");
    for line in lines {
        all.extend(*line);
        all.extend(b"\r\n");
    }
    all.extend(b"Connection: close\r\n\r\n");
    all
}

impl Reply {
    /// The status.
    pub(crate) fn status(&self) -> u16 {
        let status = self.0.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.unwrap_or_else(|| panic!("no answer: {:?}", self.0))
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next()?;
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
