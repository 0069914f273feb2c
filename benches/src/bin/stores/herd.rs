//! A thousand first logins of one person at once, against the bare statements behind a single flight.
//!
//! Two single flights stand beside ours. In one, those who wait share the answer of the one who goes ahead; in the
//! other they look up again when they are let in. Ours are handed the account, and each is decided by its own claims.

use std::{path::Path, sync::Arc};

use jit_benches::{
    cost::{Cost, Figures},
    house,
    report::Goal,
    rows::{Rows, rows},
    tasks::all_at_once,
};
use jit_core::{Account, ExternalKey, Outcome};
use jit_sql::{PostgresStore, SqliteStore};
use rusqlite::Connection;
use tokio::sync::{Mutex, OnceCell};

use crate::{
    House, Wanted,
    by_hand_postgres::ByHand,
    by_hand_sqlite::{FIND, GroupCommit, connection, key},
    house_on, time,
};

const HERD: usize = 1_000;

/// How the bare statements are run.
trait Bare: Send + Sync + 'static {
    fn find(&self, key: &ExternalKey) -> impl Future<Output = Option<Account>> + Send;
    fn insert(&self, row: &Rows) -> impl Future<Output = ()> + Send;
}

pub(crate) async fn on_sqlite(wanted: &Wanted) {
    let file = |name: &str| wanted.folder.join(format!("herd-{name}.db"));
    let bare = Arc::new(OnSqlite::open(&file("bare")));
    let house = house_on(Arc::new(SqliteStore::open(file("ours")).unwrap()));
    measure("SQLite FULL", wanted.rounds, 0, &house, &bare).await;
}

pub(crate) async fn on_postgres(wanted: &Wanted, store: &Arc<PostgresStore>, by_hand: &Arc<ByHand>) {
    let house = house_on(Arc::clone(store) as _);
    // Nobody who has signed in before.
    measure("PostgreSQL", wanted.rounds, 1_000_000, &house, by_hand).await;
}

async fn measure<B: Bare>(on: &str, rounds: usize, from: u64, house: &Arc<House>, bare: &Arc<B>) {
    let [mut ours, mut shared, mut again] = std::array::from_fn(|_| Figures::default());
    // Herds are quick: a few more of them make the middle steadier. The first warms up.
    for round in 0..=3 * rounds as u64 {
        let of = |turn: u64| from + round * 3 + turn;
        let row = |turn| rows(of(turn)..of(turn) + 1).pop().unwrap();
        let costs = [
            through_engine(house, of(0)).await,
            sharing(bare, row(1)).await,
            looking_again(bare, row(2)).await,
        ];
        if round > 0 {
            [&mut ours, &mut shared, &mut again]
                .into_iter()
                .zip(costs)
                .for_each(|(all, cost)| all.add(cost, 1));
        }
    }
    let what = format!("{on}: 1,000 first logins of one person at once");
    time(&what, &ours, (&again, "bare, look again"), Goal::AtMost(1.5));
    time(&what, &ours, (&shared, "bare, share it"), Goal::AtMost(1.5));
}

async fn through_engine(house: &Arc<House>, person: u64) -> Cost {
    let events = (0..HERD).map(|_| house::plain_sign_in(&house.attestor, person)).collect();
    all_at_once(events, |event| {
        let house = Arc::clone(house);
        async move {
            let outcome = house.jit.handle(event).await.unwrap();
            assert!(matches!(outcome, Outcome::SignedIn(_)));
        }
    })
    .await
}

async fn sharing<B: Bare>(bare: &Arc<B>, row: Rows) -> Cost {
    let flight = Arc::new((OnceCell::new(), row));
    all_at_once(vec![(); HERD], |()| {
        let (bare, flight) = (Arc::clone(bare), Arc::clone(&flight));
        async move {
            let (answer, row) = (&flight.0, &flight.1);
            if bare.find(&row.key).await.is_none() {
                answer.get_or_init(async || find_or_insert(&*bare, row).await).await;
            }
        }
    })
    .await
}

async fn looking_again<B: Bare>(bare: &Arc<B>, row: Rows) -> Cost {
    let flight = Arc::new((Mutex::new(()), row));
    all_at_once(vec![(); HERD], |()| {
        let (bare, flight) = (Arc::clone(bare), Arc::clone(&flight));
        async move {
            let (turnstile, row) = (&flight.0, &flight.1);
            if bare.find(&row.key).await.is_none() {
                let _turn = turnstile.lock().await;
                find_or_insert(&*bare, row).await;
            }
        }
    })
    .await
}

async fn find_or_insert<B: Bare>(bare: &B, row: &Rows) {
    if bare.find(&row.key).await.is_none() {
        bare.insert(row).await;
    }
}

struct OnSqlite {
    readers: Vec<std::sync::Mutex<Connection>>,
    writer: GroupCommit,
}

impl OnSqlite {
    fn open(file: &Path) -> Self {
        let writer = GroupCommit::start(file);
        let readers = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
        Self { readers: (0..readers).map(|_| std::sync::Mutex::new(connection(file))).collect(), writer }
    }
}

impl Bare for OnSqlite {
    async fn find(&self, looked_for: &ExternalKey) -> Option<Account> {
        let free = self.readers.iter().find_map(|reader| reader.try_lock().ok());
        let reader = free.unwrap_or_else(|| self.readers.first().unwrap().lock().unwrap());
        let mut statement = reader.prepare_cached(FIND).unwrap();
        let mut found = statement.query(key(looked_for)).unwrap();
        let row = found.next().unwrap()?;
        Some(serde_json::from_str(row.get_ref(0).unwrap().as_str().unwrap()).unwrap())
    }

    async fn insert(&self, row: &Rows) {
        self.writer.write(row.clone()).await;
    }
}

impl Bare for ByHand {
    async fn find(&self, key: &ExternalKey) -> Option<Account> {
        Self::find(self, key).await
    }

    async fn insert(&self, row: &Rows) {
        Self::insert(self, row).await;
    }
}
