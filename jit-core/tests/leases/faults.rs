//! Every step of the life of a lease, killed, failed, lost, late or doubled, once and several times over.

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::Fault, house::*};

const STRANGER: &str = "alice";

/// One day at the house: two accounts go out, one comes in again, one runs out. Any call may be killed; then the
/// application starts anew.
fn day(house: &mut House) {
    let day: [fn(&House); 6] = [
        |house| drop(run(house.jit.check_out(&house.request(30, None)))),
        |house| drop(run(house.jit.check_out(&house.request(20, Some("once"))))),
        |house| drop(run(house.jit.check_out(&house.request(20, Some("once"))))),
        |house| {
            let live =
                run(house.jit.leases(None, &tenant(), &target(), None, live().limit)).and_then(Result::ok);
            for account in live.into_iter().flat_map(|page| page.items).take(1) {
                drop(run(house.jit.extend(None, &tenant(), account.id, TimeDelta::minutes(45))));
                drop(run(house.jit.check_in(None, &tenant(), account.id, house.by())));
            }
        },
        |house| run(house.pass_minutes(10)).unwrap_or_default(),
        |house| run(house.pass_minutes(60)).unwrap_or_default(),
    ];
    for act in day {
        act(house);
        house.restart();
    }
}

fn live() -> Query {
    let limit = std::num::NonZeroUsize::new(100).unwrap();
    Query { tenant: tenant(), filter: Filter::Bearing(LookupKey::leased_at(&target())), after: None, limit }
}

/// What must hold once the faults are over and time has passed.
fn is_clean(house: &House) -> Result<(), String> {
    house.script.clear();
    run(house.pass_minutes(120)).ok_or("killed without a fault")?;
    let left = house.directory.accounts();
    if left.len() != 1 || left.get(STRANGER).is_none_or(|account| account.marker.is_some()) {
        return Err(format!("left in the target: {left:?}"));
    }
    let query = Query { filter: Filter::All, ..live() };
    for account in run(house.store.list(&query)).unwrap().unwrap().items {
        if let Some(lease) = account.lease.filter(|lease| lease.is_live()) {
            return Err(format!("still live: {lease:?}"));
        }
    }
    let before = house.script.counts();
    run(house.pass_minutes(60)).ok_or("killed without a fault")?;
    let after = house.script.counts();
    if (before.2, before.3) != (after.2, after.3) {
        return Err("a second recovery found something to do".into());
    }
    Ok(())
}

fn house(settles_after: TimeDelta) -> House {
    let house = run(House::settling(settles_after)).unwrap();
    house.directory.plant(STRANGER);
    house
}

const KINDS: [Fault; 7] = [
    Fault::KillBefore,
    Fault::KillAfter,
    Fault::FailBefore,
    Fault::FailAfter,
    Fault::Late(30),
    Fault::Late(119),
    Fault::Twice,
];

#[test]
fn a_fault_at_any_step_leaves_nothing_behind() {
    for settles_after in [TimeDelta::zero(), TimeDelta::minutes(5)] {
        let mut undisturbed = house(settles_after);
        day(&mut undisturbed);
        is_clean(&undisturbed).unwrap();
        let (steps, ..) = undisturbed.script.counts();
        assert!(steps > 80, "{steps}");
        for step in 0..steps {
            for fault in KINDS {
                let mut house = house(settles_after);
                house.script.at(step, fault);
                day(&mut house);
                is_clean(&house).unwrap_or_else(|wrong| panic!("{fault:?} at step {step}: {wrong}"));
            }
        }
    }
}

/// `JIT_FAULTS=100000` injects that many; unless said otherwise as many as a daily run can bear.
#[test]
fn many_faults_one_after_the_other_leave_nothing_behind() {
    let wanted = std::env::var("JIT_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let random = SeededEntropy::new(42);
    let draw = |below: usize| {
        let mut bytes = [0; 8];
        random.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % below as u64).unwrap()
    };
    let mut injected = 0;
    while injected < wanted {
        let mut house = house(TimeDelta::minutes([0, 5][draw(2)]));
        let faults: Vec<_> = (0..=draw(12)).map(|_| (draw(140), KINDS[draw(KINDS.len())])).collect();
        for (step, fault) in &faults {
            house.script.at(*step, *fault);
        }
        day(&mut house);
        injected += house.script.counts().1;
        is_clean(&house).unwrap_or_else(|wrong| panic!("{faults:?}: {wrong}"));
    }
}
