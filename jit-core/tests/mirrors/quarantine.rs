//! A target that fails nearly everybody: left alone, told of once, and never in the way of an end.

use chrono::TimeDelta;
use jit_core::*;
use serde_json::{Value, json};

use super::house::{House, chat, members};

const QUARANTINED: &str = "mirror.target_quarantined";
const OVER: &str = "mirror.target_quarantined_over";

fn said(name: &str, unit: &str, groups: &[&str]) -> Value {
    json!({"preferred_username": name, "groups": groups, "department": unit})
}

async fn change(house: &House, names: impl IntoIterator<Item = usize>, unit: &str) -> Vec<AccountId> {
    let mut people = Vec::new();
    for n in names {
        let name = format!("p{n}");
        people.push(house.inner.enter(0, &name, said(&name, unit, &["member", "editor"])).await.account.id);
    }
    people
}

/// So many people stand there, in use.
async fn with_people(count: usize) -> (House, Vec<AccountId>) {
    let house = House::new(members());
    let people = change(&house, 0..count, "old").await;
    // That it worked for them no longer counts.
    house.pass_minutes(32).await;
    house.alarms().await;
    (house, people)
}

/// How many stand there with this department.
fn in_unit(house: &House, unit: &str) -> usize {
    let accounts = house.chat.accounts().into_values().filter_map(|account| account.mirrored);
    let units = accounts.filter_map(|one| one.attributes.get("unit").cloned());
    units.filter(|texts| *texts == [unit.to_owned()]).count()
}

fn calls(house: &House) -> usize {
    house.script.counts().2
}

async fn calls_within(house: &House, minutes: i64) -> usize {
    let before = calls(house);
    house.pass_minutes(minutes).await;
    calls(house) - before
}

#[tokio::test]
async fn it_is_told_of_once_and_asked_seldom_until_it_works() {
    for fault in [TargetFault::Forbidden, TargetFault::Unreachable, TargetFault::Protocol] {
        let (house, _) = with_people(60).await;
        house.script.answer(Some(fault));
        change(&house, 0..60, "new").await;
        let first = calls_within(&house, 4).await;
        assert!((10..=20).contains(&first), "{fault:?}: ten, and those that were under way: {first}");
        assert_eq!(house.alarms().await, [QUARANTINED], "{fault:?}: nobody hears of each account");
        assert_eq!(calls_within(&house, 26).await, 1, "{fault:?}");
        let asked = calls_within(&house, 6 * 60).await;
        assert!((10..=13).contains(&asked), "{fault:?}: each half an hour, whoever waits: {asked}");
        assert_eq!(house.alarms().await, [QUARANTINED; 2], "{fault:?}: at growing distances");

        house.script.answer(None);
        house.pass_minutes(31).await;
        assert_eq!(house.alarms().await, [OVER], "{fault:?}");
        house.pass_minutes(15).await;
        assert_eq!(in_unit(&house, "new"), 60, "{fault:?}: all are brought");
        assert_eq!(house.alarms().await, [""; 0], "{fault:?}");
    }
}

#[tokio::test]
async fn with_nobody_else_waiting_the_pauses_grow_to_a_day() {
    let (house, _) = with_people(10).await;
    house.script.answer(Some(TargetFault::Unreachable));
    change(&house, 0..10, "new").await;
    house.pass_minutes(4).await;
    let asked = calls_within(&house, 3 * 24 * 60).await;
    assert!((5..=7).contains(&asked), "after 5 and 30 minutes, 2, 6 and 24 hours, and each day: {asked}");
    house.script.answer(None);
    house.pass_minutes(24 * 60).await;
    assert_eq!(in_unit(&house, "new"), 10, "and never given up");
}

