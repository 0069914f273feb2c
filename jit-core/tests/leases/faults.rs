//! Every step of the life of a lease, killed, failed, lost, late or doubled, once and several times over.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use jit_core::*;

use self::Act::{Do, Point};
use super::{faulty::Fault, house::*};

const STRANGER: &str = "alice";

/// What is done in a day.
#[derive(Clone, Copy)]
enum Act {
    /// Something that may be killed at any step.
    Do(fn(&House)),
    /// Somebody lets a name stand for something else, or for nothing.
    Point(&'static str, Option<&'static str>),
}

/// One day at the house: two accounts go out, one comes in again, one runs out. Any call may be killed; then the
/// application starts anew.
const ACCOUNTS: [Act; 6] = [
    Do(|house| drop(run(house.jit.check_out(&house.request(30, None))))),
    Do(|house| drop(run(house.jit.check_out(&house.request(20, Some("once")))))),
    Do(|house| drop(run(house.jit.check_out(&house.request(20, Some("once")))))),
    Do(longer_and_in),
    Do(|house| run(house.pass_minutes(10)).unwrap_or_default()),
    Do(|house| run(house.pass_minutes(60)).unwrap_or_default()),
];

/// The same for the account of a person: one lease comes in again and the next follows at once, two overlap, and one begins
/// where another ends.
const ELEVATIONS: [Act; 10] = [
    Do(|house| drop(run(house.lift("lift", 30)))),
    Do(longer_and_in),
    Do(|house| drop(run(house.lift_with("lift-both", 20, Some("once"))))),
    Do(|house| drop(run(house.lift_with("lift-both", 20, Some("once"))))),
    Do(|house| run(house.pass_minutes(3)).unwrap_or_default()),
    Do(|house| drop(run(house.lift("lift", 17)))),
    Do(|house| run(house.pass_minutes(17)).unwrap_or_default()),
    Do(|house| drop(run(house.lift("lift", 10)))),
    Do(longer_and_in),
    Do(|house| run(house.pass_minutes(60)).unwrap_or_default()),
];

/// The same while the settings of the directory change: what is lent first it does not end by itself, then all, then nothing.
const CHANGING_ACCOUNTS: [Act; 9] = [
    Do(|house| house.directory.end_by_itself(false)),
    Do(|house| drop(run(house.jit.check_out(&house.request(60, Some("once")))))),
    Do(|house| change(house, true)),
    Do(|house| drop(run(house.jit.check_out(&house.request(60, Some("once")))))),
    Do(longer),
    Do(|house| drop(run(house.jit.check_out(&house.request(40, None))))),
    Do(|house| change(house, false)),
    Do(longer),
    Do(|house| drop(run(house.jit.check_out(&house.request(40, Some("once")))))),
];

const CHANGING_ELEVATIONS: [Act; 10] = [
    Do(|house| house.directory.end_by_itself(false)),
    Do(|house| drop(run(house.lift_with("lift", 60, Some("once"))))),
    Do(|house| change(house, true)),
    Do(|house| drop(run(house.lift_with("lift-both", 40, Some("again"))))),
    Do(longer),
    Do(longer_and_in),
    Do(longer_and_in),
    Do(|house| drop(run(house.lift("lift", 30)))),
    Do(|house| change(house, false)),
    Do(longer),
];

/// The same while settings point names elsewhere: at what the person is in by themselves, at nothing, and at one another.
const REPOINTED: [Act; 11] = [
    Do(|house| drop(run(house.lift("lift", 30)))),
    Point("ops", Some("staff")),
    Do(|house| drop(run(house.lift_with("lift-both", 20, Some("once"))))),
    Do(|house| drop(run(house.lift_with("lift-both", 20, Some("once"))))),
    Do(longer_and_in),
    Point("ops", None),
    Do(|house| run(house.pass_minutes(17)).unwrap_or_default()),
    Point("ops", Some("crew")),
    Do(|house| drop(run(house.lift("lift", 10)))),
    Point("dba", Some("crew")),
    Do(longer_and_in),
];

