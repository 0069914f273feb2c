//! Two tenants on one store, each with a directory of its own under the same name: neither ends what the other lent.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::house::{House, PERSON, code_of, rule, target, tenant};

const BATCH: NonZeroUsize = NonZeroUsize::new(8).unwrap();

/// The other tenant, on the store and by the clock of a house, in a process of its own.
struct Beside {
    jit: Jit,
    directory: Arc<MemoryTarget>,
    holder: AccountId,
}

fn beta() -> TenantId {
    TenantId::new("beta").unwrap()
}

fn operator() -> Entitlement {
    Entitlement::role("operator").unwrap()
}

fn process(house: &House, setup: Option<TargetSetup>, seed: u64) -> Jit {
    let builder = Jit::builder(Arc::clone(&house.store) as _)
        .clock(Arc::clone(&house.clock) as _)
        .notices(Arc::clone(&house.told) as _)
        .entropy(Arc::new(SeededEntropy::new(seed)));
    setup.into_iter().fold(builder, JitBuilder::target).build().unwrap()
}

fn setup(directory: &Arc<MemoryTarget>, id: TargetId) -> TargetSetup {
    let role = || TargetRole::new(TimeDelta::hours(8), vec![operator()]).with(vec!["ops".into()]);
    TargetSetup::new(id, Arc::clone(directory) as _, MarkerKey::new("test", &[5; 32]).unwrap())
        .role(rule("admin"), role().privileged().in_place("people"))
        .role(rule("lift"), role().elevating(Whose::Named))
}

impl Beside {
    async fn of(house: &House, id: TargetId) -> Self {
        let directory = Arc::new(MemoryTarget::new());
        // So that no id is one that the other directory gave.
        for name in ["ann", "joe", "kim", PERSON] {
            directory.plant(name);
        }
        let jit = process(house, Some(setup(&directory, id).for_tenants([beta()])), 77);
        let now = house.now();
        let mut mint = Mint::new(now, [8; 16]);
        let mut account = Account::begin(mint.account(), beta(), AccountState::Active, now);
        let by = Provenance::of(Source::Administrator);
        account.grants.push(Grant::new(mint.grant(), operator(), by, now));
        let holder = account.id;
        let commit = Commit { account: Some(AccountWrite::create(account)), ..Commit::new(beta()) };
        house.store.commit(&commit).await.unwrap();
        Self { jit, directory, holder }
    }

    fn request(&self, house: &House, id: TargetId, role: &str) -> CheckOut {
        let request = CheckOut { tenant: beta(), holder: self.holder, ..house.request(30, None) };
        CheckOut { target: id, role: rule(role), by: Actor::Account { id: self.holder }, ..request }
    }

    /// Lends an account, and something to somebody who was there before.
    async fn lend(&self, house: &House, id: &TargetId) -> [AccountId; 2] {
        let out = self.jit.check_out(&self.request(house, id.clone(), "admin")).await.unwrap();
        let lift = self.request(house, id.clone(), "lift");
        let lent = self.jit.elevate(&lift, Some(PERSON)).await.unwrap();
        [out.lease, lent.lease]
    }

    fn lent(&self, house: &House) -> (usize, bool) {
        let accounts = self.directory.accounts();
        let made = accounts.values().filter(|account| account.marker.is_some()).count();
        (made, accounts[PERSON].holds("ops", house.now()))
    }

    async fn work(&self, id: &TargetId) {
        work(&self.jit, id).await;
    }

    /// Does what is due beside the work of targets.
    async fn look(&self) -> WorkReport {
        self.jit.work(&WorkerId::new("beta").unwrap(), BATCH).await.unwrap()
    }
}

async fn work(jit: &Jit, id: &TargetId) -> WorkReport {
    let worker = WorkerId::new("w").unwrap();
    jit.work_target(&worker, id, BATCH).await.unwrap()
}

