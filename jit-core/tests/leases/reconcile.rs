//! Reconciliation reports first, and never deletes by itself.

use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

async fn reconcile(house: &House, mode: ReconcileMode) -> Result<Reconciliation, JitError> {
    house.jit.reconcile(None, &tenant(), &target(), mode).await
}

/// A target in which an account of an ended lease is there again, as after a restored backup.
async fn restored(house: &House) -> String {
    let out = house.out(30).await;
    let backup = house.directory.take_out(&out.name).unwrap();
    house.jit.check_in(None, &tenant(), out.lease, house.by()).await.unwrap();
    house.directory.put_back(&out.name, backup);
    out.name
}

#[tokio::test]
async fn what_agrees_is_not_reported_and_strangers_are_not_seen() {
    let house = House::new().await;
    house.directory.plant("alice");
    house.out(30).await;
    house.clock.advance(TimeDelta::seconds(1));
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert_eq!(report.seen, 1);
    assert!(report.partial.is_none() && report.missing.is_empty() && report.changed.is_empty());
    assert!(report.returned.is_empty() && report.suspects.is_empty());
}

#[tokio::test]
async fn what_returned_is_reported_first_and_ended_when_asked() {
    let house = House::new().await;
    let name = restored(&house).await;
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert_eq!(report.returned.iter().map(|remote| &remote.name).collect::<Vec<_>>(), [&name]);
    house.pass_minutes(60).await;
    assert_eq!(house.directory.accounts().len(), 1, "a report changes nothing");
    let none = reconcile(&house, applying(0)).await.expect("what was found is told all the same");
    assert_eq!(none.refused.as_ref().map(Code::as_str), Some("reconcile.too_many"));
    assert_eq!((&none.returned, none.ended), (&report.returned, 0));
    let report = reconcile(&house, applying(1)).await.unwrap();
    assert_eq!(report.ended, 1);
    let told =
        house.trail().await.into_iter().find(|event| event.action.as_str() == "lease.reappeared").unwrap();
    assert_eq!(told.actor, Actor::Administrator { name: "ops".to_owned() });
    let native = report.returned[0].native.as_deref().unwrap();
    assert_eq!(told.changes[1], format!("end what returned as {native}"));
    house.work().await.unwrap();
    assert!(house.directory.accounts().is_empty());
}

/// The lease whose mark an account bears.
fn marked(house: &House, name: &str) -> AccountId {
    let marker = house.directory.accounts()[name].marker.clone().unwrap();
    MarkerKey::new("test", &[5; 32]).unwrap().reads(&marker).unwrap().1
}

#[tokio::test]
async fn one_that_cannot_be_looked_at_keeps_no_other_from_its_end() {
    let house = House::new().await;
    let mut returned = Vec::new();
    for _ in 0..8 {
        let name = restored(&house).await;
        returned.push(marked(&house, &name));
    }
    returned.sort();
    house.script.answer_for(Some(vec![returned[2]]), Some(TargetFault::Forbidden));
    let report = reconcile(&house, applying(10)).await.expect("what was found is told all the same");
    assert_eq!((report.returned.len(), report.ended), (8, 7));
    assert_eq!(report.not_ended, [(returned[2], Code::new("target.forbidden"))].into());
    house.script.answer(None);
    house.work().await.unwrap();
    let report = reconcile(&house, applying(10)).await.unwrap();
    assert_eq!((report.returned.len(), report.ended, report.not_ended.len()), (1, 1, 0));
}

#[tokio::test]
async fn one_whose_record_cannot_be_read_by_then_keeps_no_other_from_its_end() {
    let house = House::new().await;
    let mut returned = Vec::new();
    for _ in 0..2 {
        let name = restored(&house).await;
        returned.push(marked(&house, &name));
    }
    let first = *returned.iter().min().unwrap();
    // Both leases judged, read once more and written down that they are there again; then the first one to be ended.
    house.script.at(6, Fault::FailBefore);
    let report = reconcile(&house, applying(10)).await.unwrap();
    assert_eq!((report.ended, report.not_ended), (1, [(first, Code::new("store.unavailable"))].into()));
}

