//! What PostgreSQL must do beyond the conformance suites.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use chrono::TimeDelta;
use jit_core::{
    AccountWrite, AuditLog as _, AuditQuery, Commit, CounterChange, CounterName, Entitlement, ErrorClass,
    ErrorKind, Filter, OneTime as _, OneTimeKey, Query, Seen, Settlement, Store, Taken, TaskQueue as _,
    Tenants, UserStore as _, WorkerId,
};
use jit_sql::{PostgresStore, postgres, statement::CommitStatement};
use tokio_postgres::{Client, Config};

use crate::later;
use crate::support::{
    account, all_at_once, event, events, first_sign_in, key, lane, mint, now,
    server::{Schema, behind_proxy, options},
    tenant,
};

fn counter(by: i64, at_least: i64) -> Commit {
    let name = CounterName::holders(&Entitlement::role("admin").unwrap());
    let mut commit = Commit::new(tenant());
    commit.counters.push(CounterChange { name, by, at_least: Some(at_least), at_most: None });
    commit
}

async fn two_nodes(schema: &Schema) -> [Arc<dyn Store>; 2] {
    [Arc::new(schema.store().await), Arc::new(schema.store().await)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_first_sign_ins_of_one_person_on_two_nodes_one_makes_the_account() {
    let schema = Schema::new().await;
    let nodes = two_nodes(&schema).await;
    for round in 0..5 {
        let name = format!("person{round}");
        let commits = (0..64).map(|number| first_sign_in(round * 64 + number, &name, &name)).collect();
        let outcomes = all_at_once(&nodes, commits).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let taken = Err(ErrorKind::AlreadyExists(Taken::Identity));
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == taken).count(), 63, "{outcomes:?}");
    }
    assert_eq!(events(&*nodes[0]).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_administrators_who_leave_at_once_one_stays() {
    let schema = Schema::new().await;
    let nodes = two_nodes(&schema).await;
    let reached = ErrorKind::LimitReached(CounterName::holders(&Entitlement::role("admin").unwrap()));
    for _ in 0..20 {
        nodes[0].commit(&counter(2, 0)).await.unwrap();
        let outcomes = all_at_once(&nodes, vec![counter(-1, 1), counter(-1, 1)]).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(outcomes.contains(&Err(reached.clone())), "{outcomes:?}");
        nodes[0].commit(&counter(-1, 0)).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_of_which_one_identity_is_taken_writes_nothing() {
    let schema = Schema::new().await;
    let store = schema.store().await;
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    let mut mint = mint(2);
    let mut bob = account(&mut mint, "bob", "bob");
    let mut second = bob.identities[0].clone();
    second.key = key("alice");
    bob.identities.push(second);
    let mut commit = Commit::new(tenant());
    commit.events.push(event(&mut mint, &bob));
    commit.account = Some(AccountWrite::create(bob));
    let error = store.commit(&commit).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists(Taken::Identity));
    assert!(store.find(&key("bob")).await.unwrap().is_none());
    assert_eq!(events(&store).await, 1);
}

/// Runs a commit as an application does that uses another driver: with the published text and parameter only.
async fn run(
    transaction: &tokio_postgres::Transaction<'_>,
    commit: &Commit,
) -> Result<(), jit_core::BackendError> {
    let statement = CommitStatement::new(commit)?;
    match transaction.query_one(statement.sql(), &[&statement.json()]).await {
        Ok(row) => statement.answer(row.get(0)),
        Err(error) => {
            let error = error.as_db_error().unwrap();
            Err(statement.refusal(error.code().code(), error.constraint()))
        }
    }
}

async fn users(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM users", &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_commit_lives_and_dies_with_the_callers_transaction() {
    let schema = Schema::new().await;
    let mut client = schema.connect().await;
    postgres::migrate(&mut client).await.unwrap();
    client.batch_execute("CREATE TABLE users (name text PRIMARY KEY)").await.unwrap();

    let alice = client.transaction().await.unwrap();
    alice.execute("INSERT INTO users VALUES ('alice')", &[]).await.unwrap();
    run(&alice, &first_sign_in(1, "alice", "alice")).await.unwrap();
    alice.commit().await.unwrap();

    let bob = client.transaction().await.unwrap();
    bob.execute("INSERT INTO users VALUES ('bob')", &[]).await.unwrap();
    run(&bob, &first_sign_in(2, "bob", "bob")).await.unwrap();
    bob.rollback().await.unwrap();

    let store = PostgresStore::open_local(schema.config(), options().without_migrating()).await.unwrap();
    assert!(store.find(&key("alice")).await.unwrap().is_some());
    assert!(store.find(&key("bob")).await.unwrap().is_none());
    assert_eq!((users(&client).await, events(&store).await), (1, 1));
}

#[tokio::test]
async fn a_refused_commit_leaves_nothing_in_the_callers_transaction() {
    let schema = Schema::new().await;
    let store = schema.store().await;
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    let mut client = schema.connect().await;
    client.batch_execute("CREATE TABLE users (name text PRIMARY KEY)").await.unwrap();

    // Turned away before anything was written: the transaction goes on.
    let again = client.transaction().await.unwrap();
    again.execute("INSERT INTO users VALUES ('carol')", &[]).await.unwrap();
    let error = run(&again, &first_sign_in(2, "alice", "carol")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists(Taken::Identity));
    again.commit().await.unwrap();
    assert_eq!(users(&client).await, 1);

    // Refused by a constraint or a bound: the transaction has failed.
    let mut beyond = first_sign_in(4, "erin", "erin");
    beyond.counters.push(CounterChange {
        name: CounterName::seats(),
        by: 1,
        at_least: None,
        at_most: Some(0),
    });
    let refused = [
        (first_sign_in(3, "dave", "alice"), ErrorKind::AlreadyExists(Taken::UserName)),
        (beyond, ErrorKind::LimitReached(CounterName::seats())),
    ];
    for (commit, kind) in refused {
        let transaction = client.transaction().await.unwrap();
        transaction.execute("INSERT INTO users VALUES ('dave')", &[]).await.unwrap();
        assert_eq!(*run(&transaction, &commit).await.unwrap_err().kind(), kind);
        assert!(transaction.execute("SELECT 1", &[]).await.is_err());
        transaction.rollback().await.unwrap();
    }
    assert_eq!((users(&client).await, events(&store).await), (1, 1));
}

#[tokio::test]
async fn every_call_is_one_statement_and_one_round_trip() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 1).await;
    let (one, worker) = (NonZeroUsize::MIN, WorkerId::new("w").unwrap());
    proxy.take();

    let create = first_sign_in(1, "alice", "alice");
    let before = create.account.as_ref().unwrap().after().clone();
    store.commit(&create).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "create");
    let mut after = before.clone();
    after.identities.clear();
    let mut update = Commit::new(tenant());
    update.account = Some(AccountWrite::update(&before, after));
    store.commit(&update).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "update");
    store.commit(&counter(1, 0)).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "record");
    store.find(&key("alice")).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "find");
    assert!(store.get(&tenant(), before.id).await.unwrap().is_some());
    assert_eq!(proxy.take(), (0, 1, 1), "get");
    store.matching(&tenant(), &before.lookup_keys()[0]).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "matching");
    let seen = Seen { tenant: tenant(), account: before.id, at: now() };
    store.touch(&[seen.clone(), seen]).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "touch");
    let later = now() + TimeDelta::days(100);
    let claimed =
        store.claim(&worker, &lane(), &Tenants::All, later, TimeDelta::seconds(9), one).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "claim");
    store.settle(&claimed[0], Settlement::Done).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "settle");
    let state = OneTimeKey::new(tenant(), "oidc.state", &[b"x"]);
    store.put(&state, b"value", later, now()).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "put");
    assert_eq!(store.take(&state, now()).await.unwrap().unwrap(), b"value");
    assert_eq!(proxy.take(), (0, 1, 1), "take");
}

