//! Targets that are down, or do not accept our credentials: somebody is told, and nobody is locked out.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

/// Lets time pass in rounds of five minutes, and tells when which alarm was raised, in minutes.
async fn alarms_of(house: &House, minutes: i64) -> Vec<(i64, String)> {
    let mut heard = Vec::new();
    for round in 1..=minutes / 5 {
        house.clock.advance(TimeDelta::minutes(5));
        heard.extend(house.alarms().await.into_iter().map(|about| (round * 5, about)));
    }
    heard
}

#[tokio::test]
async fn an_end_that_does_not_come_is_told_at_growing_distances_and_when_it_came() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.alarms().await;
    house.clock.advance(TimeDelta::minutes(30));
    house.script.answer(Some(TargetFault::Unreachable));
    assert!(house.alarms().await.is_empty());
    // Attempts are at most 15 minutes apart, and an alarm comes with one.
    let heard = alarms_of(&house, 7 * 24 * 60).await;
    let (at, about): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
    assert!(about.iter().all(|about| about == "lease.overdue"));
    let bounds = [15, 60, 240, 960, 3_840];
    assert_eq!(at.len(), bounds.len(), "{at:?}");
    assert!(at.iter().zip(bounds).all(|(at, bound)| (bound..bound + 20).contains(at)), "{at:?}");
    assert_eq!(house.lease(out.lease).await.alarms, 5);

    house.script.answer(None);
    let cleared = alarms_of(&house, 15).await;
    assert_eq!(cleared.into_iter().map(|(_, about)| about).collect::<Vec<_>>(), ["lease.overdue_over"]);
    assert!(house.directory.accounts().is_empty());
    assert!(alarms_of(&house, 120).await.is_empty());
}

#[tokio::test]
async fn an_outage_that_ends_within_the_bound_is_not_told() {
    let house = House::new().await;
    house.out(30).await;
    house.clock.advance(TimeDelta::minutes(30));
    house.script.answer(Some(TargetFault::Unreachable));
    assert!(alarms_of(&house, 10).await.is_empty());
    house.script.answer(None);
    assert!(alarms_of(&house, 30).await.is_empty());
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn a_look_that_cannot_be_made_is_told_as_an_end_that_does_not_come() {
    let house = House::settling(TimeDelta::minutes(5)).await;
    let out = house.out(30).await;
    house.clock.advance(TimeDelta::minutes(30));
    assert!(house.alarms().await.is_empty());
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Unconfirmed { .. }));
    // It was removed, and whether it came back nobody may see.
    house.script.answer(Some(TargetFault::Forbidden));
    let heard = alarms_of(&house, 45).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!((20..40).contains(&heard[0].0) && heard[0].1 == "lease.overdue", "{heard:?}");
    house.script.answer(None);
    let cleared = alarms_of(&house, 15).await;
    assert_eq!(cleared.into_iter().map(|(_, about)| about).collect::<Vec<_>>(), ["lease.overdue_over"]);
}

#[tokio::test]
async fn the_alarm_is_in_the_trail_of_the_lease() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.script.answer(Some(TargetFault::Unreachable));
    assert_eq!(alarms_of(&house, 50).await.len(), 1);
    let limit = std::num::NonZeroUsize::new(100).unwrap();
    let query =
        AuditQuery { tenant: tenant(), account: Some(out.lease), after: None, latest_first: true, limit };
    let events = house.store.events(&query).await.unwrap().items;
    assert_eq!(events[0].action.as_str(), "lease.overdue");
    house.script.answer(None);
    assert_eq!(alarms_of(&house, 20).await.len(), 1);
    let events = house.store.events(&query).await.unwrap().items;
    let over = events.iter().filter(|event| event.action.as_str() == "lease.overdue_over").count();
    assert_eq!(over, 1, "and that it is over");
}

#[tokio::test]
async fn what_only_a_person_can_settle_is_told() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.directory.mark(&out.name, None);
    house.clock.advance(TimeDelta::minutes(31));
    assert_eq!(house.alarms().await, ["lease.quarantined"]);
}

