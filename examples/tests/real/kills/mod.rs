//! Processes that lend accounts in a real directory are killed (SIGKILL) at every step and at any time, and so are those
//! that tidy up after them. `JIT_KILLS=1000` kills so often in OpenLDAP, and a fifth as often in Active Directory.

pub(crate) mod child;
pub(crate) mod doors;
pub(crate) mod parent;
pub(crate) mod world;

use std::time::Duration;

use child::Work;
use parent::Worker;
use world::{World, recovery};

use crate::peer::Kind;

/// Adds up what was done and what came of it.
#[derive(Debug, Default)]
struct Tally {
    at_steps: usize,
    at_any_time: usize,
    recoveries: usize,
    /// How often something was left in the directory between a kill and the recovery from it.
    left_between: usize,
}

fn rounds(usual: usize, share: usize) -> usize {
    let asked = std::env::var("JIT_KILLS").ok().map(|kills| kills.parse::<usize>().unwrap() / share);
    asked.unwrap_or(usual)
}

/// Kills one life, and the recoveries from it; whatever was done, nothing is left.
fn round(world: &mut World, number: usize, steps: u64, lasts: Duration, tally: &mut Tally) {
    let live = Work::Live { key: format!("key-{number}") };
    // Every sixth at any time, the others at one step after the other.
    let (stop_at, patience) = if number % 6 == 5 {
        let most = u64::try_from(lasts.as_micros()).unwrap().max(1);
        (None, Some(Duration::from_micros(world.dice.below(most))))
    } else {
        let turn = u64::try_from(number - number / 6).unwrap();
        (Some(1 + (turn * 7) % steps), None)
    };
    let was_killed = Worker::start(&world.job(live, stop_at)).kill(patience);
    tally.at_steps += usize::from(was_killed && patience.is_none());
    tally.at_any_time += usize::from(was_killed && patience.is_some());
    world.let_it_land();
    tally.left_between += usize::from(world.left() > 0);

    for _ in 0..number % 4 {
        let stop_at = Some(1 + world.dice.below(12));
        let mut worker = Worker::start(&world.job(recovery(), stop_at));
        // One that had less to do than that comes to its end.
        if matches!(worker.next(), parent::Said::At(_)) {
            tally.recoveries += usize::from(worker.kill(Some(Duration::ZERO)));
        }
        world.let_it_land();
        world.pass(30);
    }
    let came = world.recover();
    assert_eq!((came.live, world.left()), (0, 0), "orphans after round {number}");
    let again = world.recover();
    assert_eq!((again.commits, again.asked), (0, 0), "the second recovery of round {number} did something");
    assert!(world.is_untouched(), "strangers were touched in round {number}");
}

fn kill(kind: Kind, rounds: usize) {
    let mut world = World::new(kind, &format!("kills-{kind:?}"));
    let (came, lasts) = world.undisturbed(Work::Live { key: "nobody disturbs".to_owned() });
    assert_eq!((came.live, world.left()), (1, 1), "one is left to run out");
    world.recover();
    let mut tally = Tally::default();
    for number in 0..rounds {
        round(&mut world, number, came.steps, lasts, &mut tally);
    }
    println!("{kind:?}: {} steps, {rounds} rounds, {tally:?}; nothing left, no stranger touched", came.steps);
    assert!(tally.at_steps * 10 >= rounds * 7, "too few were killed where they were to be: {tally:?}");
    assert!(tally.recoveries > 0 && tally.left_between > 0, "nothing was put to the test: {tally:?}");
}

#[test]
fn no_sigkill_leaves_an_orphan_in_open_ldap() {
    kill(Kind::OpenLdap, rounds(60, 1));
}

#[test]
fn no_sigkill_leaves_an_orphan_in_active_directory() {
    kill(Kind::Windows, rounds(15, 5));
}
