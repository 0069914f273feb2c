//! Records of leases that are over for long go, and nothing that anybody may still need.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::{faulty::FaultyStore, house::*};

pub(super) const SPAN: TimeDelta = TimeDelta::days(30);

/// Another node on the store of a house, which keeps records for 30 days and has been at work before.
pub(super) async fn node(house: &House, seed: u64) -> Jit {
    let node = node_keeping(house, seed, Some(SPAN)).unwrap();
    assert_eq!(round(&node).await, 0);
    node
}

fn node_keeping(house: &House, seed: u64, span: Option<TimeDelta>) -> Result<Jit, BuildError> {
    let store = FaultyStore { inner: Arc::clone(&house.store), script: Arc::clone(&house.script) };
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup =
        TargetSetup::new(target(), Arc::clone(&house.directory) as _, markers).for_tenants([tenant()]);
    let builder = Jit::builder(Arc::new(store))
        .clock(Arc::clone(&house.clock) as _)
        .time_guard(TimeGuard::new(Arc::clone(&house.clock) as _))
        .entropy(Arc::new(SeededEntropy::new(seed + 500)))
        .target(setup);
    match span {
        Some(span) => builder.keep_ended_for(span).build(),
        None => builder.build(),
    }
}

/// Lets so much time pass that a node looks again, and tells how many records it removed.
pub(super) async fn turn(house: &House, node: &Jit) -> usize {
    house.clock.advance(TimeDelta::hours(7));
    round(node).await
}

async fn round(node: &Jit) -> usize {
    let worker = WorkerId::new("keeper").unwrap();
    node.work(&worker, NonZeroUsize::new(100).unwrap()).await.unwrap().forgotten
}

async fn is_there(house: &House, id: AccountId) -> bool {
    house.store.get(&tenant(), id).await.unwrap().is_some()
}

pub(super) async fn told(house: &House, action: &str) -> Vec<AuditEvent> {
    house.trail().await.into_iter().filter(|event| event.action.as_str() == action).collect()
}

/// One that was checked out with a key and checked in.
async fn over(house: &House, key: &str) -> AccountId {
    let out = house.jit.check_out(&house.request(30, Some(key))).await.unwrap();
    assert!(!house.check_in(out.lease).await.is_live());
    out.lease
}

#[tokio::test]
async fn records_stay_for_ever_unless_somebody_says_for_how_long() {
    let house = House::new().await;
    let lease = over(&house, "k").await;
    let node = node_keeping(&house, 1, None).unwrap();
    house.clock.advance(TimeDelta::days(4_000));
    assert_eq!((turn(&house, &node).await, is_there(&house, lease).await), (0, true));
}

#[tokio::test]
async fn nobody_keeps_records_for_less_than_thirty_days() {
    let house = House::new().await;
    for span in [SPAN - TimeDelta::seconds(1), TimeDelta::zero(), -SPAN, TimeDelta::MIN] {
        assert!(matches!(node_keeping(&house, 1, Some(span)), Err(BuildError::KeptTooBriefly)), "{span}");
    }
    for span in [SPAN, TimeDelta::days(400), TimeDelta::MAX] {
        let node = node_keeping(&house, 1, Some(span)).unwrap();
        assert_eq!(turn(&house, &node).await, 0);
    }
}

#[tokio::test]
async fn what_is_over_for_long_goes_and_its_key_makes_no_second_account() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let made = over(&house, "made").await;
    let lifted = house.lift_with("lift", 30, Some("lifted")).await.unwrap().lease;
    house.check_in(lifted).await;
    let node = node(&house, 1).await;
    house.clock.advance(SPAN - TimeDelta::hours(8));
    assert_eq!(turn(&house, &node).await, 0, "an hour too early");
    assert!(is_there(&house, made).await && is_there(&house, lifted).await);
    let trail = house.trail().await.len();
    assert_eq!(turn(&house, &node).await, 2);
    assert!(!is_there(&house, made).await && !is_there(&house, lifted).await);

    let (until, now) = (house.now() - SPAN, house.now());
    let events = told(&house, "lease.forgotten").await;
    assert_eq!((events.len(), house.trail().await.len()), (1, trail + 1), "what the trail said stays");
    let said = format!("2 that were over by {}", until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    assert_eq!((&events[0].changes, &events[0].actor, events[0].at), (&vec![said], &Actor::Clock, now));

    let accounts = house.directory.accounts().len();
    for _ in 0..2 {
        let again = house.jit.check_out(&house.request(30, Some("made"))).await;
        assert_eq!(code_of(again), "lease.long_gone");
        assert_eq!(code_of(house.lift_with("lift", 30, Some("lifted")).await), "lease.long_gone");
    }
    assert_eq!(house.directory.accounts().len(), accounts, "nothing was made");
    assert!(!house.person_holds("ops"));
    for lease in [made, lifted] {
        let again = house.jit.check_in(None, &tenant(), lease, house.by()).await;
        assert_eq!(code_of(again), "lease.unknown");
    }
    let next = house.jit.check_out(&house.request(30, Some("next"))).await.unwrap();
    assert!(house.directory.accounts().contains_key(&next.name), "another key is another request");
    assert_eq!(turn(&house, &node).await, 0);
}

