//! A real PostgreSQL: the one that `JIT_TEST_POSTGRES_URL` names, or one that is started for this process.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use jit_sql::{PostgresOptions, PostgresStore};
use tokio_postgres::{Client, Config, NoTls};

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

    pub(crate) async fn store(&self) -> PostgresStore {
        PostgresStore::open_local(self.config(), options()).await.unwrap()
    }
}

pub(crate) fn options() -> PostgresOptions {
    PostgresOptions::new().connections(std::num::NonZeroUsize::new(8).unwrap())
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
