//! SQLite: one writer with group commit, reads inline.

mod audit;
mod commit;
mod documents;
mod error;
mod kept;
mod looks;
mod lookups;
mod one_time;
mod open;
mod readers;
mod schema;
mod session;
#[cfg(test)]
mod steps;
mod tasks;
mod users;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex},
};

use jit_core::{BackendError, Commit};

use self::{error::Refused, readers::Readers, session::Session, writer::Writer};
use crate::draft::{COMMIT, Draft};

pub use schema::{MIGRATIONS, migrate};

/// Keeps everything in one SQLite file.
///
/// Writes go to one thread that commits together whatever waits together, so that a failure of one touches none of the
/// others, and answers when the transaction is on the disk. Reads run inline in the caller's task: they are bounded look-ups
/// by key of a few microseconds, less than a hop to another thread costs. Where many look up at once, they wait for one of
/// them who does so for all in one transaction, sixteen at most. Needs no runtime of any kind.
///
/// Dropping the store writes what was handed in and ends the thread.
pub struct SqliteStore {
    // In this order: the file is closed when the last connection goes.
    writer: Writer,
    readers: Readers,
}

/// Says when a commit is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When it survives a loss of power (`synchronous=FULL`).
    #[default]
    Full,
    /// When it survives the death of the process; a loss of power may take the latest commits, never a part of one
    /// (`synchronous=NORMAL`).
    Normal,
}

/// Says how a file is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    durability: Durability,
    readers: usize,
    page_cache_kib: u32,
}

/// Holds the inner pages of the indices of ten million accounts.
const PAGE_CACHE_KIB: u32 = 128 * 1024;

impl Default for SqliteOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(4, std::num::NonZeroUsize::get);
        Self { durability: Durability::Full, readers: threads.clamp(2, 16), page_cache_kib: PAGE_CACHE_KIB }
    }
}

impl SqliteOptions {
    /// Begins with full durability and one reading connection for each processor.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says when a commit is answered.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Says how many connections read; more than there are threads that call are of no use.
    #[must_use]
    pub fn readers(mut self, readers: std::num::NonZeroUsize) -> Self {
        self.readers = readers.get();
        self
    }

    /// Says how many KiB of pages each connection may keep in memory; 128 MiB unless said otherwise. None is taken before
    /// a page is read, so that a small database takes no more than its own size.
    #[must_use]
    pub fn page_cache_kib(mut self, kib: u32) -> Self {
        self.page_cache_kib = kib;
        self
    }
}

impl SqliteStore {
    /// Opens a file with the usual options, makes it (readable and writable by its owner only) where it is missing, and
    /// brings its tables up to date. Blocks while it does.
    ///
    /// # Errors
    /// `store.unavailable` when the file cannot be opened, `store.corrupt` when it is not a database, `store.invalid` when
    /// its tables belong to another version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BackendError> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Opens a file.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, BackendError> {
        let opened = || -> Result<Self, Refused> {
            let mut first = open::writer(path.as_ref(), options)?;
            schema::bring_up_to_date(&mut first)?;
            let readers = (0..options.readers).map(|_| open::reader(path.as_ref(), options));
            let readers = Readers::new(readers.collect::<Result<_, _>>()?);
            Ok(Self { writer: Writer::start(Arc::new(Mutex::new(first)))?, readers })
        };
        opened().map_err(|refused| refused.during("sqlite.open"))
    }

    /// Opens a database that lives in memory and ends with the store.
    ///
    /// # Errors
    /// `store.unavailable` when there is no memory or thread to be had.
    pub fn in_memory() -> Result<Self, BackendError> {
        let opened = || -> Result<Self, Refused> {
            let mut only = open::memory()?;
            schema::bring_up_to_date(&mut only)?;
            let only = Arc::new(Mutex::new(only));
            Ok(Self { writer: Writer::start(Arc::clone(&only))?, readers: Readers::sharing(only) })
        };
        opened().map_err(|refused| refused.during("sqlite.open"))
    }

    /// How often SQLite has prepared a statement of the reading connections anew; zero, unless something is wrong.
    #[doc(hidden)]
    #[must_use]
    pub fn repreparations(&self) -> i64 {
        self.readers.repreparations()
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Writes a commit within a transaction of the caller, so that rows of the application and ours are written together.
///
/// The commit is written in a savepoint: after an error nothing of it remains and the transaction can go on. The tables
/// are those of [`migrate`]; foreign keys are checked if the connection says so. A [`SqliteStore`] on the same file sees
/// the commit when the transaction ends.
///
/// # Errors
/// As `UserStore::commit`.
pub fn commit_within(transaction: &rusqlite::Transaction<'_>, commit: &Commit) -> Result<(), BackendError> {
    let draft = Draft::of(commit)?;
    writer::in_savepoint(&Session::on(transaction), |session| commit::write(session, &draft))
        .map_err(|refused| refused.during(COMMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_goes_by_index_and_none_sorts() {
        let mut connection = open::memory().unwrap();
        schema::bring_up_to_date(&mut connection).unwrap();
        let parts = [
            &users::READS[..],
            commit::STATEMENTS,
            documents::STATEMENTS,
            kept::STATEMENTS,
            tasks::STATEMENTS,
            one_time::STATEMENTS,
            audit::STATEMENTS,
        ];
        for sql in parts.concat() {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let none = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps =
                plan.query_map(rusqlite::params_from_iter(none), |row| row.get::<_, String>(3)).unwrap();
            for step in steps.map(Result::unwrap) {
                // What the statement is given is no table.
                let is_given = step.starts_with("SCAN json_each VIRTUAL TABLE");
                assert!(
                    is_given || !step.starts_with("SCAN") && !step.contains("TEMP B-TREE"),
                    "{step}: {sql}"
                );
            }
        }
    }
}
