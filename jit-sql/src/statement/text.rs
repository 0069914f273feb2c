//! The texts.

/// Gives the parameter to the rest of the statement, parsed once.
macro_rules! input {
    () => {
        "WITH input AS MATERIALIZED (SELECT $1::text::jsonb AS j)"
    };
}

/// The row of the account.
macro_rules! given {
    () => {
        ",
given AS MATERIALIZED (
  SELECT input.j->>'tenant' AS tenant, g.*
  FROM input, jsonb_to_record(input.j->'account') AS g(
    id uuid, expected bigint, version bigint, state text, user_name_key text, ends_at bigint, last_seen bigint,
    document text)
)"
    };
}

/// What a new key adds to the indexes of an account.
macro_rules! keys_added {
    () => {
        ",
looked_up AS (
  INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT a.tenant, k.kind, decode(k.digest, 'hex'), a.id
  FROM account a, input, jsonb_to_recordset(input.j->'account'->'lookups_added') AS k(kind text, digest text)
  ON CONFLICT DO NOTHING
),
entitled AS (
  INSERT INTO jit_entitlement (tenant, entitlement, account)
  SELECT a.tenant, k.name, a.id
  FROM account a, input, jsonb_array_elements_text(input.j->'account'->'entitlements_added') AS k(name)
  ON CONFLICT DO NOTHING
)"
    };
}

/// Tasks, events and counters, which every commit may carry. Counters come last: their rows stay locked until the end.
macro_rules! beside {
    () => {
        ",
withdrawn AS (
  DELETE FROM jit_task t
  USING account a, input, jsonb_array_elements_text(input.j->'withdrawn') AS k(id)
  WHERE t.tenant = a.tenant AND t.id = k.id::uuid
),
task AS (
  INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
  SELECT a.tenant, k.id, k.lane, k.account, k.due, k.due, k.document::json
  FROM account a, input, jsonb_to_recordset(input.j->'tasks')
    AS k(id uuid, lane text, account uuid, due bigint, document text)
  RETURNING 1
),
event AS (
  INSERT INTO jit_audit (tenant, id, account, at, document)
  SELECT a.tenant, k.id, k.account, k.at, k.document::json
  FROM account a, input, jsonb_to_recordset(input.j->'events')
    AS k(id uuid, account uuid, at bigint, document text)
  RETURNING 1
),
counter AS (
  INSERT INTO jit_counter AS c (tenant, name, value)
  SELECT a.tenant, k.name, k.step
  FROM account a, (SELECT count(*) FROM task) AS tasks_first, (SELECT count(*) FROM event) AS events_first,
    input, jsonb_to_recordset(input.j->'counters') AS k(name text, step bigint)
  ORDER BY k.name COLLATE \"C\"
  ON CONFLICT (tenant, name) DO UPDATE SET value = c.value + excluded.value
  RETURNING c.name, c.value
),
refusal AS (
  INSERT INTO jit_refusal (reason)
  SELECT 'counter_' || k.at
  FROM counter c, input, jsonb_to_recordset(input.j->'counters')
    AS k(at integer, name text, at_least bigint, at_most bigint)
  WHERE k.name = c.name AND (c.value < k.at_least OR c.value > k.at_most)
)"
    };
}

/// Writes a commit with an account that must not exist yet.
pub const CREATE: &str = concat!(
    input!(),
    given!(),
    ",
linked AS (
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT g.tenant, k.connection, k.issuer, k.subject, g.id
  FROM given g, input, jsonb_to_recordset(input.j->'account'->'identities_added')
    AS k(connection text, issuer text, subject text)
  ON CONFLICT DO NOTHING
  RETURNING 1
),
links AS MATERIALIZED (
  SELECT (SELECT count(*) FROM linked) AS made, jsonb_array_length(input.j->'account'->'identities_added') AS wanted
  FROM input
),
identity_refusal AS (
  INSERT INTO jit_refusal (reason) SELECT 'identity' FROM links WHERE made <> wanted AND made > 0
),
account AS (
  INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document)
  SELECT g.tenant, g.id, g.version, g.state, g.user_name_key, g.ends_at, g.last_seen, g.document::json
  FROM given g, links WHERE links.made = links.wanted
  RETURNING tenant, id
)",
    keys_added!(),
    beside!(),
    "
SELECT CASE WHEN made = wanted THEN 'written' ELSE 'identity' END FROM links"
);

/// Writes a commit with an account that must be at the version that the commit names.
pub const UPDATE: &str = concat!(
    input!(),
    given!(),
    ",
account AS (
  UPDATE jit_account a
  SET version = g.version, state = g.state, user_name_key = g.user_name_key, ends_at = g.ends_at,
    last_seen = greatest(a.last_seen, g.last_seen), document = g.document::json
  FROM given g
  WHERE a.tenant = g.tenant AND a.id = g.id AND a.version = g.expected
  RETURNING a.tenant, a.id
),
unlinked AS (
  DELETE FROM jit_identity i
  USING account a, input, jsonb_to_recordset(input.j->'account'->'identities_removed')
    AS k(connection text, issuer text, subject text)
  WHERE i.tenant = a.tenant AND i.connection = k.connection AND i.issuer = k.issuer AND i.subject = k.subject
    AND i.account = a.id
),
linked AS (
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT a.tenant, k.connection, k.issuer, k.subject, a.id
  FROM account a, input, jsonb_to_recordset(input.j->'account'->'identities_added')
    AS k(connection text, issuer text, subject text)
  ON CONFLICT DO NOTHING
  RETURNING 1
),
identity_refusal AS (
  INSERT INTO jit_refusal (reason)
  SELECT 'identity' FROM account, input
  WHERE (SELECT count(*) FROM linked) <> jsonb_array_length(input.j->'account'->'identities_added')
),
not_looked_up AS (
  DELETE FROM jit_lookup l
  USING account a, input, jsonb_to_recordset(input.j->'account'->'lookups_removed') AS k(kind text, digest text)
  WHERE l.tenant = a.tenant AND l.kind = k.kind AND l.digest = decode(k.digest, 'hex') AND l.account = a.id
),
not_entitled AS (
  DELETE FROM jit_entitlement e
  USING account a, input, jsonb_array_elements_text(input.j->'account'->'entitlements_removed') AS k(name)
  WHERE e.tenant = a.tenant AND e.entitlement = k.name AND e.account = a.id
)",
    keys_added!(),
    beside!(),
    "
SELECT CASE WHEN EXISTS (SELECT FROM account) THEN 'written' ELSE 'conflict' END"
);

/// Writes a commit without an account: tasks, events and counters.
pub const RECORD: &str = concat!(
    input!(),
    ",
account AS MATERIALIZED (SELECT input.j->>'tenant' AS tenant FROM input)",
    beside!(),
    "
SELECT 'written'"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_has_one_parameter() {
        for text in [CREATE, UPDATE, RECORD] {
            assert_eq!(text.matches('$').count(), 1);
        }
    }
}