#[tokio::test]
async fn what_a_lease_made_is_nobody_also_when_its_record_is_gone() {
    let house = House::new().await;
    let out = house.out(30).await;
    let native = house.lease(out.lease).await.remote.native.unwrap();
    house.check_in(out.lease).await;
    let node = node(&house, 1).await;
    house.clock.advance(SPAN);
    assert_eq!((turn(&house, &node).await, is_there(&house, out.lease).await), (1, false));
    assert!(LentAccounts::of(tenant(), house.store.clone()).has(&native).await.unwrap());
    let query = Query {
        tenant: tenant(),
        filter: Filter::Bearing(LookupKey::leased_as(&native)),
        after: None,
        limit: NonZeroUsize::MIN,
    };
    assert_eq!(house.store.list(&query).await.unwrap().items, [], "and nothing else is known of it");
}

#[tokio::test]
async fn whatever_may_still_be_needed_stays() {
    let mut house = House::new().await;
    let mut stay = Vec::new();
    let gone_for_good = house.out(30).await;
    house.restart_with_target(false);
    let ops = Actor::Administrator { name: "ops".to_owned() };
    house.jit.declare_gone(None, &tenant(), gone_for_good.lease, ops, "dissolved").await.unwrap();
    house.directory.take_out(&gone_for_good.name).unwrap();
    house.restart_with_target(true);
    stay.push(gone_for_good.lease);
    // One that came back from a backup, and was ended again.
    let returned = house.out(30).await;
    let backup = house.directory.take_out(&returned.name).unwrap();
    house.check_in(returned.lease).await;
    house.directory.put_back(&returned.name, backup);
    house.jit.reconcile(None, &tenant(), &target(), applying(1)).await.unwrap();
    house.pass_minutes(5).await;
    assert!(!house.lease(returned.lease).await.is_live());
    stay.push(returned.lease);
    // One that is quarantined, and one that cannot be removed.
    let quarantined = house.out(30).await;
    house.directory.mark(&quarantined.name, None);
    house.check_in(quarantined.lease).await;
    let ending = house.out(30).await;
    house.script.answer(Some(TargetFault::Unreachable));
    house.check_in(ending.lease).await;
    stay.extend([quarantined.lease, ending.lease]);
    let node = node(&house, 1).await;
    house.clock.advance(TimeDelta::days(1_000));
    assert_eq!(turn(&house, &node).await, 0);
    for lease in stay {
        assert!(is_there(&house, lease).await);
    }
    assert!(is_there(&house, house.holder).await);
}

#[tokio::test]
async fn what_a_comparison_saw_again_stays_though_it_only_reported() {
    let house = House::new().await;
    let out = house.out(30).await;
    let backup = house.directory.take_out(&out.name).unwrap();
    house.check_in(out.lease).await;
    house.directory.put_back(&out.name, backup);
    for _ in 0..2 {
        let report = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
        assert_eq!(report.returned.len(), 1);
    }
    assert_eq!(told(&house, "lease.seen_again").await.len(), 1, "once");
    let node = node(&house, 1).await;
    house.clock.advance(TimeDelta::days(1_000));
    assert_eq!(turn(&house, &node).await, 0);
    let done = house.jit.reconcile(None, &tenant(), &target(), applying(1)).await.unwrap();
    assert_eq!(done.ended, 1, "it can still be ended");
    house.pass_minutes(5).await;
    assert!(house.directory.accounts().is_empty());
}

