//! What programs need that do the same by hand.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, config::DbConfig};
use tokio_postgres::Client;

/// Opens a file of SQLite with the settings of the store, but for the size of its page cache, in KiB.
#[must_use]
pub fn sqlite(file: &Path, cache: i32) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.pragma_update(None, "cache_size", -cache).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

/// The processor time, in seconds, of the processes of PostgreSQL that serve connections of one application name.
pub async fn cpu_of_server(admin: &Client, application: &str) -> f64 {
    let pids = "SELECT pid::text FROM pg_stat_activity WHERE application_name = $1
        AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let rows = admin.query(pids, &[&application]).await.unwrap();
    let nanos = rows.iter().filter_map(|row| {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", row.get::<_, &str>(0))).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1e9
}
