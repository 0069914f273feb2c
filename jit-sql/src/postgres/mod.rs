//! PostgreSQL: every call is one prepared statement and one round trip, on connections that calls share. A commit that is
//! refused takes two.
//!
//! # The pool
//! Every call is a single statement that is its own transaction, so a connection need not belong to one call: calls share
//! connections, and what is sent while an answer is under way is pipelined. Measured against a pool that lends a
//! connection to one call at a time (deadpool): 1.4 to 1.7 times the look-ups at 64 tasks on 16 connections, and no queue
//! of borrowers. A call takes the idlest connection; a new one is opened while all are busy and the bound is not
//! reached; a lost one is opened anew by the next call.
//!
//! # Look-ups that wait together
//! The look-ups that come before nearly every change (an account by identity or by what it carries, a document by its id)
//! share statements as commits do, eight at most, and whoever waits in line for long goes ahead alone: another connection may
//! be well. What cannot be read or asked is told to whom it concerns.
//!
//! A quarter of the connections are places for this, so that the line is worth a statement. Of many who come at one moment, as
//! many as there are places go at once, and eight times as many with each round trip after that: with 16 connections the last
//! of 64 waits for three, with half as many connections as callers for two. It shows on a slow network.
//!
//! # Commits that wait together
//! A quarter as many commits as there are connections are under way at once. Those that come meanwhile wait for one of
//! them to end and are then written by one statement, which costs the server less than half as much for each. One that
//! is refused, or that has to wait for a row that somebody holds, does not spoil the others: they are written without
//! it. Commits that remove documents, change who is a member, change the identities of an account
//! or write much go alone.
//!
//! Each table that a statement may write costs the server something, also where it gets no row. So there are three of these
//! statements: for what comes, for what changes and keeps what it is found by, and for anything. A single commit of the two
//! former kinds is written by them as well; it is repeated by the statement that says why where it is refused, which the
//! server's log shows as a division by zero, as of a batch.

mod audit;
mod batch;
mod commits;
mod documents;
mod error;
mod looks;
mod lookups;
mod one_time;
mod open;
mod pool;
mod schema;
mod statements;
mod tasks;
mod users;

use std::{fmt, num::NonZeroUsize, sync::Arc, time::Duration};

use jit_core::{BackendError, DocumentKey, ExternalKey};
use tokio_postgres::{
    Config, NoTls, Socket,
    tls::{MakeTlsConnect, TlsConnect},
};

use self::{
    commits::Commits,
    lookups::{Carried, Looks},
    open::TlsOpen,
    pool::Pool,
};

pub use schema::{MIGRATIONS, migrate};

/// Keeps everything in one PostgreSQL database; several stores, in one process or many, may share it.
///
/// Needs a tokio runtime with I/O and time. The tables are looked for in the connection's `search_path`.
pub struct PostgresStore {
    pool: Arc<Pool>,
    commits: Arc<Commits>,
    by_identity: Arc<Looks<ExternalKey>>,
    by_lookup: Arc<Looks<Carried>>,
    by_document: Arc<Looks<DocumentKey>>,
}

/// Says how a database is used.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    connections: usize,
    patience: Duration,
    migrates: bool,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self { connections: 16, patience: Duration::from_secs(10), migrates: true }
    }
}

impl PostgresOptions {
    /// Begins with 16 connections, 10 seconds of patience and migrations.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how many connections are opened at most. Where a round trip to the server takes long, half as many as there are
    /// callers at one moment keep each look-up within two.
    #[must_use]
    pub fn connections(mut self, connections: NonZeroUsize) -> Self {
        self.connections = connections.get();
        self
    }

    /// Says how long a call may take, and how long opening a connection may take. The server is told as well, so that it
    /// gives up what nobody waits for any more.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Leaves the tables alone: for a role that may not change them. Run [`migrate`] with one that may.
    #[must_use]
    pub fn without_migrating(mut self) -> Self {
        self.migrates = false;
        self
    }
}

impl PostgresStore {
    /// Opens a database over encrypted connections that the application's TLS library makes, and brings its tables up to
    /// date.
    ///
    /// # Errors
    /// `store.unavailable` when the database cannot be reached, `store.invalid` when it refuses the role or its tables
    /// belong to another version.
    ///
    /// # Cancel safety
    /// Tables may have been made.
    pub async fn open<T>(config: Config, tls: T, options: PostgresOptions) -> Result<Self, BackendError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let open = TlsOpen::new(config, tls, options.patience);
        if options.migrates {
            schema::bring_up_to_date(&open).await?;
        }
        let pool = Arc::new(Pool::new(Box::new(open), options.connections, options.patience));
        // Answers now whether the statements fit the tables, and not at the first sign-in.
        pool.warm_up("postgres.open").await?;
        let PostgresOptions { connections, patience, .. } = options;
        Ok(Self {
            commits: Commits::new(Arc::clone(&pool), connections, patience),
            by_identity: Looks::new(&pool, connections),
            by_lookup: Looks::new(&pool, connections),
            by_document: Looks::new(&pool, connections),
            pool,
        })
    }

    /// Opens a database on this machine, over a Unix socket or the loopback interface, without encryption.
    ///
    /// # Errors
    /// `store.invalid` when a host of the configuration is elsewhere; otherwise as [`PostgresStore::open`].
    ///
    /// # Cancel safety
    /// Tables may have been made.
    pub async fn open_local(config: Config, options: PostgresOptions) -> Result<Self, BackendError> {
        open::check_local(&config)?;
        Self::open(config, NoTls, options).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
