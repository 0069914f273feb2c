//! Every statement that the store runs, prepared once for each connection.

use tokio_postgres::{Client, Error, Statement};

use super::batch::{BATCH, BATCH_CREATES, BATCH_UPDATES};
use crate::statement::{
    CREATE, CREATE_COUNTED, CREATE_KEPT, FORGET, RECORD, RECORD_KEPT, UPDATE, UPDATE_KEPT,
};

/// One state of a list, read in the order of its index.
macro_rules! in_state {
    ($state:literal) => {
        concat!(
            "(SELECT id, document, last_seen FROM jit_account
              WHERE tenant = $1 AND state = '",
            $state,
            "' AND id > $2 ORDER BY id LIMIT $3)"
        )
    };
}

const LIST: &str = concat!(
    "SELECT document::text, last_seen FROM (",
    merged_states!(in_state),
    ") AS a ORDER BY id LIMIT $3"
);

macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        pub(super) struct Statements {
            $(pub(super) $name: Statement,)*
        }

        impl Statements {
            /// Prepares all of them in one go: they are sent without waiting for each other.
            pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
                let ($($name,)*) = tokio::try_join!($(client.prepare($text),)*)?;
                Ok(Self { $($name,)* })
            }
        }
    };
}

statements! {
    create = CREATE;
    create_counted = CREATE_COUNTED;
    update = UPDATE;
    record = RECORD;
    forget = FORGET;
    create_kept = CREATE_KEPT;
    update_kept = UPDATE_KEPT;
    record_kept = RECORD_KEPT;
    batch = &BATCH;
    batch_creates = &BATCH_CREATES;
    batch_updates = &BATCH_UPDATES;

    find = "SELECT a.document::text, a.last_seen
        FROM jit_identity i JOIN jit_account a ON a.tenant = i.tenant AND a.id = i.account
        WHERE i.tenant = $1 AND i.connection = $2 AND i.issuer = $3 AND i.subject = $4";
    find_several = "SELECT a.document::text, a.last_seen, r.place
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
          AS r(tenant, connection, issuer, subject, place)
        JOIN jit_identity i ON i.tenant = r.tenant AND i.connection = r.connection AND i.issuer = r.issuer
          AND i.subject = r.subject
        JOIN jit_account a ON a.tenant = i.tenant AND a.id = i.account";
    by_id = "SELECT document::text, last_seen FROM jit_account
        WHERE tenant = $1 AND id = $2 AND state <> 'forgotten'";
    matching = "SELECT a.document::text, a.last_seen
        FROM jit_lookup l JOIN jit_account a ON a.tenant = l.tenant AND a.id = l.account
        WHERE l.tenant = $1 AND l.kind = $2 AND l.digest = $3 AND a.state <> 'forgotten' LIMIT 2";
    matching_several = "SELECT a.document, a.last_seen, r.place
        FROM unnest($1::text[], $2::text[], $3::bytea[]) WITH ORDINALITY AS r(tenant, kind, digest, place),
        LATERAL (
          SELECT a.document::text, a.last_seen
          FROM jit_lookup l JOIN jit_account a ON a.tenant = l.tenant AND a.id = l.account
          WHERE l.tenant = r.tenant AND l.kind = r.kind AND l.digest = r.digest AND a.state <> 'forgotten' LIMIT 2
        ) AS a";
    named = "SELECT document::text, last_seen FROM jit_account WHERE tenant = $1 AND user_name_key = $2";
    list = LIST;
    list_state = "SELECT document::text, last_seen FROM jit_account
        WHERE tenant = $1 AND id > $2 AND state = $4 ORDER BY id LIMIT $3";
    list_holding = "SELECT a.document::text, a.last_seen
        FROM jit_entitlement e JOIN jit_account a ON a.tenant = e.tenant AND a.id = e.account
        WHERE e.tenant = $1 AND e.account > $2 AND e.entitlement = $4 ORDER BY e.account LIMIT $3";
    list_bearing = "SELECT a.document::text, a.last_seen
        FROM jit_lookup l JOIN jit_account a ON a.tenant = l.tenant AND a.id = l.account
        WHERE l.tenant = $1 AND l.account > $2 AND l.kind = $4 AND l.digest = $5 AND a.state <> 'forgotten'
        ORDER BY l.account LIMIT $3";
    bearers = "SELECT account FROM jit_lookup
        WHERE tenant = $1 AND account > $2 AND kind = $4 AND digest = $5 ORDER BY account LIMIT $3";
    long_over = "SELECT digest, account FROM jit_lookup
        WHERE tenant = $1 AND kind = 'over_since' AND (digest, account) > ($2, $3) AND digest <= $4
        ORDER BY digest, account LIMIT $5";
    document = "SELECT id, version, created_at, changed_at, account, names, body FROM jit_document
        WHERE tenant = $1 AND connection = $2 AND kind = $3 AND id = $4";
    document_several = "SELECT d.id, d.version, d.created_at, d.changed_at, d.account, d.names, d.body, r.place
        FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) WITH ORDINALITY
          AS r(tenant, connection, kind, id, place)
        JOIN jit_document d ON d.tenant = r.tenant AND d.connection = r.connection AND d.kind = r.kind AND d.id = r.id";
    document_text = "SELECT id, version, created_at, changed_at, body FROM jit_document
        WHERE tenant = $1 AND connection = $2 AND kind = $3 AND id = $4";
    documents_named = "SELECT d.id, d.version, d.created_at, d.changed_at, d.body
        FROM jit_document_name n JOIN jit_document d
          ON d.tenant = n.tenant AND d.connection = n.connection AND d.kind = n.kind AND d.id = n.document
        WHERE n.tenant = $1 AND n.connection = $2 AND n.kind = $3 AND n.digest = $4 ORDER BY n.tie LIMIT $5";
    documents = "SELECT id, version, created_at, changed_at, body FROM jit_document
        WHERE tenant = $1 AND connection = $2 AND kind = $3 AND id > $4 ORDER BY id LIMIT $5 OFFSET $6";
    count_documents = "SELECT count(*) FROM jit_document WHERE tenant = $1 AND connection = $2 AND kind = $3";
    members = "SELECT member, member_kind, body FROM jit_member
        WHERE tenant = $1 AND connection = $2 AND kind = $3 AND id = $4 AND member > $5 ORDER BY member LIMIT $6";
    member = "SELECT member, member_kind, body FROM jit_member
        WHERE tenant = $1 AND connection = $2 AND kind = $3 AND id = $4 AND member = $5";
    // Not EXISTS: the planner would make a join of it, begin with all documents there are, and look through all groups of
    // the member for each.
    memberships = "SELECT m.kind, m.id FROM jit_member m
        WHERE m.tenant = $1 AND m.connection = $2 AND m.member_kind = $3 AND m.member = $4
          AND (
            SELECT true FROM jit_document d
            WHERE d.tenant = $1 AND d.connection = $2 AND d.kind = m.kind AND d.id = m.id
          )
        ORDER BY m.kind, m.id LIMIT $5";

    // The parts come in the order of the ids. What a crash takes away here is only a last-seen instant.
    touch = "WITH loose AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
        seen AS MATERIALIZED (
          SELECT s.* FROM loose, unnest($1::text[], $2::uuid[], $3::bigint[]) AS s(tenant, account, at)
        )
        UPDATE jit_account a SET last_seen = s.at FROM seen s
        WHERE a.tenant = s.tenant AND a.id = s.account AND (a.last_seen IS NULL OR a.last_seen < s.at)";

    // A row that another worker takes at this moment is passed over; one that it has just taken does not fit any more. The
    // tenants are looked up for each row in the order of the lane, whose index leads to them: the OR keeps it so.
    claim = "WITH open AS MATERIALIZED (
          SELECT tenant, id, open_from FROM jit_task WHERE lane = $1 AND open_from <= $2
            AND ($6::text[] IS NULL OR tenant IN (SELECT unnest($6::text[])) = $7::boolean)
          ORDER BY open_from, id, tenant LIMIT $3 FOR UPDATE SKIP LOCKED
        )
        UPDATE jit_task t SET epoch = t.epoch + 1, open_from = $4, worker = $5
        FROM open o WHERE t.tenant = o.tenant AND t.id = o.id
        RETURNING t.document::text, t.due, t.epoch, o.open_from, t.tenant, t.id, t.account";
    done = "DELETE FROM jit_task WHERE tenant = $1 AND id = $2 AND epoch = $3 AND worker IS NOT NULL
        RETURNING 1";
    again = "UPDATE jit_task SET due = $4, open_from = $4, worker = NULL
        WHERE tenant = $1 AND id = $2 AND epoch = $3 AND worker IS NOT NULL RETURNING 1";
    next_due = "SELECT open_from FROM jit_task WHERE lane = $1 ORDER BY open_from, id, tenant LIMIT 1";
    next_lane = "SELECT lane FROM jit_task WHERE lane > $1 ORDER BY lane LIMIT 1";

    put = "INSERT INTO jit_one_time AS o (tenant, digest, value, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (tenant, digest) DO UPDATE SET value = excluded.value, until = excluded.until
        WHERE o.until <= $5 RETURNING 1";
    take = "DELETE FROM jit_one_time WHERE tenant = $1 AND digest = $2 RETURNING value, until";
    purge = "WITH over AS MATERIALIZED (
          SELECT tenant, digest FROM jit_one_time WHERE until <= $1 ORDER BY until LIMIT $2
          FOR UPDATE SKIP LOCKED
        )
        DELETE FROM jit_one_time d USING over o WHERE d.tenant = o.tenant AND d.digest = o.digest RETURNING 1";

    events = "SELECT document::text FROM jit_audit WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    about = "SELECT id, account FROM jit_audit WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    latest_events = "SELECT document::text FROM jit_audit
        WHERE tenant = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    events_of = "SELECT document::text FROM jit_audit
        WHERE tenant = $1 AND id > $2 AND account = $4 ORDER BY id LIMIT $3";
    latest_events_of = "SELECT document::text FROM jit_audit
        WHERE tenant = $1 AND id < $2 AND account = $4 ORDER BY id DESC LIMIT $3";
}
