//! What a database from before has once it was opened.

use std::num::NonZeroUsize;

use jit_core::{
    AccountId, AccountWrite, Commit, Filter, HeldPresence, HeldRecord, LookupKey, Query, UserStore,
};

use crate::support::{account, first_sign_in, key, mint, now, tenant};

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
    schema.connect().await.batch_execute(BEFORE).await.unwrap();
    let store = schema.store().await;
    assert_eq!(listed(&store).await, [alice]);
}
