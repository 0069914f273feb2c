//! The tables.

use jit_core::BackendError;
use tokio_postgres::{Client, Transaction};

use super::{error::Failed, open::Open};
use crate::migration::{Migration, pending};

/// The steps that make the tables, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "begin", sql: include_str!("0001_begin.sql") },
    Migration { version: 2, name: "documents", sql: include_str!("0002_documents.sql") },
    Migration { version: 3, name: "waiting leaves", sql: include_str!("0003_waiting_leaves.sql") },
    Migration { version: 4, name: "lent accounts", sql: include_str!("0004_lent_accounts.sql") },
    Migration { version: 5, name: "forgetting", sql: include_str!("0005_forgetting.sql") },
];

const MIGRATE: &str = "postgres.migrate";

/// Brings the tables up to date, in the first schema of the connection's `search_path`; nodes that do so at once wait
/// for each other, up to the connection's `statement_timeout`. No step is bounded by that: one that gives keys to what was there
/// before looks at all of it.
///
/// # Errors
/// `store.unavailable` when the connection is lost, `store.invalid` when the role may not make tables or they belong to
/// another version.
///
/// # Cancel safety
/// The steps are applied in one transaction: all of them or none.
pub async fn migrate(client: &mut Client) -> Result<(), BackendError> {
    make_table_of_steps(client).await.map_err(|failed| failed.during(MIGRATE))?;
    let begun = client.transaction().await.map_err(|error| Failed::from(error).during(MIGRATE))?;
    let applied = applied(&begun).await.map_err(|error| Failed::from(error).during(MIGRATE))?;
    let steps = pending(MIGRATIONS, &applied)
        .map_err(|why| BackendError::new(jit_core::ErrorKind::Invalid, MIGRATE).caused_by(why.to_string()))?;
    apply(begun, &steps).await.map_err(|error| Failed::from(error).during(MIGRATE))
}

pub(super) async fn bring_up_to_date(open: &impl Open) -> Result<(), BackendError> {
    let mut client = open.open().await.map_err(|failed| failed.during("postgres.open"))?;
    migrate(&mut client).await
}

/// `IF NOT EXISTS` does not keep two nodes from making the table at once: then one of them fails and finds it there.
async fn make_table_of_steps(client: &Client) -> Result<(), Failed> {
    let make = "SET client_min_messages = warning;
        CREATE TABLE IF NOT EXISTS jit_schema (
          version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL
        );
        INSERT INTO jit_schema (version, name, checksum) VALUES (0, 'lock', '') ON CONFLICT DO NOTHING";
    for _ in 0..3 {
        match client.batch_execute(make).await.map_err(Failed::from) {
            // Unique violation in the catalogue; duplicate table; duplicate type.
            Err(Failed::Refused { state, .. }) if matches!(state.as_str(), "23505" | "42P07" | "42710") => {}
            outcome => return outcome,
        }
    }
    client.batch_execute(make).await.map_err(Failed::from)
}

/// Locks row 0, so that nodes go one after the other, and reads what was applied. A row lock, because some servers that
/// speak this protocol know no advisory locks.
async fn applied(transaction: &Transaction<'_>) -> Result<Vec<(i64, String)>, tokio_postgres::Error> {
    transaction.batch_execute("SELECT FROM jit_schema WHERE version = 0 FOR UPDATE").await?;
    let rows = transaction
        .query("SELECT version, checksum FROM jit_schema WHERE version > 0 ORDER BY version", &[])
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn apply(
    transaction: Transaction<'_>,
    steps: &[&'static Migration],
) -> Result<(), tokio_postgres::Error> {
    // Who looks at every row of a table takes as long as there are rows; what a call may take is no bound for that.
    if !steps.is_empty() {
        transaction.batch_execute("SET LOCAL statement_timeout = 0").await?;
    }
    for step in steps {
        transaction.batch_execute(step.sql).await?;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&i64::from(step.version), &step.name, &step.checksum()];
        let record = "INSERT INTO jit_schema (version, name, checksum) VALUES ($1, $2, $3)";
        transaction.execute(record, &params).await?;
    }
    transaction.commit().await
}
