//! A returning login in a large house, on SQLite.

use std::{path::Path, sync::Arc};

use jit_benches::{
    cost::{Figures, Stopwatch},
    house::{self, House},
    report::Goal,
    rows::rows,
};
use jit_core::Outcome;
use jit_sql::{SqliteStore, sqlite};

use crate::{
    Wanted,
    by_hand_sqlite::{connection, write},
    house_on, time,
};

const SMALL: u64 = 10_000;
const LOGINS: usize = 10_000;

pub(crate) async fn measure(wanted: &Wanted) {
    let small = load(&wanted.folder.join("small.db"), SMALL);
    let large = load(&wanted.folder.join("large.db"), wanted.accounts);
    let [mut few, mut many, mut few_first, mut many_first] = std::array::from_fn(|_| Figures::default());
    for round in 0..=wanted.rounds as u64 {
        for (house, accounts, first, again) in
            [(&small, SMALL, &mut few_first, &mut few), (&large, wanted.accounts, &mut many_first, &mut many)]
        {
            // Others in each round, whose pages may have to come from the disk; then the same ones once more.
            for figures in [first, again] {
                let cost = returning(house, accounts, round).await;
                if round > 0 {
                    figures.add(cost, LOGINS);
                }
            }
        }
    }
    let what = format!("SQLite: returning login at {} thousand accounts", wanted.accounts / 1_000);
    time(&what, &many, (&few, "at 10 thousand"), Goal::AtMost(1.5));
    let what = "  the first one of a person since the start";
    time(what, &many_first, (&few_first, "at 10 thousand"), Goal::Shown);
}

async fn returning(house: &Arc<House>, accounts: u64, round: u64) -> jit_benches::cost::Cost {
    // Anybody, in no order: a step that has no divisor in common with the number of accounts.
    let anybody = |turn: u64| (round * 611_953 + turn * 7_919_317) % accounts;
    let events = (0..LOGINS as u64).map(|turn| house::plain_sign_in(&house.attestor, anybody(turn)));
    let events: Vec<_> = events.collect();
    let start = Stopwatch::start();
    for event in events {
        let outcome = house.jit.handle(event).await.unwrap();
        assert!(matches!(outcome, Outcome::SignedIn(signed_in) if signed_in.plan.is_empty()));
    }
    start.stop()
}

/// Writes one account by hand and the others as its likenesses, in bulk: the numbers in names, subjects and ids differ.
fn load(file: &Path, accounts: u64) -> Arc<House> {
    let mut database = connection(file);
    sqlite::migrate(&mut database).unwrap();
    write(&database, &rows(0..1).pop().unwrap());
    // In bulk without a journal: a log of the one large transaction would need as much room again as the database.
    for (pragma, value) in [
        ("journal_mode", "DELETE"),
        ("journal_mode", "OFF"),
        ("synchronous", "OFF"),
        ("cache_size", "-1500000"),
        ("foreign_keys", "OFF"),
    ] {
        database.execute_batch(&format!("PRAGMA {pragma} = {value}")).unwrap();
    }
    // They were seen just now: instants of use are collected and are no part of this.
    let seen = house::morning().timestamp_micros() + 3_600_000_000;
    database.execute("UPDATE jit_account SET last_seen = ?1", [seen]).unwrap();
    let copies = LIKENESSES.replace("{last}", &(accounts - 1).to_string());
    database.execute_batch(&copies).unwrap();
    drop(database);
    house_on(Arc::new(SqliteStore::open(file).unwrap()))
}

/// A digest is of 32 bytes in no order, and nothing else of it matters here.
const LIKENESSES: &str = "
    BEGIN;
    CREATE TEMP TABLE one AS
      SELECT a.*, substr(hex(id), 1, 20) AS head,
        lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-' ||
          substr(hex(id), 17, 4) || '-') AS text_head, lower(substr(hex(id), 21)) AS text_tail
      FROM jit_account a;
    CREATE TEMP VIEW number AS
      WITH RECURSIVE number(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM number WHERE n < {last}) SELECT n FROM number;
    INSERT INTO jit_account (seq, tenant, id, version, state, user_name_key, ends_at, last_seen, document)
      SELECT one.seq + n, tenant, unhex(head || printf('%012x', n)), version, state, printf('person%012d', n), ends_at,
        last_seen, replace(replace(document, '000000000000', printf('%012d', n)),
          text_head || text_tail, text_head || printf('%012x', n))
      FROM one, number;
    INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
      SELECT i.tenant, connection, issuer, replace(subject, '000000000000', printf('%012d', n)), i.account + n
      FROM (SELECT * FROM jit_identity LIMIT 1) i, number;
    INSERT INTO jit_lookup (tenant, kind, digest, account)
      SELECT l.tenant, kind, randomblob(32) AS digest, a.id
      FROM (SELECT * FROM jit_lookup LIMIT 1) l, jit_account a WHERE a.seq > (SELECT seq FROM one) ORDER BY digest;
    INSERT INTO jit_entitlement (tenant, entitlement, account)
      SELECT e.tenant, entitlement, a.id FROM (SELECT tenant, entitlement FROM jit_entitlement) e, jit_account a
      WHERE a.seq > (SELECT seq FROM one);
    COMMIT;";