async fn phase(house: &House, lease: AccountId) -> &'static str {
    house.store.get(&beta(), lease).await.unwrap().unwrap().lease.unwrap().phase.word()
}

#[tokio::test]
async fn nobody_ends_what_another_tenant_lent_in_a_directory_of_the_same_name() {
    let house = House::new().await;
    let beside = Beside::of(&house, target()).await;
    // What is given goes only by the hand of whoever takes it.
    beside.directory.end_by_itself(false);
    let leases = beside.lend(&house, &target()).await;
    house.clock.advance(TimeDelta::minutes(31));
    for _ in 0..3 {
        house.work().await.unwrap();
        for lease in leases {
            assert_eq!(phase(&house, lease).await, "active");
            let longer = house.jit.extend(None, &beta(), lease, TimeDelta::hours(1), Actor::Clock).await;
            assert_eq!(code_of(longer), "lease.unknown_target");
        }
        house.clock.advance(TimeDelta::minutes(1));
    }
    assert_eq!(beside.lent(&house), (1, true));
    beside.work(&target()).await;
    assert_eq!(beside.lent(&house), (0, false), "nothing keeps the process that has the target from it");
    for lease in leases {
        assert_eq!(phase(&house, lease).await, "gone");
    }
}

#[tokio::test]
async fn who_checks_in_what_another_tenant_has_proves_nothing_by_their_own_directory() {
    let house = House::new().await;
    let beside = Beside::of(&house, target()).await;
    beside.directory.end_by_itself(false);
    let leases = beside.lend(&house, &target()).await;
    for lease in leases {
        let left = house.jit.check_in(None, &beta(), lease, Actor::Clock).await.unwrap();
        assert_eq!(left.phase.word(), "ending");
    }
    house.clock.advance(TimeDelta::minutes(1));
    house.work().await.unwrap();
    assert_eq!(beside.lent(&house), (1, true));
    house.clock.advance(TimeDelta::minutes(1));
    beside.work(&target()).await;
    assert_eq!(beside.lent(&house), (0, false));
}

#[tokio::test]
async fn what_was_lent_to_a_tenant_that_a_target_is_closed_to_is_told_of_until_the_target_says_so() {
    let mut house = House::new().await;
    let out = house.out(30).await;
    house.restart_without_tenant();
    house.pass_minutes(31).await;
    assert_eq!(house.lease(out.lease).await.phase.word(), "active");
    house.pass_minutes(15).await;
    assert_eq!(house.alarms().await, ["lease.overdue"]);
    let said = house.trail().await.pop().unwrap();
    assert!(said.changes[0].ends_with("the target is not configured"), "{said:?}");
    house.restart_closed();
    house.pass_minutes(1).await;
    assert!(house.directory.accounts().is_empty());
    assert_eq!(house.lease(out.lease).await.phase.word(), "gone");
}

/// Whoever is taken out of all settings is named nowhere, and a target of that name is there.
#[tokio::test]
async fn what_was_lent_to_a_tenant_that_nobody_works_for_any_longer_is_told_of_by_others() {
    let house = House::new().await;
    let out = house.out(30).await;
    let beside = Beside::of(&house, target()).await;
    for minutes in [31, 16] {
        house.clock.advance(TimeDelta::minutes(minutes));
        beside.look().await;
    }
    assert_eq!(house.lease(out.lease).await.phase.word(), "active");
    assert_eq!(house.told.alarms(), ["lease.overdue"]);
}

/// However late its own are: whoever looks after them tells of them, in their own time.
#[tokio::test]
async fn what_somebody_looks_after_themselves_is_not_told_of_as_what_nobody_does() {
    let house = House::new().await;
    let beside = Beside::of(&house, target()).await;
    let ours = beside.lend(&house, &target()).await;
    house.clock.advance(TimeDelta::minutes(90));
    assert_eq!(beside.look().await.unserved, 0);
    assert_eq!(house.told.alarms(), [""; 0]);
    beside.work(&target()).await;
    for lease in ours {
        assert_eq!(phase(&house, lease).await, "gone");
    }
}

