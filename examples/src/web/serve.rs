use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::header::{EXPECT, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{Either, FutureExt as _, ready};
use futures_util::stream::FuturesUnordered;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jit_scim::server::ScimHttp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use super::head::HeadTimer;
use super::piece::OnePiece;
use super::timely::Timely;

/// How long answers that are under way may take once the program was asked to end.
const GRACE: Duration = Duration::from_secs(10);
/// How long nobody new is let in where that failed, as it does while there are too many files open.
const PAUSE: Duration = Duration::from_millis(100);

/// How long clients may take, and how many may be there at a time.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// From the end of one request to the end of the head of the next.
    head: Duration,
    /// For the body of a request.
    body: Duration,
    /// For a connection with all of its requests; whatever is under way then may take as long as a body.
    connection: Duration,
    /// The most connections of one listener; others wait until one of them ends.
    connections: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(20),
            body: Duration::from_secs(30),
            connection: Duration::from_secs(600),
            connections: 1024,
        }
    }
}

/// What is served at an address.
pub(crate) trait Site: Clone + Send + 'static {
    /// The default is an empty one.
    type Body: HttpBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Default + Send + 'static;
    type Answer: Future<Output = Result<Response<Self::Body>, Infallible>> + Send + 'static;

    /// Answers a request of this client.
    fn answer(&self, peer: SocketAddr, request: Request<Timely>) -> Self::Answer;
}

/// Handlers learn by [`ConnectInfo`] who asks.
impl Site for Router {
    type Body = Body;
    type Answer = <Self as tower_service::Service<Request<Timely>>>::Future;

    fn answer(&self, peer: SocketAddr, mut request: Request<Timely>) -> Self::Answer {
        request.extensions_mut().insert(ConnectInfo(peer));
        self.clone().call(request)
    }
}

/// By itself it needs neither routes nor who asks.
impl Site for ScimHttp {
    type Body = Full<Bytes>;
    type Answer = <Self as tower_service::Service<Request<Timely>>>::Future;

    fn answer(&self, _peer: SocketAddr, request: Request<Timely>) -> Self::Answer {
        self.clone().call(request)
    }
}

/// Serves each site on its listener until `stop`, then lets the answers under way finish.
pub(crate) async fn serve(
    sites: Vec<(TcpListener, impl Site)>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_with(Patience::default(), sites, stop).await
}

