//! PostgreSQL: one hand-written statement for the same rows, and the store.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jit_core::{Store, UserStore as _};
use jit_sql::{PostgresOptions, PostgresStore};
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::{
    Cost, Figures, ROUNDS, Stopwatch, first_sign_ins, on_64_tasks,
    rows::{Rows, rows},
};

const INSERT: &str = "WITH
    a AS (INSERT INTO jit_account (tenant, id, version, state, user_name_key, document)
      VALUES ($1, $2, 1, 'active', $3, $4::text::json)),
    i AS (INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
      VALUES ($1, $5, $6, $7, $2)),
    l AS (INSERT INTO jit_lookup (tenant, kind, digest, account) VALUES ($1, 'email', $8, $2)),
    e AS (INSERT INTO jit_entitlement (tenant, entitlement, account) SELECT $1, unnest($9::text[]), $2),
    u AS (INSERT INTO jit_audit (tenant, id, account, at, document) VALUES ($1, $10, $2, 0, $11::text::json))
    INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
      VALUES ($1, $12, 'accounts', $2, $13, $13, $14::text::json)";

const FIND: &str = "SELECT a.document::text, a.last_seen
    FROM jit_identity i JOIN jit_account a ON a.tenant = i.tenant AND a.id = i.account
    WHERE i.tenant = $1 AND i.connection = $2 AND i.issuer = $3 AND i.subject = $4";

const CONNECTIONS: usize = 16;

struct Bare {
    client: Client,
    insert: Statement,
    find: Statement,
}

async fn bare(config: &Config) -> Bare {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let insert = client.prepare(INSERT).await.unwrap();
    let find = client.prepare(FIND).await.unwrap();
    Bare { client, insert, find }
}

impl Bare {
    async fn insert(&self, row: &Rows) {
        let key = &row.key;
        self.client
            .execute(
                &self.insert,
                &[
                    &key.tenant.as_str(),
                    &row.account,
                    &row.name,
                    &row.document,
                    &key.connection.as_str(),
                    &key.issuer.as_str(),
                    &key.subject.as_str(),
                    &row.digest,
                    &row.roles,
                    &row.event,
                    &row.event_document,
                    &row.task,
                    &row.due,
                    &row.task_document,
                ],
            )
            .await
            .unwrap();
    }

    async fn find(&self, key: &jit_core::ExternalKey) -> jit_core::Account {
        let (tenant, connection) = (key.tenant.as_str(), key.connection.as_str());
        let (issuer, subject) = (key.issuer.as_str(), key.subject.as_str());
        let row =
            self.client.query_one(&self.find, &[&tenant, &connection, &issuer, &subject]).await.unwrap();
        serde_json::from_str(row.get(0)).unwrap()
    }
}

pub(crate) async fn measure(url: &str) {
    let mut config: Config = url.parse().unwrap();
    config.options("-c search_path=ratios");
    let (admin, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute("DROP SCHEMA IF EXISTS ratios CASCADE; CREATE SCHEMA ratios").await.unwrap();
    let options = PostgresOptions::new().connections(CONNECTIONS.try_into().unwrap());
    let store = Arc::new(PostgresStore::open_local(config.clone(), options).await.unwrap());
    let mut pool = Vec::new();
    for _ in 0..CONNECTIONS {
        pool.push(Arc::new(bare(&config).await));
    }
    first_sign_in(&store, &pool, &admin).await;
    println!("  server: bare to ours {:.2}", server(&admin, "").await / server(&admin, "jit").await);
    look_up(&store, &pool).await;
}

/// The processor time, in seconds, of the server's processes that serve connections of one application name.
async fn server(admin: &Client, application: &str) -> f64 {
    let pids = "SELECT pid::text FROM pg_stat_activity WHERE application_name = $1 AND backend_type = 'client backend'
        AND pid <> pg_backend_pid()";
    let rows = admin.query(pids, &[&application]).await.unwrap();
    let nanos = rows.iter().filter_map(|row| {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", row.get::<_, &str>(0))).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanos.sum::<f64>() / 1e9
}

async fn first_sign_in(store: &Arc<PostgresStore>, pool: &[Arc<Bare>], admin: &Client) {
    let count = 6_000_u64;
    let (mut bare, mut ours) = (Figures::default(), Figures::default());
    for round in 0..=ROUNDS as u64 {
        let batch =
            |half: u64| ((round * 2 + half) * count..).take(usize::try_from(count).unwrap()).map(rows);
        admin.batch_execute("CHECKPOINT").await.unwrap();
        let by_hand = by_hand(pool, batch(0).collect()).await;
        admin.batch_execute("CHECKPOINT").await.unwrap();
        let by_store = first_sign_ins(Arc::clone(store) as Arc<dyn Store>, batch(1).collect()).await;
        if round > 0 {
            bare.add(by_hand, usize::try_from(count).unwrap());
            ours.add(by_store, usize::try_from(count).unwrap());
        }
    }
    println!("postgres first sign-in, 64 tasks: bare {bare}, ours {ours}");
    println!("  bare to ours {} (goal 0.8)", bare.to(&ours));
}

async fn by_hand(pool: &[Arc<Bare>], rows: Vec<Rows>) -> Cost {
    let (pool, next) = (pool.to_vec(), Arc::new(AtomicUsize::new(0)));
    on_64_tasks(rows, move |row| {
        let bare = Arc::clone(&pool[next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS]);
        async move { bare.insert(&row).await }
    })
    .await
}

async fn look_up(store: &Arc<PostgresStore>, pool: &[Arc<Bare>]) {
    let keys: Vec<_> = (0..4_000_u64).map(|turn| rows(turn * 7_919 % 6_000).key).collect();
    let (mut bare, mut ours) = (Figures::default(), Figures::default());
    let (mut bare_64, mut ours_64) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        let start = Stopwatch::start();
        for key in &keys {
            pool[0].find(key).await;
        }
        bare.add(start.stop(), keys.len());
        let start = Stopwatch::start();
        for key in &keys {
            assert!(store.find(key).await.unwrap().is_some());
        }
        ours.add(start.stop(), keys.len());

        let (clients, next) = (pool.to_vec(), Arc::new(AtomicUsize::new(0)));
        let time = on_64_tasks(keys.clone(), move |key| {
            let bare = Arc::clone(&clients[next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS]);
            async move { drop(bare.find(&key).await) }
        });
        bare_64.add(time.await, keys.len());
        let finder = Arc::clone(store);
        let time = on_64_tasks(keys.clone(), move |key| {
            let store = Arc::clone(&finder);
            async move { drop(store.find(&key).await.unwrap().unwrap()) }
        });
        ours_64.add(time.await, keys.len());
    }
    println!("postgres look-up: bare {bare}, ours {ours}; at 64 tasks: bare {bare_64}, ours {ours_64}");
    println!("  ours to bare {} (goal 1.1), at 64 tasks {}", ours.to(&bare), ours_64.to(&bare_64));
}