/// One look at everything takes a batch at a time, and these are more.
#[tokio::test]
async fn late_work_of_its_own_keeps_nobody_from_telling_of_what_nobody_looks_after() {
    let house = House::new().await;
    let beside = Beside::of(&house, target()).await;
    for _ in 0..BATCH.get() {
        beside.jit.check_out(&beside.request(&house, target(), "admin")).await.unwrap();
    }
    house.clock.advance(TimeDelta::minutes(1));
    house.out(30).await;
    house.clock.advance(TimeDelta::minutes(46));
    assert_eq!(beside.look().await.unserved, 1);
    assert_eq!(house.told.alarms(), ["lease.overdue"]);
    let (worker, lane) = (WorkerId::new("later").unwrap(), Lane::new("target:directory:first").unwrap());
    let ours = Tenants::These([beta()].into());
    let ours = house.store.claim(&worker, &lane, &ours, house.now(), TimeDelta::minutes(1), BATCH).await;
    let ours = ours.unwrap();
    assert_eq!(ours.len(), BATCH.get());
    assert!(ours.iter().all(|claimed| claimed.attempts == 0), "a look at others costs none an attempt");
}

#[tokio::test]
async fn the_targets_of_other_tenants_are_not_missed() {
    let house = House::new().await;
    let elsewhere = TargetId::new("elsewhere").unwrap();
    let beside = Beside::of(&house, elsewhere.clone()).await;
    beside.lend(&house, &elsewhere).await;
    assert_eq!(house.jit.missing_targets().await.unwrap(), [].into());
    house.out(30).await;
    assert_eq!(beside.jit.missing_targets().await.unwrap(), [].into());
    let bare = process(&house, None, 5);
    let both = [elsewhere, target()].into();
    assert_eq!(bare.missing_targets().await.unwrap(), both, "nobody said whose leases are its own");
    let own = Jit::builder(Arc::clone(&house.store) as _).for_tenants([tenant()]).build().unwrap();
    assert_eq!(own.missing_targets().await.unwrap(), [target()].into());
}

#[tokio::test]
async fn a_struck_target_of_our_own_is_missed_though_another_tenant_has_one_of_the_same_name() {
    let house = House::new().await;
    let beside = Beside::of(&house, target()).await;
    beside.lend(&house, &target()).await;
    let bare = Jit::builder(Arc::clone(&house.store) as _).for_tenants([tenant()]).build().unwrap();
    assert_eq!(bare.missing_targets().await.unwrap(), [].into());
    house.out(30).await;
    assert_eq!(bare.missing_targets().await.unwrap(), [target()].into());
}

// Kept beside the others: the target is there, and looks after the leases of somebody else.
#[tokio::test]
async fn a_target_that_a_tenant_of_our_own_was_struck_from_is_missed_until_it_says_that_it_was_closed_to_them()
 {
    let house = House::new().await;
    let directory = Arc::new(MemoryTarget::new());
    let engine = |setup: TargetSetup| {
        let builder = Jit::builder(Arc::clone(&house.store) as _).for_tenants([tenant(), beta()]);
        builder.target(setup.for_tenants([beta()])).build().unwrap()
    };
    let struck = engine(setup(&directory, target()));
    assert_eq!(struck.missing_targets().await.unwrap(), [].into());
    house.out(30).await;
    assert_eq!(struck.missing_targets().await.unwrap(), [target()].into());
    assert_eq!(struck.missing_targets_of(&tenant()).await.unwrap(), [target()].into());
    assert_eq!(struck.missing_targets_of(&beta()).await.unwrap(), [].into());
    let closed = engine(setup(&directory, target()).formerly_for_tenants([tenant()]));
    assert_eq!(closed.missing_targets().await.unwrap(), [].into());
    assert_eq!(closed.missing_targets_of(&tenant()).await.unwrap(), [].into());
}
