//! The tables.

use jit_core::BackendError;
use rusqlite::{Connection, TransactionBehavior, functions::FunctionFlags};
use sha2::{Digest as _, Sha256};

use super::{error::Refused, looks};
use crate::migration::{Migration, pending};

/// The steps that make the tables, in order. What a step leaves to a look at each record is done by [`migrate`] alone.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "begin", sql: include_str!("0001_begin.sql"), former: &[] },
    Migration { version: 2, name: "documents", sql: include_str!("0002_documents.sql"), former: &[] },
    Migration {
        version: 3,
        name: "waiting leaves",
        sql: include_str!("0003_waiting_leaves.sql"),
        former: &[],
    },
    Migration { version: 4, name: "lent accounts", sql: include_str!("0004_lent_accounts.sql"), former: &[] },
    Migration {
        version: 5,
        name: "forgetting",
        sql: include_str!("0005_forgetting.sql"),
        former: &["5c41b579d4d77fd053e70220fae66e410c8bb48f90779afa6958cd5429353294"],
    },
];

/// The digest of a text, while steps are applied.
const DIGEST: &str = "jit_digest";

/// Brings the tables up to date: for applications that open the file themselves. What takes a look at each record comes last,
/// by parts; it goes on at the next opening if it is broken off, and is done once more at the first opening a day later.
///
/// # Errors
/// `store.unavailable` when the file is locked or cannot be written, `store.invalid` when its tables belong to another
/// version.
pub fn migrate(connection: &mut Connection) -> Result<(), BackendError> {
    bring_up_to_date(connection).map_err(|refused| refused.during("sqlite.migrate"))
}

pub(super) fn bring_up_to_date(connection: &mut Connection) -> Result<(), Refused> {
    offer_digest(connection)?;
    // Begins as a writer, so that of two who open a new file at once one waits for the other.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS jit_schema (
           version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
         ) STRICT",
    )?;
    let applied: Vec<(i64, String)> = transaction
        .prepare("SELECT version, checksum FROM jit_schema ORDER BY version")?
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for step in pending(MIGRATIONS, &applied).map_err(Refused::Tables)? {
        transaction.execute_batch(step.sql)?;
        transaction.execute(
            "INSERT OR REPLACE INTO jit_schema (version, name, checksum) VALUES (?1, ?2, ?3)",
            (step.version, step.name, step.checksum()),
        )?;
    }
    transaction.commit()?;
    connection.remove_function(DIGEST, 1)?;
    looks::look(connection)
}

/// Offers steps the digest that keys are found by.
fn offer_digest(connection: &Connection) -> Result<(), Refused> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let digest = |context: &rusqlite::functions::Context<'_>| {
        let text: String = context.get(0)?;
        Ok(Sha256::digest(text.as_bytes()).to_vec())
    };
    Ok(connection.create_scalar_function(DIGEST, 1, flags, digest)?)
}