async fn serve_with(
    patience: Patience,
    sites: Vec<(TcpListener, impl Site)>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let (ask_to_end, asked) = watch::channel(false);
    let mut running = JoinSet::new();
    for (listener, site) in sites {
        running.spawn(listen(listener, site, patience, asked.clone()));
    }
    tokio::select! {
        () = stop => {}
        Some(ended) = running.join_next() => return ended.map_err(io::Error::other),
    }
    // Every receiver may be gone when every site has ended by itself.
    let _ = ask_to_end.send(true);
    // What is still under way after that ends with the runtime.
    let _ = timeout(GRACE, async { while running.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Lets clients in until it is asked to end, then waits for those who are there.
async fn listen(
    listener: TcpListener,
    site: impl Site,
    patience: Patience,
    mut asked: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(patience.connections));
    let mut open = JoinSet::new();
    loop {
        let arrival = async {
            // Nobody closes the semaphore.
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((place, listener.accept().await?))
        };
        let arrived = tokio::select! {
            // A sender that is gone asks to end as well.
            _ = asked.wait_for(|end| *end) => break,
            arrived = arrival => arrived,
        };
        while open.try_join_next().is_some() {}
        match arrived {
            Ok((place, client)) => {
                open.spawn(converse(client, site.clone(), patience, asked.clone(), place));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// Tells whether the client sends nothing before it is asked to: where hyper asks (RFC 9110 §10.1.1).
fn asks_first(head: &Parts) -> bool {
    let is_expected = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    head.version == Version::HTTP_11 && head.headers.get(EXPECT).is_some_and(is_expected)
}

/// Tells whether a request names one host, as RFC 9112 §3.2 wants it; before HTTP/1.1 it may name none.
fn names_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.as_bytes().iter().all(|byte| is_of_host(*byte)),
        (None, _) => head.version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// The characters of RFC 3986 §3.2.2 and §3.2.3.
const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'$'..=b'.' | b':' | b';' | b'=' | b'[' | b']' | b'_' | b'~')
}

fn refused<B: Default>() -> Response<B> {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

/// Answers the requests of one connection.
async fn converse(
    (stream, peer): (TcpStream, SocketAddr),
    site: impl Site,
    patience: Patience,
    mut asked: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() {
            Timely::empty()
        } else {
            Timely::new(body, patience.body, asks_first(&parts))
        };
        if !names_host(&parts) {
            return Either::Right(ready(Ok(refused())));
        }
        Either::Left(site.answer(peer, Request::from_parts(parts, body)))
    });
    let mut server = http1::Builder::new();
    let server = server.timer(HeadTimer::new(patience.head)).header_read_timeout(patience.head);
    let mut connection = pin!(server.serve_connection(OnePiece::of(TokioIo::new(stream)), answer));
    // Looked at when one of them has something to say, and not for each request.
    let is_asked = async move { drop(asked.wait_for(|end| *end).await) };
    let mut ends: FuturesUnordered<_> =
        [is_asked.boxed(), sleep(patience.connection).boxed()].into_iter().collect();
    tokio::select! {
        biased;
        // Whatever a client does to its connection is no matter of ours.
        _ = connection.as_mut() => return,
        _ = ends.next() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(patience.body, connection).await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_millis(20);
    const PATIENT: Patience = Patience { head: LONG, body: LONG, connection: LONG, connections: 10 };
    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";

    async fn start(patience: Patience) -> (SocketAddr, oneshot::Sender<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let read = async |body: Result<Bytes, axum::extract::rejection::BytesRejection>| match body {
            Ok(_) => "whole",
            Err(_) => "torn",
        };
        let hasty = async || "enough";
        let router = Router::new().route("/", get(async || "hello").post(read).put(hasty));
        let (end, ended) = oneshot::channel();
        let stop = async { drop(ended.await) };
        tokio::spawn(async move { serve_with(patience, vec![(listener, router)], stop).await });
        (address, end)
    }

    /// Sends something, and reads until the server ends the connection.
    async fn all(stream: &mut TcpStream, sent: &[u8]) -> String {
        stream.write_all(sent).await.unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said).await;
        String::from_utf8_lossy(&said).into_owned()
    }

    #[tokio::test]
    async fn a_head_that_does_not_come_ends_the_connection() {
        let (address, _end) = start(Patience { head: SHORT, ..PATIENT }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(!all(&mut stream, b"GET / HTTP/1.1\r\nhost: h").await.contains("hello"));
        // on a busy machine even a head that is sent at once may come too late
        while !all(&mut TcpStream::connect(address).await.unwrap(), GET).await.ends_with("hello") {}
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let (address, _end) = start(Patience { body: SHORT, ..PATIENT }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 9\r\n\r\nx";
        assert!(all(&mut stream, request).await.ends_with("torn"));
    }

    #[tokio::test]
    async fn an_answer_that_comes_early_reaches_whoever_writes_everything_first() {
        let (address, _end) = start(PATIENT).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let size = 12 << 20;
        let head = format!("PUT / HTTP/1.1\r\nhost: here\r\ncontent-length: {size}\r\n\r\n");
        let request = [head.into_bytes(), vec![b'x'; size]].concat();
        stream.write_all(&request).await.unwrap();
        // the connection goes on as if somebody had wanted the body
        let said = all(&mut stream, b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
        assert!(said.contains("enough") && said.ends_with("hello"), "{said}");
    }

    #[tokio::test]
    async fn nobody_is_listened_to_for_ever() {
        let (address, _end) = start(PATIENT).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = b"PUT / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head).await.unwrap();
        let chunk = ["10000\r\n", &"x".repeat(0x1_0000), "\r\n"].concat();
        while stream.write_all(chunk.as_bytes()).await.is_ok() {}
    }

    #[tokio::test]
    async fn whoever_waits_to_be_asked_for_a_body_that_nobody_wants_is_not_asked() {
        let (address, _end) = start(PATIENT).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"PUT / HTTP/1.1\r\nhost: here\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
        let said = all(&mut stream, request).await;
        assert!(said.ends_with("enough") && !said.contains("100 Continue"), "{said}");
    }

    #[tokio::test]
    async fn a_connection_ends_whatever_is_asked_on_it() {
        let (address, _end) = start(Patience { connection: SHORT, ..PATIENT }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        all(&mut stream, b"").await;
    }

    #[tokio::test]
    async fn there_are_so_many_at_a_time_and_the_others_wait() {
        let (address, end) = start(Patience { connections: 1, ..PATIENT }).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(GET).await.unwrap();
        let mut answer = vec![0; 12];
        first.read_exact(&mut answer).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(timeout(SHORT, second.read_u8()).await.is_err(), "nobody answers while the first is there");
        drop(first);
        assert!(all(&mut second, b"").await.ends_with("hello"));
        drop(end);
    }

    /// RFC 9112 §3.2.
    #[tokio::test]
    async fn a_request_names_one_host_or_is_refused() {
        let (address, _end) = start(PATIENT).await;
        for (version, hosts, status) in [
            ("1.1", "host: here\r\n", "200"),
            ("1.1", "host: [::1]:8090\r\n", "200"),
            ("1.1", "host:\r\n", "200"),
            ("1.0", "", "200"),
            ("1.1", "", "400"),
            ("1.1", "host: here\r\nhost: here\r\n", "400"),
            ("1.0", "host: here\r\nhost: there\r\n", "400"),
            ("1.1", "host: here, there/x\r\n", "400"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET / HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
            let said = all(&mut stream, request.as_bytes()).await;
            assert_eq!(said.split(' ').nth(1), Some(status), "{request}{said}");
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_a_request_is_sent_away_at_the_end() {
        let (address, end) = start(PATIENT).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(GET).await.unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        drop(end);
        assert!(all(&mut stream, b"").await.ends_with("hello"));
    }
}
