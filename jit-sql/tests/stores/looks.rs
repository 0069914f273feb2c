//! What look-ups on PostgreSQL must do that are answered together.

use std::{num::NonZeroUsize, sync::Arc, task::Poll, time::Duration};

use jit_core::{
    Collection, ConnectionId, Document, DocumentWrite, EmailAddress, ErrorKind, LookupKey, Matches, Store,
    TenantId,
};
use jit_sql::{PostgresOptions, PostgresStore};
use tokio_postgres::Client;

use crate::support::{
    first_sign_in, key, mint, now,
    server::{Schema, behind_proxy},
    tenant,
};

/// One statement at a time, so that all but the first look-up wait.
async fn narrow(schema: &Schema) -> Arc<dyn Store> {
    let options = PostgresOptions::new().connections(NonZeroUsize::MIN);
    Arc::new(PostgresStore::open_local(schema.config(), options).await.unwrap())
}

/// The answers of calls that are all under way before the first of them is answered, in their order.
async fn all_under_way<T>(calls: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
    let mut answers: Vec<_> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, answer) in calls.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(ready) = call.as_mut().poll(context) {
                *answer = Some(ready);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

fn users(tenant: &TenantId) -> Collection {
    let (connection, kind) = (ConnectionId::new("scim").unwrap(), "User".parse().unwrap());
    Collection { tenant: tenant.clone(), connection, kind }
}

fn document(number: u64) -> Document {
    Document {
        key: users(&tenant()).key(mint(number).document()),
        version: 1,
        created_at: now(),
        changed_at: now(),
        account: None,
        body: format!("{{\"number\":{number}}}").into(),
        names: [].into(),
    }
}

fn address(number: u64) -> EmailAddress {
    EmailAddress::new(&format!("person{number}@example.com")).unwrap()
}

/// Makes people with a document each.
async fn people(store: &dyn Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let name = format!("person{number}");
        let mut commit = first_sign_in(number, &name, &name);
        commit.documents.push(DocumentWrite::create(document(number)));
        store.commit(&commit).await.unwrap();
    }
}

#[tokio::test]
async fn look_ups_that_wait_together_are_answered_by_one_statement() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 1).await;
    let store: Arc<dyn Store> = Arc::new(store);
    people(&*store, 0..4).await;
    proxy.take();
    let keys: Vec<_> = (0..17).map(|number| key(&format!("person{number}"))).collect();
    all_under_way(keys.iter().map(|key| store.find(key))).await;
    assert_eq!(proxy.take(), (0, 3, 3), "find: one goes ahead, twice eight follow");
    let (tenant, by) = (tenant(), LookupKey::email(&address(99)));
    all_under_way((0..17).map(|_| store.matching(&tenant, &by))).await;
    assert_eq!(proxy.take(), (0, 3, 3), "matching");
    let keys: Vec<_> = (0..17).map(|number| document(number).key).collect();
    all_under_way(keys.iter().map(|key| store.document(key))).await;
    assert_eq!(proxy.take(), (0, 3, 3), "document");
}

#[tokio::test]
async fn each_of_those_that_wait_together_is_told_what_it_asked_for() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    people(&*store, 0..20).await;
    // Somebody else may carry what a person carries.
    let twin = first_sign_in(100, "twin", "twin");
    let mut account = twin.account.as_ref().unwrap().after().clone();
    account.email.as_mut().unwrap().address = address(3);
    let twin = jit_core::Commit { account: Some(jit_core::AccountWrite::create(account)), ..twin };
    store.commit(&twin).await.unwrap();

    // Every other is nobody, one is asked for twice, and one of another tenant.
    let (other, order) = (TenantId::new("other").unwrap(), || (0..40).map(|number| number * 7 % 40));
    let mut keys: Vec<_> = order().map(|number| key(&format!("person{number}"))).collect();
    keys.extend([key("person3"), jit_core::ExternalKey { tenant: other.clone(), ..key("person3") }]);
    let found = all_under_way(keys.iter().map(|key| store.find(key))).await;
    for (key, found) in keys.iter().zip(found) {
        let found = found.unwrap();
        let number: u64 = key.subject.as_str().trim_start_matches("person").parse().unwrap();
        assert_eq!(found.is_some(), number < 20 && key.tenant != other);
        assert!(found.is_none_or(|account| account.identities[0].key == *key));
    }

    let asked = order().map(|number| (tenant(), number)).chain([(tenant(), 3), (other.clone(), 3)]);
    let asked = asked.map(|(tenant, number)| (tenant, number, LookupKey::email(&address(number))));
    let asked: Vec<_> = asked.collect();
    let found = all_under_way(asked.iter().map(|(tenant, _, by)| store.matching(tenant, by))).await;
    for ((tenant, number, _), found) in asked.iter().zip(found) {
        match found.unwrap() {
            Matches::None => assert!(*number >= 20 || *tenant == other),
            Matches::One(account) => {
                assert!(*tenant != other && *number != 3);
                assert_eq!(account.identities[0].key, key(&format!("person{number}")));
            }
            Matches::Several => assert_eq!((tenant, *number), (&self::tenant(), 3)),
        }
    }

    let mut keys: Vec<_> = order().map(|number| (number, document(number).key)).collect();
    keys.extend([(3, document(3).key), (99, users(&other).key(document(3).key.id))]);
    let found = all_under_way(keys.iter().map(|(_, key)| store.document(key))).await;
    for ((number, _), found) in keys.iter().zip(found) {
        assert_eq!(found.unwrap(), Some(document(*number)).filter(|_| *number < 20));
    }
}

