//! The writing connection for the length of one batch, or of one transaction of the caller.

use std::cell::{Cell, RefCell};

use rusqlite::{CachedStatement, Connection, Error, Params, Row};

use super::error::Refused;

/// Runs statements, each prepared and looked up once for all requests of a batch, and knows whether a request has written.
pub(super) struct Session<'c> {
    connection: &'c Connection,
    /// Few dozen at most, so that comparing their texts (mostly: their lengths) finds them soonest.
    held: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
    has_written: Cell<bool>,
}

impl<'c> Session<'c> {
    pub(super) fn on(connection: &'c Connection) -> Self {
        Self { connection, held: RefCell::default(), has_written: Cell::new(false) }
    }

    /// Runs a statement that writes and tells how many rows it changed.
    pub(super) fn run(&self, sql: &'static str, params: impl Params) -> Result<usize, Error> {
        // One that fails leaves nothing behind: SQLite undoes it.
        let changed = self.with(sql, |statement| statement.execute(params))?;
        if changed > 0 {
            self.has_written.set(true);
        }
        Ok(changed)
    }

    /// Runs a statement that begins, ends or marks something and changes no row.
    pub(super) fn control(&self, sql: &'static str) -> Result<(), Error> {
        self.with(sql, |statement| statement.execute(()).map(drop))
    }

    /// Runs a statement that answers with one row at most, and reads it.
    pub(super) fn row<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, Refused>,
    ) -> Result<Option<T>, Refused> {
        self.with(sql, |statement| {
            let writes = !statement.readonly();
            let mut rows = statement.query(params)?;
            let Some(row) = rows.next()? else { return Ok(None) };
            // Even if the row cannot be read, it was changed.
            if writes {
                self.has_written.set(true);
            }
            read(row).map(Some)
        })
    }

    /// Runs a query and reads its rows.
    pub(super) fn rows<T>(
        &self,
        sql: &'static str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.with(sql, |statement| statement.query_map(params, read)?.collect())
    }

    /// The id of the row that was inserted last.
    pub(super) fn last_row(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// Tells whether the transaction has ended, as some failures bring about: a full disk is one.
    pub(super) fn has_ended(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Forgets what was written so far.
    pub(super) fn forget_written(&self) {
        self.has_written.set(false);
    }

    /// Tells whether rows were changed since then.
    pub(super) fn has_written(&self) -> bool {
        self.has_written.get()
    }

    fn with<T, E: From<Error>>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut CachedStatement<'c>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut held = self.held.borrow_mut();
        if let Some((_, statement)) = held.iter_mut().find(|(text, _)| *text == sql) {
            return work(statement);
        }
        let mut statement = self.connection.prepare_cached(sql)?;
        let outcome = work(&mut statement);
        held.push((sql, statement));
        outcome
    }
}
