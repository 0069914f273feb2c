//! SQLite by hand: the rows of a first login, a naive pool, a bare group commit, a bare look-up.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
};

use jit_benches::{cost::Cost, rows::Rows, tasks::on_64_tasks};
use jit_core::ExternalKey;
use jit_sql::sqlite;
use rusqlite::{Connection, params};
use tokio::sync::oneshot;

pub(crate) const FIND: &str = "SELECT a.document, a.last_seen FROM jit_identity i JOIN jit_account a ON a.seq = i.account \
    WHERE i.tenant = ?1 AND i.connection = ?2 AND i.issuer = ?3 AND i.subject = ?4";

/// Opens a file with the settings of the store.
pub(crate) fn connection(file: &Path) -> Connection {
    jit_benches::bare::sqlite(file, 16_384)
}

pub(crate) fn key(key: &ExternalKey) -> (&str, &str, &str, &str) {
    (key.tenant.as_str(), key.connection.as_str(), key.issuer.as_str(), key.subject.as_str())
}

/// Writes the rows of a first login.
pub(crate) fn write(to: &Connection, row: &Rows) {
    let run = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
        to.prepare_cached(sql).unwrap().execute(params).unwrap();
    };
    let (tenant, connection, issuer, subject) = key(&row.key);
    let (account, event, task) = (row.account.as_bytes(), row.event.as_bytes(), row.task.as_bytes());
    run(
        "INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document) \
         VALUES (?1, ?2, 1, 'active', ?3, ?4, ?5, ?6)",
        params![tenant, account, row.name, row.ends_at, row.last_seen, row.document],
    );
    let seq = to.last_insert_rowid();
    run(
        "INSERT INTO jit_identity (tenant, connection, issuer, subject, account) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![tenant, connection, issuer, subject, seq],
    );
    run(
        "INSERT INTO jit_lookup (tenant, kind, digest, account) VALUES (?1, 'email', ?2, ?3)",
        params![tenant, row.digest, account],
    );
    for role in &row.roles {
        run(
            "INSERT INTO jit_entitlement (tenant, entitlement, account) VALUES (?1, ?2, ?3)",
            params![tenant, role, account],
        );
    }
    run("INSERT INTO jit_counter (tenant, name, value) VALUES (?1, ?2, 1)", params![tenant, row.counter]);
    run(
        "INSERT INTO jit_audit (tenant, id, account, at, document) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![tenant, event, account, row.at, row.event_document],
    );
    run(
        "INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document) \
         VALUES (?1, ?2, 'accounts', ?3, ?4, ?4, ?5)",
        params![tenant, task, account, row.due, row.task_document],
    );
}

/// Eight connections, each first login a transaction of its own, as pools do it.
pub(crate) async fn naive_pool(file: PathBuf, rows: Vec<Rows>) -> Cost {
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

/// One thread that commits together what waits together, and nothing else.
#[derive(Clone)]
pub(crate) struct GroupCommit(mpsc::Sender<(Rows, oneshot::Sender<()>)>);

impl GroupCommit {
    pub(crate) fn start(file: &Path) -> Self {
        let mut writer = connection(file);
        sqlite::migrate(&mut writer).unwrap();
        let (queue, requests) = mpsc::channel::<(Rows, oneshot::Sender<()>)>();
        std::thread::spawn(move || {
            while let Ok(first) = requests.recv() {
                writer.execute_batch("BEGIN IMMEDIATE").unwrap();
                let batch = std::iter::once(first).chain(requests.try_iter().take(255));
                let written = batch.map(|(row, reply)| {
                    write(&writer, &row);
                    reply
                });
                let written: Vec<_> = written.collect();
                writer.execute_batch("COMMIT").unwrap();
                for reply in written {
                    reply.send(()).unwrap();
                }
            }
        });
        Self(queue)
    }

    pub(crate) async fn write(&self, row: Rows) {
        let (reply, answer) = oneshot::channel();
        self.0.send((row, reply)).unwrap();
        answer.await.unwrap();
    }
}

pub(crate) async fn group_commit(file: PathBuf, rows: Vec<Rows>) -> Cost {
    let writer = GroupCommit::start(&file);
    on_64_tasks(rows, move |row| {
        let writer = writer.clone();
        async move { writer.write(row).await }
    })
    .await
}
