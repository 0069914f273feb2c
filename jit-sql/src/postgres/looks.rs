//! Looks at what was there before a step, by parts, beside whatever else is done.

use tokio_postgres::{Client, IsolationLevel, Row, Transaction};
use uuid::Uuid;

use super::error::Failed;
use crate::document;

/// How many records are read before their keys are written: some milliseconds.
const PART: i64 = 500;

/// The part that is next. Whoever finds somebody at it leaves the look to them; should they end, the next start goes on.
const NEXT: &str = "SELECT tenant, account FROM jit_look
    WHERE name = 'over_since' AND due <= extract(epoch FROM clock_timestamp()) * 1000000 FOR UPDATE SKIP LOCKED";

/// What has a user name is no lease.
const ENDED: &str = "SELECT id, CASE WHEN user_name_key IS NULL THEN document::text END FROM jit_account
    WHERE tenant = $1 AND state = 'ended' AND id > $2 ORDER BY id LIMIT $3";

const KEY: &str = "INSERT INTO jit_lookup (tenant, kind, digest, account)
    SELECT $1, 'over_since', k.digest, k.account FROM unnest($2::bytea[], $3::uuid[]) AS k(digest, account)
    ON CONFLICT DO NOTHING";

const NEXT_TENANT: &str = "SELECT tenant FROM jit_account WHERE tenant > $1 ORDER BY tenant LIMIT 1";

const MOVE: &str = "UPDATE jit_look SET tenant = $1, account = $2 WHERE name = 'over_since'";

/// A day later, at whatever start comes then, there is a last one.
const END: &str = "WITH last AS (DELETE FROM jit_look WHERE name = 'over_since' AND looks <= 1)
    UPDATE jit_look SET tenant = '', account = '00000000-0000-0000-0000-000000000000', looks = looks - 1,
      due = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 86400000000
    WHERE name = 'over_since' AND looks > 1";

/// Gives the key to leases that are over for good and do not have it: those that were over before there was one, and those
/// that a process of before ended since. A look that was begun and did not end goes on where it was.
pub(super) async fn look(client: &mut Client) -> Result<(), Failed> {
    while look_at_part(client).await? {}
    Ok(())
}

/// Tells whether there was a part to look at.
async fn look_at_part(client: &mut Client) -> Result<bool, Failed> {
    let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    let Some(next) = begun.query_opt(NEXT, &[]).await? else { return Ok(false) };
    let (tenant, after): (&str, Uuid) = (next.try_get(0)?, next.try_get(1)?);
    let ended = begun.query(ENDED, &[&tenant, &after, &PART]).await?;
    give_keys(&begun, tenant, &ended).await?;
    match ended.last() {
        Some(last) => begun.execute(MOVE, &[&tenant, &last.try_get::<_, Uuid>(0)?]).await?,
        None => match begun.query_opt(NEXT_TENANT, &[&tenant]).await? {
            Some(next) => begun.execute(MOVE, &[&next.try_get::<_, &str>(0)?, &Uuid::nil()]).await?,
            None => begun.execute(END, &[]).await?,
        },
    };
    begun.commit().await?;
    Ok(true)
}

async fn give_keys(begun: &Transaction<'_>, tenant: &str, ended: &[Row]) -> Result<(), Failed> {
    let (mut digests, mut accounts) = (Vec::new(), Vec::new());
    for row in ended {
        let document: Option<&str> = row.try_get(1)?;
        if let Some(key) = document.and_then(document::key_of_what_is_over) {
            digests.push(key.digest.to_vec());
            accounts.push(row.try_get::<_, Uuid>(0)?);
        }
    }
    if !accounts.is_empty() {
        begun.execute(KEY, &[&tenant, &digests, &accounts]).await?;
    }
    Ok(())
}
