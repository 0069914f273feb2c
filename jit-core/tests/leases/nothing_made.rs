//! Requests of which nothing came: the target refused them, or was never asked.

use std::{collections::BTreeSet, pin::pin, task};

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

async fn house() -> House {
    let house = House::new().await;
    house.directory.plant(PERSON);
    house
}

/// The leases that were written down.
async fn leases(house: &House) -> Vec<(AccountId, Lease)> {
    let named: BTreeSet<_> = house.trail().await.iter().filter_map(|event| event.account).collect();
    let mut leases = Vec::new();
    for id in named {
        let Ok(Some(account)) = house.store.get(&tenant(), id).await else { continue };
        leases.extend(account.lease.map(|lease| (id, *lease)));
    }
    leases
}

#[tokio::test]
async fn a_check_out_that_was_refused_is_neither_usable_nor_overdue() {
    let house = house().await;
    let faults = [TargetFault::Secret, TargetFault::Place, TargetFault::Forbidden, TargetFault::Unreachable];
    for fault in faults {
        house.script.refuse(Some(fault));
        house.jit.check_out(&house.request(30, None)).await.unwrap_err();
    }
    // And nobody can look there either, as where the base is wrong.
    for _ in 0..24 {
        assert!(house.alarms().await.is_empty());
        house.clock.advance(TimeDelta::minutes(5));
    }
    let leases = leases(&house).await;
    assert_eq!(leases.len(), faults.len());
    for (id, lease) in leases {
        assert!(matches!(lease.phase, Phase::Gone { why: EndReason::Refused, .. }), "{lease:?}");
        assert!(!lease.is_live(), "nobody looks after it: {lease:?}");
        assert!(house.exposure(id).await.1.is_some(), "it cannot be used: {lease:?}");
    }
}

#[tokio::test]
async fn an_elevation_that_was_refused_is_neither_usable_nor_overdue() {
    let house = house().await;
    house.script.refuse_effects(Some(TargetFault::Forbidden));
    assert_eq!(code_of(house.lift("lift", 30).await), "target.forbidden");
    house.script.refuse_effects(None);
    house.pass_minutes(2).await;
    let (_, lease) = leases(&house).await.pop().unwrap();
    assert!(!lease.is_live() && !house.person_holds("ops"), "{lease:?}");
}

#[tokio::test]
async fn an_elevation_that_was_refused_takes_nothing_that_somebody_else_gave() {
    let house = house().await;
    house.script.refuse_effects(Some(TargetFault::Forbidden));
    house.script.meddle(|directory| directory.join(PERSON, "ops"));
    assert_eq!(code_of(house.lift("lift", 30).await), "target.forbidden");
    house.script.refuse_effects(None);
    house.pass_minutes(5).await;
    assert!(house.person_holds("ops"), "an administrator gave it");
    assert_eq!(house.script.counts().2, 1, "there was nothing to take");
    let (_, lease) = leases(&house).await.pop().unwrap();
    assert!(!lease.is_live(), "{lease:?}");
}

#[tokio::test]
async fn an_elevation_that_was_refused_when_asked_again_takes_what_the_first_call_may_have_given() {
    let mut given = 0;
    for ahead in 0..12 {
        let house = house().await;
        house.script.at(ahead, Fault::KillAfter);
        if run(house.lift_with("lift", 30, Some("k"))).is_some() {
            continue;
        }
        given += usize::from(house.person_holds("ops"));
        house.clock.advance(TimeDelta::minutes(2));
        house.script.refuse_effects(Some(TargetFault::Forbidden));
        let _ = house.lift_with("lift", 30, Some("k")).await;
        house.script.refuse_effects(None);
        house.pass_minutes(40).await;
        assert!(!house.person_holds("ops"), "step {ahead}");
    }
    assert!(given > 0, "some were killed when it had been given");
}

/// Of two calls with one key the first stands still at the target, and is refused when the second is done.
#[tokio::test]
async fn a_refusal_that_comes_late_leaves_what_another_call_with_the_key_was_given() {
    let house = house().await;
    house.script.interleave(true);
    let mut first = pin!(house.lift_with("lift", 30, Some("k")));
    let mut context = task::Context::from_waker(task::Waker::noop());
    while house.script.counts().2 == 0 {
        assert!(first.as_mut().poll(&mut context).is_pending());
    }
    house.script.interleave(false);
    house.clock.advance(TimeDelta::minutes(2));
    let lent = house.lift_with("lift", 30, Some("k")).await.unwrap();
    house.script.refuse_effects(Some(TargetFault::Forbidden));
    assert_eq!(code_of(first.await), "target.forbidden");
    house.script.refuse_effects(None);
    house.pass_minutes(5).await;
    assert!(house.person_holds("ops"), "until its end");
    house.check_in(lent.lease).await;
    assert!(!house.person_holds("ops"));
}

#[tokio::test]
async fn a_key_begins_again_where_nothing_came_of_it() {
    let house = house().await;
    let request = house.request(30, Some("k"));
    for fault in [TargetFault::Secret, TargetFault::Unreachable, TargetFault::Place] {
        house.script.refuse(Some(fault));
        let code = BackendError::new(ErrorKind::Target(fault), "test").code().to_string();
        assert_eq!(code_of(house.jit.check_out(&request).await), code);
    }
    house.script.refuse(None);
    let out = house.jit.check_out(&request).await.unwrap();
    let again = house.jit.check_out(&request).await.unwrap();
    assert_eq!((out.lease, &out.name), (again.lease, &again.name), "it is one request as ever");
    let other = CheckOut { role: rule("reader"), ..request.clone() };
    assert_eq!(code_of(house.jit.check_out(&other).await), "lease.other_request");
    house.check_in(out.lease).await;
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.over", "what was handed out is over");
    assert_eq!(house.directory.accounts().len(), 1, "the person");
}

#[tokio::test]
async fn a_key_of_which_something_may_still_come_does_not_begin_again() {
    let house = house().await;
    let request = house.request(60, Some("k"));
    house.script.delay_effect(30);
    assert!(house.jit.check_out(&request).await.is_err());
    assert_eq!(code_of(house.jit.check_out(&request).await), "lease.over");
    house.pass_minutes(4).await;
    assert!(!house.directory.accounts().keys().any(|name| name != PERSON), "what came late is gone");
    // What came back is told apart for good.
    let begun = house.jit.check_out(&request).await;
    assert_eq!(code_of(begun), "lease.over");
}

#[tokio::test]
async fn a_key_does_not_begin_again_without_end() {
    let house = house().await;
    house.script.refuse(Some(TargetFault::Secret));
    let mut codes = Vec::new();
    for _ in 0..18 {
        codes.push(code_of(house.jit.check_out(&house.request(30, Some("k"))).await));
    }
    let refused = codes.iter().filter(|code| *code == "target.secret").count();
    assert_eq!((refused, codes.last().map(String::as_str)), (16, Some("lease.over")));
}

#[tokio::test]
async fn a_key_of_an_elevation_begins_again_as_well() {
    let house = house().await;
    house.script.refuse_effects(Some(TargetFault::Forbidden));
    assert_eq!(code_of(house.lift_with("lift", 30, Some("k")).await), "target.forbidden");
    house.script.refuse_effects(None);
    house.pass_minutes(2).await;
    let lent = house.lift_with("lift", 30, Some("k")).await.unwrap();
    assert_eq!(house.lift_with("lift", 30, Some("k")).await.unwrap().lease, lent.lease);
    assert!(house.person_holds("ops"));
}