#[tokio::test]
async fn of_one_lease_that_returned_twice_one_is_ended_and_the_other_is_still_told_of() {
    let house = House::new().await;
    let name = restored(&house).await;
    let mark = house.directory.accounts()[&name].marker.clone();
    house.directory.rename(&name, "renamed");
    house.directory.plant(&name);
    house.directory.mark(&name, mark);
    let report = reconcile(&house, applying(10)).await.expect("it moved on, and that is no failure");
    assert_eq!((report.returned.len(), report.ended, report.not_ended.len()), (2, 1, 0));
    house.work().await.unwrap();
    let left = reconcile(&house, applying(10)).await.unwrap();
    assert_eq!(left.returned.len() + left.suspects.len(), 1);
}

#[tokio::test]
async fn what_a_lost_store_made_is_a_suspect_and_is_not_touched() {
    let lost = House::new().await;
    lost.out(30).await;
    let mut house = House::new().await;
    house.directory = Arc::clone(&lost.directory);
    house.restart();
    house.out(30).await;
    let report = reconcile(&house, applying(10)).await.unwrap();
    assert_eq!((report.suspects.len(), report.ended), (1, 0));
    assert_eq!(house.directory.accounts().len(), 2);
}

#[tokio::test]
async fn a_copy_of_what_was_made_in_another_target_ends_nothing_here() {
    let house = House::new().await;
    let name = restored(&house).await;
    let live = house.out(30).await.name;
    let elsewhere = Arc::new(MemoryTarget::new());
    for name in [&name, &live] {
        elsewhere.put_back(name, house.directory.take_out(name).unwrap());
    }
    let other = TargetId::new("other").unwrap();
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(other.clone(), Arc::clone(&elsewhere) as _, markers).for_tenants([tenant()]);
    let jit = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _);
    let jit = jit.target(setup).build().unwrap();
    let mode = applying(10);
    let report = jit.reconcile(None, &tenant(), &other, mode).await.unwrap();
    assert_eq!((report.returned.len(), report.ended, report.suspects.len()), (0, 0, 2));
}

#[tokio::test]
async fn a_mark_that_somebody_copied_ends_nobodys_account() {
    let house = House::new().await;
    let out = house.out(30).await;
    let mark = house.directory.accounts()[&out.name].marker.clone();
    for victim in ["aaa", "zzz"] {
        house.directory.plant(victim);
        house.directory.mark(victim, mark.clone());
    }
    house.clock.advance(TimeDelta::seconds(1));
    let names = |found: &[RemoteRef]| found.iter().map(|remote| remote.name.clone()).collect::<Vec<_>>();
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert_eq!((names(&report.suspects), report.seen), (vec!["aaa".to_owned(), "zzz".to_owned()], 3));
    assert!(report.changed.is_empty() && report.missing.is_empty(), "what was made is there");
    house.check_in(out.lease).await;
    let report = reconcile(&house, applying(10)).await.unwrap();
    assert_eq!((names(&report.suspects).len(), report.returned.len(), report.ended), (2, 0, 0));
    house.pass_minutes(60).await;
    assert_eq!(house.directory.accounts().into_keys().collect::<Vec<_>>(), ["aaa", "zzz"]);
}

#[tokio::test]
async fn what_lost_its_mark_is_changed_and_what_is_gone_is_missing() {
    let house = House::new().await;
    let (marked, removed) = (house.out(30).await, house.out(30).await);
    house.directory.mark(&marked.name, None);
    house.directory.take_out(&removed.name);
    house.clock.advance(TimeDelta::seconds(1));
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert_eq!((report.changed, report.missing), (vec![marked.lease], vec![removed.lease]));
    // Quarantined, it differs until a person has settled it.
    house.check_in(marked.lease).await;
    house.clock.advance(TimeDelta::seconds(1));
    assert_eq!(reconcile(&house, ReconcileMode::Report).await.unwrap().changed, [marked.lease]);
}

#[tokio::test]
async fn leases_that_were_made_with_another_key_are_known_by_their_marks() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.clock.advance(TimeDelta::seconds(1));
    let markers = MarkerKey::new("test", &[6; 32]).unwrap();
    let setup =
        TargetSetup::new(target(), Arc::clone(&house.directory) as _, markers).for_tenants([tenant()]);
    let jit = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _);
    let jit = jit.target(setup).build().unwrap();
    let report = jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
    assert_eq!((report.seen, report.missing.len(), report.changed.len()), (1, 0, 0));
    let lease = jit.check_in(None, &tenant(), out.lease, house.by()).await.unwrap();
    assert!(matches!(lease.phase, Phase::Gone { .. }));
}

