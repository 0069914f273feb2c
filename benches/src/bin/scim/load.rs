//! Asks a server as fast as it answers, over connections that stay, and tells what that took.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// How many requests are under way at a time.
pub(crate) const CONNECTIONS: usize = 8;

/// Writes the next request, by its number.
pub(crate) trait Requests {
    fn write(&self, number: u64, into: &mut Vec<u8>);
    /// Tells whether an answer says that it was done: what is refused quickly is not fast.
    fn takes(&self, status: u16) -> bool;
}

/// What a round came to.
pub(crate) struct Round {
    pub(crate) count: u64,
    pub(crate) wall: Duration,
    /// How long each request took, in order of length.
    waits: Vec<Duration>,
}

impl Round {
    #[expect(clippy::cast_precision_loss, reason = "a count of some millions")]
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.wall.as_secs_f64()
    }

    /// Only one request of a hundred took longer.
    pub(crate) fn slowest_but_one_percent(&self) -> Duration {
        self.waits.get(self.waits.len() * 99 / 100).copied().unwrap_or_default()
    }
}

/// Runs a round on this thread; numbers begin at `first`.
pub(crate) fn round(address: SocketAddr, requests: &Rc<dyn Requests>, first: u64, span: Duration) -> Round {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let next = Rc::new(Cell::new(first));
    let begun = Instant::now();
    let mut waits = runtime.block_on(LocalSet::new().run_until(async {
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                tokio::task::spawn_local(call(address, Rc::clone(requests), Rc::clone(&next), (begun, span)))
            })
            .collect();
        let mut waits = Vec::new();
        for caller in callers {
            waits.extend(caller.await.unwrap());
        }
        waits
    }));
    let wall = begun.elapsed();
    waits.sort_unstable();
    Round { count: waits.len() as u64, wall, waits }
}

async fn call(
    address: SocketAddr,
    requests: Rc<dyn Requests>,
    next: Rc<Cell<u64>>,
    (begun, span): (Instant, Duration),
) -> Vec<Duration> {
    let mut connection = Connection::open(address).await;
    let (mut waits, mut request) = (Vec::new(), Vec::new());
    loop {
        if begun.elapsed() >= span {
            return waits;
        }
        let number = next.replace(next.get() + 1);
        request.clear();
        requests.write(number, &mut request);
        let asked = Instant::now();
        let (status, body) = connection.ask(&request).await;
        assert!(requests.takes(status), "{status}: {}", String::from_utf8_lossy(body));
        waits.push(asked.elapsed());
    }
}

/// A connection that is kept for as long as its server keeps it.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    /// Whether the server has said that it closes the connection.
    is_over: bool,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self { address, stream: connect(address).await, is_over: false, read: Vec::with_capacity(256 * 1024) }
    }

    /// Sends a request and reads the whole answer: its status and body.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> (u16, &[u8]) {
        if std::mem::take(&mut self.is_over) {
            self.stream = connect(self.address).await;
        }
        self.stream.write_all(request).await.unwrap();
        self.read.clear();
        loop {
            let count = self.stream.read_buf(&mut self.read).await.unwrap();
            assert!(count > 0, "the server closed the connection");
            let Some(head) = find(&self.read, b"\r\n\r\n") else { continue };
            let (status, length, is_over) = read_head(&self.read[..head]);
            self.is_over = is_over;
            while self.read.len() < head + 4 + length {
                assert!(self.stream.read_buf(&mut self.read).await.unwrap() > 0, "the answer was cut off");
            }
            return (status, &self.read[head + 4..]);
        }
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads the status, the length of the body, and whether the server closes the connection.
fn read_head(head: &[u8]) -> (u16, usize, bool) {
    let text = std::str::from_utf8(head).unwrap();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let length = value("content-length").map(|length| length.parse().unwrap());
    assert!(length.is_some() || status == 204, "an answer without a length: {text}");
    let is_over = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    (status, length.unwrap_or(0), is_over)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
