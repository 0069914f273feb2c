//! What commits with documents and changes of accounts on PostgreSQL must do that are written together.

use std::{num::NonZeroUsize, sync::Arc};

use jit_core::{
    Account, AccountWrite, Collection, Commit, ConnectionId, Document, DocumentName, DocumentWrite,
    Entitlement, ErrorKind, IndexName, Store, Taken,
};
use jit_sql::{PostgresOptions, PostgresStore};

use crate::support::{
    all_at_once, event, events, first_sign_in, key, mint, now,
    server::{Schema, behind_proxy},
    tenant,
};

/// One statement at a time, so that all but the first commit wait.
async fn narrow(schema: &Schema) -> Arc<dyn Store> {
    let options = PostgresOptions::new().connections(NonZeroUsize::MIN);
    Arc::new(PostgresStore::open_local(schema.config(), options).await.unwrap())
}

fn users() -> Collection {
    let (connection, kind) = (ConnectionId::new("scim").unwrap(), "User".parse().unwrap());
    Collection { tenant: tenant(), connection, kind }
}

fn index(name: &str) -> IndexName {
    IndexName::new(name).unwrap()
}

/// A person and what their source said of them.
struct Person {
    account: Account,
    document: Document,
}

fn user_name(number: u64) -> String {
    format!("person{number}")
}

/// A person comes with their document, which has a unique name and one that others may have.
fn joiner(number: u64, document_name: &str) -> (Person, Commit) {
    let mut commit = first_sign_in(number, &user_name(number), &user_name(number));
    let account = commit.account.as_ref().unwrap().after().clone();
    let document = Document {
        key: users().key(mint(number).document()),
        version: 1,
        created_at: now(),
        changed_at: now(),
        account: Some(account.id),
        body: format!("{{\"number\":{number}}}").into(),
        names: [
            DocumentName::unique(index("userName"), document_name),
            DocumentName::shared(index("emails"), "team@example.com"),
        ]
        .into(),
    };
    commit.documents.push(DocumentWrite::create(document.clone()));
    (Person { account, document }, commit)
}

/// A person gets another name, in their account and in their document, loses their roles and gets another one.
fn mover(person: &Person, number: u64) -> Commit {
    let mut commit = Commit::new(tenant());
    let mut after = person.account.clone();
    after.user_name = Some(jit_core::UserName::new(&format!("moved{number}")).unwrap());
    after.grants.truncate(1);
    after.grants[0].entitlement = Entitlement::role("mover").unwrap();
    commit.events.push(event(&mut mint(number + 10_000), &after));
    commit.account = Some(AccountWrite::update(&person.account, after));
    let mut document = person.document.clone();
    Arc::make_mut(&mut document.names)[0] = DocumentName::unique(index("userName"), format!("moved{number}"));
    document.body = "{}".into();
    commit.documents.push(DocumentWrite::update(&person.document, document));
    commit
}

async fn joined(store: &Arc<dyn Store>, numbers: std::ops::Range<u64>) -> Vec<Person> {
    let (people, commits): (Vec<_>, Vec<_>) =
        numbers.map(|number| joiner(number, &user_name(number))).unzip();
    let outcomes = all_at_once(&[Arc::clone(store)], commits).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    people
}

#[tokio::test]
async fn commits_with_documents_and_changes_that_wait_together_are_written_by_one_statement() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 1).await;
    let store: Arc<dyn Store> = Arc::new(store);
    proxy.take();
    let people = joined(&store, 0..65).await;
    assert_eq!(proxy.take(), (0, 3, 3), "joiners: one goes ahead, twice 32 follow");
    let moves = people.iter().zip(0..).map(|(person, number)| mover(person, number)).collect();
    let outcomes = all_at_once(&[Arc::clone(&store)], moves).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(proxy.take(), (0, 3, 3), "movers as well");
    let of_documents = people.iter().zip(0..).map(|(person, number)| Commit {
        account: None,
        documents: vec![DocumentWrite::update(
            &Document { version: 2, ..person.document.clone() },
            Document { body: format!("\"{number}\"").into(), ..person.document.clone() },
        )],
        ..Commit::new(tenant())
    });
    let outcomes = all_at_once(&[Arc::clone(&store)], of_documents.collect()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(proxy.take(), (0, 3, 3), "what changes no account as well");
    assert_eq!(events(&*store).await, 130);
}

