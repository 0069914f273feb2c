//! Two workers on one PostgreSQL, one of which is stopped (SIGSTOP) and continued: nothing happens twice.

use std::num::NonZeroUsize;
use std::time::Duration;

use jit_core::AuditQuery;

use crate::kills::child::{Came, Work, open, tenant};
use crate::kills::parent::{Said, Worker};
use crate::kills::world::World;
use crate::peer::{Kind, folder, start, wait};

const LENT: usize = 5;

/// What came of one end of so many leases by two workers.
struct Ended {
    stopped: Came,
    other: Came,
}

struct House {
    world: World,
    url: String,
    _postgres: std::process::Child,
}

impl House {
    fn new(name: &str) -> Self {
        let (url, postgres) = start("postgres", &["--no-fsync"], &folder(&format!("peer-{name}")));
        let world = World::new_on(Kind::OpenLdap, name, &url);
        Self { world, url, _postgres: postgres }
    }

    /// How often something was recorded.
    fn recorded(&self, action: &str) -> usize {
        wait(async {
            let store = open(&self.url).await;
            let (mut count, mut after) = (0, None);
            loop {
                let limit = NonZeroUsize::new(500).unwrap();
                let query = AuditQuery { tenant: tenant(), account: None, after, latest_first: false, limit };
                let page = store.events(&query).await.unwrap();
                count += page.items.iter().filter(|event| event.action.as_str() == action).count();
                match page.next {
                    Some(next) => after = Some(next),
                    None => return count,
                }
            }
        })
    }

    /// Lends, lets the time run out, and lets two workers end it: one is stopped when `stop` says so, and goes on when the
    /// other has done all there is.
    fn end_by_two(&mut self, stop_at: Option<u64>, stop: impl FnOnce(&mut Worker)) -> Ended {
        assert_eq!(self.world.undisturbed(Work::Lend(LENT)).0.live, LENT);
        self.world.pass(11);
        let mut stopped = Worker::start(&self.world.job(Work::Tend(vec![0]), stop_at));
        stop(&mut stopped);
        stopped.stop();
        // By then its claims are over.
        self.world.pass(2);
        let other = Worker::start(&self.world.job(Work::Tend(vec![0, 2, 2]), None)).end();
        assert_eq!((other.live, self.world.left()), (0, 0), "the other worker waits for nobody");
        stopped.go_on(10);
        let stopped = stopped.end();
        self.world.pass(30);
        Ended { stopped, other }
    }
}

#[test]
fn a_worker_that_was_stopped_at_any_step_ends_nothing_twice() {
    let mut house = House::new("stopped-at-steps");
    let (mut turns, mut done_by_stopped, mut done_by_other) = (0, 0, 0);
    // The steps of a lease are odd in number, so that every second one of several leases is each of them once.
    let every = if std::env::var_os("JIT_KILLS").is_some() { 1 } else { 2 };
    for stop_at in (1..=24).step_by(every) {
        let ended = house.end_by_two(Some(stop_at), |worker| {
            assert!(matches!(worker.next(), Said::At(_)), "step {stop_at} is never reached");
        });
        turns += 1;
        done_by_stopped += ended.stopped.removed;
        done_by_other += ended.other.removed;
        assert_eq!(done_by_stopped + done_by_other, (turns * LENT) as u64, "removed twice at step {stop_at}");
        assert_eq!(house.recorded("lease.removed"), turns * LENT, "recorded twice at step {stop_at}");
        assert!(house.world.is_untouched());
    }
    println!("{turns} stops: {done_by_stopped} removed by the stopped worker, {done_by_other} by the other");
    assert!(done_by_stopped > 0 && done_by_other > 0);
}

#[test]
fn a_worker_that_was_stopped_at_any_time_ends_nothing_twice() {
    let mut house = House::new("stopped-at-times");
    let mut removed = 0;
    for turn in 1..=6 {
        let pause = Duration::from_micros(house.world.dice.below(40_000));
        // This is the fault, not a wait for anything: whenever it comes, it has to be borne.
        let ended = house.end_by_two(None, |_| std::thread::sleep(pause));
        removed += ended.stopped.removed + ended.other.removed;
        assert_eq!((removed, house.recorded("lease.removed")), ((turn * LENT) as u64, turn * LENT));
    }
}

#[test]
fn what_a_stopped_check_out_makes_too_late_does_not_stay() {
    let mut house = House::new("stopped-check-out");
    let steps = house.world.undisturbed(Work::Lend(1)).0.steps;
    house.world.recover();
    for stop_at in 1..=steps {
        let mut stopped = Worker::start(&house.world.job(Work::LendOrNot, Some(stop_at)));
        assert!(matches!(stopped.next(), Said::At(_)));
        stopped.stop();
        // Nobody heard of it for so long that it is given up, removed and looked for once more.
        house.world.pass(12);
        let other = Worker::start(&house.world.job(Work::Tend(vec![0, 3, 3]), None)).end();
        // Before the first step was done there was nothing to give up.
        assert_eq!(other.live, 0);
        stopped.go_on(20);
        stopped.end();
        house.world.pass(30);
        assert_eq!(house.world.recover().live, 0);
        assert_eq!(house.world.left(), 0, "left over from step {stop_at}");
        assert_eq!(house.world.recover().commits, 0);
        assert!(house.world.is_untouched());
    }
}