/// Other settings, when no call by those of before is on its way any longer.
fn change(house: &House, ends_by_itself: bool) {
    run(house.pass_minutes(8)).unwrap_or_default();
    house.directory.end_by_itself(ends_by_itself);
}

fn longer(house: &House) {
    for account in leases(house).into_iter().take(1) {
        drop(run(house.jit.extend(None, &tenant(), account.id, TimeDelta::minutes(90), house.by())));
    }
}

fn longer_and_in(house: &House) {
    for account in leases(house).into_iter().take(1) {
        drop(run(house.jit.extend(None, &tenant(), account.id, TimeDelta::minutes(45), house.by())));
        drop(run(house.jit.check_in(None, &tenant(), account.id, house.by())));
    }
}

fn leases(house: &House) -> Vec<Account> {
    let page = run(house.jit.leases(None, &tenant(), &target(), None, live().limit)).and_then(Result::ok);
    page.map(|page| page.items).unwrap_or_default()
}

/// What the person must hold, by what was asked and what names stood for then; nothing of it is asked of the engine.
#[derive(Default)]
struct Model {
    stands_for: BTreeMap<&'static str, Option<&'static str>>,
    lent: BTreeMap<AccountId, BTreeSet<&'static str>>,
}

impl Model {
    /// What the names of a role stand for now.
    fn meant_by(&self, role: &RuleName) -> BTreeSet<&'static str> {
        let names: &[_] = match role.as_str() {
            "lift" => &["ops"],
            "lift-both" => &["ops", "dba"],
            _ => &[],
        };
        names.iter().filter_map(|name| self.stands_for.get(name).copied().unwrap_or(Some(name))).collect()
    }

    /// What a lease must give to the person, by what its names stood for when it was seen first.
    fn lent_by(&mut self, id: AccountId, lease: &Lease) -> &BTreeSet<&'static str> {
        let meant = self.meant_by(&lease.role);
        self.lent.entry(id).or_insert(meant)
    }
}

fn live_through(house: &mut House, day: &[Act]) -> Result<(), String> {
    let mut model = Model::default();
    for act in day {
        match act {
            Do(act) => act(house),
            Point(name, at) => {
                house.directory.point(name, *at);
                model.stands_for.insert(name, *at);
            }
        }
        house.restart();
        lends_what_it_says(house, &mut model)?;
        promises_what_is_so(house)?;
    }
    Ok(())
}

/// What is called active is there, and what the person had before stays, whatever happened.
fn lends_what_it_says(house: &House, model: &mut Model) -> Result<(), String> {
    if !house.person_holds("dba") || !house.person_holds("staff") {
        return Err("the person lost what they had before".into());
    }
    for account in run(house.store.list(&live())).unwrap().unwrap().items {
        let lease = account.lease.unwrap();
        let is_active = matches!(lease.phase, Phase::Active { .. }) && house.now() < lease.until;
        let is_there = match &lease.elevates {
            Some(_) => {
                let lent = model.lent_by(account.id, &lease);
                !lent.is_empty() && lent.iter().all(|lent| house.person_holds(lent))
            }
            // Where nobody has the answer of a call that set its secret anew, that call may have removed it.
            None => lease.unanswered.is_some() || house.directory.accounts().contains_key(&lease.remote.name),
        };
        if is_active && !is_there {
            return Err(format!("active and not there: {lease:?}"));
        }
    }
    Ok(())
}

/// What a lease was lent, by what it is in the target, and whether it was there before.
fn lent_to(house: &House, keeper: AccountId, lease: AccountId) -> Vec<(String, bool)> {
    let kept = run(house.store.get(&tenant(), keeper)).unwrap().unwrap().unwrap();
    let edges = kept.elevation.unwrap().edges.into_iter().filter(|edge| edge.leases.contains_key(&lease));
    let lent =
        |edge: Edge| Some((edge.entitlement.native?.rsplit_once('#')?.0.to_owned(), edge.pre_existing));
    edges.filter_map(lent).collect()
}