#[tokio::test]
async fn commits_that_wait_together_are_written_by_one_statement() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 1).await;
    let store: Arc<dyn Store> = Arc::new(store);
    proxy.take();
    let commits = (0..65).map(|number| first_sign_in(number, &number.to_string(), &number.to_string()));
    let outcomes = all_at_once(&[Arc::clone(&store)], commits.collect()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(proxy.take(), (0, 3, 3), "one goes ahead, twice 32 follow");
    assert_eq!(events(&*store).await, 65);
}

#[tokio::test]
async fn a_lost_connection_is_transient_loses_nothing_and_comes_back() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 2).await;
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    for round in 2..12 {
        proxy.cut();
        // A look-up goes to a new connection by itself.
        assert!(store.find(&key("alice")).await.unwrap().is_some());
        proxy.cut();
        let name = format!("person{round}");
        let commit = first_sign_in(round, &name, &name);
        // A commit says that its outcome is unknown and may be repeated.
        match store.commit(&commit).await {
            Ok(()) => {}
            Err(error) => {
                assert_eq!((error.kind(), error.class()), (&ErrorKind::Unavailable, ErrorClass::Transient));
                let repeated = store.commit(&commit).await.map_err(|error| error.kind().clone());
                let taken = Err(ErrorKind::AlreadyExists(Taken::Identity));
                assert!(repeated == Ok(()) || repeated == taken, "{repeated:?}");
            }
        }
        assert!(store.find(&key(&name)).await.unwrap().is_some());
    }
    assert_eq!(events(&store).await, 11);
}

