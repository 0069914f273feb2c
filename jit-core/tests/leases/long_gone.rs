//! Calls that stood still until the record of their lease was removed: nothing of them is left.

use std::{num::NonZeroU32, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::{
    faulty::FaultyTarget,
    forget::{SPAN, node, told, turn},
    held_up::{self, ends_without_a_trace, held_up, is_member, warm_house, work},
    house::*,
};

/// Lets others end what stands still, and remove its record; tells how many they removed.
pub(super) fn end_and_forget(house: &House, node: &Jit) -> usize {
    for _ in 0..3 {
        house.clock.advance(TimeDelta::minutes(3));
        work(house);
    }
    house.clock.advance(SPAN);
    run(turn(house, node)).unwrap()
}

#[test]
fn an_elevation_that_stood_still_until_its_record_was_gone_leaves_nothing() {
    let (mut given_late, mut forgotten) = (false, 0);
    for turns in 1.. {
        let house = held_up::house();
        let node = run(node(&house, 1)).unwrap();
        let (was_held_up, lent) = held_up(&house, turns, house.lift("lift", 30), || {
            forgotten += usize::from(end_and_forget(&house, &node) > 0);
        });
        if let Ok(lent) = &lent {
            let _ = run(house.jit.check_in(None, &tenant(), lent.lease, house.by())).unwrap();
        }
        given_late |= !run(told(&house, "lease.given_late")).unwrap().is_empty();
        assert!(!is_member(&house), "turn {turns}: {lent:?}");
        ends_without_a_trace(&house, turns);
        if !was_held_up {
            break;
        }
    }
    assert!(forgotten > 2 && given_late, "{forgotten} were forgotten, given late: {given_late}");
}

#[test]
fn a_check_out_that_stood_still_until_its_record_was_gone_leaves_nothing() {
    let mut forgotten = 0;
    for turns in 1.. {
        let house = warm_house();
        let node = run(node(&house, 1)).unwrap();
        let request = house.request(30, Some("k"));
        let (was_held_up, out) = held_up(&house, turns, house.jit.check_out(&request), || {
            forgotten += usize::from(end_and_forget(&house, &node) > 1);
        });
        if let Ok(out) = out {
            let _ = run(house.jit.check_in(None, &tenant(), out.lease, house.by())).unwrap();
        }
        run(house.pass_minutes(60)).unwrap();
        let left: Vec<_> = house.directory.accounts().into_keys().collect();
        assert_eq!(left, [PERSON], "turn {turns}");
        if !was_held_up {
            break;
        }
    }
    assert!(forgotten > 2, "{forgotten}");
}

#[test]
fn what_was_given_after_its_record_was_gone_is_taken_when_the_target_is_well_again() {
    let (mut forgotten, mut passed_on) = (0, 0);
    for turns in 1.. {
        let house = held_up::house();
        let node = run(node(&house, 1)).unwrap();
        let (was_held_up, lent) = held_up(&house, turns, house.lift("lift", 30), || {
            forgotten += usize::from(end_and_forget(&house, &node) > 0);
            house.script.answer(Some(TargetFault::Unreachable));
        });
        if let Ok(lent) = &lent {
            let _ = run(house.jit.check_in(None, &tenant(), lent.lease, house.by())).unwrap();
        }
        passed_on += run(told(&house, "lease.passed_on")).unwrap().len();
        run(house.pass_minutes(20)).unwrap();
        house.script.answer(None);
        run(house.pass_minutes(30)).unwrap();
        assert!(!is_member(&house), "turn {turns}: {lent:?}");
        ends_without_a_trace(&house, turns);
        if !was_held_up {
            break;
        }
    }
    assert!(forgotten > 2 && passed_on > 0, "{forgotten} were forgotten, {passed_on} went on");
}

/// A node that lends one account to each holder, for months.
fn lending_for_months(house: &House) -> Jit {
    let port = FaultyTarget {
        inner: Arc::clone(&house.directory),
        script: Arc::clone(&house.script),
        settles_after: house.settles_after,
    };
    let role = TargetRole::new(TimeDelta::days(100), vec![Entitlement::role("operator").unwrap()]);
    let role = role.per_holder(NonZeroU32::MIN);
    let setup = TargetSetup::new(target(), Arc::new(port), MarkerKey::new("test", &[5; 32]).unwrap())
        .for_tenants([tenant()])
        .role(rule("lift"), role.clone().with(vec!["ops".into()]).elevating(Whose::Named))
        .role(rule("admin"), role);
    let jit = Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _).target(setup);
    jit.entropy(Arc::new(SeededEntropy::new(77))).build().unwrap()
}

#[tokio::test]
async fn a_key_finds_its_lease_also_when_the_records_of_its_refusals_are_gone() {
    for role in ["admin", "lift"] {
        let house = House::new().await;
        house.directory.plant(PERSON);
        let jit = lending_for_months(&house);
        let span = TimeDelta::days(60);
        let request = CheckOut { role: rule(role), span, ..house.request(30, Some("k")) };
        let ask = async || match role {
            "lift" => jit.elevate(&request, Some(PERSON)).await.map(|lent| lent.lease),
            _ => jit.check_out(&request).await.map(|out| out.lease),
        };
        for _ in 0..2 {
            house.script.refuse_effects(Some(TargetFault::Forbidden));
            assert_eq!(code_of(ask().await), "target.forbidden");
            house.script.refuse_effects(None);
            house.pass_minutes(20).await;
        }
        let lease = ask().await.unwrap();
        let node = node(&house, 1).await;
        house.clock.advance(SPAN);
        assert_eq!(turn(&house, &node).await, 2, "{role}");
        assert_eq!(ask().await.map_err(|error| error.code().to_string()), Ok(lease), "{role}");
        let other = CheckOut { key: Some("new".into()), ..request.clone() };
        let refused = match role {
            "lift" => code_of(jit.elevate(&other, Some(PERSON)).await),
            _ => code_of(jit.check_out(&other).await),
        };
        assert_eq!(refused, "lease.too_many", "{role}");
    }
}
