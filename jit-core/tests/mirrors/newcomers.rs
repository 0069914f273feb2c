//! Who comes through an engine that does not know the target, such as a SCIM server beside: found by the trail, and brought.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use jit_core::*;
use serde_json::json;

use super::{
    house::{House, chat, members},
    support::{self, tenant, wire},
    watched::Watched,
};

/// Another process on the store, which knows no target, and whose clock differs by so much.
pub(crate) fn beside(house: &House, ahead: TimeDelta) -> support::House {
    let clock = Arc::new(ManualClock::at(house.inner.clock.now() + ahead));
    let mut other = support::house_on(Arc::clone(&house.inner.store), vec![wire("hr")], |builder| {
        let builder = builder.clock(Arc::clone(&clock) as Arc<dyn Clock>);
        builder.entropy(Arc::new(SeededEntropy::new(9)))
    });
    other.clock = clock;
    other
}

pub(crate) async fn join(other: &support::House, name: &str, groups: &[&str]) -> AccountId {
    let said = json!({"preferred_username": name, "groups": groups});
    other.enter(0, name, said).await.account.id
}

fn names(house: &House) -> Vec<String> {
    house.there().into_iter().map(|(name, ..)| name).collect()
}

#[tokio::test]
async fn who_joins_through_an_engine_without_targets_is_there_after_one_round() {
    let house = House::new(members());
    let other = beside(&house, TimeDelta::zero());
    join(&other, "anna", &["member", "editor"]).await;
    join(&other, "guest", &[]).await;
    house.work().await.unwrap();
    assert_eq!(house.there(), [("anna".into(), true, vec!["Editors".into()])]);

    let guest = join(&other, "guest", &["member"]).await;
    house.work().await.unwrap();
    assert_eq!(names(&house), ["anna", "guest"], "who is to be there only from now on");
    assert!(house.mirror(guest).await.unwrap().native.is_some());
    assert_eq!(house.work().await.unwrap(), WorkReport::default(), "and that is all");
}

#[tokio::test]
async fn who_goes_through_such_an_engine_goes_there_in_the_same_round() {
    let house = House::new(members());
    let other = beside(&house, TimeDelta::zero());
    let anna = join(&other, "anna", &["member"]).await;
    house.work().await.unwrap();
    other.administer(anna, AdminAct::Suspend).await.unwrap();
    house.work().await.unwrap();
    assert_eq!(house.there(), [("anna".into(), false, vec![])]);
}

#[tokio::test]
async fn an_engine_that_only_lends_there_lets_the_one_that_mirrors_know() {
    let house = House::new(members());
    let anna = house.enter(&["member"]).await;
    house.work().await.unwrap();
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(chat(), Arc::new(MemoryTarget::new()), markers).for_tenants([tenant()]);
    let lender = support::house_on(Arc::clone(&house.inner.store), vec![], |builder| {
        builder.target(setup).entropy(Arc::new(SeededEntropy::new(9)))
    });
    lender.administer(anna, AdminAct::Suspend).await.unwrap();
    house.work().await.unwrap();
    assert_eq!(house.there(), [("anna".into(), false, vec![])]);
}

#[tokio::test]
async fn whoever_came_while_nobody_worked_is_brought_later_and_many_in_some_rounds() {
    let house = House::new(members());
    house.work().await.unwrap();
    let other = beside(&house, TimeDelta::zero());
    for n in 0..1_200 {
        join(&other, &format!("p{n:04}"), &["member"]).await;
    }
    house.inner.clock.advance(TimeDelta::days(3));
    let restarted = house.beside();
    for _ in 0..14 {
        restarted.work().await.unwrap();
    }
    assert_eq!(house.there().len(), 1_200);
}

#[tokio::test]
async fn a_clock_that_is_minutes_behind_or_ahead_hides_nobody() {
    let house = House::new(members());
    let (behind, ahead) = (beside(&house, TimeDelta::minutes(-4)), beside(&house, TimeDelta::minutes(4)));
    join(&ahead, "ahead", &["member"]).await;
    house.enter(&["member"]).await;
    house.pass_minutes(1).await;
    assert_eq!(names(&house), ["ahead", "anna"]);
    join(&behind, "behind", &["member"]).await;
    join(&beside(&house, TimeDelta::zero()), "now", &["member"]).await;
    house.pass_minutes(1).await;
    assert_eq!(names(&house), ["ahead", "anna", "now"]);
    house.pass_minutes(15).await;
    assert_eq!(names(&house), ["ahead", "anna", "behind", "now"], "the trail was read once more");
}

