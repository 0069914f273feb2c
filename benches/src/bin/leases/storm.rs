//! Thousands that end in one second.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use jit_benches::{
    cost::{Figures, Stopwatch},
    report::Goal,
    tasks::all_at_once,
};
use jit_core::{Listing, Target};

use crate::{
    Wanted,
    house::{AT_ONCE, House},
    raw::{Made, Raw},
    slapd::{Answers, Certificate, Slapd},
    time,
};

const CONNECTIONS: u8 = 8;
/// Ours and the bare removals take turns.
const TURNS: usize = 10;
/// Leases at another target, one after the other.
const ELSEWHERE: usize = 100;

pub(crate) async fn measure(wanted: &Wanted) {
    let folder = wanted.folder.join("storm");
    let Some(slapd) = Slapd::start(&folder, Answers::Synced, Certificate::P256) else { return };
    let count = if wanted.is_quick { 2_000 } else { 10_000 };
    let (target, raw) = (slapd.target(CONNECTIONS), Arc::new(Raw::pooled(&slapd, CONNECTIONS)));
    let house = Arc::new(House::on(&wanted.folder.join("storm.db"), target.clone()).await);
    let usual = out(&house, "plain", count / 2).await;
    out(&house, "privileged", count / 2).await;
    house.clock.advance(TimeDelta::minutes(30));

    let [mut bare, mut ours, mut calm, mut beside, mut meanwhile] =
        std::array::from_fn(|_| Figures::default());
    let turn = count / 2 / TURNS;
    for _ in 0..TURNS {
        let accounts = made(&raw, turn).await;
        bare.add(removed(&raw, accounts).await, turn);
        let start = Stopwatch::start();
        assert_eq!(work(&house, turn).await, turn);
        ours.add(start.stop(), turn);
    }
    assert_eq!(names(target.as_ref()).await, usual, "the privileged ended first, and nothing else did");

    elsewhere(&house, ELSEWHERE, &mut calm).await;
    let accounts = made(&raw, turn * 2).await;
    let others = Arc::clone(&raw);
    let removals = tokio::spawn(async move { removed(&others, accounts).await });
    elsewhere(&house, ELSEWHERE, &mut beside).await;
    removals.await.unwrap();
    let others = Arc::clone(&house);
    let other = tokio::spawn(async move {
        elsewhere(&others, ELSEWHERE, &mut meanwhile).await;
        meanwhile
    });
    while work(&house, 1_000).await > 0 {}
    assert!(names(target.as_ref()).await.is_empty());
    let what = format!(
        "OpenLDAP synced: {} of {count} leases end in one second, {AT_ONCE} at once, each",
        count / 2
    );
    time(&what, &ours, (&bare, "bare removal, as many at once"), Goal::AtMost(1.2));
    let (what, meanwhile) = ("… a lease at another target meanwhile", other.await.unwrap());
    time(what, &meanwhile, (&beside, "while bare removals go on"), Goal::Shown);
    time(what, &meanwhile, (&calm, "before the storm"), Goal::Shown);
}

/// In a task of its own, as the bare requests are and as an application does it.
async fn work(house: &Arc<House>, limit: usize) -> usize {
    let house = Arc::clone(house);
    tokio::spawn(async move { house.work(limit).await }).await.unwrap()
}

/// As many callers as there are slots, one account after the other.
fn shares(count: usize) -> Vec<usize> {
    (0..AT_ONCE).map(|slot| count / AT_ONCE + usize::from(slot < count % AT_ONCE)).collect()
}

async fn made(raw: &Arc<Raw>, count: usize) -> Vec<Vec<Made>> {
    let filled = Arc::new(Mutex::new(Vec::new()));
    all_at_once(shares(count), |share| {
        let (raw, into) = (Arc::clone(raw), Arc::clone(&filled));
        async move {
            let mut all = Vec::new();
            for _ in 0..share {
                all.push(raw.make().await);
            }
            into.lock().unwrap().push(all);
        }
    })
    .await;
    std::mem::take(&mut *filled.lock().unwrap())
}

async fn removed(raw: &Arc<Raw>, accounts: Vec<Vec<Made>>) -> jit_benches::cost::Cost {
    all_at_once(accounts, |share| {
        let raw = Arc::clone(raw);
        async move {
            for account in share {
                raw.remove(account).await;
            }
        }
    })
    .await
}

async fn out(house: &Arc<House>, role: &'static str, count: usize) -> BTreeSet<String> {
    let names = Arc::new(Mutex::new(BTreeSet::new()));
    all_at_once(shares(count), |share| {
        let (house, names) = (Arc::clone(house), Arc::clone(&names));
        async move {
            for _ in 0..share {
                let name = house.out("directory", role).await.name;
                names.lock().unwrap().insert(name);
            }
        }
    })
    .await;
    std::mem::take(&mut *names.lock().unwrap())
}

async fn elsewhere(house: &House, count: usize, figures: &mut Figures) {
    for _ in 0..count {
        let start = Stopwatch::start();
        let out = house.out("elsewhere", "plain").await;
        house.back(out.lease).await;
        figures.add(start.stop(), 1);
    }
}

async fn names(target: &dyn Target) -> BTreeSet<String> {
    let (mut names, mut cursor) = (BTreeSet::new(), None);
    loop {
        match target.list(cursor.take()).await.unwrap() {
            Listing::More(page, next) => {
                names.extend(page.into_iter().map(|listed| listed.remote.name));
                cursor = Some(next);
            }
            Listing::Complete(page) => {
                names.extend(page.into_iter().map(|listed| listed.remote.name));
                return names;
            }
            Listing::Partial(_, why) => panic!("a partial listing: {why}"),
        }
    }
}