#[tokio::test]
async fn what_cannot_be_read_or_asked_is_told_to_whom_it_concerns_only() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    people(&*store, 0..9).await;
    let unreadable = "UPDATE jit_account SET document = '{}' WHERE user_name_key = 'person5'";
    schema.connect().await.batch_execute(unreadable).await.unwrap();
    let keys: Vec<_> = (0..9).map(|number| key(&format!("person{number}"))).collect();
    let found = all_under_way(keys.iter().map(|key| store.find(key))).await;
    for (number, found) in found.into_iter().enumerate() {
        match found {
            Ok(found) => assert!(number != 5 && found.is_some()),
            Err(error) => assert_eq!((number, error.kind()), (5, &ErrorKind::Corrupt)),
        }
    }

    // No text of PostgreSQL holds this character.
    let tenant = tenant();
    let mut keys: Vec<_> = (0..9).map(|number| LookupKey::email(&address(number))).collect();
    keys[4].kind = "no\0text".to_owned();
    let found = all_under_way(keys.iter().map(|key| store.matching(&tenant, key))).await;
    for (number, found) in found.iter().enumerate() {
        let is_found = matches!(found, Ok(Matches::One(_)));
        assert_eq!(is_found, number != 4 && number != 5, "{number}: {found:?}");
    }
    assert_eq!(*found[4].as_ref().unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_look_up_whose_caller_goes_away_holds_up_nobody() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    people(&*store, 0..4).await;
    let keys: Vec<_> = (0..40).map(|number| key(&format!("person{}", number % 4))).collect();
    let mut under_way: Vec<_> = keys.iter().map(|key| store.find(key)).collect();
    std::future::poll_fn(|context| {
        for call in &mut under_way {
            assert!(call.as_mut().poll(context).is_pending());
        }
        Poll::Ready(())
    })
    .await;
    // The first is at the server and the others wait; the last of these stays, and the first goes with the others.
    let last = under_way.pop().unwrap();
    drop(under_way);
    assert!(last.await.unwrap().is_some());
    assert!(store.find(&key("person1")).await.unwrap().is_some());
}

/// Two people, whom nobody finds while their table is locked. There is one place for look-ups, and a connection besides.
struct Stuck {
    store: Arc<dyn Store>,
    holder: Client,
    /// The process of the holder, as the server numbers it.
    process: i32,
    watcher: Client,
}

impl Stuck {
    async fn on(schema: &Schema) -> Self {
        let options = PostgresOptions::new().connections(NonZeroUsize::new(2).unwrap());
        let store: Arc<dyn Store> =
            Arc::new(PostgresStore::open_local(schema.config(), options).await.unwrap());
        people(&*store, 0..2).await;
        let (holder, watcher) = (schema.connect().await, schema.connect().await);
        holder.batch_execute("BEGIN; LOCK TABLE jit_identity").await.unwrap();
        let process = holder.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        Self { store, holder, process, watcher }
    }

    /// How many wait for the table.
    async fn waiting(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
        self.watcher.query_one(waiting, &[&self.process]).await.unwrap().get(0)
    }

    async fn unlock(&self) {
        self.holder.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// Both come before a standstill can be seen, and nobody comes after them.
#[tokio::test]
async fn whoever_waits_behind_what_is_stuck_goes_ahead_alone() {
    let schema = Schema::new().await;
    let stuck = Stuck::on(&schema).await;
    let [first, second] = [0, 1].map(|number: u64| key(&format!("person{number}")));
    let looked = all_under_way([stuck.store.find(&first), stuck.store.find(&second)]);
    let ended = async {
        while stuck.waiting().await < 2 {}
        stuck.unlock().await;
    };
    let ((), found) = tokio::time::timeout(Duration::from_secs(8), async { tokio::join!(ended, looked) })
        .await
        .expect("the second waits for the first");
    assert!(found.into_iter().all(|found| found.unwrap().is_some()));
}

#[tokio::test]
async fn others_go_ahead_where_nothing_comes_back() {
    let schema = Schema::new().await;
    let stuck = Stuck::on(&schema).await;
    let find = |number: u64| {
        let store = Arc::clone(&stuck.store);
        tokio::spawn(async move { store.find(&key(&format!("person{number}"))).await })
    };
    let first = find(0);
    while stuck.waiting().await == 0 {}
    // The clock of this process stands from here on, but for what it is moved.
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(2)).await;
    // A clock that stands goes to the next timer where nobody has anything to do: nobody is to run out of time in line.
    let busy = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let second = find(1);
    for _ in 0..2_000 {
        if stuck.waiting().await == 2 {
            break;
        }
    }
    assert_eq!(stuck.waiting().await, 2, "it waits for the first");
    busy.abort();
    tokio::time::resume();
    stuck.unlock().await;
    assert!(first.await.unwrap().unwrap().is_some() && second.await.unwrap().unwrap().is_some());
}
