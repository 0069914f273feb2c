//! Accounts that a call made after its lease was over, whose removal is not answered, or whose lease has no record any longer
//! by then: nothing of them is left.

use super::{
    faulty::Fault,
    forget::{node, told},
    held_up::{held_up, warm_house, work},
    house::*,
    interleavings::live_leases,
    long_gone::end_and_forget,
};

/// More steps than a call takes after it was held up.
const STEPS: usize = 12;
/// More turns than a check-out takes.
const TURNS: usize = 16;

fn nothing_is_left(house: &House, what: &str) {
    run(house.pass_minutes(60)).unwrap();
    let left: Vec<_> = house.directory.accounts().into_keys().collect();
    assert_eq!(left, [PERSON], "{what}: only the person's own is left");
    assert!(live_leases(house).is_empty(), "{what}");
}

/// Holds a check-out up in each of its turns, until others ended it, and lets each step after that fail in turn; tells how often
/// the worker was left what was made.
fn each_step(fault: Fault, others: impl Fn(&House), fails_removals: bool, action: &str) -> usize {
    let mut left = 0;
    for turns in 1..TURNS {
        for step in 0..STEPS {
            let house = warm_house();
            let request = house.request(30, Some("k"));
            let _ = held_up(&house, turns, house.jit.check_out(&request), || {
                others(&house);
                house.script.fail_removals(fails_removals);
                house.script.at(step, fault);
            });
            house.script.fail_removals(false);
            house.script.clear();
            left += run(told(&house, action)).unwrap().len();
            nothing_is_left(&house, &format!("turn {turns}, step {step}"));
        }
    }
    left
}

fn end(house: &House) {
    house.clock.advance(chrono::TimeDelta::minutes(3));
    work(house);
}

#[test]
fn what_was_made_too_late_goes_though_its_removal_or_another_step_fails_or_has_no_answer() {
    for fault in [Fault::FailAfter, Fault::FailBefore] {
        let left = each_step(fault, end, false, "lease.made_late");
        assert!(left > 0, "nobody knows whether it is gone, until the worker looks");
    }
}

#[test]
fn what_was_made_too_late_goes_though_it_is_not_removed_at_once_and_a_further_step_fails() {
    for fault in [Fault::FailAfter, Fault::FailBefore] {
        assert!(each_step(fault, end, true, "lease.made_late") > 0);
    }
}

#[test]
fn what_was_made_after_its_record_was_removed_goes_though_an_answer_is_lost() {
    let end_and_forget = |house: &House| {
        let node = run(node(house, 1)).unwrap();
        end_and_forget(house, &node);
    };
    for fails_removals in [false, true] {
        let passed_on = each_step(Fault::FailAfter, end_and_forget, fails_removals, "lease.passed_on");
        assert!(passed_on > 0, "a lease of its own removes it");
    }
}
