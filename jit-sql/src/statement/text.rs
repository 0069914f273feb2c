//! The texts.

use super::kept::{kept, kept_refused};

/// The rows of a commit that name rows which are there, as `r`: what `account` holds, and each as `v`.
///
/// OFFSET 0 makes a list of them first. Otherwise the planner may put the table between account and list, and read all
/// rows of the tenant to find one.
macro_rules! rows {
    ($list:literal) => {
        rows!("jsonb_array_elements", $list)
    };
    ($elements:literal, $list:literal) => {
        concat!(
            "(SELECT a.*, v FROM account a, input, ",
            $elements,
            "(j->'",
            $list,
            "') AS k(v) OFFSET 0) AS r"
        )
    };
}

/// Gives the parameter to the rest of the statement, parsed once.
macro_rules! input {
    () => {
        "WITH input AS MATERIALIZED (SELECT $1::text::jsonb AS j)"
    };
}

/// What a commit adds to the indexes of an account.
macro_rules! added {
    () => {
        ",
looked_up AS (
  INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT a.tenant, v->>0, decode(v->>1, 'hex'), a.id
  FROM account a, input, jsonb_array_elements(j->'lookups_added') AS k(v)
),
entitled AS (
  INSERT INTO jit_entitlement (tenant, entitlement, account)
  SELECT a.tenant, k.name, a.id
  FROM account a, input, jsonb_array_elements_text(j->'entitlements_added') AS k(name)
)"
    };
}

/// Tasks and events, which every commit may bring.
macro_rules! recorded {
    () => {
        ",
task AS (
  INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
  SELECT a.tenant, (v->>0)::uuid, v->>1, (v->>2)::uuid, (v->>3)::bigint, (v->>3)::bigint, (v->>4)::json
  FROM account a, input, jsonb_array_elements(j->'tasks') AS k(v)
  RETURNING 1
),
event AS (
  INSERT INTO jit_audit (tenant, id, account, at, document)
  SELECT a.tenant, (v->>0)::uuid, (v->>1)::uuid, (v->>2)::bigint, (v->>3)::json
  FROM account a, input, jsonb_array_elements(j->'events') AS k(v)
  RETURNING 1
)"
    };
}

/// Withdrawn tasks and moved counters. Counters come last: their rows stay locked until the end.
macro_rules! counted {
    () => {
        concat!(
            ",
withdrawn AS (
  DELETE FROM jit_task t
  USING ",
            rows!("jsonb_array_elements_text", "withdrawn"),
            "
  WHERE t.tenant = r.tenant AND t.id = r.v::uuid
),
counter AS (
  INSERT INTO jit_counter AS c (tenant, name, value)
  SELECT a.tenant, v->>0, (v->>1)::bigint
  FROM account a, (SELECT count(*) FROM task) AS tasks_first, (SELECT count(*) FROM event) AS events_first,
    input, jsonb_array_elements(j->'counters') AS k(v)
  ORDER BY (v->>0) COLLATE \"C\"
  ON CONFLICT (tenant, name) DO UPDATE SET value = c.value + excluded.value
  RETURNING c.name, c.value
),
beyond AS (
  SELECT 'counter_' || (k.place - 1) AS reason
  FROM counter c, input, jsonb_array_elements(j->'counters') WITH ORDINALITY AS k(v, place)
  WHERE v->>0 = c.name AND (c.value < (v->>2)::bigint OR c.value > (v->>3)::bigint)
)"
        )
    };
}

/// The account and its identities, which come first: of many who sign in first at once, all but one stop here.
macro_rules! created {
    () => {
        ",
linked AS (
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT j->>'tenant', v->>0, v->>1, v->>2, (j->>'id')::uuid
  FROM input, jsonb_array_elements(j->'identities_added') AS k(v)
  ON CONFLICT DO NOTHING
  RETURNING 1
),
links AS MATERIALIZED (
  SELECT (SELECT count(*) FROM linked) AS made, jsonb_array_length(j->'identities_added') AS wanted FROM input
),
account AS (
  INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document)
  SELECT j->>'tenant', (j->>'id')::uuid, CASE WHEN made = wanted THEN (j->>'version')::bigint ELSE 0 END,
    j->>'state', j->>'user_name_key', (j->>'ends_at')::bigint, (j->>'last_seen')::bigint, (j->>'document')::json
  FROM input, links
  WHERE made > 0 OR wanted = 0
  RETURNING tenant, id
)"
    };
}

macro_rules! create_answer {
    () => {
        "
SELECT CASE WHEN made = wanted THEN 'written' ELSE 'identity' END FROM links"
    };
}

/// The account, its identities and what it loses of its indexes.
macro_rules! updated {
    () => {
        concat!(
            ",
account AS (
  UPDATE jit_account a
  SET version = (j->>'version')::bigint, state = j->>'state', user_name_key = j->>'user_name_key',
    ends_at = (j->>'ends_at')::bigint, last_seen = greatest(a.last_seen, (j->>'last_seen')::bigint),
    document = (j->>'document')::json
  FROM input
  WHERE a.tenant = j->>'tenant' AND a.id = (j->>'id')::uuid AND a.version = (j->>'expected')::bigint
    AND coalesce(a.last_seen <= (j->>'unused_since')::bigint, true)
  RETURNING a.tenant, a.id
),
unlinked AS (
  DELETE FROM jit_identity i
  USING ",
            rows!("identities_removed"),
            "
  WHERE i.tenant = r.tenant AND i.connection = r.v->>0 AND i.issuer = r.v->>1 AND i.subject = r.v->>2
    AND i.account = r.id
),
linked AS (
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT a.tenant, v->>0, v->>1, v->>2, a.id
  FROM account a, input, jsonb_array_elements(j->'identities_added') AS k(v)
  ON CONFLICT DO NOTHING
  RETURNING 1
),
not_looked_up AS (
  DELETE FROM jit_lookup l
  USING ",
            rows!("lookups_removed"),
            "
  WHERE l.tenant = r.tenant AND l.kind = r.v->>0 AND l.digest = decode(r.v->>1, 'hex') AND l.account = r.id
),
not_entitled AS (
  DELETE FROM jit_entitlement e
  USING ",
            rows!("jsonb_array_elements_text", "entitlements_removed"),
            "
  WHERE e.tenant = r.tenant AND e.entitlement = r.v AND e.account = r.id
)"
        )
    };
}

