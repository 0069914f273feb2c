//! The tables.

use std::time::Duration;

use jit_core::BackendError;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use super::{error::Failed, looks::look, open::Open};
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
    Migration {
        version: 4,
        name: "lent accounts",
        sql: include_str!("0004_lent_accounts.sql"),
        former: &["c45845561b7b17ad4bac7d2e9cde2eaf2db15dd8647439a0c0c775898af9676e"],
    },
    Migration {
        version: 5,
        name: "forgetting",
        sql: include_str!("0005_forgetting.sql"),
        former: &["7ec95d9d9878bc49a909fe41fe0add612b895527c4dc8cead1805561d569778e"],
    },
    Migration {
        version: 6,
        name: "members",
        sql: include_str!("0006_members.sql"),
        former: &["b9df3e41e0b928684e38218a40e04f4b8927c1bad0685b8dee3079d5a7c9082e"],
    },
];

const MIGRATE: &str = "postgres.migrate";

/// How often a step is tried that finds a table, or the turn, in somebody's hands: for two minutes, or more than four where it
/// waits three seconds each time.
const TRIES: u32 = 60;
/// How long it is until the next try. Whoever came behind the last one goes on meanwhile.
const PAUSE: Duration = Duration::from_millis(1_500);

/// Begins a step, with the turn in hand: row 0 is locked, so that nodes go one after the other. A row lock, because some servers
/// that speak this protocol know no advisory locks.
///
/// Who waits for a table keeps everybody waiting who comes later, behind a dump that may take hours: so a step soon gives up
/// and is tried again; one that is in nobody's way says itself how much longer it waits. What it does itself takes as long as
/// there are rows; what a call may take is no bound for that.
const BEGIN_STEP: &str = "SET LOCAL lock_timeout = '500ms'; SET LOCAL statement_timeout = 0;
    SELECT FROM jit_schema WHERE version = 0 FOR UPDATE";

const RECORD: &str = "INSERT INTO jit_schema (version, name, checksum) VALUES ($1, $2, $3)
    ON CONFLICT (version) DO UPDATE SET checksum = excluded.checksum";

/// Brings the tables up to date, in the first schema of the connection's `search_path`, beside processes of before that go on.
/// Nodes that do so at once take turns. A step that needs a table for itself, which somebody reads, such as a dump, is tried
/// for two minutes, and keeps nobody waiting for more than half a second of each two. One that lets everybody read and write,
/// but not autovacuum, waits for up to three seconds each time, so that autovacuum makes way; that keeps other nodes from
/// their turn alone. What takes a look at each record comes last, by parts; it goes on at the next start if it is broken off,
/// and is done once more at the first start a day later.
///
/// # Errors
/// `store.unavailable` when the connection is lost or a table stays in somebody's hands, `store.invalid` when the role may not
/// make tables or they belong to another version.
///
/// # Cancel safety
/// Each step is applied whole or not at all.
pub async fn migrate(client: &mut Client) -> Result<(), BackendError> {
    renew(client).await.map_err(|failed| failed.during(MIGRATE))
}

pub(super) async fn bring_up_to_date(open: &impl Open) -> Result<(), BackendError> {
    let mut client = open.open().await.map_err(|failed| failed.during("postgres.open"))?;
    migrate(&mut client).await
}

async fn renew(client: &mut Client) -> Result<(), Failed> {
    make_table_of_steps(client).await?;
    let mut tries = 1;
    loop {
        match apply_next(client).await {
            Ok(true) => tries = 1,
            Ok(false) => return look(client).await,
            Err(failed) if failed.is_locked() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(failed) => return Err(failed),
        }
    }
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

/// Applies the next step, and tells whether there was one. Where there is none, nobody is waited for.
async fn apply_next(client: &mut Client) -> Result<bool, Failed> {
    // What was applied is read again when it is our turn, whatever level the connection was given.
    let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    if next(&begun).await?.is_none() {
        return Ok(false);
    }
    begun.batch_execute(BEGIN_STEP).await?;
    // Somebody may have applied it before it was our turn.
    if let Some(step) = next(&begun).await? {
        begun.batch_execute(step.sql).await?;
        begun.execute(RECORD, &[&i64::from(step.version), &step.name, &step.checksum()]).await?;
    }
    begun.commit().await?;
    Ok(true)
}

async fn next(begun: &Transaction<'_>) -> Result<Option<&'static Migration>, Failed> {
    let steps = "SELECT version, checksum FROM jit_schema WHERE version > 0 ORDER BY version";
    let mut applied: Vec<(i64, String)> = Vec::new();
    for row in begun.query(steps, &[]).await? {
        applied.push((row.try_get(0)?, row.try_get(1)?));
    }
    Ok(pending(MIGRATIONS, &applied).map_err(Failed::Tables)?.first().copied())
}
