//! A server that does what a test tells it.

use std::future::Future;
use std::time::Duration;

use jit_ldap::{Connection, LdapError, Limits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// What the server does when it has received a request.
pub(crate) enum Act {
    Say(Vec<u8>),
    /// After so long.
    Late(Duration, Vec<u8>),
    /// One byte a second.
    Drip(Vec<u8>),
    /// Without end.
    Repeat(Vec<u8>),
    Close,
    Wait,
}

/// A request: its id and its operation.
pub(crate) struct Asked {
    pub(crate) id: i32,
    pub(crate) op: u8,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.entries = 1000;
    limits.value_bytes = limits.result_bytes;
    limits
}

/// A connection to a server that answers each request by `script`.
pub(crate) fn connection(script: impl FnMut(Asked) -> Vec<Act> + Send + 'static) -> Connection {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    tokio::spawn(serve(theirs, script));
    Connection::dangerously_over(ours, limits(), true)
}

/// Asks one question of a server that answers it so, and returns the code of the failure.
pub(crate) async fn code<T, F>(
    acts: impl Fn(i32) -> Vec<Act> + Send + 'static,
    ask: impl FnOnce(Connection) -> F,
) -> String
where
    F: Future<Output = Result<T, LdapError>>,
{
    let connection = connection(move |asked| acts(asked.id));
    let outcome = tokio::time::timeout(Duration::from_secs(600), ask(connection)).await;
    match outcome.expect("a deadline of our own ends everything") {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.code().as_str().to_owned(),
    }
}

async fn serve(mut stream: DuplexStream, mut script: impl FnMut(Asked) -> Vec<Act>) {
    while let Some(asked) = request(&mut stream).await {
        for act in script(asked) {
            let went_on = match act {
                Act::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
                Act::Late(after, bytes) => {
                    tokio::time::sleep(after).await;
                    stream.write_all(&bytes).await.is_ok()
                }
                Act::Drip(bytes) => drip(&mut stream, &bytes).await,
                Act::Repeat(bytes) => {
                    while stream.write_all(&bytes).await.is_ok() {}
                    false
                }
                Act::Close => false,
                Act::Wait => std::future::pending().await,
            };
            if !went_on {
                return;
            }
        }
    }
}

async fn drip(stream: &mut DuplexStream, bytes: &[u8]) -> bool {
    for byte in bytes {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if stream.write_all(&[*byte]).await.is_err() {
            return false;
        }
    }
    true
}

/// Reads a request of ours, which is always well-formed.
async fn request(stream: &mut DuplexStream) -> Option<Asked> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.ok()?;
    let length = match head[1] {
        short @ 0..128 => usize::from(short),
        long => {
            let mut octets = vec![0; usize::from(long & 0x7f)];
            stream.read_exact(&mut octets).await.ok()?;
            octets.iter().fold(0, |length, octet| (length << 8) | usize::from(*octet))
        }
    };
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.ok()?;
    let octets = usize::from(bytes[1]);
    let id = bytes[2..2 + octets].iter().fold(0, |id, octet| (id << 8) | i32::from(*octet));
    Some(Asked { id, op: bytes[2 + octets], bytes })
}
