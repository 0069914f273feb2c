//! SQLite by hand: as many connections that read as the store has, and one thread that commits together what waits.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, mpsc};

use jit_benches::bare;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Bare;
use super::rows::{Before, Name, Person, Renamed, digest};

/// As the store has it.
const CACHE_KIB: i32 = 128 * 1024;

const GET: &str = "SELECT version, created_at, changed_at, body FROM jit_document \
    WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User' AND id = ?1";

const NAMED: &str = "SELECT d.id, d.version, d.created_at, d.changed_at, d.body \
    FROM jit_document_name n JOIN jit_document d \
    ON d.tenant = n.tenant AND d.connection = n.connection AND d.kind = n.kind AND d.id = n.document \
    WHERE n.tenant = 'default' AND n.connection = 'scim' AND n.kind = 'User' AND n.digest = ?1";

const COUNT: &str = "SELECT count(*) FROM jit_document \
    WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User'";

const LIST: &str = "SELECT id, version, created_at, changed_at, body FROM jit_document \
    WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User' ORDER BY id LIMIT 100";

const BEFORE: &str = "SELECT d.version, d.body, a.id, a.version, a.document \
    FROM jit_document d JOIN jit_account a ON a.tenant = d.tenant AND a.id = d.account \
    WHERE d.tenant = 'default' AND d.connection = 'scim' AND d.kind = 'User' AND d.id = ?1";

/// The rows of people by hand.
pub(crate) struct ByHand {
    readers: Vec<Mutex<Connection>>,
    writer: mpsc::Sender<(Job, oneshot::Sender<bool>)>,
}

enum Job {
    Post(Box<Person>),
    Rename(Box<Renamed>),
}

impl ByHand {
    pub(crate) fn open(file: &Path) -> Self {
        let writer = bare::sqlite(file, CACHE_KIB);
        let threads = std::thread::available_parallelism().map_or(4, std::num::NonZeroUsize::get);
        let readers = (0..threads.clamp(2, 16)).map(|_| Mutex::new(bare::sqlite(file, CACHE_KIB))).collect();
        let (queue, jobs) = mpsc::channel();
        std::thread::spawn(move || write_together(&writer, &jobs));
        Self { readers, writer: queue }
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        let free = self.readers.iter().find_map(|each| each.try_lock().ok());
        free.unwrap_or_else(|| self.readers.first().unwrap().lock().unwrap())
    }

    async fn write(&self, job: Job) -> bool {
        let (reply, answer) = oneshot::channel();
        self.writer.send((job, reply)).unwrap();
        answer.await.unwrap()
    }

    fn before(&self, document: Uuid) -> Before {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(BEFORE).unwrap();
        let read = |row: &Row<'_>| {
            Ok(Before {
                document_version: row.get(0)?,
                body: row.get(1)?,
                account: Uuid::from_bytes(row.get(2)?),
                account_version: row.get(3)?,
                account_text: row.get(4)?,
            })
        };
        statement.query_row([document.as_bytes()], read).unwrap()
    }
}

impl Bare for ByHand {
    async fn get(&self, id: Uuid) -> Vec<u8> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(GET).unwrap();
        let read = |row: &Row<'_>| {
            let _: (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(row.get_ref(3)?.as_bytes()?.to_vec())
        };
        statement.query_row([id.as_bytes()], read).optional().unwrap().unwrap()
    }

    async fn named(&self, user_name: &str) -> Vec<u8> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(NAMED).unwrap();
        statement.query_row([digest("userName", user_name)], |row| Ok(shown(row))).unwrap()
    }

    async fn list(&self) -> Vec<u8> {
        let connection = self.reader();
        let count: i64 = connection.prepare_cached(COUNT).unwrap().query_row((), |row| row.get(0)).unwrap();
        let mut statement = connection.prepare_cached(LIST).unwrap();
        let mut rows = statement.query(()).unwrap();
        let mut all = count.to_string().into_bytes();
        while let Some(row) = rows.next().unwrap() {
            all.extend(shown(row));
        }
        all
    }

    async fn rename(&self, document: Uuid, name: &str) {
        while !self.write(Job::Rename(Box::new(Renamed::new(document, self.before(document), name)))).await {}
    }

    async fn post(&self, person: Person) {
        assert!(self.write(Job::Post(Box::new(person))).await);
    }
}

