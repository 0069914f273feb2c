//! Looks at what was there before a step, by parts, so that nobody who writes waits for long.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::error::Refused;
use crate::document;

/// How many records are read before their keys are written: some milliseconds.
const PART: i64 = 500;

const NEXT: &str =
    "SELECT tenant, account FROM jit_look WHERE name = 'over_since' AND due <= unixepoch() * 1000000";

/// What has a user name is no lease.
const ENDED: &str = "SELECT id, iif(user_name_key IS NULL, document, NULL) \
    FROM jit_account INDEXED BY jit_account_state \
    WHERE tenant = ?1 AND state = 'ended' AND id > ?2 ORDER BY id LIMIT ?3";

const KEY: &str = "INSERT OR IGNORE INTO jit_lookup (tenant, kind, digest, account) \
    VALUES (?1, 'over_since', ?2, ?3)";

const NEXT_TENANT: &str = "SELECT tenant FROM jit_account WHERE tenant > ?1 ORDER BY tenant LIMIT 1";

const MOVE: &str = "UPDATE jit_look SET tenant = ?1, account = ?2 WHERE name = 'over_since'";

/// A day later, at whatever opening comes then, there is a last one.
const END: &str = "UPDATE jit_look SET tenant = '', account = x'', looks = looks - 1, \
      due = unixepoch() * 1000000 + 86400000000 WHERE name = 'over_since'; \
    DELETE FROM jit_look WHERE looks <= 0";

/// Gives the key to leases that are over for good and do not have it: those that were over before there was one, and those
/// that a process of before ended since. A look that was begun and did not end goes on where it was.
pub(super) fn look(connection: &mut Connection) -> Result<(), Refused> {
    while next(connection)?.is_some() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Somebody else may have looked at it meanwhile.
        if let Some((tenant, after)) = next(&transaction)? {
            look_at_part(&transaction, &tenant, &after)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

/// The part that is next, if it is time.
fn next(connection: &Connection) -> Result<Option<(String, Vec<u8>)>, Refused> {
    Ok(connection.query_row(NEXT, (), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

fn look_at_part(transaction: &Transaction<'_>, tenant: &str, after: &[u8]) -> Result<(), Refused> {
    let mut last: Option<Vec<u8>> = None;
    let mut ended = transaction.prepare(ENDED)?;
    let mut rows = ended.query((tenant, after, PART))?;
    while let Some(row) = rows.next()? {
        let id: Vec<u8> = row.get(0)?;
        let key = row.get_ref(1)?.as_str().ok().and_then(document::key_of_what_is_over);
        if let Some(key) = key {
            transaction.prepare_cached(KEY)?.execute((tenant, key.digest, &id))?;
        }
        last = Some(id);
    }
    if let Some(last) = last {
        transaction.execute(MOVE, (tenant, last))?;
        return Ok(());
    }
    let next: Option<String> = transaction.query_row(NEXT_TENANT, (tenant,), |row| row.get(0)).optional()?;
    match next {
        Some(next) => transaction.execute(MOVE, (next, [0_u8; 0])).map(drop)?,
        None => transaction.execute_batch(END)?,
    }
    Ok(())
}