/// An identity that belongs to somebody else, as a row of reasons.
macro_rules! identity_refused {
    () => {
        "
  SELECT 'identity' FROM account, input
  WHERE (SELECT count(*) FROM linked) <> jsonb_array_length(j->'identities_added')"
    };
}

macro_rules! update_answer {
    () => {
        "
SELECT CASE WHEN EXISTS (SELECT FROM account) THEN 'written' ELSE 'conflict' END"
    };
}

/// The tenant in the place of an account.
macro_rules! no_account {
    () => {
        ",
account AS MATERIALIZED (SELECT j->>'tenant' AS tenant FROM input)"
    };
}

/// Leaves of accounts nothing but that their ids are taken. None is ever at the last version, so that nobody writes over it.
macro_rules! forgotten {
    () => {
        concat!(
            ",
forgotten AS (
  UPDATE jit_account a
  SET version = 9223372036854775807, state = 'forgotten', ends_at = NULL, last_seen = NULL, document = '{}'
  FROM ",
            rows!("forgotten"),
            "
  WHERE a.tenant = r.tenant AND a.id = (v->>0)::uuid AND a.version = (v->>1)::bigint AND a.state = 'ended'
  RETURNING 1
),
not_over AS (
  DELETE FROM jit_lookup l
  USING ",
            rows!("forgotten"),
            "
  WHERE l.tenant = r.tenant AND l.kind = r.v->>2 AND l.digest = decode(r.v->>3, 'hex') AND l.account = (r.v->>0)::uuid
)"
        )
    };
}

/// Refuses what the documents and the counters speak against, the documents first: counters stay locked until the end.
macro_rules! kept_and_counters_refused {
    () => {
        concat!(
            ",
refusal AS (
  INSERT INTO jit_refusal (reason)",
            kept_refused!(),
            "
  UNION ALL SELECT reason FROM beyond
)"
        )
    };
}

macro_rules! counters_refused {
    () => {
        ",
refusal AS (
  INSERT INTO jit_refusal (reason) SELECT reason FROM beyond
)"
    };
}

/// Writes a commit with an account that must not exist yet, and neither withdraws tasks nor moves counters.
pub const CREATE: &str = concat!(input!(), created!(), added!(), recorded!(), create_answer!());

/// Writes a commit with an account that must not exist yet.
pub const CREATE_COUNTED: &str =
    concat!(input!(), created!(), added!(), recorded!(), counted!(), counters_refused!(), create_answer!());

/// Writes a commit with an account that must be at the version that the commit names.
pub const UPDATE: &str = concat!(
    input!(),
    updated!(),
    added!(),
    recorded!(),
    counted!(),
    ",
refusal AS (
  INSERT INTO jit_refusal (reason)",
    identity_refused!(),
    "
  UNION ALL SELECT reason FROM beyond
)",
    update_answer!()
);

/// Writes a commit without an account: tasks, events and counters.
pub const RECORD: &str = concat!(
    input!(),
    no_account!(),
    recorded!(),
    counted!(),
    counters_refused!(),
    "
SELECT 'written'"
);

/// Writes a commit that forgets accounts, each of which must be at the version that the commit names.
pub const FORGET: &str = concat!(
    input!(),
    no_account!(),
    forgotten!(),
    recorded!(),
    counted!(),
    ",
refusal AS (
  INSERT INTO jit_refusal (reason)
  SELECT 'forgotten' FROM input WHERE (SELECT count(*) FROM forgotten) <> jsonb_array_length(j->'forgotten')
  UNION ALL SELECT reason FROM beyond
)
SELECT 'written'"
);

/// Writes a commit with documents and an account that must not exist yet.
pub const CREATE_KEPT: &str = concat!(
    input!(),
    created!(),
    added!(),
    kept!(),
    recorded!(),
    counted!(),
    kept_and_counters_refused!(),
    create_answer!()
);

/// Writes a commit with documents and an account that must be at the version that the commit names.
pub const UPDATE_KEPT: &str = concat!(
    input!(),
    updated!(),
    added!(),
    kept!(),
    recorded!(),
    counted!(),
    ",
refusal AS (
  INSERT INTO jit_refusal (reason)",
    identity_refused!(),
    "
  UNION ALL",
    kept_refused!(),
    "
  UNION ALL SELECT reason FROM beyond
)",
    update_answer!()
);

/// Writes a commit with documents and without an account.
pub const RECORD_KEPT: &str = concat!(
    input!(),
    no_account!(),
    kept!(),
    recorded!(),
    counted!(),
    kept_and_counters_refused!(),
    "
SELECT 'written'"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_has_one_parameter() {
        for text in [CREATE, CREATE_COUNTED, UPDATE, RECORD, FORGET, CREATE_KEPT, UPDATE_KEPT, RECORD_KEPT] {
            assert_eq!(text.matches('$').count(), 1);
        }
    }
}
