//! What commits on PostgreSQL must do that are written together.

use std::{
    num::NonZeroUsize,
    sync::{Arc, mpsc},
    task::Poll,
    time::Duration,
};

use jit_core::{AccountWrite, Commit, CounterChange, CounterName, ErrorKind, Store, Taken};
use jit_sql::{PostgresOptions, PostgresStore, statement::CommitStatement};

use crate::support::{
    all_at_once, event, events, first_sign_in, key, mint,
    server::{Schema, behind_proxy, options},
};

/// One statement at a time, so that all but the first commit wait.
async fn narrow(schema: &Schema) -> Arc<dyn Store> {
    let options = PostgresOptions::new().connections(NonZeroUsize::MIN);
    Arc::new(PostgresStore::open_local(schema.config(), options).await.unwrap())
}

fn person(number: u64) -> Commit {
    let name = format!("person{number}");
    first_sign_in(number, &name, &name)
}

fn seat(mut commit: Commit, at_most: i64) -> Commit {
    let change = CounterChange { name: CounterName::seats(), by: 1, at_least: None, at_most: Some(at_most) };
    commit.counters.push(change);
    commit
}

#[tokio::test]
async fn a_commit_that_fails_does_not_spoil_those_it_is_written_with() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    let first = first_sign_in(1_000, "taken", "taken");
    store.commit(&first).await.unwrap();
    // Of each four one is good; the others have the identity, the name or a task of somebody else.
    let commit = |number: u64| {
        let subject = format!("person{number}");
        let identity = if number % 4 == 1 { "taken" } else { &subject };
        let name = if number % 4 == 2 { "taken" } else { &subject };
        let mut commit = first_sign_in(number, identity, name);
        if number % 4 == 3 {
            commit.tasks.clone_from(&first.tasks);
        }
        commit
    };
    let outcomes = all_at_once(&[Arc::clone(&store)], (0..64).map(commit).collect()).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let expected = match number % 4 {
            0 => Ok(()),
            1 => Err(ErrorKind::AlreadyExists(Taken::Identity)),
            2 => Err(ErrorKind::AlreadyExists(Taken::UserName)),
            _ => Err(ErrorKind::AlreadyExists(Taken::Task)),
        };
        assert_eq!(*outcome, expected);
        let account = store.find(&key(&format!("person{number}"))).await.unwrap();
        assert_eq!(account.is_some(), number % 4 == 0);
    }
    assert_eq!(events(&*store).await, 17);
}

#[tokio::test]
async fn commits_of_one_person_that_wait_together_make_one_account() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    let commits = (0..64).map(|number| first_sign_in(number, "alice", &format!("alice{}", number % 7)));
    let outcomes = all_at_once(&[Arc::clone(&store)], commits.collect()).await;
    let taken = Err(ErrorKind::AlreadyExists(Taken::Identity));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == taken).count(), 63);
    assert_eq!(events(&*store).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_seats_are_given_once_to_those_who_wait_on_two_nodes() {
    let schema = Schema::new().await;
    let nodes = [narrow(&schema).await, narrow(&schema).await];
    let outcomes = all_at_once(&nodes, (0..96).map(|number| seat(person(number), 40)).collect()).await;
    let full = Err(ErrorKind::LimitReached(CounterName::seats()));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 40);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == full).count(), 56, "{outcomes:?}");
    assert_eq!(events(&*nodes[0]).await, 40);
}

#[tokio::test]
async fn a_commit_whose_caller_goes_away_is_written_whole_or_not_at_all() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    let commits: Vec<_> = (0..50).map(person).collect();
    let mut under_way: Vec<_> = commits.iter().map(|commit| store.commit(commit)).collect();
    std::future::poll_fn(|context| {
        for call in &mut under_way {
            assert!(call.as_mut().poll(context).is_pending());
        }
        Poll::Ready(())
    })
    .await;
    // The first is at the server and the others wait; one of these stays, and the first goes last.
    let last = under_way.pop().unwrap();
    while let Some(call) = under_way.pop() {
        drop(call);
    }
    last.await.unwrap();
    let mut accounts = 0;
    for number in 0..50 {
        accounts += usize::from(store.find(&key(&format!("person{number}"))).await.unwrap().is_some());
    }
    assert_eq!(accounts, events(&*store).await);
    assert!(accounts <= 2, "nobody waited for the others");
}

