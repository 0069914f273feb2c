//! Nobody has more leases at once than they may have, however many nodes are asked.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use jit_core::*;

use super::house::*;

/// Other nodes on the store of a house, where a holder may have so many by one role, and so many in all.
fn nodes(house: &House, by_role: u32, in_all: u32) -> Vec<Arc<Jit>> {
    (50..54).map(|seed| Arc::new(node(house, Arc::clone(&house.store) as _, seed, by_role, in_all))).collect()
}

fn node(house: &House, store: Arc<dyn Store>, seed: u64, by_role: u32, in_all: u32) -> Jit {
    let operator = Entitlement::role("operator").unwrap();
    let role = || {
        TargetRole::new(TimeDelta::hours(8), vec![operator.clone()])
            .per_holder(NonZeroU32::new(by_role).unwrap())
            .with(vec!["ops".into()])
    };
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(target(), Arc::clone(&house.directory) as _, markers)
        .for_tenants([tenant()])
        .role(rule("admin"), role())
        .role(rule("reader"), role())
        .role(rule("lift"), role().elevating(Whose::Named));
    let jit = Jit::builder(store)
        .clock(Arc::clone(&house.clock) as _)
        .entropy(Arc::new(SeededEntropy::new(seed)))
        .leases_per_holder(NonZeroU32::new(in_all).unwrap())
        .target(setup);
    jit.build().unwrap()
}

/// Lets something happen before the first commit, and names the bound first where several things stand in the way, as
/// databases may.
struct Overtaken {
    inner: Arc<MemoryStore>,
    before: Mutex<Option<BoxFuture<'static, ()>>>,
}

jit_core::pass_on!(DocumentStore, TaskQueue, OneTime, AuditLog for Overtaken => inner);

jit_core::pass_on! {
    UserStore(find, get, matching, named, list, bearers, long_over, touch) for Overtaken => inner;

    async fn commit(&self, commit: &Commit) -> Result<(), BackendError> {
        let before = self.before.lock().unwrap().take();
        if let Some(before) = before {
            before.await;
        }
        let counters = Commit { counters: commit.counters.clone(), ..Commit::new(commit.tenant.clone()) };
        let done = self.inner.commit(commit).await;
        if done.is_err() {
            self.inner.commit(&counters).await?;
        }
        done
    }
}

