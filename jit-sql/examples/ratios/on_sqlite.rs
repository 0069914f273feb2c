//! SQLite: a naive pool, a bare group commit, and the store.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

use jit_core::UserStore as _;
use jit_sql::{SqliteStore, sqlite};
use rusqlite::{Connection, config::DbConfig, params};
use tokio::sync::oneshot;

use crate::{
    Cost, Figures, ROUNDS, Stopwatch, first_sign_ins, on_64_tasks,
    rows::{Rows, rows},
};

pub(crate) async fn measure(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    let count = 4_000;
    let (mut naive, mut bare, mut ours) = (Figures::default(), Figures::default(), Figures::default());
    for round in 0..ROUNDS {
        let some: Vec<Rows> = (0..count as u64).map(rows).collect();
        let file = |name: &str| folder.join(format!("{name}-{round}.db"));
        naive.add(naive_pool(file("naive"), some[..count / 8].to_vec()).await, count / 8);
        bare.add(group_commit(file("bare"), some.clone()).await, count);
        let store = Arc::new(SqliteStore::open(file("ours")).unwrap());
        ours.add(first_sign_ins(store, some).await, count);
    }
    println!("sqlite first sign-in, 64 tasks: naive {naive}, bare group commit {bare}, ours {ours}");
    println!("  naive to ours {} (goal 5), bare to ours {} (goal 0.8)", naive.to(&ours), bare.to(&ours));
    look_up(&folder.join("look-up.db")).await;
}

fn connection(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    connection.pragma_update(None, "cache_size", -16_384).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    connection
}

/// The rows of a first sign-in, written by hand.
fn write(to: &Connection, row: &Rows) {
    let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        to.prepare_cached(sql).unwrap().execute(params).unwrap();
    };
    let tenant = row.key.tenant.as_str();
    run(
        "INSERT INTO jit_account (tenant, id, version, state, user_name_key, document) \
         VALUES (?1, ?2, 1, 'active', ?3, ?4)",
        params![tenant, row.account.as_bytes(), row.name, row.document],
    );
    let seq = to.last_insert_rowid();
    run(
        "INSERT INTO jit_identity (tenant, connection, issuer, subject, account) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![tenant, row.key.connection.as_str(), row.key.issuer.as_str(), row.key.subject.as_str(), seq],
    );
    run(
        "INSERT INTO jit_lookup (tenant, kind, digest, account) VALUES (?1, 'email', ?2, ?3)",
        params![tenant, row.digest, seq],
    );
    for role in &row.roles {
        run(
            "INSERT INTO jit_entitlement (tenant, entitlement, account) VALUES (?1, ?2, ?3)",
            params![tenant, role, row.account.as_bytes()],
        );
    }
    run(
        "INSERT INTO jit_audit (tenant, id, account, at, document) VALUES (?1, ?2, ?3, 0, ?4)",
        params![tenant, row.event.as_bytes(), row.account.as_bytes(), row.event_document],
    );
    run(
        "INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document) \
         VALUES (?1, ?2, 'accounts', ?3, ?4, ?4, ?5)",
        params![tenant, row.task.as_bytes(), row.account.as_bytes(), row.due, row.task_document],
    );
}

/// Eight connections, each transaction on its own, as pools do it.
async fn naive_pool(file: PathBuf, rows: Vec<Rows>) -> Cost {
    sqlite::migrate(&mut connection(&file)).unwrap();
    let pool: Arc<Vec<Mutex<Connection>>> = Arc::new((0..8).map(|_| Mutex::new(connection(&file))).collect());
    let places = Arc::new(tokio::sync::Semaphore::new(8));
    on_64_tasks(rows, move |row| {
        let (pool, places) = (Arc::clone(&pool), Arc::clone(&places));
        async move {
            let _place = places.acquire().await.unwrap();
            let write = move || {
                let connection = pool.iter().find_map(|each| each.try_lock().ok()).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                write(&connection, &row);
                connection.execute_batch("COMMIT").unwrap();
            };
            tokio::task::spawn_blocking(write).await.unwrap();
        }
    })
    .await
}

/// One thread that commits what waits together, and nothing else.
async fn group_commit(file: PathBuf, rows: Vec<Rows>) -> Cost {
    let mut writer = connection(&file);
    sqlite::migrate(&mut writer).unwrap();
    let (queue, requests) = mpsc::channel::<(Rows, oneshot::Sender<()>)>();
    std::thread::spawn(move || {
        while let Ok(first) = requests.recv() {
            writer.execute_batch("BEGIN IMMEDIATE").unwrap();
            let batch: Vec<_> = std::iter::once(first)
                .chain(requests.try_iter().take(255))
                .map(|(row, reply)| {
                    write(&writer, &row);
                    reply
                })
                .collect();
            writer.execute_batch("COMMIT").unwrap();
            for reply in batch {
                reply.send(()).unwrap();
            }
        }
    });
    on_64_tasks(rows, move |row| {
        let queue = queue.clone();
        async move {
            let (reply, answer) = oneshot::channel();
            queue.send((row, reply)).unwrap();
            answer.await.unwrap();
        }
    })
    .await
}

async fn look_up(file: &Path) {
    let people = 10_000_u64;
    let store = Arc::new(SqliteStore::open(file).unwrap());
    let some: Vec<Rows> = (0..people).map(rows).collect();
    first_sign_ins(Arc::clone(&store) as Arc<dyn jit_core::Store>, some.clone()).await;
    let keys = (0..50_000_u64).map(|turn| &some[usize::try_from(turn * 7_919 % people).unwrap()].key);
    let keys: Vec<_> = keys.collect();
    let bare = connection(file);
    let mut statement = bare
        .prepare(
            "SELECT a.document, a.last_seen FROM jit_identity i JOIN jit_account a ON a.seq = i.account \
             WHERE i.tenant = ?1 AND i.connection = ?2 AND i.issuer = ?3 AND i.subject = ?4",
        )
        .unwrap();
    let (mut plain, mut decoded, mut ours) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        for (decodes, figures) in [(false, &mut plain), (true, &mut decoded)] {
            let start = Stopwatch::start();
            for key in &keys {
                let params =
                    (key.tenant.as_str(), key.connection.as_str(), key.issuer.as_str(), key.subject.as_str());
                let mut found = statement.query(params).unwrap();
                let row = found.next().unwrap().unwrap();
                let text = row.get_ref(0).unwrap().as_str().unwrap();
                if decodes {
                    let account: jit_core::Account = serde_json::from_str(text).unwrap();
                    assert!(!account.identities.is_empty());
                } else {
                    assert!(!text.is_empty());
                }
            }
            figures.add(start.stop(), keys.len());
        }
        let start = Stopwatch::start();
        for key in &keys {
            assert!(store.find(key).await.unwrap().is_some());
        }
        ours.add(start.stop(), keys.len());
    }
    println!("sqlite look-up: bare row {plain}, bare row and its account {decoded}, ours {ours}");
    println!("  ours to bare row {}, with its account {} (goal 1.3)", ours.to(&plain), ours.to(&decoded));
}
