//! What a database from before has once it was opened.

use std::{collections::BTreeMap, num::NonZeroUsize};

use chrono::{DateTime, SubsecRound as _, Utc};
use jit_core::{
    Account, AccountId, AccountState, AccountWrite, Commit, Edge, Elevation, EndReason, Filter, Forgotten,
    HeldPresence, HeldRecord, Lease, LookupKey, MarkerKey, MemoryStore, Over, Phase, Query,
    RemoteEntitlement, RemoteRef, Share, UnattendedEnd, UserStore,
};

use crate::{
    forgetting::{leased, write},
    support::{account, first_sign_in, key, lease, mint, now, tenant},
};

/// Takes away what the third step adds, as it was before.
const BEFORE: &str =
    "DELETE FROM jit_lookup WHERE kind = 'parked_leaves'; DELETE FROM jit_schema WHERE version = 3";

/// Somebody whose leave waits.
fn waiting(number: u64, subject: &str) -> (AccountId, Commit) {
    let mut account = account(&mut mint(number), subject, subject);
    account.records.push(HeldRecord {
        key: key(subject),
        presence: HeldPresence::Gone,
        version: None,
        request: None,
        claims: None,
        parked: Some(now()),
        before_parked: None,
    });
    let id = account.id;
    (id, Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) })
}

