//! Bringing a PostgreSQL database up to date beside whoever uses it.

use std::{pin::pin, time::Duration};

use jit_core::UserStore as _;
use jit_sql::{PostgresStore, postgres};
use tokio_postgres::Client;

use crate::support::{
    first_sign_in, key,
    server::{Schema, options},
};

/// Far longer than any step takes here.
const LONG: Duration = Duration::from_secs(30);

/// A table of steps in which only the first is applied.
const STEPS: &str =
    "CREATE TABLE jit_schema (version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL);
    INSERT INTO jit_schema VALUES (0, 'lock', '')";

/// Tells, once it is so, that somebody waits for a lock of the schema's tables; or that nobody does.
async fn until_somebody_waits(client: &Client, waits: bool) {
    let waiting = "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
        WHERE NOT l.granted AND c.relnamespace = current_schema()::regnamespace)";
    while client.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) != waits {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fifth_step_neither_waits_for_a_dump_nor_for_a_writer() {
    let schema = Schema::new().await;
    let old = schema.store().await;
    old.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
    let (dump, writer) = (schema.connect().await, schema.connect().await);
    dump.batch_execute(
        "DELETE FROM jit_schema WHERE version = 5; DROP TABLE IF EXISTS jit_look;
         ALTER TABLE jit_refusal DROP CONSTRAINT IF EXISTS jit_refused_forgotten",
    )
    .await
    .unwrap();
    // As a dump does with every table.
    dump.batch_execute("BEGIN; LOCK TABLE jit_account, jit_lookup, jit_refusal IN ACCESS SHARE MODE")
        .await
        .unwrap();
    writer
        .batch_execute(
            "BEGIN; UPDATE jit_account SET last_seen = 1; INSERT INTO jit_refusal SELECT '' WHERE false",
        )
        .await
        .unwrap();
    let opened = tokio::time::timeout(LONG, PostgresStore::open_local(schema.config(), options())).await;
    let new = opened.expect("nobody is waited for").unwrap();
    old.commit(&first_sign_in(2, "bob", "bob")).await.unwrap();
    assert!(new.find(&key("bob")).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_needs_a_table_for_itself_lets_writers_by_while_it_waits() {
    let schema = Schema::new().await;
    let (dump, watch, writer) = (schema.connect().await, schema.connect().await, schema.connect().await);
    let first = &postgres::MIGRATIONS[0];
    watch.batch_execute(STEPS).await.unwrap();
    watch.batch_execute(first.sql).await.unwrap();
    let params: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&i64::from(first.version), &first.name, &first.checksum()];
    watch.execute("INSERT INTO jit_schema VALUES ($1, $2, $3)", &params).await.unwrap();
    dump.batch_execute("BEGIN; LOCK TABLE jit_account, jit_refusal IN ACCESS SHARE MODE").await.unwrap();
    let mut opening = pin!(PostgresStore::open_local(schema.config(), options()));
    let write = async {
        for _ in 0..2 {
            until_somebody_waits(&watch, true).await;
            // As every commit of a process from before does.
            let insert = "INSERT INTO jit_refusal SELECT '' WHERE false";
            writer.batch_execute(&format!("SET statement_timeout = '10s'; {insert}")).await.unwrap();
            until_somebody_waits(&watch, false).await;
        }
    };
    tokio::select! {
        opened = opening.as_mut() => panic!("{opened:?} while the table is read"),
        written = tokio::time::timeout(LONG, write) => written.expect("writers are let by"),
    }
    dump.batch_execute("COMMIT").await.unwrap();
    let store = tokio::time::timeout(LONG, opening).await.unwrap().unwrap();
    store.commit(&first_sign_in(1, "alice", "alice")).await.unwrap();
}