#[tokio::test]
async fn a_server_that_is_down_is_transient_and_a_wrong_role_is_not() {
    let mut down = Config::new();
    down.host("127.0.0.1").port(1).user("jit").dbname("jit");
    let error = PostgresStore::open_local(down, options()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Transient);

    let schema = Schema::new().await;
    let mut wrong = schema.config();
    wrong.user("nobody-of-this-name");
    let error = PostgresStore::open_local(wrong, options()).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Permanent);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::new();
    config.host("127.0.0.1").port(silent.local_addr().unwrap().port()).user("jit");
    let options = options().patience(Duration::from_millis(50));
    let error = PostgresStore::open_local(config, options).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_server_elsewhere_needs_encryption() {
    for host in ["db.example.com", "192.0.2.1", "::ffff:192.0.2.1"] {
        let mut config = Config::new();
        config.host(host).user("jit");
        let error = PostgresStore::open_local(config, options()).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Invalid, "{host}");
    }
    let mut config = Config::new();
    config.host("localhost").hostaddr("192.0.2.1".parse().unwrap()).user("jit");
    let error = PostgresStore::open_local(config, options()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_start_at_once_make_the_tables_once() {
    let schema = Arc::new(Schema::new().await);
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let schema = Arc::clone(&schema);
            tokio::spawn(async move { schema.store().await })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    let steps: i64 = schema
        .connect()
        .await
        .query_one("SELECT count(*) FROM jit_schema WHERE version > 0", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(usize::try_from(steps).unwrap(), postgres::MIGRATIONS.len());
}

#[tokio::test]
async fn tables_of_another_version_are_refused() {
    let schema = Schema::new().await;
    drop(schema.store().await);
    let client = schema.connect().await;
    client.execute("INSERT INTO jit_schema VALUES (99, 'later', '')", &[]).await.unwrap();
    let error = PostgresStore::open_local(schema.config(), options()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_corrupt_and_stays_secret() {
    let schema = Schema::new().await;
    let store = schema.store().await;
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    let alice = store.find(&key("alice")).await.unwrap().unwrap();
    let client = schema.connect().await;
    client.execute("UPDATE jit_account SET document = '{\"id\":\"secret\"}'", &[]).await.unwrap();
    let error = store.find(&key("alice")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Corrupt);
    assert!(!format!("{error:?} {error}").contains("secret"));
    let (by, limit) = (alice.lookup_keys().remove(0), std::num::NonZeroUsize::MIN);
    let named = store.bearers(&alice.tenant, &by, None, limit).await.unwrap();
    assert_eq!((named.items, named.next), (vec![alice.id], None), "it can be named all the same");
    client.execute("UPDATE jit_audit SET document = '{\"id\":\"secret\"}'", &[]).await.unwrap();
    let about = store.about(&alice.tenant, None, limit).await.unwrap();
    assert_eq!(about.items[0].account, Some(alice.id), "what happened to it can be named as well");
}

#[tokio::test]
async fn a_task_of_a_later_version_is_left_to_others_and_holds_up_none() {
    let schema = Schema::new().await;
    let (store, client) = (Arc::new(schema.store().await), schema.connect().await);
    later::holds_up_none(store, async |from: &str, to: &str| rename_kind(&client, from, to).await).await;
    let schema = Schema::new().await;
    let (store, client) = (Arc::new(schema.store().await), schema.connect().await);
    later::keeps_no_lane_waiting(store, async |from: &str, to: &str| rename_kind(&client, from, to).await)
        .await;
}

async fn rename_kind(client: &Client, from: &str, to: &str) {
    let rename = "UPDATE jit_task SET document = replace(document::text, $1, $2)::json";
    assert_eq!(client.execute(rename, &[&from, &to]).await.unwrap(), 1);
}

/// How often tables were read from end to end, by sessions that have ended.
async fn whole_reads(schema: &Schema) -> i64 {
    let client = schema.connect().await;
    // The counts of a session are published when it ends.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_schema()";
    while client.query_one(sessions, &[]).await.unwrap().get::<_, i64>(0) > 0 {}
    let reads = "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables
        WHERE schemaname = current_schema() AND relname <> 'jit_schema'";
    client.query_one(reads, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let schema = Schema::new().await;
    let mut config = schema.config();
    config.application_name(schema.name());
    drop(PostgresStore::open_local(config.clone(), options()).await.unwrap());
    // Making an index reads the empty table.
    let before = whole_reads(&schema).await;
    let store = PostgresStore::open_local(config, options().without_migrating()).await.unwrap();
    for number in 1..20 {
        use_everything(&store, number).await;
    }
    let store: Arc<dyn Store> = Arc::new(store);
    let together = (100..164).map(|number| first_sign_in(number, &number.to_string(), &number.to_string()));
    let outcomes = all_at_once(&[Arc::clone(&store)], together.collect()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    drop(store);
    assert_eq!(whole_reads(&schema).await, before);
}

async fn use_everything(store: &PostgresStore, number: u64) {
    let (one, worker, later) = (NonZeroUsize::MIN, WorkerId::new("w").unwrap(), now() + TimeDelta::days(100));
    let name = format!("person{number}");
    let commit = first_sign_in(number, &name, &name);
    let before = commit.account.as_ref().unwrap().after().clone();
    store.commit(&commit).await.unwrap();
    store.find(&key(&name)).await.unwrap();
    store.named(&tenant(), &name).await.unwrap();
    store.matching(&tenant(), &before.lookup_keys()[0]).await.unwrap();
    let mut after = before.clone();
    after.grants.clear();
    let mut update = Commit::new(tenant());
    update.account = Some(AccountWrite::update(&before, after));
    store.commit(&update).await.unwrap();
    let claimed =
        store.claim(&worker, &lane(), &Tenants::All, later, TimeDelta::seconds(9), one).await.unwrap();
    store.next_due(&lane()).await.unwrap();
    store.next_lane(Some(lane())).await.unwrap();
    store.settle(&claimed[0], Settlement::Done).await.unwrap();
    store.touch(&[Seen { tenant: tenant(), account: before.id, at: later }]).await.unwrap();
    let state = OneTimeKey::new(tenant(), "oidc.state", &[name.as_bytes()]);
    store.put(&state, b"value", now(), now()).await.unwrap();
    store.purge(later, one).await.unwrap();
    for filter in
        [Filter::All, Filter::State("active"), Filter::Holding(Entitlement::role("editor").unwrap())]
    {
        store.list(&Query { tenant: tenant(), filter, after: None, limit: one }).await.unwrap();
    }
    for (account, latest_first) in
        [(None, false), (None, true), (Some(before.id), false), (Some(before.id), true)]
    {
        let query = AuditQuery { tenant: tenant(), account, after: None, latest_first, limit: one };
        store.events(&query).await.unwrap();
    }
}
