//! Requests of which nothing came: the target refused them, or was never asked.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

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
        let account = house.store.get(&tenant(), id).await.unwrap().unwrap();
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