/// What is said of a lease if nobody of ours ever runs again is what the target was told.
fn promises_what_is_so(house: &House) -> Result<(), String> {
    let remotes = house.directory.accounts();
    for account in run(house.store.list(&live())).unwrap().unwrap().items {
        let lease = account.lease.unwrap();
        let keeper = lease.elevates.and_then(|id| run(house.store.get(&tenant(), id)).unwrap().unwrap());
        let lent = keeper.and_then(|kept| kept.elevation);
        let Some(promised) = lease.exposure(account.id, lent.as_deref()).worst_case else { continue };
        let is_in_use = matches!(lease.phase, Phase::Intended | Phase::Active { .. });
        let ends = match &lease.elevates {
            // Another one may need the same once this one is over.
            Some(keeper) => {
                let person = &remotes[PERSON];
                let lent =
                    lent_to(house, *keeper, account.id).into_iter().filter(|(_, is_theirs)| !is_theirs);
                let held =
                    lent.map(|(lent, _)| lent).filter(|lent| is_in_use && person.entitlements.contains(lent));
                // The latest of all counts, and later than all is what never ends.
                let ends = held.map(|lent| person.drops_at.get(&lent).copied());
                ends.max_by_key(|end| (end.is_none(), *end))
            }
            None => {
                remotes.get(&lease.remote.name).filter(|remote| remote.enabled).map(|remote| remote.ends_at)
            }
        };
        if ends.is_some_and(|ends| ends.is_none_or(|end| promised < end)) {
            return Err(format!("promised for {promised}, and ends {ends:?}: {lease:?}"));
        }
    }
    Ok(())
}

fn live() -> Query {
    let limit = std::num::NonZeroUsize::new(100).unwrap();
    Query { tenant: tenant(), filter: Filter::Bearing(LookupKey::leased_at(&target())), after: None, limit }
}

/// What must hold once the faults are over and time has passed.
fn is_clean(house: &House) -> Result<(), String> {
    house.script.clear();
    run(house.pass_minutes(120)).ok_or("killed without a fault")?;
    let left: Vec<_> = house.directory.accounts().into_iter().collect();
    let is_as_before = matches!(&left[..], [(stranger, theirs), (person, own)]
        if stranger == STRANGER && theirs.marker.is_none() && theirs.entitlements == ["ops"]
            && person == PERSON && own.marker.is_none() && own.entitlements == ["dba", "staff"]);
    if !is_as_before {
        return Err(format!("left in the target: {left:?}"));
    }
    let query = Query { filter: Filter::All, ..live() };
    for account in run(house.store.list(&query)).unwrap().unwrap().items {
        if let Some(lease) = account.lease.filter(|lease| lease.is_live()) {
            return Err(format!("still live: {lease:?}"));
        }
        if let Some(lent) = account.elevation.filter(|lent| lent.is_live()) {
            return Err(format!("still lent: {lent:?}"));
        }
    }
    let before = house.script.counts();
    run(house.pass_minutes(60)).ok_or("killed without a fault")?;
    let after = house.script.counts();
    if (before.2, before.3) != (after.2, after.3) {
        return Err("a second recovery found something to do".into());
    }
    is_nothing_counted(house)
}

/// Who has nothing any longer is counted as having nothing, whatever happened: counters that move by nought and must be nought.
fn is_nothing_counted(house: &House) -> Result<(), String> {
    let by_role =
        ["admin", "lift", "lift-both"].map(|role| CounterName::lent_as(house.holder, &target(), &rule(role)));
    let names = std::iter::once(CounterName::lent(house.holder)).chain(by_role);
    let nought = |name| CounterChange { name, by: 0, at_least: Some(0), at_most: Some(0) };
    let commit = Commit { counters: names.map(nought).collect(), ..Commit::new(tenant()) };
    run(house.store.commit(&commit)).unwrap().map_err(|error| format!("still counted: {error}"))
}

fn house(settles_after: TimeDelta) -> House {
    let house = run(House::settling(settles_after)).unwrap();
    for (name, held) in [(STRANGER, "ops"), (PERSON, "dba"), (PERSON, "staff")] {
        if !house.directory.accounts().contains_key(name) {
            house.directory.plant(name);
        }
        house.directory.join(name, held);
    }
    house
}