#[tokio::test]
async fn of_more_that_returned_than_are_written_down_at_once_all_have_their_turn() {
    let house = House::new().await;
    let mut backups = Vec::new();
    for _ in 0..1_002 {
        let out = house.out(30).await;
        backups.push((out.lease, out.name.clone(), house.directory.take_out(&out.name).unwrap()));
        house.check_in(out.lease).await;
    }
    let mut leases = Vec::new();
    for (lease, name, backup) in backups {
        house.directory.put_back(&name, backup);
        leases.push(lease);
    }
    for left in [2, 0] {
        let report = house.jit.reconcile(None, &tenant(), &target(), ReconcileMode::Report).await.unwrap();
        assert_eq!(report.returned.len(), leases.len());
        let mut over = 0;
        for lease in &leases {
            let account = house.store.get(&tenant(), *lease).await.unwrap().unwrap();
            over += usize::from(account.over_since().is_some());
        }
        assert_eq!(over, left, "whose records would still be removed");
    }
}

#[tokio::test]
async fn what_turns_up_after_its_record_is_gone_is_left_to_a_person() {
    let house = House::new().await;
    let out = house.out(30).await;
    let backup = house.directory.take_out(&out.name).unwrap();
    house.check_in(out.lease).await;
    let node = node(&house, 1).await;
    house.clock.advance(SPAN);
    assert_eq!(turn(&house, &node).await, 1);
    house.directory.put_back(&out.name, backup);
    let report = house.jit.reconcile(None, &tenant(), &target(), applying(5)).await.unwrap();
    assert_eq!(report.suspects.iter().map(|remote| &remote.name).collect::<Vec<_>>(), [&out.name]);
    assert_eq!((report.returned.len(), report.ended), (0, 0));
    assert!(house.directory.accounts().contains_key(&out.name), "nobody else's is touched");
}

#[tokio::test]
async fn nothing_goes_while_the_clock_is_in_doubt() {
    let house = House::new().await;
    let lease = over(&house, "k").await;
    let node = node(&house, 1).await;
    assert_eq!(turn(&house, &node).await, 0);
    let (away, year) = (TimeDelta::days(20), TimeDelta::days(365));
    house.clock.advance(away);
    for jump in [year, -year] {
        house.clock.jump(jump);
        assert_eq!(turn(&house, &node).await, 0);
        let doubt = node.time_doubt().unwrap();
        assert_eq!(matches!(doubt, TimeDoubt::Ahead(_)), jump > TimeDelta::zero());
        assert_eq!(round(&node).await, 0);
        assert!(is_there(&house, lease).await);
        house.clock.jump(-jump);
    }
    house.clock.jump(-year);
    house.clock.advance(SPAN);
    assert_eq!(turn(&house, &node).await, 0, "a clock that is behind is one in doubt");
    house.clock.jump(year);
    assert_eq!(turn(&house, &node).await, 1, "the clock is right, and it is old enough");
}

#[tokio::test]
async fn a_jump_that_a_person_believes_counts() {
    let house = House::new().await;
    let lease = over(&house, "k").await;
    let node = node(&house, 1).await;
    assert_eq!(turn(&house, &node).await, 0);
    house.clock.jump(SPAN);
    assert_eq!(turn(&house, &node).await, 0);
    node.confirm_time("ann").await.unwrap();
    assert_eq!((turn(&house, &node).await, is_there(&house, lease).await), (1, false));
}

/// Writes records of leases that are over now, as many as that.
async fn many(house: &House, count: usize) {
    let template = over(house, "template").await;
    let template = house.store.get(&tenant(), template).await.unwrap().unwrap();
    let mut mint = Mint::new(house.now(), [7; 16]);
    for _ in 1..count {
        let account = Some(AccountWrite::create(Account { id: mint.account(), ..template.clone() }));
        house.store.commit(&Commit { account, ..Commit::new(tenant()) }).await.unwrap();
    }
}

#[tokio::test]
async fn a_turn_is_bounded_the_rest_follows_and_one_node_takes_it() {
    let house = House::new().await;
    many(&house, PAGE_ITEMS + 3).await;
    let (one, two) = (node(&house, 1).await, node(&house, 2).await);
    house.clock.advance(SPAN);
    assert_eq!((round(&one).await, round(&two).await), (PAGE_ITEMS, 3), "more was left: at once");
    assert_eq!(told(&house, "lease.forgotten").await.len(), 2);
    many_more_are_left_for_hours(&house, &one, &two).await;
}

