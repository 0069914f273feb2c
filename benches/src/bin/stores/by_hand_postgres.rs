//! PostgreSQL by hand: one statement for the rows of a first login, one for a look-up, on prepared connections.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jit_benches::rows::Rows;
use jit_core::{Account, ExternalKey};
use tokio_postgres::{Client, Config, NoTls, Statement, types::ToSql};

const INSERT: &str = "WITH
    a AS (INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document)
      VALUES ($1, $2, 1, 'active', $3, $15, $17, $4::text::json)),
    i AS (INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
      VALUES ($1, $5, $6, $7, $2)),
    l AS (INSERT INTO jit_lookup (tenant, kind, digest, account) VALUES ($1, 'email', $8, $2)),
    e AS (INSERT INTO jit_entitlement (tenant, entitlement, account) SELECT $1, unnest($9::text[]), $2),
    c AS (INSERT INTO jit_counter (tenant, name, value) VALUES ($1, $18, 1)),
    u AS (INSERT INTO jit_audit (tenant, id, account, at, document) VALUES ($1, $10, $2, $16, $11::text::json))
    INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
      VALUES ($1, $12, 'accounts', $2, $13, $13, $14::text::json)";

const FIND: &str = "SELECT a.document::text, a.last_seen
    FROM jit_identity i JOIN jit_account a ON a.tenant = i.tenant AND a.id = i.account
    WHERE i.tenant = $1 AND i.connection = $2 AND i.issuer = $3 AND i.subject = $4";

pub(crate) const CONNECTIONS: usize = 16;

/// As many connections as the store has, taken in turns, so that statements of several tasks are pipelined on each.
pub(crate) struct ByHand {
    connections: Vec<Prepared>,
    next: AtomicUsize,
}

struct Prepared {
    client: Client,
    insert: Statement,
    find: Statement,
}

impl ByHand {
    pub(crate) async fn open(config: &Config) -> Arc<Self> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = config.connect(NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
            let insert = client.prepare(INSERT).await.unwrap();
            let find = client.prepare(FIND).await.unwrap();
            connections.push(Prepared { client, insert, find });
        }
        Arc::new(Self { connections, next: AtomicUsize::new(0) })
    }

    fn take_turns(&self) -> &Prepared {
        self.connections.get(self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS).unwrap()
    }

    pub(crate) async fn insert(&self, row: &Rows) {
        let Prepared { client, insert, .. } = self.take_turns();
        let key = &row.key;
        let (tenant, connection) = (key.tenant.as_str(), key.connection.as_str());
        let (issuer, subject) = (key.issuer.as_str(), key.subject.as_str());
        let params: [&(dyn ToSql + Sync); 18] = [
            &tenant,
            &row.account,
            &row.name,
            &row.document,
            &connection,
            &issuer,
            &subject,
            &row.digest,
            &row.roles,
            &row.event,
            &row.event_document,
            &row.task,
            &row.due,
            &row.task_document,
            &row.ends_at,
            &row.at,
            &row.last_seen,
            &row.counter,
        ];
        client.execute(insert, &params).await.unwrap();
    }

    pub(crate) async fn find(&self, key: &ExternalKey) -> Option<Account> {
        self.find_on(self.take_turns(), key).await
    }

    /// Always on the same connection, for one caller alone.
    pub(crate) async fn find_on_first(&self, key: &ExternalKey) -> Option<Account> {
        self.find_on(self.connections.first().unwrap(), key).await
    }

    async fn find_on(&self, on: &Prepared, key: &ExternalKey) -> Option<Account> {
        let (tenant, connection) = (key.tenant.as_str(), key.connection.as_str());
        let (issuer, subject) = (key.issuer.as_str(), key.subject.as_str());
        let row = on.client.query_opt(&on.find, &[&tenant, &connection, &issuer, &subject]).await.unwrap();
        row.map(|row| serde_json::from_str(row.get(0)).unwrap())
    }
}
