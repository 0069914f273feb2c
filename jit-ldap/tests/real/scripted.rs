//! A server that does what a test tells it, beside a real one, with a certificate that is trusted as that one's is.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jit_ldap::Server;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::peer::{Peer, provider};

const BIND: u8 = 0x60;
const UNBIND: u8 = 0x42;

/// What such a server answers, by the codes of results; where there is none, it keeps silent.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    pub(crate) bind: Option<u8>,
    /// Any other request.
    pub(crate) other: Option<u8>,
}

impl Script {
    /// Answers each bind so.
    pub(crate) fn binds(code: u8) -> Self {
        Self { bind: Some(code), other: None }
    }
}

/// Such a server.
pub(crate) struct Scripted {
    pub(crate) server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    tls: TlsAcceptor,
    script: Script,
    connections: AtomicUsize,
    binds: AtomicUsize,
    came: Notify,
}

impl Scripted {
    pub(crate) async fn beside(peer: &Peer, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::ldaps(peer.text("host"), peer.tls()).port(listener.local_addr().unwrap().port());
        let (connections, binds) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let shared = Shared { tls: tls_of(peer), script, connections, binds, came: Notify::new() };
        let shared = Arc::new(shared);
        let own = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let own = Arc::clone(&own);
                tokio::spawn(async move { own.serve(stream).await });
            }
        });
        Self { server, shared }
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many binds were asked for.
    pub(crate) fn binds(&self) -> usize {
        self.shared.binds.load(Ordering::SeqCst)
    }

    /// Waits for the first bind.
    pub(crate) async fn bind_came(&self) {
        self.shared.came.notified().await;
    }
}

impl Shared {
    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = self.tls.accept(stream).await?;
        loop {
            // requests of ours: a length in one octet, an id of one, and what is asked
            let mut head = [0; 2];
            stream.read_exact(&mut head).await?;
            let mut length = usize::from(head[1]);
            if head[1] >= 0x80 {
                let mut octets = vec![0; usize::from(head[1] & 0x7f)];
                stream.read_exact(&mut octets).await?;
                length = octets.iter().fold(0, |length, octet| (length << 8) | usize::from(*octet));
            }
            let mut request = vec![0; length];
            stream.read_exact(&mut request).await?;
            let (id, op) = (request[2], request[3]);
            let code = match op {
                BIND => {
                    self.binds.fetch_add(1, Ordering::SeqCst);
                    self.came.notify_one();
                    self.script.bind
                }
                UNBIND => return Ok(()),
                _ => self.script.other,
            };
            let Some(code) = code else { std::future::pending().await };
            stream.write_all(&answer(id, op, code)).await?;
        }
    }
}

/// `LDAPResult` (RFC 4511 §4.1.9) without a text.
fn answer(id: u8, op: u8, code: u8) -> [u8; 14] {
    // a search ends with a kind of its own, all others with the number after theirs
    let kind = if op == 0x63 { 0x65 } else { (op | 0x20) + 1 };
    [0x30, 12, 2, 1, id, kind, 7, 10, 1, code, 4, 0, 4, 0]
}

fn tls_of(peer: &Peer) -> TlsAcceptor {
    let folder = Path::new(peer.text("ca")).parent().unwrap();
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let config =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}
