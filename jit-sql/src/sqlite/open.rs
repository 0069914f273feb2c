//! Connections with their settings.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{Durability, SqliteOptions, error::Refused};

/// More than there are statements: none is prepared twice.
const STATEMENTS: usize = 128;

/// How many pages the log grows by before they are carried over into the file: 16 MiB. Four times as many as is usual,
/// because a page that was written again and again meanwhile is carried over once, and each time waits for the disk. Not
/// more: readers look a page up in one table for each 4,096 in the log.
const CHECKPOINT_PAGES: i64 = 4_000;

/// How long the writer waits for another process that writes.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);

/// Readers wait for nobody in WAL mode, except while the log is recovered; they would hold up the caller's thread.
const READER_PATIENCE: Duration = Duration::from_millis(500);

pub(super) fn writer(path: &Path, options: &SqliteOptions) -> Result<Connection, Refused> {
    create_private(path).map_err(Refused::System)?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(WRITER_PATIENCE)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    configured(connection, options)
}

pub(super) fn reader(path: &Path, options: &SqliteOptions) -> Result<Connection, Refused> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(READER_PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    configured(connection, options)
}

pub(super) fn memory() -> Result<Connection, Refused> {
    configured(Connection::open_in_memory()?, &SqliteOptions::default())
}

fn configured(connection: Connection, options: &SqliteOptions) -> Result<Connection, Refused> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a savepoint may have to restore stays in memory.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Negative: in KiB instead of pages.
    connection.pragma_update(None, "cache_size", -i64::from(options.page_cache_kib))?;
    // Without this, SQLite 3.54 prepares a cached statement anew at each execution: clearing its bindings makes it
    // believe that a plan which depended on them is stale.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// SQLite gives its log and index the mode of the file.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
