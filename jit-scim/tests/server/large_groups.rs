//! Groups of very many: neither a request nor a turn of work grows with them, and everybody is told in the end.

use std::sync::{Arc, atomic::Ordering};

use chrono::TimeDelta;
use jit_core::{Store, TenantId};
use jit_scim::server::Reach;
use serde_json::json;

use crate::{
    faults::{Faulty, NEVER, fill},
    support::*,
};

/// What one piece of work may write: tasks for 500 members, who may have to be let go of, and one for the rest.
const PIECE: usize = 500 + 500 + 3;

/// A house in which everybody is told by workers.
fn counting_house() -> (House, Arc<Faulty>) {
    let store = Arc::new(Faulty::new());
    let reach = Reach { retold_at_once: 0, ..Reach::default() };
    let house =
        house_on(Arc::clone(&store) as Arc<dyn Store>, SETTINGS, |connection| connection.reach(reach));
    (house, store)
}

#[tokio::test]
async fn a_group_of_very_many_is_renamed_and_removed_at_the_price_of_a_middling_one() {
    let mut costs = Vec::new();
    for count in [1_000, 100_000] {
        let (house, store) = counting_house();
        let id = house.post("/Groups", group("team-red", &[])).await.is(201).id();
        fill(&store, &id, count).await;
        let path = format!("/Groups/{id}");
        for counter in [&store.calls, &store.rows, &store.largest] {
            counter.store(0, Ordering::SeqCst);
        }
        let rename = json!([{"op": "replace", "path": "displayName", "value": "team-blue"}]);
        house.patch(&path, rename).await.is(204);
        house.delete(&path).await.is(204);
        house.get(&path).await.is(404);
        costs.push([&store.calls, &store.rows, &store.largest].map(|counter| counter.load(Ordering::SeqCst)));
    }
    assert_eq!(costs[0], costs[1], "calls of the store, rows of its lists, and the largest commit");
    let [_, rows, largest] = costs[1];
    assert!(rows <= 1_000 && largest <= 4, "{rows} rows were read, and {largest} written in one commit");
}

/// Works until nothing is left, whatever fails.
async fn work(house: &House) {
    for _ in 0..100 {
        let report = house.work().await;
        if report.done + report.failed == 0 {
            return;
        }
        house.clock.advance(TimeDelta::minutes(2));
    }
    panic!("the work does not end");
}

async fn holders(house: &House, of: &str) -> usize {
    let holds = |account: &&jit_core::Account| {
        account.grants.iter().any(|grant| grant.entitlement.to_string() == format!("group:{of}"))
    };
    house.accounts().await.iter().filter(holds).count()
}

#[tokio::test]
async fn everybody_in_a_group_of_very_many_is_told_in_pieces_whatever_fails_in_between() {
    const MANY: usize = 620;
    let (house, store) = counting_house();
    let mut ids = Vec::new();
    for number in 0..MANY {
        ids.push(house.post("/Users", user(&format!("u{number}"))).await.is(201).id());
    }
    let mut name = "team-0".to_owned();
    let members: Vec<_> = ids.iter().map(String::as_str).collect();
    let id = house.post("/Groups", group(&name, &members)).await.is(201).id();
    work(&house).await;
    assert_eq!(holders(&house, &name).await, MANY);
    let path = format!("/Groups/{id}");
    store.largest.store(0, Ordering::SeqCst);
    for (calls, after) in (0..5).flat_map(|calls| [(calls, false), (calls, true)]) {
        name = format!("team-{calls}-{after}");
        let rename = json!([{"op": "replace", "path": "displayName", "value": name}]);
        house.patch(&path, rename).await.is(204);
        store.arm(calls, after);
        work(&house).await;
        store.arm(NEVER, false);
        work(&house).await;
        assert_eq!(holders(&house, &name).await, MANY, "call {calls}, {after}");
    }
    house.delete(&path).await.is(204);
    let shown = house.get(&format!("/Groups?filter=members.value eq \"{}\"", ids[0])).await.is(200).body;
    assert_eq!(shown["totalResults"], 0, "nobody is a member of a group that is gone");
    store.arm(2, true);
    work(&house).await;
    store.arm(NEVER, false);
    work(&house).await;
    assert_eq!(holders(&house, &name).await, 0);
    assert!(store.largest.load(Ordering::SeqCst) <= PIECE);
    let collection = jit_core::Collection {
        tenant: TenantId::new("acme").unwrap(),
        connection: "scim".parse().unwrap(),
        kind: "Group".parse().unwrap(),
    };
    let key = collection.key(id.parse().unwrap());
    let left = house.store.members(&key, None, std::num::NonZeroUsize::MIN).await.unwrap();
    assert!(left.items.is_empty(), "nobody stays behind");
}

#[tokio::test]
async fn when_very_many_leave_at_once_their_tasks_come_in_pieces_and_the_group_is_cleared() {
    const MANY: usize = 900;
    let (house, store) = counting_house();
    let mut ids = Vec::new();
    for number in 0..MANY {
        ids.push(house.post("/Users", user(&format!("u{number}"))).await.is(201).id());
    }
    let members: Vec<_> = ids.iter().map(String::as_str).collect();
    let made = house.post("/Groups", group("team-a", &members)).await.is(201);
    assert!(store.largest.load(Ordering::SeqCst) <= 1 + MANY + 2, "a document, its members, two tasks");
    work(&house).await;
    assert_eq!(holders(&house, "team-a").await, MANY);
    let path = format!("/Groups/{}", made.id());
    let late = house.post("/Users", user("late")).await.is(201).id();
    let two = json!([{"value": ids[700]}, {"value": late}]);
    for (change, left, written) in [
        (json!([{"op": "replace", "path": "members", "value": two}]), 2, 1 + 3 + 2),
        (json!([{"op": "add", "path": "members", "value": made.body["members"]}]), MANY + 1, 1 + MANY + 2),
        (json!([{"op": "remove", "path": "members"}]), 0, 1 + 1 + 2),
    ] {
        store.largest.store(0, Ordering::SeqCst);
        house.patch(&path, change).await.is(204);
        let largest = store.largest.load(Ordering::SeqCst);
        assert!(largest <= written, "a document, its members, two tasks: {largest}");
        let members = house.get(&path).await.is(200).body["members"].as_array().map_or(0, Vec::len);
        work(&house).await;
        assert_eq!((members, holders(&house, "team-a").await), (left, left));
    }
}
