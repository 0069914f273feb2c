//! A way to a directory on which the answer to a bind is held back: the directory counted it, and nobody hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jit_ldap::{Directory, PoolSettings, Server, ServiceAccount};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf};
use tokio::sync::{Notify, watch};

use super::{BURST, counted, strict};
use crate::peer::Peer;

/// The kind of a TLS record that is encrypted (RFC 8446 §5.1): the first of a client ends the handshake, the second is a
/// request.
const ENCRYPTED: u8 = 23;

/// Holds back what a server says, from the first request on.
struct Gate {
    is_open: watch::Sender<bool>,
    /// How many connections a request came over.
    requests: AtomicUsize,
    came: Notify,
}

impl Gate {
    /// Begins to pass on, and returns the server behind it.
    async fn before(peer: &Peer) -> (Arc<Self>, Server) {
        let (is_open, _) = watch::channel(false);
        let gate = Arc::new(Self { is_open, requests: AtomicUsize::new(0), came: Notify::new() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::ldaps(peer.text("host"), peer.tls()).port(listener.local_addr().unwrap().port());
        let (passing, port) = (Arc::clone(&gate), peer.port("ldaps"));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let asked = Arc::new(Notify::new());
                let (forth, back) = (Arc::clone(&passing), Arc::clone(&passing));
                let asks = Arc::clone(&asked);
                tokio::spawn(async move { forth.forth(from_client, to_server, &asks).await });
                tokio::spawn(async move { back.back(from_server, to_client, &asked).await });
            }
        });
        (gate, server)
    }

    async fn forth(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        asks: &Notify,
    ) -> std::io::Result<()> {
        let mut encrypted = 0;
        loop {
            let mut head = [0; 5];
            from.read_exact(&mut head).await?;
            let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            from.read_exact(&mut body).await?;
            encrypted += usize::from(head[0] == ENCRYPTED);
            if encrypted == 2 {
                asks.notify_one();
            }
            to.write_all(&[&head[..], &body].concat()).await?;
            if encrypted == 2 {
                self.requests.fetch_add(1, Ordering::SeqCst);
                self.came.notify_one();
            }
        }
    }

    async fn back(
        &self,
        mut from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
        asked: &Notify,
    ) -> std::io::Result<()> {
        tokio::select! {
            biased;
            () = asked.notified() => {}
            done = copy(&mut from, &mut to) => return done.map(drop),
        }
        let _ = self.is_open.subscribe().wait_for(|is_open| *is_open).await;
        copy(&mut from, &mut to).await.map(drop)
    }
}

#[tokio::test]
async fn callers_that_go_away_before_they_hear_of_a_failure_are_one_failure_together() {
    let world = strict().await;
    let peer = world.peer();
    let (gate, server) = Gate::before(peer).await;
    let wrong = ServiceAccount::new(peer.text("service"), "wrong-password").unwrap();
    let directory = Directory::new([server], &wrong, PoolSettings::default());
    for caller in 0..BURST {
        let lending = directory.lend();
        if caller == 0 {
            tokio::select! {
                lent = lending => panic!("{lent:?}"),
                () = gate.came.notified() => {}
            }
        } else {
            // long enough for another bind to come through
            let patience = std::time::Duration::from_millis(20);
            assert!(tokio::time::timeout(patience, lending).await.is_err());
        }
    }
    gate.is_open.send_replace(true);
    assert_eq!(directory.lend().await.unwrap_err().code().as_str(), "ldap.circuit_open");
    assert_eq!(gate.requests.load(Ordering::SeqCst), 1);
    assert_eq!(counted(peer).await, (1, false));
}

#[tokio::test]
async fn an_answer_that_nobody_waited_for_lets_the_next_in() {
    let world = strict().await;
    let peer = world.peer();
    let (gate, server) = Gate::before(peer).await;
    let directory = Directory::new([server], &peer.account(), PoolSettings::default());
    tokio::select! {
        lent = directory.lend() => panic!("{lent:?}"),
        () = gate.came.notified() => {}
    }
    gate.is_open.send_replace(true);
    let mut loan = directory.lend().await.unwrap();
    assert_eq!(loan.who_am_i().await.unwrap(), format!("dn:{}", peer.text("service")));
}