async fn listed(store: &dyn UserStore) -> Vec<AccountId> {
    let filter = Filter::Bearing(LookupKey::parked_leaves());
    let query = Query { tenant: tenant(), filter, after: None, limit: NonZeroUsize::new(9).unwrap() };
    store.list(&query).await.unwrap().items.iter().map(|account| account.id).collect()
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn leaves_that_waited_in_a_file_from_before_are_listed() {
    use jit_sql::SqliteStore;

    let folder = crate::support::folder::Folder::new("waited");
    let store = SqliteStore::open(folder.file()).unwrap();
    let (alice, commit) = waiting(1, "alice");
    store.commit(&commit).await.unwrap();
    store.commit(&first_sign_in(2, "bob", "bob")).await.unwrap();
    drop(store);
    rusqlite::Connection::open(folder.file()).unwrap().execute_batch(BEFORE).unwrap();
    let store = SqliteStore::open(folder.file()).unwrap();
    assert_eq!(listed(&store).await, [alice]);
}

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn leaves_that_waited_in_a_database_from_before_are_listed() {
    let schema = crate::support::server::Schema::new().await;
    let store = schema.store().await;
    let (alice, commit) = waiting(1, "alice");
    store.commit(&commit).await.unwrap();
    store.commit(&first_sign_in(2, "bob", "bob")).await.unwrap();
    let client = schema.connect().await;
    client.batch_execute(BEFORE).await.unwrap();
    client.batch_execute(PATIENCE_OF_STEPS).await.unwrap();
    let store = schema.store().await;
    assert_eq!(listed(&store).await, [alice]);
    let patience = client.query("SELECT DISTINCT patience FROM patience_of_steps", &[]).await.unwrap();
    let patience: Vec<String> = patience.iter().map(|row| row.get(0)).collect();
    assert_eq!(patience, ["0"], "a step that looks at millions of rows takes its time");
}

/// What a lease and what is lent to an account that existed before keep of who ends them, taken away as if it had never been
/// written; and what is lent is kept by its name, as it was before ids were kept.
#[cfg(feature = "sqlite")]
const UNTOLD: &str = "UPDATE jit_account SET document = json_remove(document, '$.lease.unattended');
    UPDATE jit_account SET document = json_set(document, '$.elevation.edges', json_object('ops',
       json_remove(json_extract(document, '$.elevation.edges[0]'), '$.entitlement', '$.drops', '$.drops_at')))
       WHERE json_extract(document, '$.elevation') IS NOT NULL";
#[cfg(feature = "real-postgres")]
const UNTOLD_THERE: &str =
    "UPDATE jit_account SET document = (document::jsonb #- '{lease,unattended}')::json;
    UPDATE jit_account SET document = jsonb_set(document::jsonb, '{elevation,edges}', jsonb_build_object('ops',
       (document::jsonb #> '{elevation,edges,0}') - 'entitlement' - 'drops' - 'drops_at'))::json
       WHERE document::jsonb -> 'elevation' IS NOT NULL";

/// A lease that made an account, one that elevates, and what is lent by it.
fn lent() -> [Account; 3] {
    let (mut mint, holder) = (mint(3), mint(4).account());
    let [made, elevates, keeper] =
        std::array::from_fn(|_| Account::begin(mint.account(), tenant(), AccountState::Active, now()));
    let marker = MarkerKey::new("test", &[5; 32]).unwrap().mark(&tenant(), made.id);
    let remote =
        RemoteRef { name: "jit-1".into(), place: None, marker, native: Some("id-1".into()), home: None };
    let lease = Lease {
        entitlements: vec!["ops".into()],
        unattended: Some(UnattendedEnd::ServerRefusesLogin),
        ..lease(holder, remote)
    };
    let until = lease.until;
    let leases = BTreeMap::from([(elevates.id, Share::Needs { until })]);
    let entitlement = RemoteEntitlement { native: Some("id-ops".into()), ..RemoteEntitlement::named("ops") };
    let edge =
        Edge { entitlement, pre_existing: false, asked: 1, drops: true, drops_at: Some(until), leases };
    let elevation = Elevation {
        target: lease.target.clone(),
        name: "alice".into(),
        native: "id-2".into(),
        edges: vec![edge],
        takes: Vec::new(),
        settling: Vec::new(),
    };
    let lifted = Lease { elevates: Some(keeper.id), unattended: None, ..lease.clone() };
    [
        Account { lease: Some(Box::new(lease)), ..made },
        Account { lease: Some(Box::new(lifted)), ..elevates },
        Account { elevation: Some(Box::new(elevation)), ..keeper },
    ]
}

/// Who ends the two leases if nobody of ours ever runs again, as a store gives them back.
async fn ended_by(store: &dyn UserStore, [made, elevates, keeper]: &[Account; 3]) -> [UnattendedEnd; 2] {
    let read = async |id| store.get(&tenant(), id).await.unwrap().unwrap();
    let lent = read(keeper.id).await.elevation;
    let exposure = async |id| read(id).await.lease.unwrap().exposure(id, lent.as_deref()).ended_by;
    [exposure(made.id).await, exposure(elevates.id).await]
}

/// What is lent, as a store gives it back.
#[cfg(any(feature = "sqlite", feature = "real-postgres"))]
async fn entitlements(store: &dyn UserStore, [_, _, keeper]: &[Account; 3]) -> Vec<RemoteEntitlement> {
    let lent = store.get(&tenant(), keeper.id).await.unwrap().unwrap().elevation.unwrap();
    lent.edges.into_iter().map(|edge| edge.entitlement).collect()
}

async fn keep(store: &dyn UserStore, accounts: &[Account; 3]) {
    for account in accounts {
        let write = Some(AccountWrite::create(account.clone()));
        store.commit(&Commit { account: write, ..Commit::new(tenant()) }).await.unwrap();
    }
}

const TOLD: [UnattendedEnd; 2] = [UnattendedEnd::ServerRefusesLogin, UnattendedEnd::ServerDropsMembership];

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn leases_in_a_file_from_before_promise_nothing() {
    use jit_sql::SqliteStore;

    let folder = crate::support::folder::Folder::new("untold");
    let (store, accounts) = (SqliteStore::open(folder.file()).unwrap(), lent());
    keep(&store, &accounts).await;
    assert_eq!(ended_by(&store, &accounts).await, TOLD);
    drop(store);
    rusqlite::Connection::open(folder.file()).unwrap().execute_batch(UNTOLD).unwrap();
    let store = SqliteStore::open(folder.file()).unwrap();
    assert_eq!(ended_by(&store, &accounts).await, [UnattendedEnd::LibraryOnly; 2]);
    assert_eq!(entitlements(&store, &accounts).await, [RemoteEntitlement::named("ops")]);
}

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn leases_in_a_database_from_before_promise_nothing() {
    let schema = crate::support::server::Schema::new().await;
    let (store, accounts) = (schema.store().await, lent());
    keep(&store, &accounts).await;
    assert_eq!(ended_by(&store, &accounts).await, TOLD);
    schema.connect().await.batch_execute(UNTOLD_THERE).await.unwrap();
    let store = schema.store().await;
    assert_eq!(ended_by(&store, &accounts).await, [UnattendedEnd::LibraryOnly; 2]);
    assert_eq!(entitlements(&store, &accounts).await, [RemoteEntitlement::named("ops")]);
}

#[tokio::test]
async fn in_memory_leases_come_back_as_they_were_told() {
    let (store, accounts) = (MemoryStore::new(), lent());
    keep(&store, &accounts).await;
    assert_eq!(ended_by(&store, &accounts).await, TOLD);
}

/// Takes away what the fifth step adds, as it was before.
const BEFORE_FORGETTING: &str = "DELETE FROM jit_lookup WHERE kind = 'over_since';
    DELETE FROM jit_schema WHERE version = 5; DROP TABLE IF EXISTS jit_look";

/// Leases that ended, with instants as exact as they may be written, and some that must stay.
fn leases() -> Vec<Account> {
    let gone = |why, since: &str| Phase::Gone { since: since.parse().unwrap(), why };
    let instants = [
        "2026-11-22T10:30:18Z",
        "2026-11-22T10:30:18.250Z",
        "2026-11-22T10:30:18.000001Z",
        "2026-11-22T10:30:18.999999999Z",
        "2026-12-31T23:59:59.123456789Z",
    ];
    let mut all: Vec<_> = instants
        .iter()
        .zip(10..)
        .map(|(at, number)| leased(number, gone(EndReason::Expired, at), at))
        .collect();
    // One whose clock was set back before it was written again.
    all.push(leased(20, gone(EndReason::CheckedIn, instants[4]), instants[0]));
    all.push(leased(30, gone(EndReason::DeclaredGone, instants[0]), instants[0]));
    all.push(leased(31, gone(EndReason::Reappeared, instants[0]), instants[0]));
    all.push(leased(32, Phase::Active { since: now() }, instants[0]));
    let mut sweeping = leased(33, gone(EndReason::Expired, instants[0]), instants[0]);
    sweeping.lease.as_mut().unwrap().unanswered = Some(now());
    let mut told = leased(34, gone(EndReason::Expired, instants[0]), instants[0]);
    told.lease.as_mut().unwrap().alarms = 2;
    let mut counted = leased(35, gone(EndReason::Expired, instants[0]), instants[0]);
    counted.lease.as_mut().unwrap().counted = true;
    let mut seen_again = leased(36, gone(EndReason::Expired, instants[0]), instants[0]);
    seen_again.lease.as_mut().unwrap().came_back = Some(now());
    all.extend([sweeping, told, counted, seen_again]);
    // Some said what for in characters that a database may not take as text, and some the escape of it.
    for (account, purpose) in all.iter_mut().zip(["\0", "a\0b\\u0000\\\0", "\\u0000"].iter().cycle()) {
        account.lease.as_mut().unwrap().purpose = Some((*purpose).to_owned());
    }
    all
}

async fn over(store: &dyn UserStore) -> Vec<Over> {
    let (until, limit) = (DateTime::<Utc>::MAX_UTC, NonZeroUsize::new(99).unwrap());
    store.long_over(&tenant(), until, None, limit).await.unwrap()
}

/// Asks whether those are named that were over before, each exactly as if it had been written since, so that it can go.
async fn check_over(store: &dyn UserStore) {
    let mut expected: Vec<_> = leases()
        .iter()
        .filter_map(|account| {
            let since = account.over_since()?.trunc_subsecs(6);
            Some(Over { since, account: account.id })
        })
        .collect();
    expected.sort();
    assert_eq!(expected.len(), 6);
    assert_eq!(over(store).await, expected);
    let mut forgotten = Vec::new();
    for over in expected {
        let account = store.get(&tenant(), over.account).await.unwrap().unwrap();
        forgotten.push(Forgotten::of(&account).unwrap());
    }
    store.commit(&Commit { forgotten, ..Commit::new(tenant()) }).await.unwrap();
    assert_eq!(over(store).await, [], "what led to them is gone as well");
}

async fn write_leases(store: &dyn UserStore) {
    for account in leases() {
        write(store, account).await;
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn leases_that_were_over_in_a_file_from_before_can_be_forgotten() {
    use jit_sql::SqliteStore;

    let folder = crate::support::folder::Folder::new("over");
    let store = SqliteStore::open(folder.file()).unwrap();
    write_leases(&store).await;
    let gone = Phase::Gone { since: now(), why: EndReason::Expired };
    let torn = leased(40, gone, "2026-11-22T10:30:18Z");
    write(&store, torn.clone()).await;
    drop(store);
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    let tear = "UPDATE jit_account SET document = '{' WHERE id = ?1";
    assert_eq!(file.execute(tear, [torn.id.as_uuid().as_bytes()]).unwrap(), 1);
    file.execute_batch(BEFORE_FORGETTING).unwrap();
    check_over(&SqliteStore::open(folder.file()).unwrap()).await;
}

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn leases_that_were_over_in_a_database_from_before_can_be_forgotten() {
    let schema = crate::support::server::Schema::new().await;
    write_leases(&schema.store().await).await;
    let client = schema.connect().await;
    client.batch_execute(BEFORE_FORGETTING).await.unwrap();
    client.batch_execute(UNREFUSED).await.unwrap();
    check_over(&schema.store().await).await;
}

/// What a process of before leaves that ends leases and does not know the key; the first look is over.
const UNKEYED: &str = "DELETE FROM jit_lookup WHERE kind = 'over_since'";

#[cfg(feature = "sqlite")]
#[test]
fn what_a_process_of_before_ended_in_a_file_is_found_a_day_later() {
    use jit_sql::SqliteStore;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = crate::support::folder::Folder::new("later");
    runtime.block_on(write_leases(&SqliteStore::open(folder.file()).unwrap()));
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    file.execute_batch(UNKEYED).unwrap();
    assert_eq!(runtime.block_on(over(&SqliteStore::open(folder.file()).unwrap())), [], "it may go on");
    assert_eq!(file.execute("UPDATE jit_look SET due = due - 86400000000", ()).unwrap(), 1);
    runtime.block_on(check_over(&SqliteStore::open(folder.file()).unwrap()));
    let left: i64 = file.query_row("SELECT count(*) FROM jit_look", (), |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "that was the last look");
}

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn what_a_process_of_before_ended_in_a_database_is_found_a_day_later() {
    let (schema, later) = (crate::support::server::Schema::new().await, "UPDATE jit_look SET due = due - $1");
    write_leases(&schema.store().await).await;
    let (mut client, another) = (schema.connect().await, schema.connect().await);
    client.batch_execute(UNKEYED).await.unwrap();
    assert_eq!(over(&schema.store().await).await, [], "it may go on");
    assert_eq!(client.execute(later, &[&86_400_000_000_i64]).await.unwrap(), 1);
    // Another node that has begun to look leaves nobody waiting.
    let begun = client.transaction().await.unwrap();
    begun.query("SELECT FROM jit_look FOR UPDATE", &[]).await.unwrap();
    assert_eq!(over(&schema.store().await).await, [], "that is what the other one does");
    begun.rollback().await.unwrap();
    check_over(&schema.store().await).await;
    let left: i64 = another.query_one("SELECT count(*) FROM jit_look", &[]).await.unwrap().get(0);
    assert_eq!(left, 0, "that was the last look");
}

/// What a database says that went through the last three steps as they were before they were released, but for what the fifth
/// gave to leases.
#[cfg(feature = "real-postgres")]
const UNRELEASED: &str = "DROP TABLE IF EXISTS jit_look; DELETE FROM jit_lookup WHERE kind = 'over_since';
    ALTER TABLE jit_refusal ADD CONSTRAINT jit_refused_forgotten CHECK (reason <> 'forgotten');
    UPDATE jit_schema SET checksum = 'c45845561b7b17ad4bac7d2e9cde2eaf2db15dd8647439a0c0c775898af9676e' WHERE version = 4;
    UPDATE jit_schema SET checksum = '7ec95d9d9878bc49a909fe41fe0add612b895527c4dc8cead1805561d569778e' WHERE version = 5;
    UPDATE jit_schema SET checksum = 'b9df3e41e0b928684e38218a40e04f4b8927c1bad0685b8dee3079d5a7c9082e' WHERE version = 6";

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn a_database_of_a_build_before_the_release_is_brought_along() {
    let schema = crate::support::server::Schema::new().await;
    write_leases(&schema.store().await).await;
    schema.connect().await.batch_execute(UNRELEASED).await.unwrap();
    let store = schema.store().await;
    let last = store.get(&tenant(), over(&store).await.last().unwrap().account).await.unwrap().unwrap();
    let twice = Commit { forgotten: vec![Forgotten::of(&last).unwrap()], ..Commit::new(tenant()) };
    check_over(&store).await;
    let error = store.commit(&twice).await.unwrap_err();
    assert_eq!(*error.kind(), jit_core::ErrorKind::Conflict, "it was forgotten before");
    drop(schema.store().await);
}

/// Takes away what an earlier form of the fifth step made.
#[cfg(feature = "real-postgres")]
const UNREFUSED: &str = "ALTER TABLE jit_refusal DROP CONSTRAINT IF EXISTS jit_refused_forgotten";

/// Keeps how long the server lets a statement take that gives keys to what was there before.
#[cfg(feature = "real-postgres")]
const PATIENCE_OF_STEPS: &str = "CREATE TABLE patience_of_steps (patience text);
    CREATE FUNCTION keep_patience() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO patience_of_steps VALUES (current_setting('statement_timeout')); RETURN NULL;
    END $$;
    CREATE TRIGGER keep_patience AFTER INSERT ON jit_lookup EXECUTE FUNCTION keep_patience()";
