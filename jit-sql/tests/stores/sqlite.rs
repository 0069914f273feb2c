//! What SQLite must do beyond the conformance suites.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    task::Poll,
};

use jit_core::{
    AuditLog as _, CounterChange, CounterName, EmailAddress, ErrorKind, Store, Subject, Taken, UserStore as _,
};
use jit_sql::{Durability, SqliteOptions, SqliteStore, sqlite};

use crate::later;
use crate::support::{all_at_once, events, first_sign_in, folder::Folder, key, now, tenant};

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_and_its_log_belong_to_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("mode");
    let store = SqliteStore::open(folder.file()).unwrap();
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert!(files.len() >= 2, "a file and its log");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn no_statement_is_prepared_twice() {
    let folder = Folder::new("reprepare");
    let store = SqliteStore::open(folder.file()).unwrap();
    for number in 0..20_u64 {
        let name = format!("person{number}");
        store.commit(&first_sign_in(number, &name, &name)).await.unwrap();
        for _ in 0..20 {
            assert!(store.find(&key(&name)).await.unwrap().is_some());
            assert!(store.named(&tenant(), &name).await.unwrap().is_some());
        }
    }
    assert_eq!(store.repreparations(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_first_sign_ins_of_one_person_one_makes_the_account() {
    let folder = Folder::new("herd");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.file()).unwrap());
    let commits = (0..64).map(|number| first_sign_in(number, "alice", "alice")).collect();
    let outcomes = all_at_once(&[Arc::clone(&store)], commits).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let taken = Err(ErrorKind::AlreadyExists(Taken::Identity));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == taken).count(), 63);
    assert_eq!(events(&*store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_come_with_one_address_at_once_one_gets_it() {
    let folder = Folder::new("address");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.file()).unwrap());
    let shared = CounterName::address(&EmailAddress::new("shared@example.com").unwrap());
    let carry = |by| {
        let at_most = (by > 0).then_some(1);
        CounterChange { name: shared.clone(), by, at_least: None, at_most }
    };
    let commit = |number: u64| {
        let name = format!("person{number}");
        let mut commit = first_sign_in(number, &name, &name);
        // Every third has an address of their own.
        commit.counters.extend((!number.is_multiple_of(3)).then(|| carry(1)));
        commit
    };
    let outcomes = all_at_once(&[Arc::clone(&store)], (0..60).map(commit).collect()).await;
    let refused = Err(ErrorKind::LimitReached(shared.clone()));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 21);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == refused).count(), 39);
    for (number, outcome) in outcomes.iter().enumerate() {
        let account = store.find(&key(&format!("person{number}"))).await.unwrap();
        assert_eq!(account.is_some(), outcome.is_ok());
    }
    assert_eq!(events(&*store).await, 21);
    // Who lets go of it leaves it to the next.
    let mut gone = first_sign_in(100, "gone", "gone");
    gone.counters.push(carry(-1));
    store.commit(&gone).await.unwrap();
    store.commit(&commit(61)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_fails_does_not_spoil_those_it_is_written_with() {
    let folder = Folder::new("batch");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.file()).unwrap());
    let first = first_sign_in(1_000, "taken", "taken");
    store.commit(&first).await.unwrap();
    // Of each three one is good, one is refused before it has written anything, and one after it has written.
    let commit = |number: u64| {
        let subject = format!("person{number}");
        let name = if number % 3 == 1 { "taken" } else { &subject };
        let mut commit = first_sign_in(number, &subject, name);
        if number % 3 == 2 {
            commit.tasks.clone_from(&first.tasks);
        }
        commit
    };
    let outcomes = all_at_once(&[Arc::clone(&store)], (0..63).map(commit).collect()).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let account = store.find(&key(&format!("person{number}"))).await.unwrap();
        let expected = match number % 3 {
            0 => Ok(()),
            1 => Err(ErrorKind::AlreadyExists(Taken::UserName)),
            _ => Err(ErrorKind::AlreadyExists(Taken::Task)),
        };
        assert_eq!(*outcome, expected);
        assert_eq!(account.is_some(), number % 3 == 0);
    }
    assert_eq!(events(&*store).await, 22);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_has_written_finds_it_however_many_look_up_with_them() {
    let folder = Folder::new("together");
    let store = Arc::new(SqliteStore::open(folder.file()).unwrap());
    let all: Vec<_> =
        (0..64_u64).map(|task| tokio::spawn(write_and_find(Arc::clone(&store), task))).collect();
    for task in all {
        task.await.unwrap();
    }
    assert_eq!(store.repreparations(), 0);
}

