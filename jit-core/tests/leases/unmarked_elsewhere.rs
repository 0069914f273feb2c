//! The bound on quarantined leases of one target, for processes that do not have each other's stores.

use std::{num::NonZeroUsize, sync::Arc};

use chrono::TimeDelta;
use jit_core::*;

use super::house::*;

/// How many are quarantined at once unless said otherwise.
const MOST: usize = 10;

/// A process with the target of a house and its store, and perhaps another one.
fn process(house: &House, seed: u64, other: Option<&Arc<MemoryStore>>) -> Jit {
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let role = TargetRole::new(TimeDelta::hours(8), vec![Entitlement::role("operator").unwrap()]);
    let setup = TargetSetup::new(target(), Arc::clone(&house.directory) as _, markers)
        .for_tenants([tenant()])
        .role(rule("admin"), role);
    let builder = Jit::builder(Arc::clone(&house.store) as _)
        .clock(Arc::clone(&house.clock) as _)
        .entropy(Arc::new(SeededEntropy::new(seed)));
    let with_other = other.map(|store| (elsewhere(), Arc::clone(store) as _)).into_iter();
    with_other.fold(builder, |builder, (id, store)| builder.store(id, store)).target(setup).build().unwrap()
}

fn elsewhere() -> StoreId {
    StoreId::new("elsewhere").unwrap()
}

async fn work(jit: &Jit) {
    let (worker, limit) = (WorkerId::new("w").unwrap(), NonZeroUsize::new(100).unwrap());
    jit.work_target(&worker, &target(), limit).await.unwrap();
}

async fn count_quarantined(store: &MemoryStore) -> usize {
    let limit = NonZeroUsize::new(100).unwrap();
    let query = Query { tenant: tenant(), filter: Filter::All, after: None, limit };
    let leases = store.list(&query).await.unwrap().items.into_iter().filter_map(|account| account.lease);
    leases.filter(|lease| matches!(lease.phase, Phase::Quarantined { .. })).count()
}

#[tokio::test]
async fn a_process_gives_nobody_the_place_of_a_lease_whose_store_it_does_not_have() {
    let house = House::new().await;
    let other = Arc::new(MemoryStore::new());
    let holder = house.store.get(&tenant(), house.holder).await.unwrap().unwrap();
    let account = Some(AccountWrite::create(Account { version: 0, ..holder }));
    other.commit(&Commit { account, ..Commit::new(tenant()) }).await.unwrap();
    let (with_both, with_one) = (process(&house, 21, Some(&other)), process(&house, 22, None));
    for _ in 0..MOST {
        let request = CheckOut { store: Some(elsewhere()), ..house.request(30, None) };
        with_both.check_out(&request).await.unwrap();
    }
    with_one.check_out(&house.request(30, None)).await.unwrap();
    house.directory.accounts().keys().for_each(|name| house.directory.mark(name, None));
    house.clock.advance(TimeDelta::minutes(31));
    work(&with_both).await;
    for _ in 0..2 {
        // Long enough for whoever took a place to have written down why.
        house.clock.advance(TimeDelta::minutes(15));
        work(&with_one).await;
    }
    let quarantined = [count_quarantined(&other).await, count_quarantined(&house.store).await];
    assert_eq!(quarantined, [MOST, 0]);
    assert_eq!(house.directory.accounts().len(), MOST + 1, "none is touched");
}
