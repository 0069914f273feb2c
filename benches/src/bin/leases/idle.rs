//! A house full of live leases, none of which is due.

use std::sync::Arc;

use jit_benches::{
    cost::{Figures, Stopwatch},
    report::Goal,
    tasks::on_64_tasks,
};
use jit_core::MemoryTarget;

use crate::{Wanted, house::House, time};

const FEW: usize = 10_000;
const SWEEPS: usize = 200;

pub(crate) async fn measure(wanted: &Wanted) {
    let many = if wanted.is_quick { 100_000 } else { 1_000_000 };
    let few_house = full(wanted, "few", FEW).await;
    let many_house = full(wanted, "many", many).await;
    let [mut few_sweeps, mut many_sweeps, mut few_first, mut many_first] =
        std::array::from_fn(|_| Figures::default());
    for round in 0..=10 {
        for (house, name, sweeps, first) in [
            (&few_house, "few", &mut few_sweeps, &mut few_first),
            (&many_house, "many", &mut many_sweeps, &mut many_first),
        ] {
            let start = Stopwatch::start();
            for _ in 0..SWEEPS {
                assert_eq!(house.work(100).await, 0, "nothing is due");
            }
            let swept = start.stop();
            // An engine and a store that were started this moment.
            let file = wanted.folder.join(format!("{name}.db"));
            let start = Stopwatch::start();
            let anew = House::on(&file, Arc::new(MemoryTarget::new())).await;
            anew.out("directory", "plain").await;
            let served = start.stop();
            if round > 0 {
                sweeps.add(swept, SWEEPS);
                first.add(served, 1);
            }
        }
    }
    let thousands = many / 1_000;
    let what = format!("SQLite: a sweep with nothing due at {thousands} thousand live leases");
    time(&what, &many_sweeps, (&few_sweeps, "at 10 thousand"), Goal::AtMost(1.5));
    let what = format!("SQLite: start, and a first check-out, at {thousands} thousand live leases");
    time(&what, &many_first, (&few_first, "at 10 thousand"), Goal::AtMost(1.5));
}

async fn full(wanted: &Wanted, name: &str, count: usize) -> Arc<House> {
    let file = wanted.folder.join(format!("{name}.db"));
    let house = Arc::new(House::on(&file, Arc::new(MemoryTarget::new())).await);
    let lenders = Arc::clone(&house);
    on_64_tasks((0..count).collect(), move |_| {
        let house = Arc::clone(&lenders);
        async move { drop(house.out("directory", "plain").await) }
    })
    .await;
    house
}
