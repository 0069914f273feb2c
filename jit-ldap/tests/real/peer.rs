//! Starts a real directory and knows the way to it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jit_ldap::{
    Connection, Directory, Dn, Limits, Password, Pool, PoolSettings, Roots, Server, ServiceAccount, Tls,
};
use serde_json::Value;

/// A directory; it ends with its standard input, which ends with the test.
pub(crate) struct Peer {
    said: Value,
    folder: PathBuf,
    child: Child,
}

impl Peer {
    /// Starts the directory in the folder `name` of `tests/peers`.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_as(name, &[])
    }

    /// The same, with options of its program.
    pub(crate) fn start_as(name: &str, options: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers").join(name).join("start");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("jit-{name}-{}", uuid_of_test()));
        let mut child = Command::new(program)
            .arg("--stdin-lifeline")
            .args(options)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { said: serde_json::from_str(&line).expect("the directory starts"), folder, child }
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap()
    }

    pub(crate) fn port(&self, name: &str) -> u16 {
        u16::try_from(self.said[name].as_u64().unwrap()).unwrap()
    }

    pub(crate) fn base(&self) -> Dn {
        Dn::parse(self.text("base")).unwrap()
    }

    /// An entry below the base.
    pub(crate) fn below(&self, parts: &str) -> Dn {
        Dn::parse(&format!("{parts},{}", self.text("base"))).unwrap()
    }

    pub(crate) fn tls(&self) -> Tls {
        let pem = std::fs::read(self.text("ca")).unwrap();
        Tls::new(provider(), Roots::none().and_pem(&pem).unwrap()).unwrap()
    }

    pub(crate) fn ldaps(&self) -> Server {
        Server::ldaps(self.text("host"), self.tls()).port(self.port("ldaps"))
    }

    pub(crate) fn account(&self) -> ServiceAccount {
        ServiceAccount::new(self.text("service"), self.text("service_password")).unwrap()
    }

    pub(crate) fn pool(&self, settings: PoolSettings) -> Pool {
        Pool::new(self.ldaps(), self.account(), settings)
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory::new([self.ldaps()], &self.account(), PoolSettings::default())
    }

    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(&self.ldaps(), Limits::default()).await.unwrap()
    }

    /// Binds on a connection of its own and returns the code of the refusal, or `fine`.
    pub(crate) async fn bind(&self, name: &str, password: &str) -> String {
        let bound = self.connect().await.bind(name, &Password::new(password).unwrap(), &[]).await;
        bound.map_or_else(|error| error.code().to_string(), |_| "fine".to_owned())
    }

    pub(crate) async fn as_service(&self) -> Connection {
        let mut connection = self.connect().await;
        let password = Password::new(self.text("service_password")).unwrap();
        connection.bind(self.text("service"), &password, &[]).await.unwrap();
        connection
    }

    /// Whoever may change the settings of OpenLDAP while it runs.
    pub(crate) async fn as_configurator(&self) -> Connection {
        let mut connection = self.connect().await;
        let password = Password::new("jit-configuration-password").unwrap();
        connection.bind("cn=admin,cn=config", &password, &[]).await.unwrap();
        connection
    }

    /// Whoever may change everything in OpenLDAP.
    pub(crate) async fn as_administrator(&self) -> Connection {
        let mut connection = self.connect().await;
        let name = format!("cn=admin,{}", self.text("base"));
        connection.bind(&name, &Password::new("jit-administrator-password").unwrap(), &[]).await.unwrap();
        connection
    }
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn uuid_of_test() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
        let _removed = std::fs::remove_dir_all(&self.folder);
    }
}