#[tokio::test]
async fn a_look_costs_what_happened_since_and_an_account_that_cannot_be_read_keeps_nobody() {
    let watched = Watched::new();
    let house = House::on_store(Arc::clone(&watched) as Arc<dyn Store>, members());
    let other = beside(&house, TimeDelta::zero());
    for n in 0..500 {
        join(&other, &format!("p{n:04}"), &["member"]).await;
    }
    house.pass_minutes(20).await;
    assert_eq!(house.there().len(), 500);
    let reads = || watched.reads();
    reads();
    house.work().await.unwrap();
    assert_eq!(reads(), 0, "nothing happened");
    other.clock.advance(TimeDelta::minutes(20));
    let spoilt = join(&other, "p500", &["member"]).await;
    *watched.spoilt.lock().unwrap() = Some(spoilt);
    join(&other, "p501", &["member"]).await;
    reads();
    house.work().await.unwrap();
    assert_eq!(house.there().len(), 501);
    assert!(reads() < 10, "those that it is about, and no others");
}

/// An engine that mirrors many tenants to one application, from one store or two.
fn of_many(stores: &[Arc<Watched>], chat_there: &Arc<MemoryTarget>, tenants: usize) -> support::House {
    of_many_with(members(), stores, chat_there, tenants)
}

fn of_many_with(
    mirroring: Mirroring,
    stores: &[Arc<Watched>],
    chat_there: &Arc<MemoryTarget>,
    tenants: usize,
) -> support::House {
    let others = (1..tenants).map(|n| TenantId::new(format!("globex{n}")).unwrap());
    let markers = MarkerKey::new("test", &[5; 32]).unwrap();
    let setup = TargetSetup::new(chat(), Arc::clone(chat_there) as _, markers).mirroring(mirroring);
    let setup = setup.for_tenants(others.chain([tenant()]));
    let clock = Arc::new(ManualClock::at(support::instant("2026-11-21T09:00:00Z")));
    let mut house = support::house_on(Arc::clone(&stores[0]) as _, vec![wire("main")], |builder| {
        let builder = builder.target(setup).clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let second = stores.get(1).map(|store| (StoreId::new("second").unwrap(), Arc::clone(store) as _));
        second.into_iter().fold(builder, |builder, (id, store)| builder.store(id, store))
    });
    house.clock = clock;
    house
}

async fn work(house: &support::House) -> Result<WorkReport, JitError> {
    let limit = std::num::NonZeroUsize::new(100).unwrap();
    house.jit.work_target(&WorkerId::new("w1").unwrap(), &chat(), limit).await
}

#[tokio::test]
async fn ends_do_not_wait_for_a_store_that_hangs_when_asked_for_its_trail() {
    let (watched, there) = (Watched::new(), Arc::new(MemoryTarget::new()));
    let house = of_many(std::slice::from_ref(&watched), &there, 20);
    let anna = house.enter(0, "anna", House::said(&["member"])).await.account.id;
    work(&house).await.unwrap();
    house.administer(anna, AdminAct::Suspend).await.unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (chat, clock, seen) = (Arc::clone(&there), Arc::clone(&house.clock), Arc::clone(&asked));
    watched.on_trail(move |_| {
        seen.lock().unwrap().push(chat.accounts()["anna"].enabled);
        clock.advance(TimeDelta::seconds(10));
        Err(BackendError::new(ErrorKind::Unavailable, "audit.about"))
    });
    work(&house).await.unwrap_err();
    assert_eq!(*asked.lock().unwrap(), [false], "asked once, and after the end was brought");
}

