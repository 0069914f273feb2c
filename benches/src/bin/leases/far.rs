//! A directory that is far away: what is said to it and by it takes its time.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};

const CHUNK: usize = 16 * 1024;

/// Opens a port from which it takes `way` to reach another one, and as long to come back. Opening a connection takes the
/// way there and back, as it does without us.
pub(crate) async fn away(port: u16, way: Duration) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let ours = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            tokio::spawn(carry(near, port, way));
        }
    });
    ours
}

async fn carry(near: TcpStream, port: u16, way: Duration) {
    sleep(way * 2).await;
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::join!(slowly(from_near, to_far, way), slowly(from_far, to_near, way));
}

/// Each piece arrives when its time is over, however many are on the way.
async fn slowly(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    mut to: impl AsyncWrite + Unpin,
    way: Duration,
) {
    let (send, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut piece = vec![0; CHUNK];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            let _ = send.send((Instant::now() + way, piece.iter().take(read).copied().collect()));
        }
    });
    while let Some((at, piece)) = pieces.recv().await {
        sleep_until(at).await;
        if to.write_all(&piece).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
