//! Callers and workers that stand still, for longer than a call may be on its way or while somebody else comes between:
//! each is held up at every one of its steps in turn.

use std::{future::Future, pin::pin, sync::Arc, task};

use chrono::TimeDelta;
use jit_core::*;

use super::{house::*, interleavings::live_leases};

/// Longer than a call may be on its way.
const TOO_LONG: TimeDelta = TimeDelta::minutes(3);

/// Lets a call go on for some turns, then something else happen, then the call end; tells whether it was held up at all.
pub(super) fn held_up<T>(
    house: &House,
    turns: usize,
    call: impl Future<Output = T>,
    meanwhile: impl FnOnce(),
) -> (bool, T) {
    let mut call = pin!(call);
    let mut context = task::Context::from_waker(task::Waker::noop());
    house.script.interleave(true);
    for _ in 0..turns {
        if let task::Poll::Ready(done) = call.as_mut().poll(&mut context) {
            house.script.interleave(false);
            return (false, done);
        }
    }
    house.script.interleave(false);
    meanwhile();
    loop {
        if let task::Poll::Ready(done) = call.as_mut().poll(&mut context) {
            return (true, done);
        }
    }
}

pub(super) fn house() -> House {
    let house = run(House::new()).unwrap();
    house.directory.plant(PERSON);
    house
}

/// One whose target has answered before: until then calls go to it one by one.
pub(super) fn warm_house() -> House {
    let house = house();
    let first = run(house.lift("lift-both", 10)).unwrap().unwrap();
    run(house.check_in(first.lease)).unwrap();
    run(house.pass_minutes(5)).unwrap();
    house
}

/// Whether it is there, whatever the target says of its end.
pub(super) fn is_member(house: &House) -> bool {
    house.directory.accounts()[PERSON].entitlements.iter().any(|held| held == "ops")
}

fn is_active(lease: &Lease) -> bool {
    matches!(lease.phase, Phase::Active { .. })
}

pub(super) fn work(house: &House) {
    let worker = WorkerId::new("w").unwrap();
    let limit = std::num::NonZeroUsize::new(100).unwrap();
    run(house.jit.work(&worker, limit)).unwrap().unwrap();
    run(house.work()).unwrap().unwrap();
}

/// Whoever comes next is given it and loses it, and nothing is left.
pub(super) fn ends_without_a_trace(house: &House, turns: usize) {
    run(house.pass_minutes(5)).unwrap();
    let next = run(house.lift("lift", 10)).unwrap().unwrap();
    assert!(is_member(house), "turn {turns}");
    run(house.check_in(next.lease)).unwrap();
    run(house.pass_minutes(60)).unwrap();
    assert!(!is_member(house), "turn {turns}: it stays for good");
    assert!(live_leases(house).is_empty(), "turn {turns}");
    let query = Query {
        tenant: tenant(),
        filter: Filter::Bearing(LookupKey::elevated_at(&target())),
        after: None,
        limit: std::num::NonZeroUsize::new(10).unwrap(),
    };
    let kept = run(house.store.list(&query)).unwrap().unwrap().items;
    assert!(kept.iter().all(|kept| !kept.elevation.as_ref().unwrap().is_live()), "turn {turns}: {kept:?}");
}

#[test]
fn an_elevation_that_was_held_up_for_too_long_leaves_nothing() {
    for span in [TOO_LONG, TimeDelta::minutes(40)] {
        for turns in 1.. {
            let house = house();
            let (was_held_up, lent) = held_up(&house, turns, house.lift("lift", 30), || {
                house.clock.advance(span);
                work(&house);
            });
            if let Ok(lent) = &lent {
                run(house.jit.check_in(None, &tenant(), lent.lease, house.by())).unwrap().unwrap();
            }
            assert!(!is_member(&house), "{span}, turn {turns}: {lent:?}");
            ends_without_a_trace(&house, turns);
            if !was_held_up {
                break;
            }
        }
    }
}

#[test]
fn an_elevation_that_was_held_up_takes_nothing_from_who_came_meanwhile() {
    for turns in 1.. {
        let house = warm_house();
        let mut other = None;
        let (was_held_up, lent) = held_up(&house, turns, house.lift("lift", 30), || {
            house.clock.advance(TOO_LONG);
            work(&house);
            other = Some(run(house.lift("lift", 60)).unwrap().unwrap());
        });
        if let Some(other) = other {
            assert!(is_member(&house), "turn {turns}: {lent:?}");
            run(house.pass_minutes(50)).unwrap();
            assert!(is_member(&house), "turn {turns}: {lent:?}");
            run(house.check_in(other.lease)).unwrap();
            assert!(!is_member(&house), "turn {turns}: {lent:?}");
        }
        ends_without_a_trace(&house, turns);
        if !was_held_up {
            break;
        }
    }
}

#[test]
fn an_extension_that_was_held_up_for_too_long_leaves_nothing() {
    for span in [TOO_LONG, TimeDelta::minutes(40)] {
        for turns in 1.. {
            let house = house();
            let lent = run(house.lift("lift", 30)).unwrap().unwrap();
            let of = tenant();
            let extending = house.jit.extend(None, &of, lent.lease, TimeDelta::minutes(90), house.by());
            let (was_held_up, _) = held_up(&house, turns, extending, || {
                house.clock.advance(span);
                work(&house);
                // Somebody took it, so that the late call gives it anew.
                house.directory.leave(PERSON, "ops");
                let _ = run(house.jit.check_in(None, &tenant(), lent.lease, house.by())).unwrap();
                work(&house);
            });
            if was_held_up {
                assert!(!is_member(&house), "{span}, turn {turns}");
            }
            let _ = run(house.check_in(lent.lease)).unwrap();
            ends_without_a_trace(&house, turns);
            if !was_held_up {
                break;
            }
        }
    }
}

