//! A proxy before PostgreSQL that counts what a client asks for, and can go away.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What a client sent, by the messages of the protocol (PostgreSQL documentation, chapter "Frontend/Backend Protocol").
#[derive(Default)]
pub(crate) struct Counts {
    parse: AtomicUsize,
    execute: AtomicUsize,
    /// Each asks for an answer: a round trip.
    sync: AtomicUsize,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
    cut: watch::Sender<usize>,
}

impl Proxy {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (cut, cuts) = watch::channel(0);
        let proxy =
            Self { address: listener.local_addr().unwrap(), counts: Arc::new(Counts::default()), cut };
        let counts = Arc::clone(&proxy.counts);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&counts), cuts.clone()));
            }
        });
        proxy
    }

    /// Statements prepared, statements executed and round trips since the last call.
    pub(crate) fn take(&self) -> (usize, usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (take(&self.counts.parse), take(&self.counts.execute), take(&self.counts.sync))
    }

    /// Breaks every connection; new ones pass.
    pub(crate) fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

async fn carry(client: TcpStream, server: TcpStream, counts: Arc<Counts>, mut cuts: watch::Receiver<usize>) {
    cuts.mark_unchanged();
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        () = forward(from_client, to_server, &counts) => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
        _ = cuts.changed() => {}
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counts: &Counts) {
    // The first message has no type.
    let mut tag = None;
    loop {
        let mut length = [0; 4];
        if from.read_exact(&mut length).await.is_err() {
            return;
        }
        let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        if from.read_exact(&mut body).await.is_err() {
            return;
        }
        match tag {
            Some(b'P') => drop(counts.parse.fetch_add(1, Ordering::SeqCst)),
            Some(b'E') => drop(counts.execute.fetch_add(1, Ordering::SeqCst)),
            Some(b'S' | b'Q') => drop(counts.sync.fetch_add(1, Ordering::SeqCst)),
            _ => {}
        }
        let message: Vec<u8> = tag.into_iter().chain(length).chain(body).collect();
        if to.write_all(&message).await.is_err() {
            return;
        }
        let mut next = [0];
        if from.read_exact(&mut next).await.is_err() {
            return;
        }
        tag = Some(next[0]);
    }
}
