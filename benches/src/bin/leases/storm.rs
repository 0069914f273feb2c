//! Thousands that end in one second.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use jit_benches::{
    cost::{Figures, Stopwatch},
    report::Goal,
    tasks::all_at_once,
};
use jit_core::{Listing, RemoteRef, Target};

use crate::{
    Wanted,
    house::{AT_ONCE, House, made, remove},
    slapd::Slapd,
    time,
};

pub(crate) async fn measure(wanted: &Wanted, slapd: &Slapd) {
    let count = if wanted.is_quick { 1_000 } else { 10_000 };
    let target = slapd.target();
    let bare = bare(&target, count).await;
    let house = Arc::new(House::on(&wanted.folder.join("storm.db"), target.clone()).await);
    let (usual, privileged) =
        (out(&house, "plain", count / 2).await, out(&house, "privileged", count / 2).await);
    house.clock.advance(TimeDelta::minutes(30));
    let [mut calm, mut meanwhile, mut ours] = std::array::from_fn(|_| Figures::default());
    elsewhere(&house, 20, &mut calm).await;

    let start = Stopwatch::start();
    assert_eq!(house.work(privileged.len()).await, privileged.len());
    let half = start.stop();
    let left = names(target.as_ref()).await;
    assert_eq!(left, usual, "the privileged ended first, and nothing else did");

    let others = Arc::clone(&house);
    let other = tokio::spawn(async move {
        elsewhere(&others, 20, &mut meanwhile).await;
        meanwhile
    });
    while house.work(1_000).await > 0 {}
    assert!(names(target.as_ref()).await.is_empty());
    ours.add(half, privileged.len());
    let what =
        format!("OpenLDAP: {} of {count} leases end in one second, {AT_ONCE} at once, each", count / 2);
    time(&what, &ours, (&bare, "bare removal, as many at once"), Goal::AtMost(1.2));
    let what = "… a lease at another target meanwhile";
    time(what, &other.await.unwrap(), (&calm, "before the storm"), Goal::Shown);
}

/// The bare rate: as many callers as there are slots, each removing one after the other.
async fn bare(target: &Arc<jit_ldap::OpenLdapTarget>, count: usize) -> Figures {
    let shares: Vec<_> = (0..AT_ONCE).map(|_| count / AT_ONCE).collect();
    let filled = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (makers, into) = (Arc::clone(target), Arc::clone(&filled));
    all_at_once(shares, move |share| {
        let (target, into) = (Arc::clone(&makers), Arc::clone(&into));
        async move {
            let mut all = Vec::new();
            for _ in 0..share {
                all.push(made(target.as_ref(), &[]).await);
            }
            into.lock().unwrap().push(all);
        }
    })
    .await;
    let shares: Vec<Vec<RemoteRef>> = std::mem::take(&mut *filled.lock().unwrap());
    let removed: usize = shares.iter().map(Vec::len).sum();
    let removers = Arc::clone(target);
    let cost = all_at_once(shares, move |share| {
        let target = Arc::clone(&removers);
        async move {
            for remote in share {
                remove(target.as_ref(), remote).await;
            }
        }
    })
    .await;
    let mut figures = Figures::default();
    figures.add(cost, removed);
    figures
}

async fn out(house: &Arc<House>, role: &'static str, count: usize) -> BTreeSet<String> {
    let names = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let shares: Vec<_> =
        (0..AT_ONCE).map(|slot| count / AT_ONCE + usize::from(slot < count % AT_ONCE)).collect();
    all_at_once(shares, |share| {
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
                names.extend(page.into_iter().map(|remote| remote.name));
                cursor = Some(next);
            }
            Listing::Complete(page) => {
                names.extend(page.into_iter().map(|remote| remote.name));
                return names;
            }
            Listing::Partial(_, why) => panic!("a partial listing: {why}"),
        }
    }
}
