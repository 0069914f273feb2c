//! The alarm of refused credentials, and whom it takes to close it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::TimeDelta;
use jit_core::*;

use super::{
    house::target,
    refused::{World, three},
};

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

/// Keeps what it is given but for one commit about our credentials.
struct Forgetful {
    behind: Arc<MemoryStore>,
    fails: AtomicBool,
}

jit_core::pass_on!(DocumentStore, OneTime, AuditLog, TaskQueue for Forgetful => behind);

jit_core::pass_on! { UserStore(find, get, matching, named, bearers, list, long_over, touch) for Forgetful => behind;
    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        let is_about_us = Jit::house_tenant().as_ref() == Some(&commit.tenant);
        if is_about_us && !commit.withdrawn.is_empty() && self.fails.swap(false, Ordering::SeqCst) {
            return Err(BackendError::new(ErrorKind::Unavailable, "injected"));
        }
        self.behind.commit(commit).await
    }
}

#[tokio::test]
async fn what_could_not_be_written_of_an_attempt_that_went_well_is_written_a_minute_later() {
    let world = World::new().await;
    world.out(&world.process("wrong")).await.unwrap_err();
    world.house.clock.advance(TimeDelta::minutes(5));
    world.set_password("wrong");
    let store = Arc::new(Forgetful { behind: Arc::clone(&world.house.store), fails: AtomicBool::new(true) });
    let portal = world.process_on(store, "jit", "wrong", &[(target(), None)]);
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [REFUSED]);
    world.out(&world.process("wrong")).await.expect_err("the attempt is in the hands of the portal");
    world.house.clock.advance(TimeDelta::minutes(1));
    world.out(&portal).await.unwrap();
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [ACCEPTED]);
    world.out(&world.process("wrong")).await.expect("nobody waits for anything");
}

/// Lets a process lend something each minute, and tells of the alarms with the minute in which they were raised.
async fn alarms_within(world: &World, portal: &Jit, minutes: i64) -> Vec<(i64, String)> {
    let mut heard = Vec::new();
    for minute in 1..=minutes {
        world.house.clock.advance(TimeDelta::minutes(1));
        world.out(portal).await.unwrap();
        world.sweep(portal).await;
        heard.extend(world.house.told.alarms().into_iter().map(|about| (minute, about)));
    }
    heard
}

#[tokio::test]
async fn a_refusal_of_a_process_that_comes_no_more_does_not_stand_for_good() {
    let world = World::new().await;
    world.set_password("same");
    let portal = world.process("same");
    world.out(&portal).await.unwrap();
    // The directory shuts our account for a while.
    world.set_password("nobody's");
    world.out(&world.process("same")).await.unwrap_err();
    world.set_password("same");
    world.sweep(&portal).await;
    assert_eq!(world.house.told.alarms(), [REFUSED]);
    let heard = alarms_within(&world, &portal, 120).await;
    let [(minute, about)] = heard.as_slice() else { panic!("{heard:?}") };
    assert!((40..=46).contains(minute) && about == ACCEPTED, "{heard:?}");
    world.out(&world.process("same")).await.unwrap();
}

#[tokio::test]
async fn who_goes_on_over_connections_of_before_neither_ends_the_alarm_nor_lets_others_lock_us_out() {
    let world = World::new().await;
    world.set_password("same");
    let portal = world.process("same");
    world.out(&portal).await.unwrap();
    world.keep_connections();
    world.set_password("other");
    let mut heard = Vec::new();
    for _ in 0..100 {
        world.out(&world.process("same")).await.unwrap_err();
        heard.extend(alarms_within(&world, &portal, 7).await);
    }
    assert!(!world.failures().is_locked);
    assert_eq!(heard, [(1, REFUSED.to_owned())]);
}

#[tokio::test]
async fn an_outage_is_not_told_as_a_refusal() {
    let world = World::new().await;
    let former = world.process("former");
    world.out(&former).await.unwrap_err();
    world.house.clock.advance(TimeDelta::seconds(1));
    let mended = world.process("right");
    world.out(&mended).await.unwrap();
    world.sweep(&mended).await;
    assert_eq!(world.house.told.alarms(), [REFUSED, ACCEPTED]);
    world.house.clock.advance(TimeDelta::minutes(35));
    world.shut_down(true);
    world.out(&former).await.unwrap_err();
    world.shut_down(false);
    world.sweep(&mended).await;
    assert!(world.house.told.alarms().is_empty(), "nobody refused anything");
    world.house.clock.advance(TimeDelta::minutes(35));
    world.out(&former).await.unwrap_err();
    world.sweep(&mended).await;
    assert_eq!(world.house.told.alarms(), [REFUSED]);
}

#[tokio::test]
async fn who_is_refused_again_and_again_is_told_of_until_they_come_no_more() {
    let world = World::new().await;
    let (former, mended) = (world.process("former"), world.process("right"));
    let mut heard = Vec::new();
    for _ in 0..144 {
        world.out(&former).await.unwrap_err();
        heard.extend(alarms_within(&world, &mended, 5).await.into_iter().map(|(_, about)| about));
    }
    assert_eq!(heard, [REFUSED, ACCEPTED, REFUSED]);
    let heard = alarms_within(&world, &mended, 120).await;
    assert!(matches!(heard.as_slice(), [(_, about)] if about == ACCEPTED), "{heard:?}");
}
