//! Keeps accounts, tasks, one-time values and the audit trail in SQLite or PostgreSQL.
//!
//! | store | feature | how it writes | how it reads |
//! |---|---|---|---|
//! | [`SqliteStore`] | `sqlite` (default) | one writer thread; what waits together is committed together | inline, on connections of its own; look-ups that wait share a transaction |
//! | [`PostgresStore`] | `postgres` | one statement: one round trip; what waits together is committed together | one prepared statement: one round trip |
//!
//! Both implement every port of `jit_core::Store` and own the tables whose names begin with `jit_`; they make and renew
//! them when they are opened ([`Migration`]).
//!
//! An application that has tables of its own in the same database writes them and a commit in one transaction:
//! on SQLite with [`sqlite::commit_within`], on PostgreSQL by running [`statement::CommitStatement`] with whatever
//! driver it uses.

/// Merges what `$of` says of every state of an account but that of those which were forgotten: of these there may be millions
/// between two others, and nobody is to read over them. Each state is in order by itself.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
macro_rules! merged_states {
    ($of:ident) => {
        concat!(
            $of!("active"),
            " UNION ALL ",
            $of!("disabled"),
            " UNION ALL ",
            $of!("ended"),
            " UNION ALL ",
            $of!("invited"),
            " UNION ALL ",
            $of!("pending"),
            " UNION ALL ",
            $of!("suspended")
        )
    };
}

mod document;
mod draft;
mod kept;
mod migration;
mod names;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod statement;

pub use migration::Migration;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sqlite::{Durability, SqliteOptions, SqliteStore};