#[tokio::test]
async fn what_only_a_person_can_settle_is_told_again_until_they_did_and_then_ends() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.directory.mark(&out.name, None);
    house.clock.advance(TimeDelta::minutes(31));
    assert_eq!(house.alarms().await, ["lease.quarantined"]);
    let heard = alarms_of(&house, 17 * 24 * 60).await;
    let (at, about): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
    assert!(about.iter().all(|about| about == "lease.quarantined"), "{about:?}");
    assert_eq!(at, [60, 240, 960, 3_840, 13_920, 24_000]);

    house.directory.take_out(&out.name);
    let heard = alarms_of(&house, 8 * 24 * 60).await;
    assert_eq!(heard.into_iter().map(|(_, about)| about).collect::<Vec<_>>(), ["lease.overdue_over"]);
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { why: EndReason::Settled, .. }));
}

#[tokio::test]
async fn what_a_person_settled_while_the_target_was_down_ends_when_it_is_back() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.directory.mark(&out.name, None);
    house.check_in(out.lease).await;
    house.alarms().await;
    // The reminder after an hour comes while nothing answers; the next one comes after four.
    house.script.answer(Some(TargetFault::Unreachable));
    house.pass_minutes(70).await;
    assert_eq!(house.alarms().await, ["lease.quarantined"]);
    house.directory.take_out(&out.name);
    house.script.answer(None);
    house.pass_minutes(20).await;
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { why: EndReason::Settled, .. }));
}

#[tokio::test]
async fn what_an_earlier_build_quarantined_gets_its_reminders_after_a_comparison() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.directory.mark(&out.name, None);
    house.check_in(out.lease).await;
    house.alarms().await;
    // As an earlier build left it.
    let before = house.store.get(&tenant(), out.lease).await.unwrap().unwrap();
    let mut after = before.clone();
    let lease = after.lease.as_mut().unwrap();
    let withdrawn = lease.task.take().into_iter().collect();
    lease.alarms = 0;
    let account = Some(AccountWrite::update(&before, after));
    house.store.commit(&Commit { account, withdrawn, ..Commit::new(tenant()) }).await.unwrap();
    house.pass_minutes(90).await;
    assert!(house.alarms().await.is_empty(), "nobody looks after it");
    house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert_eq!(house.alarms().await, ["lease.quarantined"]);
    house.directory.take_out(&out.name);
    house.pass_minutes(8 * 24 * 60).await;
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Gone { .. }));
}

#[tokio::test]
async fn what_got_its_mark_back_ends_though_nobody_checks_it_in() {
    let house = House::new().await;
    let out = house.out(30).await;
    let mark = house.directory.accounts()[&out.name].marker.clone();
    house.directory.mark(&out.name, None);
    house.check_in(out.lease).await;
    house.directory.mark(&out.name, mark);
    house.pass_minutes(50).await;
    assert_eq!(house.directory.accounts().len(), 1);
    house.pass_minutes(12).await;
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn what_is_quarantined_is_found_and_told_of_where_its_target_is_no_longer_configured() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.directory.mark(&out.name, None);
    house.check_in(out.lease).await;
    assert_eq!(house.alarms().await, ["lease.quarantined"]);
    house.restart_with_target(false);
    assert_eq!(house.jit.missing_targets().await.unwrap().into_iter().collect::<Vec<_>>(), [target()]);
    let heard = alarms_of(&house, 300).await;
    assert!(heard.iter().all(|(_, about)| about == "lease.quarantined"), "{heard:?}");
    assert_eq!(heard.len(), 2, "{heard:?}");
    house.restart_with_target(true);
    house.directory.take_out(&out.name);
    house.pass_minutes(960).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}

/// The most failures that Active Directory counts together, where so many were made by each minute: it forgets them when
/// its window has passed since the last one.
fn counted_by_active_directory(by_minute: &[usize]) -> usize {
    let (mut counted, mut most, mut last, mut before) = (0, 0, None, 0);
    for (minute, made) in by_minute.iter().enumerate().filter(|(_, made)| **made > 0) {
        for _ in before..*made {
            counted = if last.is_some_and(|last| minute - last < 30) { counted + 1 } else { 1 };
            (most, last) = (most.max(counted), Some(minute));
        }
        before = *made;
    }
    most
}