#[tokio::test]
async fn ends_do_not_wait_for_it() {
    let (house, people) = with_people(40).await;
    house.script.answer(Some(TargetFault::Unreachable));
    change(&house, 0..30, "new").await;
    house.pass_minutes(67).await;
    house.inner.administer(people[35], AdminAct::Suspend).await.unwrap();
    // Of those who wait for the target, too: it is asked for them as soon as they are to lose something.
    house.inner.administer(people[29], AdminAct::Suspend).await.unwrap();
    house.inner.enter(0, "p28", said("p28", "new", &["member"])).await;
    let before = calls(&house);
    house.work().await.unwrap();
    assert_eq!(calls(&house) - before, 3, "at once");
    house.pass_minutes(16).await;
    assert!(calls(&house) - before > 15, "and by their own pauses: {}", calls(&house) - before);
    house.script.answer(None);
    house.pass_minutes(10).await;
    let there = house.chat.accounts();
    assert!(!there["p35"].enabled && !there["p29"].enabled && there["p28"].entitlements.is_empty());
    assert!(house.inner.jit.target_quarantine(&chat()).await.unwrap().is_some(), "an end says nothing of it");
    assert_eq!(in_unit(&house, "new"), 2, "of the three, and the rest waits");
    let mut alarms = house.alarms().await;
    alarms.sort();
    let overdue = ["mirror.overdue", "mirror.overdue", "mirror.overdue"];
    let over = ["mirror.overdue_over", "mirror.overdue_over", "mirror.overdue_over"];
    assert_eq!(alarms, [&overdue[..], &over, &[QUARANTINED, QUARANTINED]].concat());
}

#[tokio::test]
async fn who_fails_alone_keeps_nobody_waiting() {
    let (house, people) = with_people(12).await;
    house.script.answer_for(Some(people[..10].to_vec()), Some(TargetFault::Forbidden));
    change(&house, 0..10, "new").await;
    house.pass_minutes(3).await;
    assert_eq!(house.alarms().await, [QUARANTINED]);
    // The ten are before them in the lane.
    change(&house, 10..12, "new").await;
    change(&house, 12..15, "new").await;
    house.pass_minutes(4).await;
    assert_eq!(house.alarms().await, [OVER], "asked for somebody else, it works");
    assert_eq!(in_unit(&house, "new"), 5);
    house.pass_minutes(24 * 60).await;
    let alarms = house.alarms().await;
    assert_eq!(alarms, ["mirror.overdue"; 10], "it is their own affair from now on");

    house.script.answer(None);
    house.pass_minutes(16).await;
    assert_eq!(in_unit(&house, "new"), 15);
}

#[tokio::test]
async fn after_days_of_ten_who_fail_alone_a_newcomer_is_brought_at_once() {
    let (house, people) = with_people(10).await;
    house.script.answer_for(Some(people), Some(TargetFault::Forbidden));
    change(&house, 0..10, "new").await;
    house.pass_minutes(2 * 24 * 60).await;
    change(&house, 10..11, "new").await;
    house.pass_minutes(1).await;
    assert_eq!(in_unit(&house, "new"), 1);
}

#[tokio::test]
async fn what_one_account_is_refused_is_no_failure_of_the_target() {
    for fault in [TargetFault::Name, TargetFault::Entitlement, TargetFault::Limit] {
        let (house, _) = with_people(20).await;
        house.script.answer(Some(fault));
        change(&house, 0..20, "new").await;
        house.pass_minutes(40).await;
        assert_eq!(house.alarms().await, ["mirror.overdue"; 20], "{fault:?}");
    }
    let (house, _) = with_people(40).await;
    house.script.answer(Some(TargetFault::Forbidden));
    change(&house, 0..9, "new").await;
    house.pass_minutes(40).await;
    assert_eq!(house.alarms().await, ["mirror.overdue"; 9], "nine are not enough");
}

#[tokio::test]
async fn a_target_that_works_for_most_is_not_left_alone() {
    let (house, people) = with_people(40).await;
    house.script.answer_for(Some(people[..15].to_vec()), Some(TargetFault::Forbidden));
    change(&house, (0..40).rev(), "new").await;
    house.pass_minutes(40).await;
    assert_eq!(in_unit(&house, "new"), 25);
    assert_eq!(house.alarms().await, ["mirror.overdue"; 15]);
}