const KINDS: [Fault; 8] = [
    Fault::KillBefore,
    Fault::KillAfter,
    Fault::FailBefore,
    Fault::FailAfter,
    Fault::Late(30),
    Fault::Late(119),
    Fault::Elsewhere(119),
    Fault::Twice,
];

/// How many steps a day has that nothing disturbs.
fn steps_of(day: &[Act], settles_after: TimeDelta) -> usize {
    let mut undisturbed = house(settles_after);
    live_through(&mut undisturbed, day).and_then(|()| is_clean(&undisturbed)).unwrap();
    let (steps, ..) = undisturbed.script.counts();
    assert!(steps > 60, "{steps}");
    steps
}

fn fails_at_each_step(day: &[Act]) {
    for settles_after in [TimeDelta::zero(), TimeDelta::minutes(5)] {
        let steps = steps_of(day, settles_after);
        // As `docs/faults.md` tells.
        println!("{}: {steps} steps, {} worlds", name(), steps * KINDS.len());
        for step in 0..steps {
            for fault in KINDS {
                let mut house = house(settles_after);
                house.script.at(step, fault);
                let ended = live_through(&mut house, day).and_then(|()| is_clean(&house));
                ended.unwrap_or_else(|wrong| panic!("{fault:?} at step {step}: {wrong}"));
            }
        }
    }
}

#[test]
fn a_fault_at_any_step_leaves_no_account_behind() {
    fails_at_each_step(&ACCOUNTS);
}

#[test]
fn a_fault_at_any_step_leaves_the_account_of_a_person_as_it_was() {
    fails_at_each_step(&ELEVATIONS);
}

#[test]
fn a_fault_at_any_step_while_names_are_pointed_elsewhere_leaves_the_account_of_a_person_as_it_was() {
    fails_at_each_step(&REPOINTED);
}

#[test]
fn a_fault_at_any_step_while_settings_change_makes_no_promise_that_is_not_so() {
    fails_at_each_step(&CHANGING_ACCOUNTS);
    fails_at_each_step(&CHANGING_ELEVATIONS);
}

/// `JIT_FAULTS=100000` injects that many; unless said otherwise as many as a daily run can bear.
fn fails_at_random(day: &[Act], seed: u64) {
    let wanted = std::env::var("JIT_FAULTS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let random = SeededEntropy::new(seed);
    let draw = |below: usize| {
        let mut bytes = [0; 8];
        random.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % below as u64).unwrap()
    };
    // What a fault lets come again has steps of its own, after those of the day.
    let steps = steps_of(day, TimeDelta::minutes(5)) * 3 / 2;
    let (mut injected, mut worlds) = (0, 0);
    while injected < wanted {
        worlds += 1;
        let mut house = house(TimeDelta::minutes([0, 5][draw(2)]));
        let faults: Vec<_> = (0..=draw(12)).map(|_| (draw(steps), KINDS[draw(KINDS.len())])).collect();
        for (step, fault) in &faults {
            house.script.at(*step, *fault);
        }
        let ended = live_through(&mut house, day).and_then(|()| is_clean(&house));
        injected += house.script.counts().1;
        ended.unwrap_or_else(|wrong| panic!("{faults:?}: {wrong}"));
    }
    println!("{}: {injected} faults at random steps, {worlds} worlds", name());
}

/// The test that runs.
fn name() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

#[test]
fn many_faults_one_after_the_other_leave_no_account_behind() {
    fails_at_random(&ACCOUNTS, 42);
}

#[test]
fn many_faults_one_after_the_other_leave_the_account_of_a_person_as_it_was() {
    fails_at_random(&ELEVATIONS, 43);
}

#[test]
fn many_faults_one_after_the_other_while_names_are_pointed_elsewhere_leave_the_account_of_a_person_as_it_was()
{
    fails_at_random(&REPOINTED, 46);
}

#[test]
fn many_faults_one_after_the_other_while_settings_change_make_no_promise_that_is_not_so() {
    fails_at_random(&CHANGING_ACCOUNTS, 44);
    fails_at_random(&CHANGING_ELEVATIONS, 45);
}