#[tokio::test]
async fn refused_credentials_are_told_once_and_tried_seldom_enough_to_lock_nobody_out() {
    let house = House::new().await;
    for _ in 0..20 {
        house.out(30).await;
    }
    house.alarms().await;
    house.clock.advance(TimeDelta::minutes(30));
    house.script.answer(Some(TargetFault::Credentials));
    let calls = || house.script.counts().2;
    let before = calls();
    let mut heard = house.alarms().await;
    let mut at = vec![calls() - before];
    for _ in 0..720 {
        house.clock.advance(TimeDelta::minutes(1));
        heard.extend(house.alarms().await);
        at.push(calls() - before);
    }
    assert_eq!(at[4..6], [1, 2], "whoever mends a slip at once waits no longer than this");
    assert!(counted_by_active_directory(&at) <= 2, "{at:?}");
    assert!(at[720] >= 20, "it is tried on and on: {at:?}");
    let told = heard.iter().filter(|about| *about == "target.credentials_refused").count();
    assert_eq!(told, 1);
    let overdue = heard.iter().filter(|about| *about == "lease.overdue").count();
    assert!(overdue >= 20, "each lease is told of, though nobody asks the target: {overdue}");

    // Whoever checks out meanwhile is refused before anything is written or asked.
    let before = house.script.counts();
    let refused = house.jit.check_out(&house.request(5, None)).await;
    assert_eq!(code_of(refused), "target.credentials");
    let after = house.script.counts();
    assert_eq!((before.2, before.3), (after.2, after.3));

    house.script.answer(None);
    let mut heard = Vec::new();
    for _ in 0..40 {
        house.clock.advance(TimeDelta::minutes(1));
        heard.extend(house.alarms().await);
    }
    assert!(house.directory.accounts().is_empty());
    assert_eq!(heard.iter().filter(|about| *about == "target.credentials_accepted").count(), 1);
}

#[tokio::test]
async fn who_extends_while_our_credentials_are_refused_is_told_so_and_nothing_is_written() {
    let house = House::new().await;
    let (out, ended) = (house.out(60).await, house.out(1).await);
    house.script.answer(Some(TargetFault::Credentials));
    house.clock.advance(TimeDelta::minutes(1));
    house.alarms().await;
    assert_eq!(house.lease(ended.lease).await.phase.word(), "ending");
    let (before, lease) = (house.script.counts(), house.lease(out.lease).await);
    let longer = async || house.jit.extend(None, &tenant(), out.lease, TimeDelta::hours(2), house.by()).await;
    assert_eq!(code_of(longer().await), "target.credentials");
    let after = house.script.counts();
    assert_eq!((before.2, before.3), (after.2, after.3), "neither effects nor commits");
    assert_eq!(house.lease(out.lease).await, lease);
    house.script.answer(None);
    house.clock.advance(TimeDelta::minutes(5));
    house.alarms().await;
    longer().await.unwrap();
}

#[tokio::test]
async fn the_first_calls_to_a_target_go_one_by_one_until_it_accepts_us() {
    let house = House::new().await;
    for _ in 0..8 {
        house.out(30).await;
    }
    let mut house = house;
    house.restart();
    house.clock.advance(TimeDelta::minutes(30));
    house.script.answer(Some(TargetFault::Credentials));
    let before = house.script.counts().2;
    house.work().await.unwrap();
    assert_eq!(house.script.counts().2 - before, 1, "eight are due, one is tried");
}

#[tokio::test]
async fn a_target_that_was_struck_from_the_configuration_is_named_and_its_leases_are_told_of() {
    let mut house = House::new().await;
    house.directory.plant(PERSON);
    let out = house.out(30).await;
    house.lift("lift", 30).await.unwrap();
    let later = house.jit.check_out(&CheckOut { role: rule("reader"), ..house.request(480, None) }).await;
    house.restart_with_target(false);
    assert_eq!(house.jit.missing_targets().await.unwrap().into_iter().collect::<Vec<_>>(), [target()]);
    let mut heard = Vec::new();
    for round in 0..=26 {
        heard.extend(house.alarms().await.into_iter().map(|about| (round * 5, about)));
        house.clock.advance(TimeDelta::minutes(5));
    }
    let overdue = |minute: i64| (minute, "lease.overdue".to_owned());
    assert_eq!(heard, [overdue(45), overdue(45), overdue(90), overdue(90)], "at growing distances");
    let said = house.trail().await.into_iter().filter(|event| event.action.as_str() == "lease.overdue");
    assert!(said.flat_map(|event| event.changes).all(|said| said.ends_with("the target is not configured")));

    house.restart_with_target(true);
    assert!(house.jit.missing_targets().await.unwrap().is_empty());
    house.pass_minutes(4).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
    assert!(!house.person_holds("ops"));
    assert_eq!(house.alarms().await, ["lease.overdue_over", "lease.overdue_over"]);
    assert!(house.directory.accounts().contains_key(&later.unwrap().name), "its time is not over");
}

