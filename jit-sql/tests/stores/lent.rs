//! What leases made before there was a key for it, known once the database was opened.

use jit_core::{AccountWrite, Commit, Lease, LentAccounts, Marker, RemoteRef, UserStore};

use crate::support::{account, lease, mint, tenant};

/// Takes away what the fourth step adds.
const BEFORE_LENT: &str =
    "DELETE FROM jit_lookup WHERE kind = 'leased_as'; DELETE FROM jit_schema WHERE version = 4";

/// What is lent: an account that a lease made under an id, or one that existed before.
fn lent(number: u64, native: &str, existed: bool) -> Commit {
    let mut account = account(&mut mint(number), native, native);
    let marker = Marker::found("jit1:prod:acme:x:y");
    let (name, native) = (native.to_owned(), Some(native.to_owned()));
    let remote = RemoteRef { name, place: None, marker, native, home: None };
    let elevates = existed.then_some(account.id);
    // A character that a database may not take as text, and its escape.
    let purpose = Some("a\0b\\u0000".to_owned());
    account.lease = Some(Box::new(Lease { elevates, purpose, ..lease(account.id, remote) }));
    Commit { account: Some(AccountWrite::create(account)), ..Commit::new(tenant()) }
}

/// Which of these a lease made.
async fn made(store: impl UserStore + 'static, natives: &[&str]) -> Vec<String> {
    let lent = LentAccounts::of(tenant(), std::sync::Arc::new(store));
    let natives: Vec<_> = natives.iter().map(|native| (*native).to_owned()).collect();
    let mut made: Vec<_> = lent.among(&natives).await.unwrap().into_iter().collect();
    made.sort();
    made
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn what_was_lent_in_a_file_from_before_is_known_by_its_id() {
    use jit_sql::SqliteStore;

    let folder = crate::support::folder::Folder::new("lent");
    let store = SqliteStore::open(folder.file()).unwrap();
    for (number, native, existed) in [(1, "id-1", false), (2, "id-2", true), (3, "id-3", false)] {
        store.commit(&lent(number, native, existed)).await.unwrap();
    }
    drop(store);
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    file.execute_batch(BEFORE_LENT).unwrap();
    let torn = "UPDATE jit_account SET document = '{' WHERE document LIKE '%id-3%'";
    assert_eq!(file.execute(torn, ()).unwrap(), 1, "what cannot be read keeps nobody out");
    let store = SqliteStore::open(folder.file()).unwrap();
    assert_eq!(made(store, &["id-1", "id-2", "id-3", "id-4"]).await, ["id-1"]);
}

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn what_was_lent_in_a_database_from_before_is_known_by_its_id() {
    let schema = crate::support::server::Schema::new().await;
    let store = schema.store().await;
    for (number, native, existed) in [(1, "id-1", false), (2, "id-2", true)] {
        store.commit(&lent(number, native, existed)).await.unwrap();
    }
    schema.connect().await.batch_execute(BEFORE_LENT).await.unwrap();
    let store = schema.store().await;
    assert_eq!(made(store, &["id-1", "id-2", "id-4"]).await, ["id-1"]);
}