#[tokio::test]
async fn two_calls_with_one_key_are_one_lease_also_at_the_last_place() {
    let house = House::new().await;
    house.directory.plant(PERSON);
    let first = Arc::clone(&nodes(&house, 1, 100)[0]);
    let lift = CheckOut { role: rule("lift"), ..house.request(30, Some("k")) };
    let overtakes = {
        let lift = lift.clone();
        async move { drop(first.elevate(&lift, Some(PERSON)).await.unwrap()) }
    };
    let before = Mutex::new(Some(Box::pin(overtakes) as BoxFuture<'static, ()>));
    let store = Arc::new(Overtaken { inner: Arc::clone(&house.store), before });
    let second = node(&house, store, 60, 1, 100);
    let lent = second.elevate(&lift, Some(PERSON)).await.unwrap();
    assert_eq!(house.first_lease().await.until, lent.until);
    let another = CheckOut { key: Some("other".into()), ..lift };
    assert_eq!(code_of(second.elevate(&another, Some(PERSON)).await), "lease.too_many");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_ask_many_nodes_at_once_no_more_are_let_in_than_a_holder_may_have() {
    let house = House::new().await;
    let nodes = nodes(&house, 3, 100);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (node, request) = (Arc::clone(&nodes[number % nodes.len()]), house.request(30, None));
        calls.spawn(async move { node.check_out(&request).await });
    }
    let (mut let_in, mut refused) = (0, Vec::new());
    while let Some(answer) = calls.join_next().await {
        match answer.unwrap() {
            Ok(_) => let_in += 1,
            Err(error) => refused.push(error.code().to_string()),
        }
    }
    assert_eq!((let_in, house.directory.accounts().len()), (3, 3));
    assert!(refused.iter().all(|code| code == "lease.too_many"), "{refused:?}");
}

#[tokio::test]
async fn what_ended_makes_room_and_a_repeated_request_takes_none() {
    let house = House::new().await;
    let node = &nodes(&house, 2, 100)[0];
    let keyed = house.request(30, Some("k"));
    let first = node.check_out(&keyed).await.unwrap();
    let second = node.check_out(&house.request(30, None)).await.unwrap();
    let other = CheckOut { role: rule("reader"), ..house.request(30, None) };
    node.check_out(&other).await.unwrap();
    assert_eq!(code_of(node.check_out(&house.request(30, None)).await), "lease.too_many");
    assert_eq!(node.check_out(&keyed).await.unwrap().lease, first.lease, "the same request");
    assert_eq!(house.directory.accounts().len(), 3);
    // What is not gone yet takes its place, for as long as that lasts.
    house.directory.mark(&second.name, None);
    let lease = node.check_in(None, &tenant(), second.lease, house.by()).await.unwrap();
    assert_eq!(lease.phase.word(), "quarantined");
    assert_eq!(code_of(node.check_out(&house.request(30, None)).await), "lease.too_many");
    house.directory.take_out(&second.name);
    for lease in [first.lease, second.lease] {
        node.check_in(None, &tenant(), lease, house.by()).await.unwrap();
    }
    for _ in 0..2 {
        node.check_out(&house.request(30, None)).await.unwrap();
    }
    assert_eq!(code_of(node.check_out(&house.request(30, None)).await), "lease.too_many");
}

#[tokio::test]
async fn what_is_lent_to_an_account_of_before_counts_as_well_and_all_roles_together_are_bounded() {
    let house = House::new().await;
    let node = &nodes(&house, 2, 3)[0];
    for person in ["ada", "bea", "cleo"] {
        house.directory.plant(person);
    }
    let lift = CheckOut { role: rule("lift"), ..house.request(30, None) };
    for person in ["ada", "bea"] {
        node.elevate(&lift, Some(person)).await.unwrap();
    }
    assert_eq!(code_of(node.elevate(&lift, Some("cleo")).await), "lease.too_many");
    node.check_out(&house.request(30, None)).await.unwrap();
    let reader = CheckOut { role: rule("reader"), ..house.request(30, None) };
    assert_eq!(code_of(node.check_out(&reader).await), "lease.too_many", "three in all");
}

#[tokio::test]
async fn what_was_lent_before_anything_was_counted_ends_without_making_room_that_is_not_there() {
    let house = House::new().await;
    let node = &nodes(&house, 1, 100)[0];
    let old = node.check_out(&house.request(30, None)).await.unwrap();
    // As it would have been written down: not counted.
    let before = house.store.get(&tenant(), old.lease).await.unwrap().unwrap();
    let mut after = before.clone();
    after.lease.as_mut().unwrap().counted = false;
    let back = |name| CounterChange { name, by: -1, at_least: None, at_most: None };
    let counters = vec![
        back(CounterName::lent(house.holder)),
        back(CounterName::lent_as(house.holder, &target(), &rule("admin"))),
    ];
    let account = Some(AccountWrite::update(&before, after));
    house.store.commit(&Commit { account, counters, ..Commit::new(tenant()) }).await.unwrap();

    let new = node.check_out(&house.request(30, None)).await.unwrap();
    node.check_in(None, &tenant(), old.lease, house.by()).await.unwrap();
    assert_eq!(code_of(node.check_out(&house.request(30, None)).await), "lease.too_many");
    node.check_in(None, &tenant(), new.lease, house.by()).await.unwrap();
    node.check_out(&house.request(30, None)).await.unwrap();
}

#[tokio::test]
async fn what_comes_back_takes_a_place_again_and_is_never_refused() {
    let house = House::new().await;
    let node = &nodes(&house, 1, 100)[0];
    let out = node.check_out(&house.request(30, None)).await.unwrap();
    let backup = house.directory.take_out(&out.name).unwrap();
    node.check_in(None, &tenant(), out.lease, house.by()).await.unwrap();
    let next = node.check_out(&house.request(30, None)).await.unwrap();
    house.directory.put_back(&out.name, backup);
    let mode = applying(1);
    assert_eq!(node.reconcile(None, &tenant(), &target(), mode).await.unwrap().ended, 1);
    node.check_in(None, &tenant(), next.lease, house.by()).await.unwrap();
    assert_eq!(code_of(node.check_out(&house.request(30, None)).await), "lease.too_many");
    node.check_in(None, &tenant(), out.lease, house.by()).await.unwrap();
    node.check_out(&house.request(30, None)).await.unwrap();
}
