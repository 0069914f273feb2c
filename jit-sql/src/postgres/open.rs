//! Connections with their settings.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use jit_core::{BackendError, ErrorKind};
use tokio_postgres::{
    Client, Config, Socket,
    config::Host,
    tls::{MakeTlsConnect, TlsConnect},
};

use super::error::Failed;

/// Opens connections.
#[async_trait]
pub(super) trait Open: Send + Sync {
    async fn open(&self) -> Result<Client, Failed>;
}

pub(super) struct TlsOpen<T> {
    config: Config,
    tls: T,
    patience: Duration,
}

impl<T> TlsOpen<T> {
    pub(super) fn new(mut config: Config, tls: T, patience: Duration) -> Self {
        if config.get_application_name().is_none() {
            config.application_name("jit");
        }
        Self { config, tls, patience }
    }
}

#[async_trait]
impl<T> Open for TlsOpen<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    async fn open(&self) -> Result<Client, Failed> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| Failed::NoRuntime)?;
        let opening = async {
            let (client, connection) = self.config.connect(self.tls.clone()).await?;
            runtime.spawn(drive(connection, self.patience / 2));
            client.batch_execute(&settings(self.patience)).await?;
            Ok(client)
        };
        tokio::time::timeout(self.patience, opening).await.map_err(|_| Failed::TimedOut(self.patience))?
    }
}

/// Drives a connection until its client goes. Why it was lost is told to the calls that were on their way.
///
/// A timer is always set that ends before those of the calls. Otherwise each call would set the earliest one there is, and
/// tokio wakes a thread up to tell it so: a tenth of the time of a look-up.
async fn drive(connection: impl Future, tick: Duration) {
    let mut connection = std::pin::pin!(connection);
    while tokio::time::timeout(tick, connection.as_mut()).await.is_err() {}
}

/// Our statements reach every row by an index. While tables are small or were never analysed the planner thinks
/// otherwise, and a prepared statement would keep such a plan while they grow: these connections, which run nothing else,
/// are told to go by index, and that every row they read is dear, so that they look up the rows that a list names instead of
/// looking through a table that seems to be as short as the list. JIT stands here for the server's compiler of expressions.
fn settings(patience: Duration) -> String {
    format!(
        "SET default_transaction_isolation = 'read committed';
         SET plan_cache_mode = force_generic_plan;
         SET enable_seqscan = off; SET enable_bitmapscan = off;
         SET enable_hashjoin = off; SET enable_mergejoin = off;
         SET cpu_tuple_cost = 10; SET max_parallel_workers_per_gather = 0;
         SET jit = off;
         SET statement_timeout = {0}",
        patience.as_millis().clamp(1, 2_000_000_000)
    )
}

/// Refuses a configuration that would send passwords and accounts over a network in the clear.
pub(super) fn check_local(config: &Config) -> Result<(), BackendError> {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(is_loopback),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    let addresses = config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    if hosts && addresses {
        return Ok(());
    }
    Err(BackendError::new(ErrorKind::Invalid, "postgres.open").caused_by("a host is not on this machine"))
}

fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback()
}
