//! Starts real directories and knows the way to them. One of each serves all tests: each test marks its accounts otherwise.

use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};

use jit_ldap::{Connection, Dn, Limits, Password, Roots, Server, Tls};
use serde_json::Value;

/// A directory; it ends with its standard input, which ends with the test.
pub(crate) struct Peer {
    said: Value,
    lifeline: Child,
}

/// Which directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    OpenLdap,
    Windows,
}

pub(crate) const BOTH: [Kind; 2] = [Kind::OpenLdap, Kind::Windows];

pub(crate) fn peer(kind: Kind) -> &'static Peer {
    static SLAPD: OnceLock<Peer> = OnceLock::new();
    static SAMBA: OnceLock<Peer> = OnceLock::new();
    match kind {
        Kind::OpenLdap => SLAPD.get_or_init(|| Peer::start("slapd")),
        Kind::Windows => SAMBA.get_or_init(|| Peer::start("samba")),
    }
}

/// Runs what waits, without a runtime around it.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

/// A folder of its own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("real-{}", std::process::id())).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What a program of `tests/peers` says in its first line, and the process that keeps it alive.
pub(crate) fn start(name: &str, options: &[&str], folder: &Path) -> (String, Child) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(name).join("start");
    let mut child = Command::new(program)
        .arg("--stdin-lifeline")
        .args(options)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (line.trim().to_owned(), child)
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
    }
}

impl Peer {
    fn start(name: &str) -> Self {
        Self::start_as(name, name)
    }

    /// Starts one more, in a folder of this name.
    pub(crate) fn start_as(name: &str, called: &str) -> Self {
        let (line, child) = start(name, &[], &folder(&format!("peer-{called}")));
        Self { said: serde_json::from_str(&line).expect("the directory starts"), lifeline: child }
    }

    /// Ends the directory.
    pub(crate) fn end(&mut self) {
        drop(self.lifeline.stdin.take());
        let _ = self.lifeline.wait();
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("ldaps://{}:{}", self.text("host"), self.said["ldaps"])
    }

    /// The same server over its other port, where TLS begins when it is asked to.
    pub(crate) fn other_url(&self) -> String {
        format!("ldap://{}:{}/", self.text("host"), self.said["ldap"])
    }

    /// An entry below the base.
    pub(crate) fn below(&self, parts: &str) -> Dn {
        Dn::parse(&format!("{parts},{}", self.text("base"))).unwrap()
    }

    fn roots(&self) -> Roots {
        Roots::none().and_pem(&std::fs::read(self.text("ca")).unwrap()).unwrap()
    }

    pub(crate) async fn connect(&self) -> Connection {
        let port = u16::try_from(self.said["ldaps"].as_u64().unwrap()).unwrap();
        let tls = Tls::new(provider(), self.roots()).unwrap();
        let server = Server::ldaps(self.text("host"), tls).port(port);
        Connection::open(&server, Limits::default()).await.unwrap()
    }

    pub(crate) async fn as_service(&self) -> Connection {
        let mut connection = self.connect().await;
        let password = Password::new(self.text("service_password")).unwrap();
        connection.bind(self.text("service"), &password, &[]).await.unwrap();
        connection
    }

    /// Binds on a connection of its own, and tells whether that was allowed.
    pub(crate) async fn admits(&self, name: &str, password: &str) -> bool {
        self.connect().await.bind(name, &Password::new(password).unwrap(), &[]).await.is_ok()
    }
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
