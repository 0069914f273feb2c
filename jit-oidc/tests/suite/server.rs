//! A small HTTP server on a loopback port: enough to play a provider, and to count who asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jit_oidc::GuardedHttp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a client sent.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(body: &impl ToString) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status: 200, headers, body: body.to_string().into_bytes() }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that takes its time before it answers.
    pub(crate) async fn start(
        delay: Duration,
        handle: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let (counter, handle) = (Arc::clone(&asked), Arc::new(handle));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counter, handle) = (Arc::clone(&counter), Arc::clone(&handle));
                tokio::spawn(async move {
                    let _closed = serve(stream, delay, &counter, handle.as_ref()).await;
                });
            }
        });
        Self { address, asked }
    }

    /// Counts the requests.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// The guarded client, allowed to speak to this machine.
pub(crate) fn client() -> GuardedHttp {
    thread_local! {
        static HTTP: GuardedHttp = GuardedHttp::builder().dangerous().allow_loopback_http().build().unwrap();
    }
    HTTP.with(GuardedHttp::clone)
}

async fn serve(
    mut stream: TcpStream,
    delay: Duration,
    counter: &AtomicUsize,
    handle: &(dyn Fn(&Asked) -> Answer + Send + Sync),
) -> std::io::Result<()> {
    while let Some(asked) = read(&mut stream).await? {
        counter.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(delay).await;
        let answer = handle(&asked);
        let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            head.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&answer.body).await?;
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut text = Vec::new();
    let end = loop {
        if let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut text).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&text[..end]).into_owned();
    let mut lines = head.lines();
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = text.split_off(end + 4);
    while body.len() < length {
        stream.read_buf(&mut body).await?;
    }
    Ok(Some(Asked { path, headers, body: String::from_utf8_lossy(&body).into_owned() }))
}
