//! The alarm of refused credentials, and whom it takes to close it.

use chrono::TimeDelta;
use jit_core::*;

use super::refused::{World, three};

#[tokio::test]
async fn an_alarm_closes_when_the_password_is_changed_and_a_second_mistake_is_told_as_well() {
    const BOTH: [&str; 2] = ["target.credentials_refused", "target.credentials_accepted"];
    let world = World::new().await;
    for _ in 0..2 {
        world.out(&world.process("wrong")).await.unwrap_err();
        world.house.clock.advance(TimeDelta::minutes(10));
        let mended = world.process("right");
        world.out(&mended).await.unwrap();
        world.out(&world.process("right")).await.unwrap();
        world.sweep(&mended).await;
        assert_eq!(world.house.told.alarms(), BOTH, "once each");
        world.house.clock.advance(TimeDelta::hours(2));
    }
    // A process that still has the former password waits as before, and tells that it is refused.
    let former = world.process("wrong");
    world.out(&former).await.unwrap_err();
    world.house.clock.advance(TimeDelta::minutes(1));
    world.out(&world.process("right")).await.unwrap();
    let attempts = world.failures().attempts;
    for _ in 0..4 {
        world.house.clock.advance(TimeDelta::minutes(1));
        world.out(&former).await.unwrap_err();
    }
    assert_eq!(world.failures().attempts, attempts, "no attempt because others are accepted");
    world.house.clock.advance(TimeDelta::minutes(35));
    world.out(&former).await.unwrap_err();
    world.sweep(&former).await;
    assert_eq!(world.house.told.alarms(), [BOTH[0], BOTH[1], BOTH[0]]);
}

#[tokio::test]
async fn what_another_account_is_told_closes_the_alarm_of_the_same_target_only() {
    let world = World::new().await;
    let [one, two, _] = three();
    let process =
        |account, password, id: &TargetId| world.process_as(account, password, &[(id.clone(), None)]);
    world.out_at(&process("slip", "wrong", &one), &one).await.unwrap_err();
    let other = process("another", "right", &two);
    world.out_at(&other, &two).await.unwrap();
    world.sweep_at(&other, &[two]).await;
    assert_eq!(world.house.told.alarms(), ["target.credentials_refused"]);
    let mended = process("jit", "right", &one);
    world.out_at(&mended, &one).await.unwrap();
    world.sweep_at(&mended, &[one]).await;
    assert_eq!(world.house.told.alarms(), ["target.credentials_accepted"]);
}

const REFUSED: &str = "target.credentials_refused";
const ACCEPTED: &str = "target.credentials_accepted";

#[tokio::test]
async fn who_was_accepted_before_the_alarm_closes_it_as_well() {
    let world = World::new().await;
    let portal = world.process("right");
    world.out(&portal).await.unwrap();
    world.house.clock.advance(TimeDelta::hours(1));
    world.out(&world.process("former")).await.unwrap_err();
    world.house.clock.advance(TimeDelta::seconds(1));
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [REFUSED, ACCEPTED]);
    // It looks every few minutes and not with each call.
    world.house.clock.advance(TimeDelta::hours(1));
    world.out(&portal).await.unwrap();
    world.out(&world.process("another")).await.unwrap_err();
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [REFUSED]);
    world.house.clock.advance(TimeDelta::minutes(5));
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [ACCEPTED]);
}

#[tokio::test]
async fn an_alarm_that_somebody_else_was_about_to_close_is_looked_at_again() {
    let world = World::new().await;
    world.out(&world.process("wrong")).await.unwrap_err();
    // What is left of a process that died while it closed the alarm.
    world.hold("refused:", TimeDelta::minutes(1)).await;
    let portal = world.process("right");
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [REFUSED]);
    world.house.clock.advance(TimeDelta::minutes(1));
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [ACCEPTED]);
}

#[tokio::test]
async fn who_is_accepted_with_what_was_refused_since_leaves_the_alarm_to_the_next_attempt() {
    let world = World::new().await;
    world.set_password("same");
    let portal = world.process("same");
    world.out(&portal).await.unwrap();
    world.set_password("other");
    world.house.clock.advance(TimeDelta::hours(1));
    world.out(&world.process("same")).await.unwrap_err();
    world.set_password("same");
    // The portal may have been let in over a connection of before.
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    let attempts = world.failures().attempts;
    world.out(&world.process("same")).await.expect_err("it waits as before");
    assert_eq!((world.house.told.alarms(), world.failures().attempts), (vec![REFUSED.to_owned()], attempts));
    world.house.clock.advance(TimeDelta::minutes(5));
    world.out(&world.process("same")).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [ACCEPTED]);
}
