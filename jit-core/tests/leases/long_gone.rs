//! Calls that stood still until the record of their lease was removed: nothing of them is left.

use chrono::TimeDelta;
use jit_core::*;

use super::{
    forget::{SPAN, node, told, turn},
    held_up::{self, ends_without_a_trace, held_up, is_member, warm_house, work},
    house::*,
};

/// Lets others end what stands still, and remove its record; tells how many they removed.
fn end_and_forget(house: &House, node: &Jit) -> usize {
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
