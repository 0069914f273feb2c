//! Jumps of the clock: none ends anything before its time, and none extends anything.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

fn live(house: &House) -> usize {
    house.directory.accounts().len()
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_ends_nothing_until_it_is_set_right() {
    let house = House::new().await;
    house.out(30).await;
    house.alarms().await;
    house.clock.jump(TimeDelta::days(1));
    assert_eq!(house.alarms().await, ["clock.ahead"]);
    assert_eq!(house.jit.time_doubt(), Some(TimeDoubt::Ahead(TimeDelta::days(1))));
    assert!(house.alarms().await.is_empty(), "told once");
    assert_eq!(live(&house), 1);
    house.clock.jump(-TimeDelta::days(1));
    assert_eq!(house.alarms().await, ["clock.trusted"]);
    assert_eq!(live(&house), 1);
    house.pass_minutes(31).await;
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn what_is_due_by_the_plausible_time_ends_while_the_clock_is_in_doubt() {
    let house = House::new().await;
    let (short, long) = (house.out(30).await, house.out(60).await);
    let given_back = house.out(60).await;
    house.alarms().await;
    house.clock.jump(TimeDelta::days(1));
    house.jit.check_in(None, &tenant(), given_back.lease, house.by()).await.unwrap();
    assert_eq!(live(&house), 2, "a person's act is done at once");
    house.clock.advance(TimeDelta::minutes(30));
    house.alarms().await;
    let left = house.directory.accounts();
    assert!(!left.contains_key(&short.name) && left.contains_key(&long.name));
}

#[tokio::test]
async fn a_restart_with_a_clock_a_day_ahead_is_noticed() {
    let mut house = House::new().await;
    house.out(30).await;
    house.alarms().await;
    house.clock.jump(TimeDelta::days(1));
    let mut alarms = Vec::new();
    for _ in 0..3 {
        house.restart();
        alarms.extend(house.alarms().await);
        assert_eq!(live(&house), 1);
    }
    assert_eq!(alarms, ["clock.ahead"], "told once");
    house.jit.confirm_time("ann").await.unwrap();
    assert_eq!(house.alarms().await, ["clock.confirmed"]);
    assert_eq!(live(&house), 0, "it was right after all");
}

#[tokio::test]
async fn after_a_weekend_away_a_steady_clock_is_believed_and_after_a_night_at_once() {
    let mut house = House::new().await;
    house.out(480).await;
    house.alarms().await;
    house.clock.advance(TimeDelta::days(2));
    house.restart();
    assert_eq!(house.alarms().await, ["clock.ahead"]);
    house.clock.advance(TimeDelta::minutes(59));
    assert!(house.alarms().await.is_empty());
    assert_eq!(live(&house), 1);
    house.clock.advance(TimeDelta::minutes(1));
    assert_eq!(house.alarms().await, ["clock.trusted"]);
    house.work().await.unwrap();
    assert_eq!(live(&house), 0);

    house.out(30).await;
    house.clock.advance(TimeDelta::hours(11));
    house.restart();
    assert!(house.alarms().await.is_empty());
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_back_extends_nothing_also_after_a_restart() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.clock.advance(TimeDelta::minutes(20));
    house.alarms().await;
    house.clock.jump(-TimeDelta::days(1));
    assert_eq!(house.alarms().await, ["clock.behind"]);
    house.restart();
    house.alarms().await;
    let more = house.jit.extend(None, &tenant(), out.lease, TimeDelta::minutes(5), house.by()).await;
    assert_eq!(code_of(more), "lease.not_longer", "five minutes from now are before its end");
    house.clock.advance(TimeDelta::minutes(10));
    house.work().await.unwrap();
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn a_person_can_set_the_trusted_time_back() {
    let mut house = House::new().await;
    house.alarms().await;
    house.clock.jump(-TimeDelta::days(1));
    house.alarms().await;
    house.jit.confirm_time("ann").await.unwrap();
    house.restart();
    house.alarms().await;
    assert_eq!(house.jit.time_doubt(), None);
    assert_eq!(house.out(30).await.until, house.now() + TimeDelta::minutes(30));
}

#[tokio::test]
async fn a_machine_that_slept_believes_another_node_that_did_not() {
    let house = House::new().await;
    house.out(30).await;
    house.alarms().await;
    // The other node has a pulse of its own, which did not stand still.
    let awake = Arc::new(ManualClock::at(house.now()));
    let other = Jit::builder(Arc::clone(&house.store) as _)
        .clock(Arc::clone(&awake) as _)
        .time_guard(TimeGuard::new(Arc::clone(&awake) as _))
        .build()
        .unwrap();
    let limit = std::num::NonZeroUsize::MIN;
    let worker = WorkerId::new("awake").unwrap();
    other.work(&worker, limit).await.unwrap();
    house.clock.jump(TimeDelta::days(1));
    assert_eq!(house.alarms().await, ["clock.ahead"]);
    awake.advance(TimeDelta::days(1));
    other.work(&worker, limit).await.unwrap();
    // The other node, which does not have the target, has recorded that the lease was overdue.
    assert_eq!(house.alarms().await, ["clock.trusted", "lease.overdue_over"]);
    assert_eq!(live(&house), 0);
}

#[tokio::test]
async fn many_small_steps_are_not_believed_together() {
    let house = House::new().await;
    house.out(45).await;
    house.alarms().await;
    let mut alarms = Vec::new();
    for _ in 0..12 {
        house.clock.jump(TimeDelta::minutes(5));
        house.clock.advance(TimeDelta::seconds(1));
        alarms.extend(house.alarms().await);
    }
    assert_eq!(alarms, ["clock.ahead"]);
    assert_eq!(live(&house), 1);
}

#[tokio::test]
async fn grants_wait_as_leases_do() {
    let house = House::new().await;
    let mut holder = house.store.get(&tenant(), house.holder).await.unwrap().unwrap();
    let before = holder.clone();
    holder.ends_at = Some(house.now() + TimeDelta::hours(2));
    let task = Mint::new(house.now(), [8; 16]).task();
    holder.end_review = Some(task);
    let due = house.now() + TimeDelta::hours(2);
    let review = Task {
        id: task,
        tenant: tenant(),
        lane: Lane::new("accounts").unwrap(),
        account: holder.id,
        kind: TaskKind::ReviewEnd,
        due,
    };
    let write = Some(AccountWrite::update(&before, holder));
    let commit = Commit { account: write, tasks: vec![review], ..Commit::new(tenant()) };
    house.store.commit(&commit).await.unwrap();
    house.alarms().await;
    let state = async || house.store.get(&tenant(), house.holder).await.unwrap().unwrap().state;
    house.clock.jump(TimeDelta::days(1));
    house.alarms().await;
    assert_eq!(state().await, AccountState::Active);
    let refused = house.jit.check_out(&house.request(5, None)).await;
    assert_eq!(code_of(refused), "clock.ahead", "nobody gains by the doubt");
    house.jit.confirm_time("ann").await.unwrap();
    house.alarms().await;
    assert_ne!(state().await, AccountState::Active);
}

#[tokio::test]
async fn a_time_that_was_confirmed_at_one_node_is_not_undone_by_another() {
    let mut house = House::new().await;
    let second = Arc::new(ManualClock::at(house.now()));
    let other = Jit::builder(Arc::clone(&house.store) as _)
        .clock(Arc::clone(&second) as _)
        .time_guard(TimeGuard::new(Arc::clone(&second) as _))
        .build()
        .unwrap();
    let (worker, limit) = (WorkerId::new("second").unwrap(), std::num::NonZeroUsize::MIN);
    house.alarms().await;
    other.work(&worker, limit).await.unwrap();
    // Both were wrong before, and are set right at once.
    house.clock.jump(-TimeDelta::days(1));
    second.jump(-TimeDelta::days(1));
    house.alarms().await;
    other.work(&worker, limit).await.unwrap();
    house.jit.confirm_time("ann").await.unwrap();
    for _ in 0..5 {
        house.clock.advance(TimeDelta::minutes(1));
        house.alarms().await;
    }
    second.advance(TimeDelta::minutes(5));
    other.work(&worker, limit).await.unwrap();
    assert_eq!(other.time_doubt(), None);
    house.restart();
    house.alarms().await;
    assert_eq!(house.jit.time_doubt(), None);
}

#[tokio::test]
async fn nothing_is_lent_or_prolonged_by_a_clock_that_is_ahead_and_somebody_is_told() {
    let mut house = House::new().await;
    house.directory.plant(PERSON);
    let (out, keyed) = (house.out(30).await, house.request(30, Some("k")));
    house.jit.check_out(&keyed).await.unwrap();
    house.alarms().await;
    house.clock.jump(TimeDelta::days(1));
    // Each process finds out by itself, also one that lives for one call, and one of them tells it.
    let mut alarms = Vec::new();
    for is_new in [false, true, true] {
        if is_new {
            house.restart();
        }
        let before = house.script.counts();
        let span = TimeDelta::hours(1);
        let longer = house.jit.extend(None, &tenant(), out.lease, span, house.by()).await;
        let apply = applying(10);
        let compared = house.jit.reconcile(None, &tenant(), &target(), apply).await;
        let asked = [
            code_of(house.jit.check_out(&house.request(30, None)).await),
            code_of(house.jit.check_out(&keyed).await),
            code_of(house.lift("lift", 30).await),
            code_of(longer),
            code_of(compared),
        ];
        assert_eq!(asked, ["clock.ahead"; 5]);
        let after = house.script.counts();
        assert_eq!((before.2, before.3), (after.2, after.3), "nothing was asked, and nothing written");
        alarms.extend(house.alarms().await);
        house.clock.advance(TimeDelta::minutes(3));
    }
    assert_eq!(alarms, ["clock.ahead"], "told once");
    let refused = house.jit.check_out(&house.request(30, None)).await.unwrap_err();
    assert_eq!(refused.class(), ErrorClass::Transient);
    house.check_in(out.lease).await;
    assert_eq!(live(&house), 2, "what ends by the word of a person ends");
    house.clock.jump(-TimeDelta::days(1));
    assert_eq!(house.out(30).await.until, house.now() + TimeDelta::minutes(30));
}

#[tokio::test]
async fn a_process_that_lives_for_one_call_knows_that_the_clock_was_set_back() {
    let mut house = House::new().await;
    let (over, running) = (house.out(10).await, house.out(60).await);
    house.clock.advance(TimeDelta::minutes(20));
    // The time is kept, and the target not looked after yet.
    let (worker, limit) = (WorkerId::new("w").unwrap(), std::num::NonZeroUsize::MIN);
    house.jit.work(&worker, limit).await.unwrap();
    let minute_20 = house.now();
    house.clock.jump(-TimeDelta::days(1));
    let extend = async |house: &House, lease| {
        house.jit.extend(None, &tenant(), lease, TimeDelta::hours(2), house.by()).await
    };
    house.restart();
    assert_eq!(code_of(extend(&house, over.lease).await), "lease.over");
    house.restart();
    assert_eq!(extend(&house, running.lease).await.unwrap().until, minute_20 + TimeDelta::hours(2));
    house.restart();
    assert_eq!(house.out(30).await.until, minute_20 + TimeDelta::minutes(30));
}

#[tokio::test]
async fn what_is_checked_in_while_the_clock_is_ahead_is_looked_after_on_time() {
    let mut house = House::settling(TimeDelta::minutes(5)).await;
    let out = house.out(30).await;
    house.alarms().await;
    house.clock.jump(TimeDelta::days(1));
    house.restart();
    house.check_in(out.lease).await;
    house.clock.jump(-TimeDelta::days(1));
    house.restart();
    house.pass_minutes(6).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}

#[tokio::test]
async fn an_elevation_that_ends_while_the_clock_is_ahead_is_looked_after_on_time_and_blocks_no_other() {
    for (is_due, is_lost) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut house = House::settling(TimeDelta::minutes(5)).await;
        house.directory.plant(PERSON);
        let lifted = house.lift("lift", 30).await.unwrap();
        house.alarms().await;
        house.clock.jump(TimeDelta::days(1));
        house.restart();
        if is_lost {
            house.script.delay_effect(30);
        }
        if is_due {
            house.clock.advance(TimeDelta::minutes(30));
            house.work().await.unwrap();
        } else {
            house.check_in(lifted.lease).await;
        }
        house.clock.jump(-TimeDelta::days(1));
        house.restart();
        house.pass_minutes(8).await;
        assert!(!house.person_holds("ops"));
        let phase = house.lease(lifted.lease).await.phase;
        assert_eq!(phase.word(), "gone", "due {is_due}, lost {is_lost}");
        house.lift("lift", 30).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_again_is_told_of_again() {
    let mut house = House::new().await;
    house.alarms().await;
    for _ in 0..2 {
        house.clock.jump(TimeDelta::days(1));
        assert_eq!(house.alarms().await, ["clock.ahead"]);
        house.restart();
        assert!(house.alarms().await.is_empty());
        house.clock.jump(-TimeDelta::days(1));
        assert_eq!(house.alarms().await, ["clock.trusted"]);
    }
}