#[tokio::test]
async fn what_is_written_together_is_what_each_would_have_written_alone() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    let people = joined(&store, 0..40).await;
    for person in &people {
        assert_eq!(store.document(&person.document.key).await.unwrap().as_ref(), Some(&person.document));
    }
    let moves: Vec<_> = people.iter().zip(0..).map(|(person, number)| mover(person, number)).collect();
    let outcomes = all_at_once(&[Arc::clone(&store)], moves.clone()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    for ((person, commit), number) in people.iter().zip(&moves).zip(0..) {
        let account = store.find(&key(&user_name(number))).await.unwrap().unwrap();
        assert_eq!(&account, commit.account.as_ref().unwrap().after());
        let document = store.document(&person.document.key).await.unwrap();
        assert_eq!(document.as_ref(), commit.documents[0].after());
        let named = async |name: String| {
            let found = store.documents_named(&users(), &index("userName"), &name).await.unwrap();
            found.into_iter().map(|text| users().key(text.id)).collect::<Vec<_>>()
        };
        assert_eq!(named(user_name(number)).await, []);
        assert_eq!(named(format!("moved{number}")).await, std::slice::from_ref(&person.document.key));
        assert!(store.named(&tenant(), &user_name(number)).await.unwrap().is_none());
    }
    let shared = store.documents_named(&users(), &index("emails"), "team@example.com").await.unwrap();
    assert_eq!(shared.len(), 40);
    let filter = |role| jit_core::Filter::Holding(Entitlement::role(role).unwrap());
    for (role, count) in [("editor", 0), ("viewer", 0), ("mover", 40)] {
        let limit = NonZeroUsize::new(100).unwrap();
        let query = jit_core::Query { tenant: tenant(), filter: filter(role), after: None, limit };
        assert_eq!(store.list(&query).await.unwrap().items.len(), count, "{role}");
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_written_does_not_spoil_those_it_is_written_with() {
    let schema = Schema::new().await;
    let store = narrow(&schema).await;
    let people = joined(&store, 0..64).await;
    // Of each four one is good; the others come with an old version of their document or account, or with a name that is
    // taken.
    let commit = |(person, number): (&Person, u64)| {
        let mut commit = mover(person, number);
        match number % 4 {
            1 => {
                let old = Document { version: 7, ..person.document.clone() };
                commit.documents = vec![DocumentWrite::update(&old, old.clone())];
            }
            2 => {
                let old = Account { version: 7, ..person.account.clone() };
                commit.account = Some(AccountWrite::update(&old, old.clone()));
            }
            3 => {
                let taken = DocumentName::unique(index("userName"), user_name((number + 2) % 64));
                let after = Document { names: [taken].into(), ..person.document.clone() };
                commit.documents = vec![DocumentWrite::update(&person.document, after)];
            }
            _ => {}
        }
        commit
    };
    let outcomes = all_at_once(&[Arc::clone(&store)], people.iter().zip(0..).map(commit).collect()).await;
    for ((person, outcome), number) in people.iter().zip(&outcomes).zip(0_u64..) {
        let expected = match number % 4 {
            0 => Ok(()),
            1 => Err(ErrorKind::DocumentChanged),
            2 => Err(ErrorKind::Conflict),
            _ => Err(ErrorKind::AlreadyExists(Taken::DocumentName(index("userName")))),
        };
        assert_eq!(*outcome, expected, "{number}");
        let version = if number % 4 == 0 { 2 } else { 1 };
        assert_eq!(store.document(&person.document.key).await.unwrap().unwrap().version, version);
        assert_eq!(store.get(&tenant(), person.account.id).await.unwrap().unwrap().version, version);
    }
    assert_eq!(events(&*store).await, 64 + 16);
}

/// Of many who change one person at once on two nodes, while others are changed, one wins; nobody's change is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_changes_of_one_person_on_two_nodes_one_wins() {
    let schema = Schema::new().await;
    let nodes = [narrow(&schema).await, narrow(&schema).await];
    let people = joined(&nodes[0], 0..30).await;
    let same = (0..30).map(|number| mover(&people[0], 100 + number));
    let others = people.iter().zip(0..).skip(1).map(|(person, number)| mover(person, number));
    let (same, others): (Vec<_>, Vec<_>) = (same.collect(), others.collect());
    let all: Vec<_> = same.into_iter().zip(others).flat_map(|(one, other)| [one, other]).collect();
    let outcomes = all_at_once(&nodes, all).await;
    let of_one = outcomes.iter().step_by(2);
    assert_eq!(of_one.clone().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert!(of_one.filter_map(|outcome| outcome.as_ref().err()).all(|kind| *kind == ErrorKind::Conflict));
    assert!(outcomes.iter().skip(1).step_by(2).all(Result::is_ok), "{outcomes:?}");
    assert_eq!(nodes[0].document(&people[0].document.key).await.unwrap().unwrap().version, 2);
    assert_eq!(events(&*nodes[0]).await, 30 + 1 + 29);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_50_who_take_one_name_on_two_nodes_one_gets_it() {
    let schema = Schema::new().await;
    let nodes = [narrow(&schema).await, narrow(&schema).await];
    let commits = (0..50).map(|number| joiner(number, "wanted").1).collect();
    let outcomes = all_at_once(&nodes, commits).await;
    let taken = Err(ErrorKind::AlreadyExists(Taken::DocumentName(index("userName"))));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == taken).count(), 49, "{outcomes:?}");
    assert_eq!(events(&*nodes[0]).await, 1);
}

#[tokio::test]
async fn who_writes_much_holds_up_nobody() {
    let schema = Schema::new().await;
    let (proxy, store) = behind_proxy(&schema, 1).await;
    let store: Arc<dyn Store> = Arc::new(store);
    proxy.take();
    let commits = (0..8).map(|number| {
        let mut document = joiner(number, &user_name(number)).0.document;
        document.body = "x".repeat(70_000).into();
        Commit { documents: vec![DocumentWrite::create(document)], ..Commit::new(tenant()) }
    });
    let outcomes = all_at_once(&[Arc::clone(&store)], commits.collect()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(proxy.take(), (0, 8, 8));
}

/// Also where the plans were made while hardly anybody was there.
#[tokio::test]
async fn what_a_change_looks_at_does_not_depend_on_how_many_people_there_are() {
    let schema = Schema::new().await;
    let mut config = schema.config();
    config.application_name(schema.name());
    let options = PostgresOptions::new().connections(NonZeroUsize::MIN);
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open_local(config, options).await.unwrap());
    let first = joined(&store, 0..3).await;
    let tables = "ANALYZE jit_account, jit_document, jit_document_name, jit_lookup, jit_entitlement";
    schema.connect().await.batch_execute(tables).await.unwrap();
    let moves = first.iter().zip(0..).map(|(person, number)| mover(person, number)).collect();
    let outcomes = all_at_once(&[Arc::clone(&store)], moves).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let many = joined(&store, 3..400).await;
    let mut moves: Vec<_> = many.iter().zip(3..).map(|(person, number)| mover(person, number)).collect();
    for alone in moves.split_off(377) {
        store.commit(&alone).await.unwrap();
    }
    let outcomes = all_at_once(&[Arc::clone(&store)], moves).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    drop(store);
    let looks = schema.looked_at().await;
    assert!(looks < 400 * 25, "{looks}");
}
