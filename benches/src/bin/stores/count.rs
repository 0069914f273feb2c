//! The instructions of first logins on SQLite, which other work on the machine does not change.
//!
//! Threads take turns under valgrind, so that more of them wait together than on a processor of two: what a transaction
//! costs by itself hardly shows, what each login costs does.

use std::{path::Path, sync::Arc};

use jit_benches::{
    house,
    instructions::{can_count, of_a_turn},
    report::{Goal, line},
    rows::rows,
};
use jit_core::Store;
use jit_sql::SqliteStore;

use crate::{by_hand_sqlite::group_commit, commits, first_logins, house_on};

/// Counts what a first login takes through the engine, as its commit alone, and by hand; without making what is handed in.
pub(crate) fn measure(folder: &Path) {
    if !can_count() {
        return;
    }
    let folder = folder.to_string_lossy();
    let count = |what: &str| of_a_turn(&[&*folder, "--count", what], 400, 2_400);
    let (events, made) = (count("events"), count("rows"));
    let bare = count("bare") - made;
    let beside = format!("{bare:.0} instructions bare group commit");
    for (what, ours) in [
        ("first login through the engine", count("engine") - events),
        ("its commit alone", count("commit") - made),
    ] {
        let what = format!("SQLite FULL, 64 tasks: {what}");
        line(&what, format!("{ours:.0} instructions"), &beside, ours / bare, Goal::Shown);
    }
}

/// Runs what is counted.
pub(crate) async fn run(folder: &Path, what: &str, count: u64) {
    let file = folder.join(format!("count-{what}-{count}.db"));
    let store = || Arc::new(SqliteStore::open(&file).unwrap()) as Arc<dyn Store>;
    match what {
        "engine" => drop(first_logins(&house_on(store()), 0..count).await),
        "commit" => drop(commits(store(), rows(0..count)).await),
        "bare" => drop(group_commit(file.clone(), rows(0..count)).await),
        "rows" => drop((store(), rows(0..count))),
        _ => {
            let house = house_on(store());
            let events: Vec<_> = (0..count).map(|each| house::plain_sign_in(&house.attestor, each)).collect();
            drop(events);
        }
    }
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", file.display()));
    }
}