#[tokio::test]
async fn an_application_that_holds_a_key_for_long_does_not_hold_up_the_others() {
    let schema = Schema::new().await;
    let store: Arc<dyn Store> = Arc::new(schema.store().await);
    let mut client = schema.connect().await;
    let long = client.transaction().await.unwrap();
    let alice = CommitStatement::new(&first_sign_in(1_000, "alice", "alice")).unwrap();
    long.query_one(alice.sql(), &[&alice.json()]).await.unwrap();

    // In the middle of those that are written together.
    let commits = (0..64).map(|number| match number {
        30 => first_sign_in(number, "alice", "alice"),
        _ => person(number),
    });
    let mut under_way: Vec<_> = commits
        .map(|commit| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.commit(&commit).await })
        })
        .collect();
    let waiting = under_way.remove(30);
    for other in under_way {
        other.await.unwrap().unwrap();
    }
    assert!(!waiting.is_finished());
    long.rollback().await.unwrap();
    waiting.await.unwrap().unwrap();
}

/// Lets the clock of this runtime stand, so that it moves only where it is told to, for as long as what is returned is held.
fn stop_the_clock() -> mpsc::Sender<()> {
    let (held, let_go) = mpsc::channel();
    // A clock that stands goes on by itself where nothing is left to do, but not while a call blocks. In the end it does: then
    // what hangs runs out of patience.
    tokio::task::spawn_blocking(move || let_go.recv_timeout(Duration::from_secs(240)));
    tokio::time::pause();
    held
}

#[tokio::test]
async fn a_commit_that_has_to_wait_gives_its_place_to_those_behind_it() {
    let schema = Schema::new().await;
    // One place, and a connection besides.
    let options = PostgresOptions::new().connections(NonZeroUsize::new(2).unwrap());
    let options = options.patience(Duration::from_secs(600));
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open_local(schema.config(), options).await.unwrap());
    let (mut client, watcher) = (schema.connect().await, schema.connect().await);
    let long = client.transaction().await.unwrap();
    let alice = CommitStatement::new(&first_sign_in(1_000, "alice", "alice")).unwrap();
    long.query_one(alice.sql(), &[&alice.json()]).await.unwrap();
    let holder: i32 = long.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);

    let stopped = stop_the_clock();
    let blocked = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit(&first_sign_in(0, "alice", "alice")).await })
    };
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
    while watcher.query_one(waiting, &[&holder]).await.unwrap().get::<_, i64>(0) == 0 {}
    let bob = person(1);
    let mut behind = store.commit(&bob);
    let is_behind = std::future::poll_fn(|context| Poll::Ready(behind.as_mut().poll(context).is_pending()));
    assert!(is_behind.await);
    assert!(store.find(&key("person1")).await.unwrap().is_none(), "the place is taken for now");
    tokio::time::advance(Duration::from_millis(101)).await;
    behind.await.unwrap();
    assert!(!blocked.is_finished());
    long.rollback().await.unwrap();
    blocked.await.unwrap().unwrap();
    drop(stopped);
}

#[tokio::test]
async fn what_is_refused_is_asked_once_more_why() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 1).await;
    let store: Arc<dyn Store> = Arc::new(store);
    let alice = first_sign_in(1, "alice", "alice");
    store.commit(&alice).await.unwrap();
    proxy.take();
    let error = store.commit(&first_sign_in(2, "alice", "bob")).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AlreadyExists(Taken::Identity));
    assert_eq!(proxy.take(), (0, 2, 2), "an identity that is taken");

    // The account is not at the version that was read, or was used since.
    let before = alice.account.as_ref().unwrap().after().clone();
    let change = |number| {
        let mut commit = Commit::new(before.tenant.clone());
        let mut after = before.clone();
        after.credential_epoch += 1;
        commit.events.push(event(&mut mint(number), &after));
        commit.account = Some(AccountWrite::update(&before, after));
        commit
    };
    store.commit(&change(3)).await.unwrap();
    assert_eq!(proxy.take(), (0, 1, 1), "a change");
    assert_eq!(*store.commit(&change(4)).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(proxy.take(), (0, 2, 2), "a change of what has changed");
    assert_eq!(events(&*store).await, 2);
}

#[tokio::test]
async fn denials_are_recorded_together() {
    let schema = Schema::new().await;
    let store = PostgresStore::open_local(schema.config(), options()).await.unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let commits = (0..64).map(|number| Commit { account: None, tasks: Vec::new(), ..person(number) });
    let outcomes = all_at_once(&[Arc::clone(&store)], commits.collect()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(events(&*store).await, 64);
}