#[tokio::test]
async fn a_partial_listing_says_nothing_of_what_is_missing() {
    let house = House::new().await;
    let out = house.out(30).await;
    house.directory.take_out(&out.name);
    house.clock.advance(TimeDelta::seconds(1));
    house.script.list_partially();
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert!(report.partial.is_some() && report.missing.is_empty());
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert_eq!(report.missing, [out.lease]);
    assert!(matches!(house.lease(out.lease).await.phase, Phase::Active { .. }), "only reported");
}

/// So many leases, made a second ago.
async fn lent(house: &House, count: usize) -> Vec<CheckedOut> {
    let mut lent = Vec::new();
    for _ in 0..count {
        lent.push(house.out(30).await);
    }
    house.clock.advance(TimeDelta::seconds(1));
    lent
}

async fn are_in_use(house: &House, lent: &[CheckedOut]) -> bool {
    for out in lent {
        if !matches!(house.lease(out.lease).await.phase, Phase::Active { .. }) {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn what_is_missing_is_reported_whatever_its_number_and_nothing_is_done_about_it() {
    let house = House::new().await;
    let lent = lent(&house, 9).await;
    for out in &lent[..3] {
        house.directory.take_out(&out.name).unwrap();
    }
    let mut gone: Vec<_> = lent[..3].iter().map(|out| out.lease).collect();
    gone.sort();
    for mode in [ReconcileMode::Report, applying(0), applying(100)] {
        let mut report = reconcile(&house, mode).await.unwrap();
        report.missing.sort();
        assert_eq!((report.missing, report.ended, report.partial), (gone.clone(), 0, None));
        assert!(are_in_use(&house, &lent).await, "a report, and nothing else");
        assert_eq!(house.directory.accounts().len(), 6);
    }
}

#[tokio::test]
async fn of_an_empty_listing_that_calls_itself_whole_nothing_is_believed_without_a_look() {
    let house = House::new().await;
    let lent = lent(&house, 5).await;
    house.script.list_nothing();
    let report = reconcile(&house, applying(100)).await.unwrap();
    assert_eq!((report.seen, report.missing.len(), report.changed.len()), (0, 0, 5), "each is there");
    for out in &lent {
        house.directory.take_out(&out.name).unwrap();
    }
    let report = reconcile(&house, applying(100)).await.unwrap();
    assert_eq!((report.seen, report.missing.len(), report.ended), (0, 5, 0), "now it is so");
    assert!(are_in_use(&house, &lent).await, "a report, and nothing else");
}

#[tokio::test]
async fn what_was_lent_and_is_not_there_and_what_is_left_over_is_reported() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    house.directory.join(PERSON, "dba");
    let lent = house.lift("lift-both", 30).await.unwrap();
    house.clock.advance(TimeDelta::seconds(1));
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert!(report.missing.is_empty() && report.unheld.is_empty() && report.leftover.is_empty());
    for entitlement in ["ops", "dba"] {
        house.directory.leave(PERSON, entitlement);
    }
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    let found: Vec<_> = report.unheld.iter().map(|wrong| wrong.entitlement.as_str()).collect();
    assert_eq!(found, ["dba", "ops"]);
    assert!(report.unheld.iter().all(|wrong| wrong.name == PERSON && wrong.leases == [lent.lease]));
    // What cannot be taken yet.
    house.directory.join(PERSON, "ops");
    house.script.delay_effect(60);
    house.check_in(lent.lease).await;
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    let found: Vec<_> = report.leftover.iter().map(|wrong| wrong.entitlement.as_str()).collect();
    assert_eq!(found, ["ops"]);
    house.pass_minutes(5).await;
    let report = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert!(report.leftover.is_empty() && report.unheld.is_empty() && !house.person_holds("ops"));
}

#[tokio::test]
async fn another_directory_says_nothing_of_what_people_hold_in_the_one_it_was_lent_in() {
    let mut house = House::new().await;
    house.directory.plant(PERSON);
    house.directory.call_home("old");
    house.lift("lift", 120).await.unwrap();
    let old = std::mem::replace(&mut house.directory, Arc::new(MemoryTarget::new()));
    house.directory.call_home("new");
    house.restart();
    house.clock.advance(TimeDelta::minutes(1));
    let compared = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert!(compared.unheld.is_empty(), "nobody took it: {:?}", compared.unheld);
    assert_eq!(compared.partial.as_ref().map(Code::as_str), Some("target.elsewhere"));

    house.directory = old;
    house.restart();
    let compared = reconcile(&house, ReconcileMode::Report).await.unwrap();
    assert!(compared.unheld.is_empty() && compared.partial.is_none(), "{compared:?}");
}
