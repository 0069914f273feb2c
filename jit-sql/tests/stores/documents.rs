//! Documents, beyond the conformance suites.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::{
    Collection, Commit, ConnectionId, Document, DocumentName, DocumentWrite, ErrorKind, IndexName,
    MemberChange, Store,
};

use crate::support::{mint, now, tenant};

fn document(number: u64, kind: &str) -> Document {
    let collection = Collection {
        tenant: tenant(),
        connection: ConnectionId::new("scim").unwrap(),
        kind: kind.parse().unwrap(),
    };
    Document {
        key: collection.key(mint(number).document()),
        version: 1,
        created_at: now(),
        changed_at: now(),
        account: None,
        body: "{}".into(),
        names: [DocumentName::unique(IndexName::new("name").unwrap(), format!("{kind}{number}"))].into(),
    }
}

fn keeping(documents: Vec<DocumentWrite>) -> Commit {
    Commit { documents, ..Commit::new(tenant()) }
}

fn joins(group: &Document, member: &Document) -> DocumentWrite {
    let kind = member.key.collection.kind.clone();
    let add = MemberChange::Add { member: member.key.id, kind, body: "{}".into() };
    DocumentWrite::update(group, group.clone()).with_members(vec![add])
}

/// Whoever comes first: nobody who is gone is a member, and the group has counted every change of its members.
async fn nobody_is_a_member_who_is_gone(nodes: [Arc<dyn Store>; 2]) {
    let mut met = [0; 4];
    for round in 0..40 {
        let (user, group) = (document(2 * round, "User"), document(2 * round + 1, "Group"));
        let both = [&user, &group].map(|document| DocumentWrite::create(document.clone()));
        nodes[0].commit(&keeping(both.to_vec())).await.unwrap();
        let join = keeping(vec![joins(&group, &user)]);
        let gone = keeping(vec![DocumentWrite::remove(&user, now() + TimeDelta::seconds(9))]);
        let (joined, removed) = tokio::join!(nodes[0].commit(&join), nodes[1].commit(&gone));
        let [joined, removed] =
            [joined, removed].map(|outcome| outcome.map_err(|error| error.kind().clone()));
        assert!(matches!(joined, Ok(()) | Err(ErrorKind::NoSuchMember)), "{joined:?}");
        assert!(matches!(removed, Ok(()) | Err(ErrorKind::DocumentChanged)), "{removed:?}");
        let is_there = nodes[0].document(&user.key).await.unwrap().is_some();
        let is_member = nodes[1].member(&group.key, user.key.id).await.unwrap().is_some();
        assert_eq!((is_there, is_member), (removed.is_err(), joined.is_ok() && removed.is_err()));
        let version = nodes[1].document(&group.key).await.unwrap().unwrap().version;
        let changes = u64::from(joined.is_ok()) + u64::from(joined.is_ok() && removed.is_ok());
        assert_eq!(version, 1 + changes, "{joined:?} {removed:?}");
        met[usize::from(joined.is_ok()) + 2 * usize::from(removed.is_ok())] += 1;
    }
    assert_eq!(met[0], 0, "one of them gets through: {met:?}");
}