async fn many_more_are_left_for_hours(house: &House, one: &Jit, two: &Jit) {
    let lease = over(house, "late").await;
    house.clock.advance(SPAN);
    assert_eq!(round(one).await, 1, "its turn came");
    let next = over(house, "later").await;
    let mut account = house.store.get(&tenant(), next).await.unwrap().unwrap();
    account.updated_at -= TimeDelta::days(90);
    let lease_of = account.lease.as_mut().unwrap();
    lease_of.phase = Phase::Gone { since: account.updated_at, why: EndReason::CheckedIn };
    let before = house.store.get(&tenant(), next).await.unwrap().unwrap();
    let write = Some(AccountWrite::update(&before, account));
    house.store.commit(&Commit { account: write, ..Commit::new(tenant()) }).await.unwrap();
    for _ in 0..5 {
        house.clock.advance(TimeDelta::hours(1));
        assert_eq!((round(one).await, round(two).await), (0, 0), "once in six hours");
    }
    house.clock.advance(TimeDelta::hours(1));
    assert_eq!((round(two).await, round(one).await), (1, 0), "whoever comes first");
    assert!(!is_there(house, lease).await && !is_there(house, next).await);
}

#[tokio::test]
async fn one_that_cannot_be_read_keeps_no_other() {
    let house = House::new().await;
    let (spoilt, sound) = (over(&house, "a").await, over(&house, "b").await);
    let node = node(&house, 1).await;
    house.clock.advance(SPAN);
    house.script.spoil(Some(spoilt));
    assert_eq!(turn(&house, &node).await, 1);
    house.script.spoil(None);
    assert!(is_there(&house, spoilt).await && !is_there(&house, sound).await);
    assert_eq!(turn(&house, &node).await, 1, "mended, it goes as the others");
}

#[tokio::test]
async fn what_is_lent_that_cannot_be_read_keeps_no_other() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let lent = house.lift("lift", 30).await.unwrap().lease;
    house.check_in(lent).await;
    house.pass_minutes(10).await;
    let sound = over(&house, "b").await;
    let node = node(&house, 1).await;
    house.clock.advance(SPAN);
    house.script.spoil(house.lease(lent).await.elevates);
    assert_eq!(turn(&house, &node).await, 1);
    house.script.spoil(None);
    assert!(is_there(&house, lent).await && !is_there(&house, sound).await);
    assert_eq!(turn(&house, &node).await, 1, "mended, it goes as the others");
}

/// Lets what is lent to the account of a person speak of a lease, or no longer.
async fn mention(house: &House, lease: AccountId, is_mentioned: bool) {
    let keeper = house.lease(lease).await.elevates.unwrap();
    let before = house.store.get(&tenant(), keeper).await.unwrap().unwrap();
    let mut after = before.clone();
    let lent = after.elevation.as_mut().unwrap();
    lent.edges.clear();
    if is_mentioned {
        let leases = [(lease, Share::Leaves)].into();
        let entitlement = RemoteEntitlement::named("ops");
        lent.edges.push(Edge { entitlement, asked: 1, leases, ..Edge::default() });
    }
    let account = Some(AccountWrite::update(&before, after));
    house.store.commit(&Commit { account, ..Commit::new(tenant()) }).await.unwrap();
}

#[tokio::test]
async fn what_is_lent_still_speaks_of_is_kept_once_more_and_stands_in_nobodys_way() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let lifted = house.lift("lift", 30).await.unwrap().lease;
    house.check_in(lifted).await;
    mention(&house, lifted, true).await;
    let other = over(&house, "other").await;
    let node = node(&house, 1).await;
    house.clock.advance(SPAN);
    assert_eq!(turn(&house, &node).await, 1);
    assert!(is_there(&house, lifted).await && !is_there(&house, other).await);
    assert_eq!(told(&house, "lease.still_counted").await.len(), 1);
    assert_eq!(turn(&house, &node).await, 0);
    assert_eq!(told(&house, "lease.still_counted").await.len(), 1, "it is not looked at in each turn");
    mention(&house, lifted, false).await;
    house.clock.advance(SPAN);
    assert_eq!((turn(&house, &node).await, is_there(&house, lifted).await), (1, false));
}

#[tokio::test]
async fn a_store_that_fails_is_tried_again_and_loses_nothing() {
    let house = House::new().await;
    let lease = over(&house, "k").await;
    let node = node(&house, 1).await;
    house.clock.advance(SPAN);
    let worker = WorkerId::new("keeper").unwrap();
    // Whichever step fails, the record is there whole, with the trail as it was, or gone, with what the trail says of it.
    for step in 0..40 {
        house.script.at(step, super::faulty::Fault::FailBefore);
        let _ = node.work(&worker, NonZeroUsize::new(100).unwrap()).await;
        house.script.clear();
        let (is_kept, events) = (is_there(&house, lease).await, told(&house, "lease.forgotten").await.len());
        assert_eq!(is_kept, events == 0, "step {step}");
        if !is_kept {
            return;
        }
        house.clock.advance(TimeDelta::minutes(20));
    }
    panic!("it was never removed");
}
