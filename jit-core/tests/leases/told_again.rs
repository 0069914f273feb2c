//! What a comparison could not take back, or nobody extended, is told again: as it is, and not as it may have become.

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::*;

use super::{faulty::Fault, house::*};

async fn reconcile(house: &House, mode: ReconcileMode) -> Reconciliation {
    house.jit.reconcile(None, &tenant(), &target(), mode).await.unwrap()
}

/// What a report says of each lease, by the words for it.
async fn words(house: &House) -> Vec<Vec<&'static str>> {
    let found = reconcile(house, ReconcileMode::Report).await;
    let words = |one: &Differing| one.found.iter().map(Difference::word).collect();
    found.differing.iter().map(words).collect()
}

/// A house where somebody moved the end of what is lent, to an instant that an extension could have reached.
async fn moved() -> (House, CheckedOut, DateTime<Utc>) {
    let house = House::new().await;
    let lent = house.out(60).await;
    house.clock.advance(TimeDelta::seconds(1));
    let later = lent.until + TimeDelta::hours(3);
    house.directory.move_end(&lent.name, Some(later));
    (house, lent, later)
}

/// Until when a call about a lease may take effect that nobody has the answer of.
async fn awaited(house: &House, lease: AccountId) -> Option<DateTime<Utc>> {
    house.lease(lease).await.unanswered
}

#[tokio::test]
async fn an_end_that_the_target_would_not_take_back_is_told_at_once_and_its_exposure_is_that_of_before() {
    let (house, lent, _) = moved().await;
    let before = house.exposure(lent.lease).await;
    house.script.refuse_effects(Some(TargetFault::Forbidden));
    let found = reconcile(&house, applying(10)).await;
    let failed = found.differing[0].failed.as_ref().map(Code::as_str);
    assert_eq!((found.differing[0].brought_back, failed), (false, Some("target.forbidden")));
    assert_eq!(words(&house).await, [["ends_later"]]);
    assert_eq!((awaited(&house, lent.lease).await, house.exposure(lent.lease).await), (None, before));
    let minutes = TimeDelta::minutes(90);
    house.script.refuse_effects(None);
    house.jit.extend(None, &tenant(), lent.lease, minutes, house.by()).await.expect("no call is under way");
}

#[tokio::test]
async fn an_end_that_nobody_knows_to_be_taken_back_is_told_when_no_answer_can_come_any_longer() {
    let (house, lent, _) = moved().await;
    let before = house.exposure(lent.lease).await;
    // The lease read twice and written down, shown, then the target asked.
    house.script.at(4, Fault::FailBefore);
    let found = reconcile(&house, applying(10)).await;
    assert_eq!(found.differing[0].failed, Some(Code::new("target.unreachable")));
    assert!(awaited(&house, lent.lease).await.is_some(), "the answer was lost");
    assert_eq!(house.exposure(lent.lease).await, before, "nobody asked for a later end");
    house.clock.advance(TimeDelta::minutes(3));
    assert_eq!(words(&house).await, [["ends_later"]]);
    assert!(reconcile(&house, applying(10)).await.differing[0].is_settled());
    assert_eq!(house.directory.accounts()[&lent.name].ends_at, Some(lent.until));
}

#[tokio::test]
async fn a_copy_of_the_mark_is_a_suspect_also_where_a_call_has_no_answer_that_makes_nothing() {
    let (house, lent, _) = moved().await;
    house.script.at(4, Fault::FailBefore);
    reconcile(&house, applying(10)).await;
    house.clock.advance(TimeDelta::minutes(3));
    house.directory.plant("copy");
    let marker = house.directory.accounts()[&lent.name].marker.clone();
    house.directory.mark("copy", marker);
    assert_eq!(reconcile(&house, ReconcileMode::Report).await.suspects.len(), 1);
}

#[tokio::test]
async fn an_extension_without_an_answer_counts_also_after_an_end_was_to_be_taken_back() {
    let house = House::new().await;
    let lent = house.out(60).await;
    // Read twice, written down, then the target.
    house.script.at(3, Fault::FailAfter);
    let (hours, asked) = (TimeDelta::hours(2), house.now() + TimeDelta::hours(2));
    house.jit.extend(None, &tenant(), lent.lease, hours, house.by()).await.unwrap_err();
    house.clock.advance(TimeDelta::minutes(3));
    house.directory.join(&lent.name, "dba");
    let latest = house.exposure(lent.lease).await;
    house.script.at(4, Fault::FailBefore);
    reconcile(&house, applying(10)).await;
    assert_eq!(house.exposure(lent.lease).await, latest);
    assert_eq!(latest.1, Some(asked), "and no later end than was asked for");
}

#[tokio::test]
async fn a_secret_that_nobody_knows_to_be_set_anew_hides_no_later_end() {
    let mut house = House::new().await;
    let request = house.request(60, Some("once"));
    let lent = house.jit.check_out(&request).await.unwrap();
    // The holder, the lease that is there, itself, written down, the holder, then the target.
    let steps = house.script.counts().0;
    house.jit.check_out(&request).await.unwrap();
    let asking = house.script.counts().0 - steps - 2;
    house.script.at(asking, Fault::KillAfter);
    assert!(run(house.jit.check_out(&request)).is_none());
    house.restart();
    assert!(house.lease(lent.lease).await.renewing);
    house.clock.advance(TimeDelta::minutes(3));
    house.directory.move_end(&lent.name, Some(lent.until + TimeDelta::hours(3)));
    assert_eq!(words(&house).await, [["ends_later"]]);
}

#[tokio::test]
async fn what_somebody_removed_before_it_was_taken_back_is_told_as_missing() {
    let (house, lent, _) = moved().await;
    house
        .script
        .meddle(|directory| directory.accounts().keys().for_each(|name| drop(directory.take_out(name))));
    let found = reconcile(&house, applying(10)).await;
    assert!(!found.differing[0].brought_back);
    assert_eq!(awaited(&house, lent.lease).await, None, "it answered");
    assert_eq!(reconcile(&house, ReconcileMode::Report).await.missing, [lent.lease]);
}