async fn write_and_find(store: Arc<SqliteStore>, task: u64) {
    for number in task * 10..task * 10 + 10 {
        let (name, nobody) = (format!("person{number}"), format!("nobody{number}"));
        let commit = first_sign_in(number, &name, &name);
        store.commit(&commit).await.unwrap();
        let id = commit.account.as_ref().unwrap().after().id;
        for _ in 0..10 {
            let found = store.find(&key(&name)).await.unwrap();
            assert_eq!(found.unwrap().id, id, "by identity");
            assert_eq!(store.named(&tenant(), &name).await.unwrap().unwrap().id, id, "by name");
            assert_eq!(store.get(&tenant(), id).await.unwrap().unwrap().id, id, "by id");
            assert!(store.find(&key(&nobody)).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn a_commit_whose_caller_goes_away_is_written_whole_or_not_at_all() {
    let folder = Folder::new("dropped");
    let store = SqliteStore::open(folder.file()).unwrap();
    for number in 0..50 {
        let name = format!("person{number}");
        let commit = first_sign_in(number, &name, &name);
        let mut under_way = std::pin::pin!(store.commit(&commit));
        // Most of them are under way by then; a quick writer has written one already now and then.
        let _ = std::future::poll_fn(|context| Poll::Ready(under_way.as_mut().poll(context))).await;
    }
    // Waits for the writer.
    drop(store);
    let store = SqliteStore::open(folder.file()).unwrap();
    let mut accounts = 0;
    for number in 0..50 {
        accounts += usize::from(store.find(&key(&format!("person{number}"))).await.unwrap().is_some());
    }
    assert_eq!(events(&store).await, accounts);
}

#[tokio::test]
async fn a_commit_lives_and_dies_with_the_callers_transaction() {
    let folder = Folder::new("within");
    let mut connection = rusqlite::Connection::open(folder.file()).unwrap();
    sqlite::migrate(&mut connection).unwrap();
    connection.execute_batch("CREATE TABLE users (name TEXT PRIMARY KEY) STRICT").unwrap();
    let write = |connection: &mut rusqlite::Connection, name: &str, number: u64, keep: bool| {
        let transaction = connection.transaction().unwrap();
        transaction.execute("INSERT INTO users (name) VALUES (?1)", (name,)).unwrap();
        let outcome = sqlite::commit_within(&transaction, &first_sign_in(number, name, name));
        if keep {
            transaction.commit().unwrap();
        } else {
            transaction.rollback().unwrap();
        }
        outcome.map_err(|error| error.kind().clone())
    };
    assert_eq!(write(&mut connection, "alice", 1, true), Ok(()));
    assert_eq!(write(&mut connection, "bob", 2, false), Ok(()));
    // After a refusal nothing of the commit remains, and the rest of the transaction goes on.
    connection.execute("DELETE FROM users", ()).unwrap();
    let taken = Err(ErrorKind::AlreadyExists(Taken::Identity));
    assert_eq!(write(&mut connection, "alice", 3, true), taken);
    let users: i64 = connection.query_row("SELECT count(*) FROM users", (), |row| row.get(0)).unwrap();
    assert_eq!(users, 1);
    drop(connection);

    let store = SqliteStore::open(folder.file()).unwrap();
    assert!(store.find(&key("alice")).await.unwrap().is_some());
    assert!(store.find(&key("bob")).await.unwrap().is_none());
    assert_eq!(events(&store).await, 1);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_corrupt_and_stays_secret() {
    let folder = Folder::new("corrupt");
    let store = SqliteStore::open(folder.file()).unwrap();
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    let alice = store.find(&key("alice")).await.unwrap().unwrap();
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute("UPDATE jit_account SET document = '{\"id\":\"secret\"}'", ()).unwrap();
    let error = store.find(&key("alice")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Corrupt);
    assert!(!format!("{error:?} {error}").contains("secret"));
    let (by, limit) = (alice.lookup_keys().remove(0), std::num::NonZeroUsize::MIN);
    let named = store.bearers(&alice.tenant, &by, None, limit).await.unwrap();
    assert_eq!((named.items, named.next), (vec![alice.id], None), "it can be named all the same");
    other.execute("UPDATE jit_audit SET document = '{\"id\":\"secret\"}'", ()).unwrap();
    let about = store.about(&alice.tenant, None, limit).await.unwrap();
    assert_eq!(about.items[0].account, Some(alice.id), "what happened to it can be named as well");
}

#[tokio::test]
async fn a_task_of_a_later_version_is_left_to_others_and_holds_up_none() {
    let folder = Folder::new("later");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.file()).unwrap());
    later::holds_up_none(store, async |from: &str, to: &str| rename_kind(&folder, from, to)).await;
    let folder = Folder::new("later-lanes");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.file()).unwrap());
    later::keeps_no_lane_waiting(store, async |from: &str, to: &str| rename_kind(&folder, from, to)).await;
}

fn rename_kind(folder: &Folder, from: &str, to: &str) {
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    let renamed = other.execute("UPDATE jit_task SET document = replace(document, ?1, ?2)", (from, to));
    assert_eq!(renamed.unwrap(), 1);
}

#[test]
fn a_file_that_is_no_database_and_one_that_cannot_be_there_are_told_apart() {
    let folder = Folder::new("wrong");
    std::fs::write(folder.file(), "this is a letter to my grandmother, not a database".repeat(100)).unwrap();
    assert_eq!(*SqliteStore::open(folder.file()).unwrap_err().kind(), ErrorKind::Corrupt);
    let nowhere = folder.path().join("missing").join("accounts.db");
    assert_eq!(*SqliteStore::open(nowhere).unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn tables_of_another_version_are_refused() {
    let folder = Folder::new("version");
    drop(SqliteStore::open(folder.file()).unwrap());
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute("INSERT INTO jit_schema VALUES (99, 'later', '')", ()).unwrap();
    assert_eq!(*SqliteStore::open(folder.file()).unwrap_err().kind(), ErrorKind::Invalid);
    other.execute("DELETE FROM jit_schema WHERE version = 99", ()).unwrap();
    other.execute("UPDATE jit_schema SET checksum = 'other'", ()).unwrap();
    assert_eq!(*SqliteStore::open(folder.file()).unwrap_err().kind(), ErrorKind::Invalid);
}

/// Not a test: what the next one runs in a process that it kills.
#[test]
#[ignore = "runs in a process that is killed"]
fn commits_without_end() {
    let Ok(file) = std::env::var("JIT_TEST_FILE") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = Arc::new(SqliteStore::open(file).unwrap());
    let workers: Vec<_> = (0..8_u64)
        .map(|worker| {
            let store = Arc::clone(&store);
            runtime.spawn(async move {
                for number in (worker..).step_by(8) {
                    let name = format!("person{number}");
                    store.commit(&first_sign_in(number, &name, &name)).await.unwrap();
                    println!("\nacknowledged {name}");
                }
            })
        })
        .collect();
    runtime.block_on(async {
        for worker in workers {
            worker.await.unwrap();
        }
    });
}

#[tokio::test]
async fn whatever_was_acknowledged_survives_a_kill() {
    let folder = Folder::new("kill");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::commits_without_end", "--ignored", "--nocapture"])
        .env("JIT_TEST_FILE", folder.file())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 500 {
        let line = lines.next().expect("the child goes on").unwrap();
        acknowledged.extend(line.strip_prefix("acknowledged ").map(ToOwned::to_owned));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        // The last line may have been cut off by the kill.
        let whole = line.strip_prefix("acknowledged ").filter(|name| Subject::new(name).is_ok());
        acknowledged.extend(whole.filter(|name| name.len() > "person".len()).map(ToOwned::to_owned));
    }
    acknowledged.pop();

    let store = SqliteStore::open_with(folder.file(), &SqliteOptions::new().durability(Durability::Normal));
    let store = store.unwrap();
    for name in &acknowledged {
        let account = store.find(&key(name)).await.unwrap().unwrap_or_else(|| panic!("{name} is lost"));
        assert_eq!(account.created_at, now());
    }
}
