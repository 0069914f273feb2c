//! PostgreSQL by hand: each call one statement, prepared, on as many connections as the store has.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{Client, Config, NoTls, Row, Statement, types::ToSql};
use uuid::Uuid;

use super::Bare;
use super::rows::{Before, Name, Person, Renamed, digest};

pub(crate) const CONNECTIONS: usize = 16;

const GET: &str = "SELECT id, version, created_at, changed_at, body FROM jit_document
    WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User' AND id = $1";

const NAMED: &str = "SELECT d.id, d.version, d.created_at, d.changed_at, d.body
    FROM jit_document_name n JOIN jit_document d
      ON d.tenant = n.tenant AND d.connection = n.connection AND d.kind = n.kind AND d.id = n.document
    WHERE n.tenant = 'default' AND n.connection = 'scim' AND n.kind = 'User' AND n.digest = $1";

const COUNT: &str =
    "SELECT count(*) FROM jit_document WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User'";

const LIST: &str = "SELECT id, version, created_at, changed_at, body FROM jit_document
    WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User' ORDER BY id LIMIT 100";

const BEFORE: &str = "SELECT d.version, d.body, a.id, a.version, a.document::text
    FROM jit_document d JOIN jit_account a ON a.tenant = d.tenant AND a.id = d.account
    WHERE d.tenant = 'default' AND d.connection = 'scim' AND d.kind = 'User' AND d.id = $1";

const RENAME: &str = "WITH
    d AS (UPDATE jit_document SET version = version + 1, changed_at = $3, body = $4
      WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User' AND id = $1 AND version = $2 RETURNING 1),
    a AS (UPDATE jit_account SET version = version + 1, document = $7::text::json
      FROM d WHERE tenant = 'default' AND id = $5 AND version = $6 RETURNING 1)
    INSERT INTO jit_audit (tenant, id, account, at, document) SELECT 'default', $8, $5, $3, $9::text::json FROM a";

const POST: &str = "WITH
    a AS (INSERT INTO jit_account (tenant, id, version, state, user_name_key, document)
      VALUES ('default', $1, 1, 'active', $2, $3::text::json)),
    i AS (INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
      VALUES ('default', $4, $5, $6, $1)),
    l AS (INSERT INTO jit_lookup (tenant, kind, digest, account)
      SELECT 'default', unnest($7::text[]), unnest($8::bytea[]), $1),
    c AS (INSERT INTO jit_counter (tenant, name, value) SELECT 'default', unnest($9::text[]), unnest($10::bigint[])),
    d AS (INSERT INTO jit_document
      (tenant, connection, kind, id, version, created_at, changed_at, account, names, body)
      VALUES ('default', 'scim', 'User', $11, 1, $12, $12, $1, $13, $14)),
    n AS (INSERT INTO jit_document_name (tenant, connection, kind, digest, tie, document)
      SELECT 'default', 'scim', 'User', unnest($15::bytea[]), unnest($16::uuid[]), $11)
    INSERT INTO jit_audit (tenant, id, account, at, document) VALUES ('default', $17, $1, $12, $18::text::json)";

/// Connections taken in turns, so that statements of several tasks are pipelined on each.
pub(crate) struct ByHand {
    connections: Vec<Prepared>,
    next: AtomicUsize,
}

struct Prepared {
    client: Client,
    get: Statement,
    named: Statement,
    count: Statement,
    list: Statement,
    before: Statement,
    rename: Statement,
    post: Statement,
}

impl Prepared {
    async fn open(config: &Config) -> Self {
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
        let prepare = async |text| client.prepare(text).await.unwrap();
        let (get, named, count) = (prepare(GET).await, prepare(NAMED).await, prepare(COUNT).await);
        let (list, before) = (prepare(LIST).await, prepare(BEFORE).await);
        let (rename, post) = (prepare(RENAME).await, prepare(POST).await);
        Self { client, get, named, count, list, before, rename, post }
    }

    async fn before(&self, document: Uuid) -> Before {
        let row = self.client.query_one(&self.before, &[&document]).await.unwrap();
        Before {
            document_version: row.get(0),
            body: row.get(1),
            account: row.get(2),
            account_version: row.get(3),
            account_text: row.get(4),
        }
    }
}

impl ByHand {
    pub(crate) async fn open(config: &Config) -> Self {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Prepared::open(config).await);
        }
        Self { connections, next: AtomicUsize::new(0) }
    }

    fn take_turns(&self) -> &Prepared {
        self.connections.get(self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS).unwrap()
    }
}

impl Bare for ByHand {
    async fn get(&self, id: Uuid) -> Vec<u8> {
        let on = self.take_turns();
        shown(&on.client.query_one(&on.get, &[&id]).await.unwrap())
    }

    async fn named(&self, user_name: &str) -> Vec<u8> {
        let on = self.take_turns();
        shown(&on.client.query_one(&on.named, &[&digest("userName", user_name)]).await.unwrap())
    }

    async fn list(&self) -> Vec<u8> {
        let on = self.take_turns();
        // Both are sent before an answer comes.
        let both = tokio::try_join!(on.client.query_one(&on.count, &[]), on.client.query(&on.list, &[]));
        let (count, rows) = both.unwrap();
        let mut all = count.get::<_, i64>(0).to_string().into_bytes();
        for row in &rows {
            all.extend(shown(row));
        }
        all
    }

    async fn rename(&self, document: Uuid, name: &str) {
        loop {
            let on = self.take_turns();
            let renamed = Renamed::new(document, on.before(document).await, name);
            let Renamed { before, body, account_text, at, event, event_text, .. } = &renamed;
            let params: [&(dyn ToSql + Sync); 9] = [
                &document,
                &before.document_version,
                at,
                body,
                &before.account,
                &before.account_version,
                account_text,
                event,
                event_text,
            ];
            if on.client.execute(&on.rename, &params).await.unwrap() == 1 {
                return;
            }
        }
    }

    async fn post(&self, person: Person) {
        let on = self.take_turns();
        let key = &person.key;
        let (connection, issuer, subject) =
            (key.connection.as_str(), key.issuer.as_str(), key.subject.as_str());
        let (kinds, lookups): (Vec<_>, Vec<_>) = person.lookups.into_iter().unzip();
        let (counters, steps): (Vec<_>, Vec<_>) = person.counters.into_iter().unzip();
        let (digests, ties): (Vec<_>, Vec<_>) =
            person.names.into_iter().map(|Name { digest, tie }| (digest, tie)).unzip();
        let params: [&(dyn ToSql + Sync); 18] = [
            &person.account,
            &person.user_name_key,
            &person.account_text,
            &connection,
            &issuer,
            &subject,
            &kinds,
            &lookups,
            &counters,
            &steps,
            &person.document,
            &person.at,
            &person.names_text,
            &person.body,
            &digests,
            &ties,
            &person.event,
            &person.event_text,
        ];
        on.client.execute(&on.post, &params).await.unwrap();
    }
}

fn shown(row: &Row) -> Vec<u8> {
    let _: (Uuid, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
    row.get::<_, &str>(4).as_bytes().to_vec()
}