#[tokio::test]
async fn whoever_waits_is_told_at_once_and_makes_no_attempt() {
    let house = House::new(members().waited_for_by(ConnectionId::new("main").unwrap()));
    house.script.answer(Some(TargetFault::Unreachable));
    let event = |n: usize| house.inner.event(0, &format!("p{n}"), said(&format!("p{n}"), "new", &["member"]));
    for n in 0..10 {
        let error = house.inner.jit.handle(event(n)).await.unwrap_err();
        assert_eq!(error.code(), Code::new("target.unreachable"), "they find out");
    }
    let before = calls(&house);
    for n in 0..12 {
        let error = house.inner.jit.handle(event(n)).await.unwrap_err();
        let JitError::Backend(told) = &error else { panic!("{error:?}") };
        assert_eq!((error.code(), error.class()), (Code::new("target.quarantined"), ErrorClass::Transient));
        assert_eq!(told.retry(), Retry::After(TimeDelta::minutes(5)));
    }
    assert_eq!(calls(&house), before);
    house.script.answer(None);
    house.pass_minutes(6).await;
    let signed_in = house.inner.jit.handle(event(11)).await;
    assert!(matches!(signed_in, Ok(Outcome::SignedIn(_))), "a worker found out that it works");
}

#[tokio::test]
async fn somebody_who_mended_it_ends_it() {
    let (house, _) = with_people(30).await;
    house.script.answer(Some(TargetFault::Unreachable));
    change(&house, 0..30, "new").await;
    house.pass_minutes(120).await;
    let jit = &house.inner.jit;
    let quarantine = jit.target_quarantine(&chat()).await.unwrap().unwrap();
    assert!(quarantine.failed >= 10 && quarantine.since < house.inner.clock.now());
    assert!(quarantine.next > house.inner.clock.now());
    house.script.answer(None);
    house.alarms().await;
    assert!(jit.release_target(&chat(), "root").await.unwrap());
    assert!(!jit.release_target(&chat(), "root").await.unwrap(), "once");
    assert_eq!(jit.target_quarantine(&chat()).await.unwrap(), None);
    house.work().await.unwrap();
    assert!(in_unit(&house, "new") >= 15, "{}", in_unit(&house, "new"));
    house.pass_minutes(15).await;
    assert_eq!(in_unit(&house, "new"), 30);
    assert_eq!(house.alarms().await, ["mirror.target_released"]);
    let unknown = TargetId::new("elsewhere").unwrap();
    assert!(jit.release_target(&unknown, "root").await.is_err());
}

#[tokio::test]
async fn two_nodes_ask_and_tell_as_one() {
    let (house, _) = with_people(30).await;
    let other = house.beside();
    house.script.answer(Some(TargetFault::Unreachable));
    change(&house, 0..30, "new").await;
    let before = calls(&house);
    // Neither fails enough by itself.
    house.work_some(5).await.unwrap();
    other.work_some(5).await.unwrap();
    assert_eq!(calls(&house) - before, 10);
    assert_eq!(house.alarms().await, [QUARANTINED]);
    let mut asked = Vec::new();
    for _ in 0..40 {
        house.inner.clock.advance(TimeDelta::minutes(1));
        let before = calls(&house);
        // Both at the same moment: whoever loses does not call.
        house.script.interleave(true);
        let (one, two) = tokio::join!(house.work(), other.work());
        house.script.interleave(false);
        assert!(one.is_ok() && two.is_ok());
        asked.push(calls(&house) - before);
    }
    assert_eq!(asked.iter().sum::<usize>(), 2, "{asked:?}");
    assert_eq!(house.alarms().await, [""; 0]);

    house.script.answer(None);
    house.inner.clock.advance(TimeDelta::minutes(30));
    other.work().await.unwrap();
    house.inner.clock.advance(TimeDelta::minutes(1));
    house.work().await.unwrap();
    assert!(in_unit(&house, "new") > 15, "what the other found out counts here as well");
    assert_eq!(house.alarms().await, [OVER]);
}
