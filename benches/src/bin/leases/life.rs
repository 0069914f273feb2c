//! Accounts that are made with a password and two groups, and removed: one after the other, and many at once.

use std::{pin::Pin, sync::Arc, time::Duration};

use jit_benches::{
    cost::{Cost, Figures},
    report::Goal,
    tasks::all_at_once,
};

use crate::{
    Wanted,
    house::House,
    raw::Raw,
    slapd::{Answers, Certificate, Slapd},
    time,
};

/// How many lives go on at once, over how many connections.
const LIVES: usize = 64;
const CONNECTIONS: u8 = 8;

/// What is measured, round by round: ours, the bare operations, and those with a connection for each.
#[derive(Default)]
struct Lines {
    lent: Figures,
    bare: Figures,
    /// With a certificate of each kind.
    each: [Figures; 2],
}

/// What the servers prove themselves by. To connections that are open already it makes no difference.
const CERTIFICATES: [(Certificate, &str); 2] = [(Certificate::P256, "P-256"), (Certificate::Rsa, "RSA-2048")];

/// As long as the way to another town, where the trips count and not the disk.
const FAR: Duration = Duration::from_millis(5);

pub(crate) async fn measure(wanted: &Wanted) {
    for (answers, how) in [(Answers::Synced, "synced"), (Answers::Unsynced, "unsynced")] {
        let start = |(certificate, _)| Slapd::start(&wanted.folder, answers, certificate);
        let [Some(slapd), Some(rsa)] = CERTIFICATES.map(start) else { return };
        let lives = if wanted.is_quick { 4 } else { 16 };
        measure_at(wanted, [&slapd, &rsa], how, lives).await;
        if answers == Answers::Unsynced {
            let (slapd, rsa) = (slapd.seen_from_afar(FAR).await, rsa.seen_from_afar(FAR).await);
            measure_at(wanted, [&slapd, &rsa], "unsynced, 10 ms there and back", 1).await;
        }
    }
}

async fn measure_at(wanted: &Wanted, servers: [&Slapd; 2], how: &str, lives: usize) {
    let [slapd, _] = servers;
    let target = slapd.target(CONNECTIONS);
    let house = Arc::new(
        House::on(&wanted.folder.join(format!("{}.db", how.replace([',', ' '], "-"))), target).await,
    );
    let bare = Arc::new(Raw::pooled(slapd, CONNECTIONS));
    let each = servers.map(|slapd| Arc::new(Raw::each(slapd, CONNECTIONS)));
    let [mut many, mut one]: [Lines; 2] = Default::default();
    let rounds = if wanted.is_quick { 5 } else { 11 };
    for round in 0..=rounds {
        for (callers, lives, lines) in [(LIVES, lives, &mut many), (1, lives * 8, &mut one)] {
            let ours = side_by_side(callers, lives, lease(&house)).await;
            let theirs = side_by_side(callers, lives, raw_life(&bare)).await;
            let count = callers * lives;
            // The first round warms the pools.
            if round > 0 {
                lines.lent.add(ours, count);
                lines.bare.add(theirs, count);
            }
            for (each, figures) in each.iter().zip(&mut lines.each) {
                let anew = side_by_side(callers, lives, raw_life(each)).await;
                if round > 0 {
                    figures.add(anew, count);
                }
            }
        }
    }
    many.print(&format!("OpenLDAP {how}, {LIVES} at once"), [Goal::AtMost(1.25), Goal::AtLeast(5.0)]);
    one.print(&format!("OpenLDAP {how}, one after the other"), [Goal::Shown, Goal::Shown]);
}

impl Lines {
    fn print(&self, how: &str, [to_bare, to_each]: [Goal; 2]) {
        let what = format!("{how}: life of an account, lease, store and audit on SQLite FULL");
        time(&what, &self.lent, (&self.bare, "bare operations, same pool"), to_bare);
        for (each, (_, certificate)) in self.each.iter().zip(CERTIFICATES) {
            let what = format!("{how}: bare, a connection for each operation, {certificate} certificate");
            time(&what, each, (&self.lent, "life of a lease on the pool"), to_each);
        }
    }
}

type Life = Pin<Box<dyn Future<Output = ()> + Send>>;

fn lease(house: &Arc<House>) -> impl Fn() -> Life + Clone + Send + 'static {
    let house = Arc::clone(house);
    move || {
        let house = Arc::clone(&house);
        Box::pin(async move {
            let out = house.out("directory", "grouped").await;
            house.back(out.lease).await;
        })
    }
}

fn raw_life(raw: &Arc<Raw>) -> impl Fn() -> Life + Clone + Send + 'static {
    let raw = Arc::clone(raw);
    move || {
        let raw = Arc::clone(&raw);
        Box::pin(async move {
            let made = raw.make().await;
            raw.join(&made).await;
            raw.remove(made).await;
        })
    }
}

/// Lets several callers go through as many lives each, one after the other.
async fn side_by_side(
    callers: usize,
    lives: usize,
    life: impl Fn() -> Life + Clone + Send + 'static,
) -> Cost {
    all_at_once(vec![life; callers], |life| async move {
        for _ in 0..lives {
            life().await;
        }
    })
    .await
}