/// A look takes a batch at a time, the oldest first; they are the oldest again at the next one.
#[tokio::test]
async fn each_lease_of_a_target_that_was_struck_is_told_of_however_many_there_are() {
    let mut house = House::new().await;
    let mut lent = BTreeSet::new();
    for _ in 0..20 {
        lent.insert(house.out(30).await.lease);
    }
    house.restart_with_target(false);
    house.clock.advance(TimeDelta::minutes(45));
    let worker = WorkerId::new("w").unwrap();
    let batch = std::num::NonZeroUsize::new(8).unwrap();
    assert_eq!(house.jit.work(&worker, batch).await.unwrap().unserved, 20);
    for _ in 0..2 {
        house.jit.work(&worker, batch).await.unwrap();
    }
    assert_eq!(house.told.alarms(), ["lease.overdue"; 20]);
    let mut told = BTreeSet::new();
    for lease in &lent {
        told.extend((house.lease(*lease).await.alarms == 1).then_some(*lease));
    }
    assert_eq!(told, lent, "of each once");
    house.restart_with_target(true);
    let done = async || house.jit.work_target(&worker, &target(), batch).await.unwrap().done;
    assert_eq!([done().await, done().await, done().await], [8, 8, 4], "none is held back");
}

#[tokio::test]
async fn who_does_not_have_a_target_keeps_nobody_who_has_it_from_its_work() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.restart_with_target(false);
    for _ in 0..6 {
        house.clock.advance(TimeDelta::minutes(5));
        assert!(house.alarms().await.is_empty());
    }
    house.restart_with_target(true);
    assert_eq!(house.work().await.unwrap().done, 1, "to the second");
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}

#[tokio::test]
async fn whether_we_are_accepted_is_found_out_before_a_listing_which_takes_minutes() {
    let mut house = House::new().await;
    house.out(30).await;
    house.restart();
    house.script.answer(Some(TargetFault::Credentials));
    let found = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await;
    assert_eq!(code_of(found), "target.credentials");
    house.script.answer(None);
    house.restart();
    let found = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert_eq!((found.seen, found.partial), (1, None));
}

#[tokio::test]
async fn what_is_gone_and_named_still_is_told_at_once_and_is_no_end_until_nothing_names_it() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.alarms().await;
    house.script.name_removed(true);
    let lease = house.check_in(out.lease).await;
    assert!(house.directory.accounts().is_empty());
    assert_eq!(lease.phase.word(), "ending");
    assert_eq!(lease.proof.map(|proof| proof.seen), Some(Seeing::Absent), "nobody can use it");
    assert_eq!(lease.exposure(out.lease, None).worst_case, Some(house.now()));
    assert_eq!(house.alarms().await, ["lease.still_named"]);
    let trail = house.trail().await;
    let told = trail.iter().find(|event| event.action.as_str() == "lease.still_named").unwrap();
    assert_eq!(told.changes[1..], ["named by ops", "ldap.schema_violation"]);
    // It is asked again without end, and told as what does not end.
    let heard = alarms_of(&house, 2 * 60).await;
    let (at, about): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
    assert_eq!(about, ["lease.overdue"], "{at:?}");
    assert!((60..80).contains(&at[0]), "{at:?}");
    house.script.name_removed(false);
    let cleared = alarms_of(&house, 15).await;
    assert_eq!(cleared.into_iter().map(|(_, about)| about).collect::<Vec<_>>(), ["lease.overdue_over"]);
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
    let events = house.trail().await;
    assert_eq!(events.iter().filter(|event| event.action.as_str() == "lease.still_named").count(), 1);
}
