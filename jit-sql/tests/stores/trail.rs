//! Exporting what the trail said long ago and removing it, as the documentation tells an operator to.

use std::num::NonZeroUsize;

use jit_core::{AuditEvent, AuditLog, AuditQuery, Commit, Mint, UserStore};

use crate::support::{account, event, mint, tenant};

const DOCUMENTATION: &str = include_str!("../../../docs/leases.md");
/// The bound in the documentation: what begins the first id of 2026.
const BOUND: &str = "019b76daa800";
const FIRST_OF_2026: &str = "2026-01-01T00:00:00Z";

/// The statements of the documentation for a store: one that exports and one that removes.
fn statements(store: &str) -> [String; 2] {
    let section = DOCUMENTATION.split("## The audit trail").nth(1).unwrap().split("\n## ").next().unwrap();
    let behind = section.split(&format!("On {store}")).nth(1).unwrap();
    let block = behind.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    let mut statements = block.split(";\n").map(str::trim).filter(|text| !text.is_empty());
    [statements.next().unwrap().to_owned(), statements.next().unwrap().to_owned()]
}

/// Records an event a millisecond before the bound, one at the bound, and one of before at another tenant.
async fn record(store: &dyn UserStore) -> Vec<AuditEvent> {
    let bound: chrono::DateTime<chrono::Utc> = FIRST_OF_2026.parse().unwrap();
    let mut events = Vec::new();
    for (before, seed) in [(1, 1), (0, 2), (1, 3)] {
        let mut at = Mint::new(bound - chrono::TimeDelta::milliseconds(before), [seed; 16]);
        events.push(event(&mut at, &account(&mut mint(7), "alice", "alice")));
    }
    let other = jit_core::TenantId::new("other").unwrap();
    events[2].tenant = other;
    for event in &events {
        let commit = Commit { events: vec![event.clone()], ..Commit::new(event.tenant.clone()) };
        store.commit(&commit).await.unwrap();
    }
    events
}

/// Asks whether the trail is there but for the one event from before the bound.
async fn check(store: &dyn AuditLog, events: &[AuditEvent]) {
    let limit = NonZeroUsize::new(9).unwrap();
    for (tenant, left) in [(tenant(), &events[1]), (events[2].tenant.clone(), &events[2])] {
        let query = AuditQuery { tenant, account: None, after: None, latest_first: false, limit };
        assert_eq!(store.events(&query).await.unwrap().items, std::slice::from_ref(left));
    }
}

#[test]
fn the_bound_in_the_documentation_is_what_it_says() {
    let at: chrono::DateTime<chrono::Utc> = FIRST_OF_2026.parse().unwrap();
    assert_eq!(format!("{:012x}", at.timestamp_millis()), BOUND);
    assert!(DOCUMENTATION.contains("-d 2026-01-01 ") && DOCUMENTATION.contains(&format!("# {BOUND}")));
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_file_is_exported_and_cut_off_as_documented() {
    let folder = crate::support::folder::Folder::new("trail");
    let store = jit_sql::SqliteStore::open(folder.file()).unwrap();
    let events = record(&store).await;
    let [export, remove] = statements("SQLite");
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    let lines: Vec<String> = file
        .prepare(&export)
        .unwrap()
        .query_map((), |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let exported: Vec<AuditEvent> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported, events[..1]);
    assert_eq!([file.execute(&remove, ()).unwrap(), file.execute(&remove, ()).unwrap()], [1, 0]);
    check(&store, &events).await;
}

#[cfg(feature = "real-postgres")]
#[tokio::test]
async fn a_database_is_exported_and_cut_off_as_documented() {
    let schema = crate::support::server::Schema::new().await;
    let store = schema.store().await;
    let events = record(&store).await;
    let [export, remove] = statements("PostgreSQL");
    let client = schema.connect().await;
    let rows = client.simple_query(&export).await.unwrap();
    let lines = rows.iter().filter_map(|row| match row {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let exported: Vec<AuditEvent> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported, events[..1]);
    assert_eq!(client.execute(remove.as_str(), &[]).await.unwrap(), 1);
    assert_eq!(client.execute(remove.as_str(), &[]).await.unwrap(), 0);
    check(&store, &events).await;
}