#[test]
fn a_worker_that_was_held_up_takes_nothing_from_the_next_lease() {
    for turns in 1.. {
        let house = house();
        let first = run(house.lift("lift", 30)).unwrap().unwrap();
        let before = house.script.counts().2;
        let mut second = None;
        let of = tenant();
        let ending = house.jit.check_in(None, &of, first.lease, house.by());
        let (was_held_up, _) = held_up(&house, turns, ending, || {
            // What is on its way to the target already nobody calls back.
            if house.script.counts().2 == before {
                house.clock.advance(TOO_LONG);
                work(&house);
                second = Some(run(house.lift("lift", 30)).unwrap().unwrap());
            }
        });
        if let Some(second) = second {
            assert!(is_member(&house), "turn {turns}");
            run(house.check_in(second.lease)).unwrap();
        }
        ends_without_a_trace(&house, turns);
        if !was_held_up {
            break;
        }
    }
}

fn suspend(jit: &Jit, account: AccountId) {
    let (act, by) = (AdminAct::Suspend, "root".to_owned());
    let request = AdminRequest { tenant: tenant(), store: None, account, act, by };
    run(jit.administer(&request)).unwrap().unwrap().unwrap();
}

#[test]
fn whoever_leaves_while_something_is_being_lent_to_them_does_not_keep_it() {
    for turns in 1.. {
        let house = warm_house();
        let (was_held_up, lent) = held_up(&house, turns, house.lift("lift", 30), || {
            suspend(&house.jit, house.holder);
            work(&house);
        });
        if was_held_up {
            work(&house);
            assert!(!is_member(&house), "turn {turns}: {lent:?}");
            assert!(live_leases(&house).iter().all(|kept| !is_active(kept.lease.as_ref().unwrap())));
        } else {
            break;
        }
    }
    for turns in 1.. {
        let house = run(House::new()).unwrap();
        let first = run(house.out(10)).unwrap();
        run(house.check_in(first.lease)).unwrap();
        let request = house.request(30, None);
        let (was_held_up, out) = held_up(&house, turns, house.jit.check_out(&request), || {
            suspend(&house.jit, house.holder);
            work(&house);
        });
        if was_held_up {
            work(&house);
            assert!(house.directory.accounts().is_empty(), "turn {turns}: {out:?}");
        } else {
            break;
        }
    }
}

#[test]
fn what_was_lent_ends_also_where_a_node_without_targets_lets_its_holder_go() {
    let house = run(House::new()).unwrap();
    run(house.out(30)).unwrap();
    let other =
        Jit::builder(Arc::clone(&house.store) as _).clock(Arc::clone(&house.clock) as _).build().unwrap();
    suspend(&other, house.holder);
    work(&house);
    assert!(house.directory.accounts().is_empty());
}

#[test]
fn an_extension_beside_a_repeated_request_leaves_the_account_there() {
    for turns in 1.. {
        let house = run(House::new()).unwrap();
        let request = house.request(30, Some("deploy"));
        let first = run(house.jit.check_out(&request)).unwrap().unwrap();
        house.clock.advance(TimeDelta::minutes(1));
        let (was_held_up, again) = held_up(&house, turns, house.jit.check_out(&request), || {
            let _ = run(house.jit.extend(None, &tenant(), first.lease, TimeDelta::minutes(60), house.by()))
                .unwrap();
        });
        let lease = run(house.lease(first.lease)).unwrap();
        let accounts = house.directory.accounts();
        assert!(is_active(&lease) && accounts.contains_key(&first.name), "turn {turns}: {again:?}");
        let ends_at = accounts[&first.name].ends_at;
        assert_eq!(ends_at, Some(lease.until), "turn {turns}");
        if let Ok(again) = &again {
            assert!(accounts[&first.name].admits(again.secret.reveal(), house.now()), "turn {turns}");
        }
        if !was_held_up {
            break;
        }
    }
}

#[test]
fn of_two_extensions_none_shortens_the_other() {
    for turns in 1.. {
        let house = run(House::new()).unwrap();
        let out = run(house.out(30)).unwrap();
        let of = tenant();
        let first = house.jit.extend(None, &of, out.lease, TimeDelta::minutes(60), house.by());
        let (was_held_up, _) = held_up(&house, turns, first, || {
            let of = tenant();
            let _ = run(house.jit.extend(None, &of, out.lease, TimeDelta::minutes(120), house.by())).unwrap();
        });
        let lease = run(house.lease(out.lease)).unwrap();
        assert_eq!(house.directory.accounts()[&out.name].ends_at, Some(lease.until), "turn {turns}");
        if !was_held_up {
            break;
        }
    }
}

#[test]
fn an_account_that_was_made_too_late_goes_though_it_could_not_be_removed_at_once() {
    let mut left = 0;
    for turns in 1..16 {
        let house = warm_house();
        let request = house.request(30, None);
        let _ = held_up(&house, turns, house.jit.check_out(&request), || {
            house.clock.advance(TOO_LONG);
            work(&house);
            house.script.fail_removals(true);
        });
        house.script.fail_removals(false);
        let trail = run(house.trail()).unwrap();
        left += usize::from(trail.iter().any(|event| event.action.as_str() == "lease.made_late"));
        run(house.pass_minutes(60)).unwrap();
        assert_eq!(house.directory.accounts().len(), 1, "turn {turns}: only the person's own is left");
    }
    assert!(left > 0, "one was made after its lease was over");
}