#[tokio::test]
async fn ends_in_one_store_do_not_wait_for_looks_for_drift_in_another() {
    let (stores, there) = ([Watched::new(), Watched::new()], Arc::new(MemoryTarget::new()));
    let mirroring = members().looking_for_drift(DriftLook::each(TimeDelta::hours(1)));
    let house = of_many_with(mirroring, &stores, &there, 1);
    let anna = house.enter(0, "anna", House::said(&["member"])).await.account.id;
    for _ in 0..3 {
        work(&house).await.unwrap();
    }
    house.clock.advance(TimeDelta::hours(2));
    house.administer(anna, AdminAct::Suspend).await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for store in &stores {
        let (chat, seen) = (Arc::clone(&there), Arc::clone(&seen));
        store.on_bearers(move || seen.lock().unwrap().push(chat.accounts()["anna"].enabled));
    }
    work(&house).await.unwrap();
    assert_eq!(*seen.lock().unwrap(), [false, false], "the ends of all stores come first");
}

#[tokio::test]
async fn each_of_many_tenants_has_its_turn_in_each_store() {
    let (stores, there) = ([Watched::new(), Watched::new()], Arc::new(MemoryTarget::new()));
    let house = of_many(&stores, &there, 50);
    let followed = [(); 2].map(|()| Arc::new(Mutex::new(std::collections::BTreeSet::new())));
    for (store, followed) in stores.iter().zip(&followed) {
        let followed = Arc::clone(followed);
        store.on_trail(move |tenant| {
            followed.lock().unwrap().insert(tenant.clone());
            Ok(())
        });
    }
    for _ in 0..2 {
        work(&house).await.unwrap();
    }
    assert_eq!(followed.map(|followed| followed.lock().unwrap().len()), [50, 50]);
}

#[tokio::test]
async fn a_slow_store_has_its_newcomers_marked_in_several_short_turns() {
    let (watched, there) = (Watched::new(), Arc::new(MemoryTarget::new()));
    let house = of_many(std::slice::from_ref(&watched), &there, 1);
    let beside = support::house_on(Arc::clone(&watched) as _, vec![wire("hr")], |builder| {
        let clock = Arc::clone(&house.clock) as Arc<dyn Clock>;
        builder.clock(clock).entropy(Arc::new(SeededEntropy::new(9)))
    });
    for n in 0..10 {
        join(&beside, &format!("p{n}"), &["member"]).await;
    }
    house.clock.advance(TimeDelta::minutes(1));
    *watched.slow.lock().unwrap() = Some(Arc::clone(&house.clock));
    let mut brought = Vec::new();
    for _ in 0..4 {
        work(&house).await.unwrap();
        brought.push(there.accounts().len());
    }
    assert_eq!(brought, [3, 6, 9, 10]);
}

#[tokio::test]
async fn a_store_whose_every_call_is_slow_is_asked_about_one_account_in_a_turn() {
    let (watched, there) = (Watched::new(), Arc::new(MemoryTarget::new()));
    let house = of_many(std::slice::from_ref(&watched), &there, 1);
    work(&house).await.unwrap();
    let beside = support::house_on(Arc::clone(&watched) as _, vec![wire("hr")], |builder| {
        let clock = Arc::clone(&house.clock) as Arc<dyn Clock>;
        builder.clock(clock).entropy(Arc::new(SeededEntropy::new(9)))
    });
    for n in 0..3 {
        join(&beside, &format!("p{n}"), &["member"]).await;
    }
    house.clock.advance(TimeDelta::minutes(20));
    *watched.slow_calls.lock().unwrap() = Some((Arc::clone(&house.clock), TimeDelta::seconds(9)));
    for round in 1..=3 {
        watched.calls.lock().unwrap().clear();
        work(&house).await.unwrap();
        let calls = watched.calls.lock().unwrap();
        let turn: Vec<_> = calls.iter().take_while(|call| **call != "place").copied().collect();
        assert_eq!(turn, ["about", "get", "commit"], "but for where it goes on");
        assert_eq!(there.accounts().len(), round);
    }
}

#[tokio::test]
async fn processes_that_live_for_one_round_follow_all_tenants_together() {
    let (watched, there) = (Watched::new(), Arc::new(MemoryTarget::new()));
    let followed = Arc::new(Mutex::new(std::collections::BTreeSet::new()));
    let seen = Arc::clone(&followed);
    watched.on_trail(move |tenant| {
        seen.lock().unwrap().insert(tenant.clone());
        Ok(())
    });
    for round in 0..16 {
        let process = of_many(std::slice::from_ref(&watched), &there, 50);
        process.clock.advance(TimeDelta::minutes(5) * round);
        work(&process).await.unwrap();
    }
    assert_eq!(followed.lock().unwrap().len(), 50);
}
