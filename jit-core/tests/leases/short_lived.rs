//! Processes that live for one round of work, as cron starts them, and clocks that were set back: time goes on by what the
//! store knows.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::house::*;

const DAY: TimeDelta = TimeDelta::days(1);

fn live(house: &House) -> usize {
    house.directory.accounts().len()
}

/// Lets a new process do one round each minute, and tells which alarms that raised.
async fn sweep_each_minute(house: &mut House, minutes: i64) -> Vec<String> {
    let mut alarms = Vec::new();
    for _ in 0..minutes {
        house.clock.advance(TimeDelta::minutes(1));
        house.restart();
        alarms.extend(house.alarms().await);
    }
    alarms
}

/// One round of a new process at another machine, by the clock of that.
async fn sweep_elsewhere(house: &House, now: DateTime<Utc>) {
    let clock = Arc::new(ManualClock::at(now));
    let builder = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&clock) as _);
    let jit = builder.time_guard(TimeGuard::new(clock)).build().unwrap();
    jit.work(&WorkerId::new("elsewhere").unwrap(), std::num::NonZeroUsize::MIN).await.unwrap();
}

#[tokio::test]
async fn what_is_due_ends_though_the_clock_was_set_back_and_somebody_is_told_once() {
    let mut house = House::new().await;
    house.out(30).await;
    assert!(sweep_each_minute(&mut house, 10).await.is_empty());
    house.clock.jump(-DAY);
    assert_eq!(sweep_each_minute(&mut house, 18).await, ["clock.behind"]);
    assert_eq!(live(&house), 1);
    sweep_each_minute(&mut house, 5).await;
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn a_clock_that_is_behind_goes_on_also_while_nobody_works() {
    let mut house = House::new().await;
    house.out(240).await;
    sweep_each_minute(&mut house, 10).await;
    house.clock.jump(-DAY);
    sweep_each_minute(&mut house, 10).await;
    house.clock.advance(TimeDelta::minutes(210));
    sweep_each_minute(&mut house, 1).await;
    assert_eq!(live(&house), 1);
    sweep_each_minute(&mut house, 20).await;
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn a_process_that_lived_longer_hands_its_time_on() {
    let mut house = House::new().await;
    house.out(120).await;
    house.alarms().await;
    house.clock.jump(-DAY);
    for _ in 0..30 {
        house.clock.advance(TimeDelta::minutes(1));
        house.alarms().await;
    }
    house.clock.advance(TimeDelta::minutes(60));
    assert!(sweep_each_minute(&mut house, 1).await.is_empty(), "told by the one before");
    assert_eq!(live(&house), 1);
    sweep_each_minute(&mut house, 32).await;
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn machines_whose_clocks_are_behind_by_different_times_run_no_faster_together() {
    for apart in [TimeDelta::minutes(7), TimeDelta::hours(1), TimeDelta::hours(13)] {
        let mut house = House::new().await;
        house.out(60).await;
        sweep_each_minute(&mut house, 1).await;
        house.clock.jump(-DAY);
        for minute in 2..75 {
            sweep_each_minute(&mut house, 1).await;
            sweep_elsewhere(&house, house.now() - apart).await;
            assert!(minute < 70 || live(&house) == 0, "{apart}, minute {minute}");
            assert!(minute > 59 || live(&house) == 1, "{apart}, minute {minute}");
        }
    }
}

#[tokio::test]
async fn beside_a_clock_that_is_right_one_that_is_behind_follows() {
    let mut house = House::new().await;
    house.out(60).await;
    sweep_each_minute(&mut house, 1).await;
    house.clock.jump(-DAY);
    for minute in 2..65 {
        sweep_each_minute(&mut house, 1).await;
        sweep_elsewhere(&house, house.now() + DAY).await;
        assert!(minute > 59 || live(&house) == 1, "minute {minute}");
    }
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_right_and_back_again_does_not_jump_by_the_difference() {
    let mut house = House::new().await;
    sweep_each_minute(&mut house, 10).await;
    house.clock.jump(-DAY);
    sweep_each_minute(&mut house, 10).await;
    house.clock.jump(DAY);
    sweep_each_minute(&mut house, 60).await;
    house.out(60).await;
    house.clock.jump(TimeDelta::hours(-20));
    assert_eq!(sweep_each_minute(&mut house, 50).await, ["clock.behind"]);
    assert_eq!(live(&house), 1);
    sweep_each_minute(&mut house, 15).await;
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_again_is_told_of_again() {
    let mut house = House::new().await;
    sweep_each_minute(&mut house, 5).await;
    for _ in 0..2 {
        house.clock.jump(-DAY);
        assert_eq!(sweep_each_minute(&mut house, 5).await, ["clock.behind"]);
        house.clock.jump(DAY);
        assert!(sweep_each_minute(&mut house, 90).await.is_empty());
    }
}

#[tokio::test]
async fn a_person_sets_the_time_back_for_all_that_come_later() {
    let mut house = House::new().await;
    sweep_each_minute(&mut house, 5).await;
    house.clock.jump(-DAY);
    sweep_each_minute(&mut house, 5).await;
    house.jit.confirm_time("ann").await.unwrap();
    assert_eq!(sweep_each_minute(&mut house, 5).await, ["clock.confirmed"]);
    assert_eq!(house.jit.time_doubt(), None);
    assert_eq!(house.out(30).await.until, house.now() + TimeDelta::minutes(30));
}

#[tokio::test]
async fn a_time_that_was_set_back_while_others_write_is_set_back_or_the_person_is_told() {
    let mut house = House::new().await;
    sweep_each_minute(&mut house, 5).await;
    house.clock.jump(-DAY);
    sweep_each_minute(&mut house, 5).await;
    house.script.contend_clocks(100);
    let failed = house.jit.confirm_time("ann").await.unwrap_err();
    assert_eq!(*failed.kind(), ErrorKind::DocumentChanged);
    house.script.contend_clocks(3);
    house.jit.confirm_time("ann").await.unwrap();
    assert_eq!(sweep_each_minute(&mut house, 5).await, ["clock.confirmed"]);
    house.clock.advance(TimeDelta::hours(2));
    assert!(sweep_each_minute(&mut house, 5).await.is_empty());
    assert_eq!(house.out(30).await.until, house.now() + TimeDelta::minutes(30));
}

#[tokio::test]
async fn a_small_step_back_delays_nothing() {
    let mut house = House::new().await;
    house.out(30).await;
    sweep_each_minute(&mut house, 10).await;
    house.clock.jump(TimeDelta::minutes(-9));
    assert!(sweep_each_minute(&mut house, 22).await.is_empty());
    assert_eq!(live(&house), 0);
}
