//! PostgreSQL: first logins, look-ups, a herd.

use std::sync::Arc;

use jit_benches::{
    bare::cpu_of_server,
    cost::{Cost, Figures, Stopwatch},
    report::{Goal, line},
    rows::{Rows, rows},
    tasks::on_64_tasks,
};
use jit_core::{Store, UserStore as _};
use jit_sql::{PostgresOptions, PostgresStore};
use tokio_postgres::{Client, Config, NoTls};

use crate::{
    Wanted,
    by_hand_postgres::{ByHand, CONNECTIONS},
    commits, first_logins, herd, house_on, rate, time,
};

pub(crate) async fn measure(wanted: &Wanted) {
    let mut config: Config = wanted.postgres.as_deref().unwrap().parse().unwrap();
    config.options("-c search_path=benches");
    let (admin, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    admin.batch_execute("DROP SCHEMA IF EXISTS benches CASCADE; CREATE SCHEMA benches").await.unwrap();
    let options = PostgresOptions::new().connections(CONNECTIONS.try_into().unwrap());
    let store = Arc::new(PostgresStore::open_local(config.clone(), options).await.unwrap());
    let by_hand = ByHand::open(&config).await;
    first_login(wanted, &store, &by_hand, &admin).await;
    look_up(wanted, &store, &by_hand).await;
    herd::on_postgres(wanted, &store, &by_hand).await;
}

async fn first_login(wanted: &Wanted, store: &Arc<PostgresStore>, by_hand: &Arc<ByHand>, admin: &Client) {
    const COUNT: u64 = 4_000;
    let count = usize::try_from(COUNT).unwrap();
    let house = house_on(Arc::clone(store) as _);
    let [mut bare, mut ours, mut through] = std::array::from_fn(|_| Figures::default());
    let mut server = [0.0; 3];
    // The first round warms up.
    for round in 0..=wanted.rounds as u64 {
        let people = |third: u64| (round * 3 + third) * COUNT..(round * 3 + third + 1) * COUNT;
        let ready = async || {
            admin.batch_execute("CHECKPOINT").await.unwrap();
            (cpu_of_server(admin, "").await, cpu_of_server(admin, "jit").await)
        };
        let before = ready().await;
        let first = insert_all(by_hand, rows(people(0))).await;
        let middle = ready().await;
        let second = commits(Arc::clone(store) as Arc<dyn Store>, rows(people(1))).await;
        let later = ready().await;
        let third = first_logins(&house, people(2)).await;
        let after = ready().await;
        if round > 0 {
            bare.add(first, count);
            ours.add(second, count);
            through.add(third, count);
            let spent = [middle.0 - before.0, later.1 - middle.1, after.1 - later.1];
            server.iter_mut().zip(spent).for_each(|(sum, spent)| *sum += spent);
        }
    }
    let peer = (&bare, "bare insert");
    rate("PostgreSQL, 64 tasks: first login through the engine", &through, peer, 0.8);
    rate("PostgreSQL, 64 tasks: its commit alone", &ours, peer, 0.8);
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let [bare, ours, through] = server.map(|seconds| seconds * 1e6 / (count * wanted.rounds) as f64);
    let beside = format!("{bare:.0} us bare insert");
    line(
        "  of this: the server's cpu, through the engine",
        format!("{through:.0} us"),
        &beside,
        bare / through,
        Goal::Shown,
    );
    line(
        "  of this: the server's cpu, the commit alone",
        format!("{ours:.0} us"),
        &beside,
        bare / ours,
        Goal::Shown,
    );
}

async fn insert_all(by_hand: &Arc<ByHand>, rows: Vec<Rows>) -> Cost {
    let by_hand = Arc::clone(by_hand);
    on_64_tasks(rows, move |row| {
        let by_hand = Arc::clone(&by_hand);
        async move { by_hand.insert(&row).await }
    })
    .await
}

async fn look_up(wanted: &Wanted, store: &Arc<PostgresStore>, by_hand: &Arc<ByHand>) {
    // Those of the first round by hand.
    let people = rows(0..4_000);
    let keys: Vec<_> =
        (0..3_000).map(|turn| people.get(turn * 7_919 % people.len()).unwrap().key.clone()).collect();
    let [mut bare, mut ours, mut bare_64, mut ours_64] = std::array::from_fn(|_| Figures::default());
    for _ in 0..wanted.rounds {
        let start = Stopwatch::start();
        for key in &keys {
            assert!(by_hand.find_on_first(key).await.is_some());
        }
        bare.add(start.stop(), keys.len());
        let start = Stopwatch::start();
        for key in &keys {
            assert!(store.find(key).await.unwrap().is_some());
        }
        ours.add(start.stop(), keys.len());

        let finder = Arc::clone(by_hand);
        let all = on_64_tasks(keys.clone(), move |key| {
            let by_hand = Arc::clone(&finder);
            async move { assert!(by_hand.find(&key).await.is_some()) }
        });
        bare_64.add(all.await, keys.len());
        let finder = Arc::clone(store);
        let all = on_64_tasks(keys.clone(), move |key| {
            let store = Arc::clone(&finder);
            async move { assert!(store.find(&key).await.unwrap().is_some()) }
        });
        ours_64.add(all.await, keys.len());
    }
    time("PostgreSQL: look-up of an account", &ours, (&bare, "bare, and decoded"), Goal::AtMost(1.1));
    time("PostgreSQL, 64 tasks: look-up", &ours_64, (&bare_64, "bare, and decoded"), Goal::AtMost(1.1));
}