fn shown(row: &Row<'_>) -> Vec<u8> {
    let _: ([u8; 16], i64, i64, i64) =
        (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap(), row.get(3).unwrap());
    row.get_ref(4).unwrap().as_bytes().unwrap().to_vec()
}

fn write_together(writer: &Connection, jobs: &mpsc::Receiver<(Job, oneshot::Sender<bool>)>) {
    while let Ok(first) = jobs.recv() {
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        let batch = std::iter::once(first).chain(jobs.try_iter().take(255));
        let written = batch.map(|(job, reply)| {
            let done = match job {
                Job::Post(person) => post(writer, &person),
                Job::Rename(renamed) => rename(writer, &renamed),
            };
            (done, reply)
        });
        let written: Vec<_> = written.collect();
        writer.execute_batch("COMMIT").unwrap();
        for (done, reply) in written {
            reply.send(done).unwrap();
        }
    }
}

fn run(on: &Connection, sql: &str, params: &[&dyn rusqlite::ToSql]) -> usize {
    on.prepare_cached(sql).unwrap().execute(params).unwrap()
}

fn post(on: &Connection, person: &Person) -> bool {
    let (account, document) = (person.account.as_bytes(), person.document.as_bytes());
    run(
        on,
        "INSERT INTO jit_account (tenant, id, version, state, user_name_key, document) \
         VALUES ('default', ?1, 1, 'active', ?2, ?3)",
        params![account, person.user_name_key, person.account_text],
    );
    let seq = on.last_insert_rowid();
    run(
        on,
        "INSERT INTO jit_identity (tenant, connection, issuer, subject, account) VALUES ('default', ?1, ?2, ?3, ?4)",
        params![person.key.connection.as_str(), person.key.issuer.as_str(), person.key.subject.as_str(), seq],
    );
    for (kind, digest) in &person.lookups {
        run(
            on,
            "INSERT INTO jit_lookup (tenant, kind, digest, account) VALUES ('default', ?1, ?2, ?3)",
            params![kind, digest, account],
        );
    }
    for (name, by) in &person.counters {
        run(
            on,
            "INSERT INTO jit_counter (tenant, name, value) VALUES ('default', ?1, ?2)",
            params![name, by],
        );
    }
    run(
        on,
        "INSERT INTO jit_document (tenant, connection, kind, id, version, created_at, changed_at, account, names, body) \
         VALUES ('default', 'scim', 'User', ?1, 1, ?2, ?2, ?3, ?4, ?5)",
        params![document, person.at, account, person.names_text, person.body],
    );
    for Name { digest, tie } in &person.names {
        run(
            on,
            "INSERT INTO jit_document_name (tenant, connection, kind, digest, tie, document) \
             VALUES ('default', 'scim', 'User', ?1, ?2, ?3)",
            params![digest, tie.as_bytes(), document],
        );
    }
    record(on, &person.event, account, person.at, &person.event_text);
    true
}

/// Whether nobody else has changed the person meanwhile.
fn rename(on: &Connection, renamed: &Renamed) -> bool {
    let Renamed { document, before, body, account_text, at, event, event_text } = renamed;
    let account = before.account.as_bytes();
    let changed = run(
        on,
        "UPDATE jit_document SET version = version + 1, changed_at = ?3, body = ?4 \
         WHERE tenant = 'default' AND connection = 'scim' AND kind = 'User' AND id = ?1 AND version = ?2",
        params![document.as_bytes(), before.document_version, at, body],
    );
    if changed == 0 {
        return false;
    }
    let moved = run(
        on,
        "UPDATE jit_account SET version = version + 1, document = ?3 \
         WHERE tenant = 'default' AND id = ?1 AND version = ?2",
        params![account, before.account_version, account_text],
    );
    assert_eq!(moved, 1);
    record(on, event, account, *at, event_text);
    true
}

fn record(on: &Connection, event: &Uuid, account: &[u8; 16], at: i64, text: &str) {
    run(
        on,
        "INSERT INTO jit_audit (tenant, id, account, at, document) VALUES ('default', ?1, ?2, ?3, ?4)",
        params![event.as_bytes(), account, at, text],
    );
}
