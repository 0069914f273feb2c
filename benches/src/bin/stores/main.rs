//! The stores against the same rows written and read by hand.
//!
//! `stores DIR [--quick] [--accounts N] [--postgres URL] [--only sqlite|postgres|scale|count]` measures;
//! `stores DIR --count engine|commit|bare|events|rows N` runs N first logins on SQLite, for callgrind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a program for people who measure")]

mod by_hand_postgres;
mod by_hand_sqlite;
mod count;
mod herd;
mod on_postgres;
mod on_sqlite;
mod scale;

use std::{path::PathBuf, sync::Arc};

use jit_benches::{
    cost::{Cost, Figures},
    house::{self, House, PLAIN_MAPPING, PLAIN_POLICY},
    report::{Goal, line},
    rows::Rows,
    tasks::on_64_tasks,
};
use jit_core::{Outcome, Store};

/// What the command line asks for.
struct Wanted {
    folder: PathBuf,
    rounds: usize,
    accounts: u64,
    postgres: Option<String>,
    only: Option<String>,
    /// What to run for callgrind, and how often.
    counted: Option<(String, u64)>,
}

impl Wanted {
    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }
}

fn main() {
    let wanted = wanted(std::env::args().skip(1));
    std::fs::create_dir_all(&wanted.folder).unwrap();
    if wanted.counted.is_none() && wanted.only.as_deref().is_none_or(|only| only == "count") {
        count::measure(&wanted.folder);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        if let Some((what, turns)) = &wanted.counted {
            return count::run(&wanted.folder, what, *turns).await;
        }
        if wanted.wants("sqlite") {
            on_sqlite::measure(&wanted).await;
        }
        if wanted.wants("postgres") && wanted.postgres.is_some() {
            on_postgres::measure(&wanted).await;
        }
        if wanted.wants("scale") {
            scale::measure(&wanted).await;
        }
    });
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Wanted {
    let (mut folder, mut quick, mut accounts) = (None, false, None);
    let (mut postgres, mut only, mut counted) = (None, None, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--accounts" => accounts = arguments.next().and_then(|number| number.parse().ok()),
            "--postgres" => postgres = arguments.next(),
            "--only" => only = arguments.next(),
            "--count" => {
                counted = arguments.next().zip(arguments.next().and_then(|turns| turns.parse().ok()));
            }
            _ => folder = Some(PathBuf::from(argument)),
        }
    }
    Wanted {
        folder: folder.unwrap_or_else(|| {
            panic!("usage: stores DIR [--quick] [--accounts N] [--postgres URL] [--only PART]")
        }),
        rounds: if quick { 3 } else { 7 },
        accounts: accounts.unwrap_or(if quick { 200_000 } else { 1_000_000 }),
        postgres,
        only,
        counted,
    }
}

/// A plain house on a store.
fn house_on(store: Arc<dyn Store>) -> Arc<House> {
    Arc::new(house::house(store, PLAIN_MAPPING, PLAIN_POLICY))
}

/// First logins, as the commits that the engine makes of them.
async fn commits(store: Arc<dyn Store>, rows: Vec<Rows>) -> Cost {
    on_64_tasks(rows, move |row| {
        let store = Arc::clone(&store);
        async move { store.commit(&row.commit).await.unwrap() }
    })
    .await
}

/// First logins, as people come to the engine.
async fn first_logins(house: &Arc<House>, people: std::ops::Range<u64>) -> Cost {
    let events: Vec<_> = people.map(|number| house::plain_sign_in(&house.attestor, number)).collect();
    let house = Arc::clone(house);
    on_64_tasks(events, move |event| {
        let house = Arc::clone(&house);
        async move {
            let outcome = house.jit.handle(event).await.unwrap();
            assert!(matches!(outcome, Outcome::SignedIn(signed_in) if signed_in.plan.creates()));
        }
    })
    .await
}

/// Prints a rate beside that of a peer: times for one item, and the ratio of the rates, ours to the peer's.
fn rate(what: &str, ours: &Figures, peer: (&Figures, &str), at_least: f64) {
    let beside = format!("{} {}", peer.0, peer.1);
    line(what, ours, beside, peer.0.to(ours), Goal::AtLeast(at_least));
}

/// Prints a time beside that of a peer. Judged by the clock on the wall.
fn time(what: &str, ours: &Figures, peer: (&Figures, &str), goal: Goal) {
    line(what, ours, format!("{} {}", peer.0, peer.1), ours.to(peer.0), goal);
}
