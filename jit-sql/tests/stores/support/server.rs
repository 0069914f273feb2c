//! A real PostgreSQL: the one that `JIT_TEST_POSTGRES_URL` names, or one that is started for this process.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    num::NonZeroUsize,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use jit_sql::{PostgresOptions, PostgresStore};
use tokio_postgres::{Client, Config, NoTls, config::Host};

use super::proxy::Proxy;

/// Ends with this process, because its standard input does.
struct Server {
    url: String,
    lifeline: Option<Child>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("JIT_TEST_POSTGRES_URL") {
        Ok(url) => Server { url, lifeline: None },
        Err(_) => start(),
    })
}

fn start() -> Server {
    let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/postgres/start");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("postgres-{}", std::process::id()));
    let mut child = Command::new(start)
        .args(["--no-fsync", "--stdin-lifeline"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the script that starts PostgreSQL runs");
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    assert!(url.starts_with("postgresql://"), "PostgreSQL did not start");
    Server { url: url.trim().to_owned(), lifeline: Some(child) }
}

/// A schema of its own in the server.
pub(crate) struct Schema {
    name: String,
}

impl Schema {
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = Self { name: format!("test_{}_{number}", std::process::id()) };
        let make = format!("DROP SCHEMA IF EXISTS {0} CASCADE; CREATE SCHEMA {0}", schema.name);
        schema.connect().await.batch_execute(&make).await.unwrap();
        schema
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn config(&self) -> Config {
        let mut config: Config = server().url.parse().unwrap();
        config.options(format!("-c search_path={}", self.name));
        config
    }

    /// A plain connection, as an application has it.
    pub(crate) async fn connect(&self) -> Client {
        let (client, connection) = self.config().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// How many entries of indexes and rows of tables were looked at, by sessions that have ended and bear the
    /// name of the schema.
    pub(crate) async fn looked_at(&self) -> i64 {
        let client = self.connect().await;
        // The counts of a session are published when it ends.
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_schema()";
        while client.query_one(sessions, &[]).await.unwrap().get::<_, i64>(0) > 0 {}
        let looks =
            "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = current_schema()
            AND relname <> 'jit_schema')::bigint + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables
            WHERE schemaname = current_schema() AND relname <> 'jit_schema')::bigint";
        client.query_one(looks, &[]).await.unwrap().get(0)
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::open_local(self.config(), options()).await.unwrap()
    }
}

pub(crate) fn options() -> PostgresOptions {
    PostgresOptions::new().connections(NonZeroUsize::new(8).unwrap())
}

fn address(config: &Config) -> SocketAddr {
    match (&config.get_hosts()[0], config.get_ports()[0]) {
        (Host::Tcp(host), port) => SocketAddr::new(host.parse().unwrap(), port),
        (host, _) => panic!("{host:?}"),
    }
}

/// A store with so many connections behind a proxy that counts.
pub(crate) async fn behind_proxy(schema: &Schema, connections: usize) -> (Proxy, PostgresStore) {
    let config = schema.config();
    let proxy = Proxy::before(address(&config)).await;
    let mut through = Config::new();
    through.host("127.0.0.1").port(proxy.address.port());
    through.user(config.get_user().unwrap()).password(config.get_password().unwrap());
    through.dbname(config.get_dbname().unwrap()).options(config.get_options().unwrap());
    let options = PostgresOptions::new().connections(NonZeroUsize::new(connections).unwrap());
    let store = PostgresStore::open_local(through, options).await.unwrap();
    (proxy, store)
}

impl Drop for Schema {
    /// Cleans up in a server that goes on living.
    fn drop(&mut self) {
        if server().lifeline.is_some() {
            return;
        }
        let (config, name) = (self.config(), self.name.clone());
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (client, connection) = config.connect(NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(&format!("DROP SCHEMA {name} CASCADE")).await.unwrap();
            });
        });
        let _ = clean.join();
    }
}
