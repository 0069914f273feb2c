//! The connections that read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use jit_core::BackendError;
use rusqlite::{Connection, Params, Row, StatementStatus};

use super::{error::Refused, lookups::Lookups};

pub(super) const NO_READER: Refused = Refused::Unavailable("no connection reads");

pub(super) struct Readers {
    connections: Vec<Arc<Mutex<Connection>>>,
    pub(super) lookups: Lookups,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        let connections = connections.into_iter().map(|each| Arc::new(Mutex::new(each))).collect();
        Self { connections, lookups: Lookups::default() }
    }

    /// Reads on the connection that also writes: between two transactions, never within one.
    pub(super) fn sharing(connection: Arc<Mutex<Connection>>) -> Self {
        Self { connections: vec![connection], lookups: Lookups::default() }
    }

    /// How many connections there are.
    pub(super) fn count(&self) -> usize {
        self.connections.len()
    }

    /// Runs a query inline and reads its rows.
    pub(super) fn rows<T>(
        &self,
        operation: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, Refused>,
    ) -> Result<Vec<T>, BackendError> {
        self.with(operation, |connection| rows(connection, sql, params, read))
    }

    /// Runs a query of at most one row inline and reads it.
    pub(super) fn row<T>(
        &self,
        operation: &'static str,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, Refused>,
    ) -> Result<Option<T>, BackendError> {
        self.with(operation, |connection| row(connection, sql, params, read))
    }

    pub(super) fn with<T>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, Refused>,
    ) -> Result<T, BackendError> {
        let connection = self.free().ok_or(NO_READER);
        connection.and_then(|connection| read(&connection)).map_err(|refused| refused.during(operation))
    }

    /// The first that is free, so that a store that is seldom called keeps one page cache warm; otherwise the next that
    /// becomes free, which is a matter of microseconds. Never one on which a transaction was left open: that would show what
    /// was there when it began.
    pub(super) fn free(&self) -> Option<MutexGuard<'_, Connection>> {
        let free = self.connections.iter().find_map(|connection| match connection.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let free = free.or_else(|| {
            self.connections.first().map(|first| first.lock().unwrap_or_else(PoisonError::into_inner))
        });
        free.filter(|connection| connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok())
    }

    #[cfg(test)]
    pub(super) fn is_free(&self) -> bool {
        self.connections.iter().all(|connection| connection.try_lock().is_ok())
    }

    /// How many steps SQLite has taken for statements of the first connection.
    #[cfg(test)]
    pub(super) fn steps(&self, statements: &[&str]) -> i64 {
        let connection = self.connections[0].lock().unwrap();
        let steps = |sql: &&str| connection.prepare_cached(sql).unwrap().get_status(StatementStatus::VmStep);
        statements.iter().map(|sql| i64::from(steps(sql))).sum()
    }

    pub(super) fn repreparations(&self) -> i64 {
        let again = |connection: &Arc<Mutex<Connection>>| {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            super::users::READS
                .iter()
                .filter_map(|sql| connection.prepare_cached(sql).ok())
                .map(|statement| i64::from(statement.get_status(StatementStatus::RePrepare)))
                .sum::<i64>()
        };
        self.connections.iter().map(again).sum()
    }
}

/// Runs a query and reads its rows.
pub(super) fn rows<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Refused>,
) -> Result<Vec<T>, Refused> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Runs a query of at most one row and reads it.
pub(super) fn row<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Refused>,
) -> Result<Option<T>, Refused> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}
