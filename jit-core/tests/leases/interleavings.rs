//! Whatever comes at the same time and in whatever order: an account holds the union of what its leases need, and what it
//! had before.

use std::{collections::BTreeSet, future::Future, pin::Pin, task};

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

/// The roles, and what they lend.
const ROLES: [(&str, &[&str]); 2] = [("lift", &["ops"]), ("lift-both", &["ops", "dba"])];

struct Dice(SeededEntropy);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_le_bytes(bytes) % limit as u64).unwrap()
    }

    fn minutes(&self, limit: usize) -> i64 {
        i64::try_from(self.below(limit)).unwrap() + 1
    }
}

type Act<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn act<'a>(house: &'a House, dice: &Dice) -> Act<'a> {
    let (kind, pick, minutes) = (dice.below(9), dice.below(64), dice.minutes(20));
    let (role, _) = ROLES[dice.below(ROLES.len())];
    Box::pin(async move {
        // Any of those that are there by now, also one that is being lent at this moment.
        let live = live_leases(house);
        let lease = live.get(pick % live.len().max(1)).map(|account| account.id);
        match (kind, lease) {
            (0 | 1, Some(lease)) => drop(house.jit.check_in(None, &tenant(), lease, house.by()).await),
            (2, Some(lease)) => {
                drop(house.jit.extend(None, &tenant(), lease, TimeDelta::minutes(minutes), house.by()).await);
            }
            (3 | 4, _) => drop(house.work().await),
            _ => drop(house.lift(role, minutes).await),
        }
    })
}

pub(crate) fn live_leases(house: &House) -> Vec<Account> {
    let query = Query {
        tenant: tenant(),
        filter: Filter::Bearing(LookupKey::leased_at(&target())),
        after: None,
        limit: std::num::NonZeroUsize::new(1_000).unwrap(),
    };
    run(house.store.list(&query)).unwrap().unwrap().items
}

/// Lets them go on in turns as the dice fall, one step at a time; now and then the caller of one goes away, or all stand still
/// for a while, up to longer than a call may be on its way.
fn interleave(mut acts: Vec<Act<'_>>, dice: &Dice, clock: &ManualClock) {
    let mut context = task::Context::from_waker(task::Waker::noop());
    while !acts.is_empty() {
        let turn = dice.below(acts.len());
        let is_left = dice.below(60) == 0;
        if dice.below(25) == 0 {
            clock.advance(TimeDelta::seconds(20 * dice.minutes(9)));
        }
        if acts[turn].as_mut().poll(&mut context).is_ready() || is_left {
            drop(acts.swap_remove(turn));
        }
    }
}

fn lent(role: &RuleName) -> BTreeSet<&'static str> {
    let found = ROLES.iter().find(|(name, _)| *name == role.as_str()).unwrap();
    found.1.iter().copied().collect()
}

/// What active leases need is there; what is there was there before, or belongs to a lease that is not over yet.
fn holds_the_union(house: &House, before: &BTreeSet<&str>) -> Result<(), String> {
    let leases: Vec<_> = live_leases(house).into_iter().filter_map(|account| account.lease).collect();
    let mut explained = before.clone();
    for lease in &leases {
        explained.extend(lent(&lease.role));
        let is_active = matches!(lease.phase, Phase::Active { .. }) && house.now() < lease.until;
        let lacking = lent(&lease.role).into_iter().find(|name| !house.person_holds(name));
        if let Some(lacking) = lacking.filter(|_| is_active) {
            return Err(format!("{lacking} is not there: {lease:?}"));
        }
    }
    match house.directory.accounts()[PERSON]
        .entitlements
        .iter()
        .find(|held| !explained.contains(held.as_str()))
    {
        Some(held) => Err(format!("nobody needs {held}")),
        None if before.iter().all(|name| house.person_holds(name)) => Ok(()),
        None => Err("the person lost what they had".into()),
    }
}

fn live_through(seed: u64) -> Result<(), String> {
    let dice = Dice(SeededEntropy::new(seed));
    let house = run(House::new()).unwrap();
    house.directory.plant(PERSON);
    let before: BTreeSet<_> = ["ops", "dba"].into_iter().filter(|_| dice.below(3) == 0).collect();
    for name in &before {
        house.directory.join(PERSON, name);
    }
    for _ in 0..14 {
        house.script.interleave(true);
        let acts = (0..=dice.below(4)).map(|_| act(&house, &dice)).collect();
        interleave(acts, &dice, &house.clock);
        house.script.interleave(false);
        holds_the_union(&house, &before)?;
        house.clock.advance(TimeDelta::seconds(45 * dice.minutes(6)));
    }
    run(house.pass_minutes(120)).ok_or("it never comes to an end")?;
    holds_the_union(&house, &before)?;
    let left: BTreeSet<_> = house.directory.accounts()[PERSON].entitlements.iter().cloned().collect();
    let is_as_before = left.iter().map(String::as_str).eq(before.iter().copied());
    if is_as_before { Ok(()) } else { Err(format!("left: {left:?}, before: {before:?}")) }
}

/// `JIT_WORLDS=100000` tries that many.
#[test]
fn an_account_holds_the_union_of_what_its_leases_need() {
    let worlds = std::env::var("JIT_WORLDS").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    for seed in 0..worlds {
        live_through(seed).unwrap_or_else(|wrong| panic!("world {seed}: {wrong}"));
    }
}

#[test]
fn what_is_given_to_a_lease_that_has_ended_is_taken_though_nobody_waits_for_the_answer() {
    let house = run(House::new()).unwrap();
    house.directory.plant(PERSON);
    house.script.interleave(true);
    let mut context = task::Context::from_waker(task::Waker::noop());
    {
        let mut lifting = std::pin::pin!(house.lift("lift", 30));
        let mut go_on = || assert!(lifting.as_mut().poll(&mut context).is_pending(), "it goes on");
        while house.script.counts().2 == 0 {
            go_on();
        }
        house.script.interleave(false);
        let lease = live_leases(&house)[0].id;
        let ended = run(house.check_in(lease)).unwrap();
        assert_eq!(ended.phase.word(), "gone_unconfirmed", "what it was to get was not found there");
        house.script.interleave(true);
        while !house.person_holds("ops") {
            go_on();
        }
    }
    house.script.interleave(false);
    run(house.pass_minutes(5)).unwrap();
    assert!(!house.person_holds("ops") && live_leases(&house).is_empty());
}
