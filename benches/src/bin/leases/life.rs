//! One account after the other: made with a password and two groups, and removed.

use jit_benches::{
    cost::{Figures, Stopwatch},
    report::Goal,
};

use crate::{
    Wanted,
    house::{House, made, remove},
    slapd::Slapd,
    time,
};

const GROUPS: [&str; 2] = ["ops", "staff"];

pub(crate) async fn measure(wanted: &Wanted, slapd: &Slapd) {
    let (rounds, lives) = if wanted.is_quick { (5, 40) } else { (15, 200) };
    let target = slapd.target();
    let house = House::on(&wanted.folder.join("life.db"), target.clone()).await;
    let [mut lent, mut bare, mut each] = std::array::from_fn(|_| Figures::default());
    for round in 0..=rounds {
        let start = Stopwatch::start();
        for _ in 0..lives {
            let out = house.out("directory", "grouped").await;
            house.back(out.lease).await;
        }
        let ours = start.stop();
        let start = Stopwatch::start();
        for _ in 0..lives {
            let remote = made(target.as_ref(), &GROUPS).await;
            remove(target.as_ref(), remote).await;
        }
        let theirs = start.stop();
        let start = Stopwatch::start();
        for _ in 0..lives {
            // One connection for making it, and one for removing it.
            let remote = made(slapd.target().as_ref(), &GROUPS).await;
            remove(slapd.target().as_ref(), remote).await;
        }
        let anew = start.stop();
        // The first round warms the pools.
        if round > 0 {
            lent.add(ours, lives);
            bare.add(theirs, lives);
            each.add(anew, lives);
        }
    }
    let what = "OpenLDAP: life of an account, lease, store and audit on SQLite FULL";
    time(what, &lent, (&bare, "bare, same pool"), Goal::AtMost(1.25));
    let what = "OpenLDAP: a connection for each operation, bare";
    time(what, &each, (&lent, "life of a lease on the pool"), Goal::AtLeast(5.0));
}