/// Thirty who each add a member to one group, and read it anew when somebody was quicker, all get through.
async fn all_who_try_again_get_their_member_in(nodes: [Arc<dyn Store>; 2]) {
    let group = document(999, "Group");
    let users: Vec<_> = (0..30).map(|number| document(number, "User")).collect();
    let all = users.iter().chain([&group]).cloned().map(DocumentWrite::create).collect();
    nodes[0].commit(&keeping(all)).await.unwrap();
    let tries: Vec<_> = users
        .into_iter()
        .zip(0_usize..)
        .map(|(user, number)| {
            let (store, key) = (Arc::clone(&nodes[number % 2]), group.key.clone());
            tokio::spawn(async move {
                loop {
                    let group = store.document(&key).await.unwrap().unwrap();
                    match store.commit(&keeping(vec![joins(&group, &user)])).await {
                        Ok(()) => break,
                        Err(error) => assert_eq!(*error.kind(), ErrorKind::DocumentChanged),
                    }
                }
            })
        })
        .collect();
    for each in tries {
        each.await.unwrap();
    }
    let members =
        nodes[1].members(&group.key, None, std::num::NonZeroUsize::new(100).unwrap()).await.unwrap();
    let stored = nodes[1].document(&group.key).await.unwrap().unwrap();
    assert_eq!((members.items.len(), stored.version), (30, 31));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use jit_core::{DocumentStore as _, UserStore as _};
    use jit_sql::{SqliteStore, sqlite};

    use super::*;
    use crate::support::{first_sign_in, folder::Folder, key};

    fn two_nodes(folder: &Folder) -> [Arc<dyn Store>; 2] {
        let open = || SqliteStore::open(folder.file()).unwrap();
        [Arc::new(open()), Arc::new(open())]
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_is_a_member_who_is_gone() {
        let folder = Folder::new("gone");
        super::nobody_is_a_member_who_is_gone(two_nodes(&folder)).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_who_try_again_get_their_member_in() {
        let folder = Folder::new("joins");
        super::all_who_try_again_get_their_member_in(two_nodes(&folder)).await;
    }

    #[tokio::test]
    async fn a_file_from_before_keeps_its_accounts_and_takes_documents() {
        let folder = Folder::new("before");
        let first = &sqlite::MIGRATIONS[0];
        let connection = rusqlite::Connection::open(folder.file()).unwrap();
        let steps = "CREATE TABLE jit_schema (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT";
        connection.execute_batch(steps).unwrap();
        connection.execute_batch(first.sql).unwrap();
        let step = (first.version, first.name, first.checksum());
        connection.execute("INSERT INTO jit_schema VALUES (?1, ?2, ?3)", step).unwrap();
        drop(connection);
        let store = SqliteStore::open(folder.file()).unwrap();
        let user = document(1, "User");
        let documents = vec![DocumentWrite::create(user.clone())];
        store.commit(&Commit { documents, ..first_sign_in(1, "alice", "alice") }).await.unwrap();
        drop(store);
        let store = SqliteStore::open(folder.file()).unwrap();
        assert!(store.find(&key("alice")).await.unwrap().is_some());
        assert_eq!(store.document(&user.key).await.unwrap(), Some(user));
    }
}

#[cfg(feature = "real-postgres")]
mod postgres {
    use jit_core::{DocumentStore as _, Taken, UserStore as _};
    use jit_sql::{postgres, statement::CommitStatement};

    use super::*;
    use crate::support::{first_sign_in, key, server::Schema};

    async fn two_nodes(schema: &Schema) -> [Arc<dyn Store>; 2] {
        [Arc::new(schema.store().await), Arc::new(schema.store().await)]
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_is_a_member_who_is_gone() {
        let schema = Schema::new().await;
        super::nobody_is_a_member_who_is_gone(two_nodes(&schema).await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn all_who_try_again_get_their_member_in() {
        let schema = Schema::new().await;
        super::all_who_try_again_get_their_member_in(two_nodes(&schema).await).await;
    }

    #[tokio::test]
    async fn a_database_from_before_keeps_its_accounts_and_takes_documents() {
        let schema = Schema::new().await;
        let (client, first) = (schema.connect().await, &postgres::MIGRATIONS[0]);
        let steps = "CREATE TABLE jit_schema (version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL);
            INSERT INTO jit_schema VALUES (0, 'lock', '')";
        client.batch_execute(steps).await.unwrap();
        client.batch_execute(first.sql).await.unwrap();
        let (version, checksum) = (i64::from(first.version), first.checksum());
        let insert = "INSERT INTO jit_schema VALUES ($1, $2, $3)";
        client.execute(insert, &[&version, &first.name, &checksum]).await.unwrap();
        let alice = CommitStatement::new(&first_sign_in(1, "alice", "alice")).unwrap();
        client.execute(alice.sql(), &[&alice.json()]).await.unwrap();
        let store = schema.store().await;
        let user = document(1, "User");
        store.commit(&keeping(vec![DocumentWrite::create(user.clone())])).await.unwrap();
        assert!(store.find(&key("alice")).await.unwrap().is_some());
        assert_eq!(store.document(&user.key).await.unwrap(), Some(user));
    }

    #[tokio::test]
    async fn documents_live_and_die_with_the_callers_transaction() {
        let schema = Schema::new().await;
        let store = schema.store().await;
        let mut client = schema.connect().await;
        let (kept, lost) = (document(1, "User"), document(2, "User"));
        for (user, keeps) in [(&kept, true), (&lost, false)] {
            let statement =
                CommitStatement::new(&keeping(vec![DocumentWrite::create(user.clone())])).unwrap();
            let transaction = client.transaction().await.unwrap();
            let row = transaction.query_one(statement.sql(), &[&statement.json()]).await.unwrap();
            statement.answer(row.get(0)).unwrap();
            if keeps { transaction.commit().await } else { transaction.rollback().await }.unwrap();
        }
        assert!(store.document(&kept.key).await.unwrap().is_some());
        assert!(store.document(&lost.key).await.unwrap().is_none());
        let twin = Document { names: kept.names.clone(), ..lost };
        let statement = CommitStatement::new(&keeping(vec![DocumentWrite::create(twin)])).unwrap();
        let error = client.query_one(statement.sql(), &[&statement.json()]).await.unwrap_err();
        let refusal = error.as_db_error().unwrap();
        let kind = statement.refusal(refusal.code().code(), refusal.constraint());
        let name = IndexName::new("name").unwrap();
        assert_eq!(*kind.kind(), ErrorKind::AlreadyExists(Taken::DocumentName(name)));
    }

    /// However large the group, one member more is one row more: those that are there are not written again.
    #[tokio::test]
    async fn one_member_of_many_is_one_row() {
        let schema = Schema::new().await;
        let store = schema.store().await;
        let group = document(9_999, "Group");
        let users: Vec<_> = (0..2_000).map(|number| document(number, "User")).collect();
        let joining = users.iter().map(|user| MemberChange::Add {
            member: user.key.id,
            kind: user.key.collection.kind.clone(),
            body: "{}".into(),
        });
        let all = DocumentWrite::create(group.clone()).with_members(joining.collect());
        let documents = users.iter().cloned().map(DocumentWrite::create).chain([all]).collect();
        store.commit(&keeping(documents)).await.unwrap();
        let late = document(5_000, "User");
        store.commit(&keeping(vec![DocumentWrite::create(late.clone())])).await.unwrap();
        store.commit(&keeping(vec![joins(&group, &late)])).await.unwrap();
        let client = schema.connect().await;
        let written = "SELECT count(*) FROM jit_member
            WHERE xmin::text = (SELECT xmin::text FROM jit_document WHERE kind = 'Group')";
        let written: i64 = client.query_one(written, &[]).await.unwrap().get(0);
        let members: i64 = client.query_one("SELECT count(*) FROM jit_member", &[]).await.unwrap().get(0);
        assert_eq!((written, members), (1, 2_001));
    }

    /// However large the group, who comes, goes or is removed is a few looks.
    #[tokio::test]
    async fn one_member_of_many_is_a_few_looks() {
        one_of_many("").await;
    }

    /// Nearly everybody is in one group: whoever counts how many are in each takes all there are for members of each.
    #[tokio::test]
    async fn one_member_of_many_is_a_few_looks_also_where_it_is_known_how_many_there_are() {
        one_of_many("ANALYZE jit_document, jit_document_name, jit_member").await;
    }

    async fn one_of_many(counted: &str) {
        let schema = Schema::new().await;
        let mut config = schema.config();
        config.application_name(schema.name());
        let open = || jit_sql::PostgresStore::open_local(config.clone(), crate::support::server::options());
        let store = open().await.unwrap();
        let (group, late) = (document(9_999, "Group"), document(5_000, "User"));
        let users: Vec<_> = (0..2_000).map(|number| document(number, "User")).collect();
        let joining = users.iter().map(|user| MemberChange::Add {
            member: user.key.id,
            kind: user.key.collection.kind.clone(),
            body: "{}".into(),
        });
        let all = DocumentWrite::create(group.clone()).with_members(joining.collect());
        let documents = users.iter().chain([&late]).cloned().map(DocumentWrite::create).chain([all]);
        store.commit(&keeping(documents.collect())).await.unwrap();
        drop(store);
        schema.connect().await.batch_execute(counted).await.unwrap();
        let before = schema.looked_at().await;
        let store = open().await.unwrap();
        store.commit(&keeping(vec![joins(&group, &late)])).await.unwrap();
        let next = Document { version: 2, ..group.clone() };
        let leave = vec![MemberChange::Remove { member: users[7].key.id }];
        let leave = DocumentWrite::update(&next, next.clone()).with_members(leave);
        store.commit(&keeping(vec![leave])).await.unwrap();
        assert!(store.member(&group.key, late.key.id).await.unwrap().is_some());
        assert_eq!(store.memberships(&late.key).await.unwrap().groups, std::slice::from_ref(&group.key));
        store.commit(&keeping(vec![DocumentWrite::remove(&users[9], now())])).await.unwrap();
        drop(store);
        let looks = schema.looked_at().await - before;
        assert!(looks < 100, "{looks}");
    }

    /// Whoever is in many groups has them looked up, each once, whatever else there is and whether it was counted or not.
    #[tokio::test]
    async fn the_groups_of_one_are_as_many_looks_as_they_are() {
        for counted in ["", "ANALYZE jit_document, jit_member"] {
            let schema = Schema::new().await;
            let mut config = schema.config();
            config.application_name(schema.name());
            let open =
                || jit_sql::PostgresStore::open_local(config.clone(), crate::support::server::options());
            let store = open().await.unwrap();
            let user = document(9_999, "User");
            let add = |_| MemberChange::Add {
                member: user.key.id,
                kind: user.key.collection.kind.clone(),
                body: "{}".into(),
            };
            let groups = (0..800).map(|number| DocumentWrite::create(document(number, "Group")));
            let groups = groups.map(|group| group.with_members((0..1).map(add).collect()));
            let others = (800..3_000).map(|number| DocumentWrite::create(document(number, "User")));
            let all = groups.chain(others).chain([DocumentWrite::create(user.clone())]);
            store.commit(&keeping(all.collect())).await.unwrap();
            drop(store);
            schema.connect().await.batch_execute(counted).await.unwrap();
            let before = schema.looked_at().await;
            let store = open().await.unwrap();
            assert_eq!(store.memberships(&user.key).await.unwrap().groups.len(), 800);
            drop(store);
            let looks = schema.looked_at().await - before;
            assert!(looks < 3 * 800, "{looks}, {counted}");
        }
    }

    /// However large a group, it goes with a few looks; its members follow in pieces, each as large as itself.
    #[tokio::test]
    async fn a_group_of_very_many_goes_with_a_few_looks_and_its_members_in_pieces() {
        let schema = Schema::new().await;
        let mut config = schema.config();
        config.application_name(schema.name());
        let open = || jit_sql::PostgresStore::open_local(config.clone(), crate::support::server::options());
        let group = document(9_999_999, "Group");
        let store = open().await.unwrap();
        store.commit(&keeping(vec![DocumentWrite::create(group.clone())])).await.unwrap();
        let fill = format!(
            "INSERT INTO jit_document (tenant, connection, kind, id, version, created_at, changed_at, names, body)
             SELECT tenant, connection, 'User', lpad(to_hex(n), 32, '0')::uuid, 1, 0, 0, '[]', '{{}}'
             FROM jit_document, generate_series(1, 100000) AS n;
             INSERT INTO jit_member (tenant, connection, kind, id, member, member_kind, body)
             SELECT u.tenant, u.connection, 'Group', '{}', u.id, u.kind, 'null'
             FROM jit_document u WHERE u.kind = 'User'",
            group.key.id
        );
        schema.connect().await.batch_execute(&fill).await.unwrap();
        drop(store);
        let before = schema.looked_at().await;
        let store = open().await.unwrap();
        store.commit(&keeping(vec![DocumentWrite::remove_apart(&group, now())])).await.unwrap();
        drop(store);
        let looks = schema.looked_at().await - before;
        assert!(looks < 100, "{looks}");
        let store = open().await.unwrap();
        let piece = std::num::NonZeroUsize::new(500).unwrap();
        let page = store.members(&group.key, None, piece).await.unwrap();
        assert!(page.items.len() == 500 && page.next.is_some());
        let ids = page.items.iter().map(|member| member.id);
        store.commit(&keeping(vec![DocumentWrite::dismiss(group.key.clone(), ids)])).await.unwrap();
        drop(store);
        let piece_looks = schema.looked_at().await - before - looks;
        assert!(piece_looks < 5_000, "{piece_looks}");
        let left = "SELECT count(*) FROM jit_member";
        let left: i64 = schema.connect().await.query_one(left, &[]).await.unwrap().get(0);
        assert_eq!(left, 99_500);
    }
}

/// Whatever was planned while nobody was a member: each is looked for by themselves.
#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn tens_of_thousands_of_members_go_in_one_commit_of_a_table_that_grew_a_moment_ago() {
    use jit_core::{DocumentStore as _, UserStore as _};

    const MEMBERS: u64 = 25_000;
    let schema = crate::support::server::Schema::new().await;
    let store = schema.store().await;
    let mut group = document(0, "Group");
    store.commit(&keeping(vec![DocumentWrite::create(group.clone())])).await.unwrap();
    let mut change = async |documents: Vec<DocumentWrite>, members: Vec<MemberChange>| {
        let after = Document { version: group.version + 1, ..group.clone() };
        let change = DocumentWrite::update(&group, after.clone()).with_members(members);
        let documents = documents.into_iter().chain([change]).collect();
        store.commit(&keeping(documents)).await.map(|()| group = after)
    };
    let mut members = Vec::new();
    for part in 0..MEMBERS / 500 {
        let users: Vec<_> = (1..=500).map(|number| document(500 * part + number, "User")).collect();
        members.extend(users.iter().map(|user| user.key.id));
        let kind = users[0].key.collection.kind.clone();
        let adds = users.iter().map(|user| MemberChange::Add {
            member: user.key.id,
            kind: kind.clone(),
            body: "{}".into(),
        });
        let adds = adds.collect();
        change(users.into_iter().map(DocumentWrite::create).collect(), adds).await.unwrap();
    }
    let removes = members.iter().map(|member| MemberChange::Remove { member: *member }).collect();
    change(Vec::new(), removes).await.unwrap();
    assert!(store.member(&group.key, members[7]).await.unwrap().is_none());
}
