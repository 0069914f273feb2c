//! The statement.

use std::sync::LazyLock;

use super::columns::Tables;

/// Writes the commits of a batch, or fails.
///
/// Rows that others may hold are taken in the order of the other statements: identities, accounts, documents and their
/// names, counters. Whoever holds one for long, an application in a transaction of its own, must not hold up a whole batch:
/// it gives up early.
pub(in crate::postgres) static BATCH: LazyLock<String> = LazyLock::new(|| {
    let tables = Tables::new();
    [accounts(&tables), keys(&tables), documents(&tables), records(&tables), answer(&tables)].concat()
});

fn accounts(tables: &Tables) -> String {
    format!(
        "WITH
hurried AS MATERIALIZED (SELECT set_config('lock_timeout', '100ms', true)),
linked AS (
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT tenant, connection, issuer, subject, account FROM hurried, {identities}
  ON CONFLICT DO NOTHING
  RETURNING 1
),
created AS (
  INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document)
  SELECT tenant, id, version, state, user_name_key, ends_at, last_seen, document::json
  FROM (SELECT count(*) AS made FROM linked) AS links, {created}
  WHERE made = {identities_count}
  RETURNING 1
),
updated AS (
  UPDATE jit_account a
  SET version = r.version, state = r.state, user_name_key = r.user_name_key, ends_at = r.ends_at,
    last_seen = greatest(a.last_seen, r.last_seen), document = r.document::json
  FROM hurried, (SELECT count(*) FROM created) AS new_first, {updated}
  WHERE a.tenant = r.tenant AND a.id = r.id AND a.version = r.expected
    AND coalesce(a.last_seen <= r.unused_since, true)
  RETURNING 1
)",
        identities = tables.identities.rows,
        identities_count = tables.identities.count,
        created = tables.created.rows,
        updated = tables.updated.rows,
    )
}

/// What accounts are found by, beside their identities.
fn keys(tables: &Tables) -> String {
    format!(
        ",
not_looked_up AS (
  DELETE FROM jit_lookup l USING {lookups_removed}
  WHERE l.tenant = r.tenant AND l.kind = r.kind AND l.digest = r.digest AND l.account = r.account
),
looked_up AS (
  INSERT INTO jit_lookup (tenant, kind, digest, account) SELECT tenant, kind, digest, account FROM {lookups_added}
),
not_entitled AS (
  DELETE FROM jit_entitlement e USING {entitlements_removed}
  WHERE e.tenant = r.tenant AND e.entitlement = r.name AND e.account = r.account
),
entitled AS (
  INSERT INTO jit_entitlement (tenant, entitlement, account) SELECT tenant, name, account FROM {entitlements_added}
)",
        lookups_removed = tables.lookups_removed.rows,
        lookups_added = tables.lookups_added.rows,
        entitlements_removed = tables.entitlements_removed.rows,
        entitlements_added = tables.entitlements_added.rows,
    )
}

fn documents(tables: &Tables) -> String {
    format!(
        ",
made AS (
  INSERT INTO jit_document
    (tenant, connection, kind, id, version, created_at, changed_at, account, names, body)
  SELECT tenant, connection, kind, id, 1, created_at, changed_at, account, names, body
  FROM (SELECT count(*) FROM updated) AS accounts_first, {made}
  RETURNING 1
),
changed AS (
  UPDATE jit_document d
  SET version = d.version + 1, changed_at = r.changed_at, account = r.account, names = r.names, body = r.body
  FROM hurried, (SELECT count(*) FROM made) AS new_first, {changed}
  WHERE d.tenant = r.tenant AND d.connection = r.connection AND d.kind = r.kind AND d.id = r.id
    AND d.version = r.expected
  RETURNING 1
),
unnamed AS (
  DELETE FROM jit_document_name n USING hurried, (SELECT count(*) FROM changed) AS rows_first, {names_removed}
  WHERE n.tenant = r.tenant AND n.connection = r.connection AND n.kind = r.kind AND n.digest = r.digest
    AND n.tie = r.tie AND n.document = r.document
  RETURNING 1
),
named AS (
  INSERT INTO jit_document_name (tenant, connection, kind, digest, tie, document)
  SELECT tenant, connection, kind, digest, tie, document
  FROM hurried, (SELECT count(*) FROM unnamed) AS room_first, {names_added}
  RETURNING 1
)",
        made = tables.made.rows,
        changed = tables.changed.rows,
        names_removed = tables.names_removed.rows,
        names_added = tables.names_added.rows,
    )
}

fn records(tables: &Tables) -> String {
    format!(
        ",
task AS (
  INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
  SELECT tenant, id, lane, account, due, due, document::json FROM {tasks}
),
withdrawn AS (
  DELETE FROM jit_task t USING hurried, {withdrawn} WHERE t.tenant = r.tenant AND t.id = r.id
),
event AS (
  INSERT INTO jit_audit (tenant, id, account, at, document)
  SELECT tenant, id, account, at, document::json FROM {events}
),
counter AS (
  INSERT INTO jit_counter AS c (tenant, name, value)
  SELECT tenant, name, step FROM hurried, (SELECT count(*) FROM named) AS names_first, {counters}
  ON CONFLICT (tenant, name) DO UPDATE SET value = c.value + excluded.value
  RETURNING name, tenant, value
)",
        tasks = tables.tasks.rows,
        withdrawn = tables.withdrawn.rows,
        events = tables.events.rows,
        counters = tables.counters.rows,
    )
}

fn answer(tables: &Tables) -> String {
    format!(
        "
SELECT 1 / CASE WHEN (SELECT count(*) FROM created) = {created} AND (SELECT count(*) FROM updated) = {updated}
  AND (SELECT count(*) FROM changed) = {changed}
  AND NOT EXISTS (
    SELECT FROM counter c, {counters}
    WHERE r.name = c.name AND r.tenant = c.tenant AND (c.value < r.at_least OR c.value > r.at_most)
  )
THEN 1 ELSE 0 END",
        created = tables.created.count,
        updated = tables.updated.count,
        changed = tables.changed.count,
        counters = tables.counters.rows,
    )
}
