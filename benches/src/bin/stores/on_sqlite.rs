//! SQLite: first logins, look-ups, a herd.

use std::sync::Arc;

use jit_benches::{
    cost::{Figures, Stopwatch},
    report::{Goal, line},
    rows::rows,
};
use jit_core::{Account, UserStore as _};
use jit_sql::SqliteStore;

use crate::{
    Wanted,
    by_hand_sqlite::{FIND, connection, group_commit, key, naive_pool},
    commits, first_logins, herd, house_on, rate, time,
};

pub(crate) async fn measure(wanted: &Wanted) {
    first_login(wanted).await;
    look_up(wanted).await;
    herd::on_sqlite(wanted).await;
}

async fn first_login(wanted: &Wanted) {
    const COUNT: usize = 4_000;
    const FEW: usize = COUNT / 8;
    let some = rows(0..COUNT as u64);
    let [mut naive, mut bare, mut ours, mut through] = std::array::from_fn(|_| Figures::default());
    for round in 0..wanted.rounds {
        let file = |name: &str| wanted.folder.join(format!("{name}-{round}.db"));
        naive.add(naive_pool(file("naive"), some.iter().take(FEW).cloned().collect()).await, FEW);
        bare.add(group_commit(file("bare"), some.clone()).await, COUNT);
        let store = Arc::new(SqliteStore::open(file("ours")).unwrap());
        ours.add(commits(store, some.clone()).await, COUNT);
        let house = house_on(Arc::new(SqliteStore::open(file("through")).unwrap()));
        through.add(first_logins(&house, 0..COUNT as u64).await, COUNT);
    }
    let (naive, bare) = ((&naive, "naive pool"), (&bare, "bare group commit"));
    rate("SQLite FULL, 64 tasks: first login through the engine", &through, naive, 5.0);
    rate("SQLite FULL, 64 tasks: first login through the engine", &through, bare, 0.8);
    rate("SQLite FULL, 64 tasks: its commit alone", &ours, naive, 5.0);
    rate("SQLite FULL, 64 tasks: its commit alone", &ours, bare, 0.8);
}

async fn look_up(wanted: &Wanted) {
    const PEOPLE: usize = 10_000;
    let file = wanted.folder.join("look-up.db");
    let store = Arc::new(SqliteStore::open(&file).unwrap());
    let some = rows(0..PEOPLE as u64);
    commits(Arc::clone(&store) as _, some.clone()).await;
    let keys: Vec<_> =
        (0..30_000_usize).filter_map(|turn| Some(&some.get(turn * 7_919 % PEOPLE)?.key)).collect();
    let bare = connection(&file);
    let mut statement = bare.prepare(FIND).unwrap();
    let [mut plain, mut decoded, mut ours] = std::array::from_fn(|_| Figures::default());
    for _ in 0..wanted.rounds {
        for (decodes, figures) in [(false, &mut plain), (true, &mut decoded)] {
            let start = Stopwatch::start();
            for looked_for in &keys {
                let mut found = statement.query(key(looked_for)).unwrap();
                let row = found.next().unwrap().unwrap();
                let text = row.get_ref(0).unwrap().as_str().unwrap();
                if decodes {
                    let account: Account = serde_json::from_str(text).unwrap();
                    assert!(!account.identities.is_empty());
                } else {
                    assert!(!text.is_empty());
                }
            }
            figures.add(start.stop(), keys.len());
        }
        let start = Stopwatch::start();
        for looked_for in &keys {
            assert!(store.find(looked_for).await.unwrap().is_some());
        }
        ours.add(start.stop(), keys.len());
    }
    let what = "SQLite: look-up of an account";
    time(what, &ours, (&decoded, "bare, and decoded"), Goal::AtMost(1.3));
    time(what, &ours, (&plain, "bare, row only"), Goal::Shown);
    #[expect(clippy::cast_precision_loss, reason = "a count of none or some")]
    let again = store.repreparations() as f64;
    line("SQLite: statements prepared again while looking up", again, 0, again, Goal::AtMost(0.0));
}
