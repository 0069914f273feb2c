//! Members that a filter takes out of a group: each reading is bounded, shared, and lets others have a turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    task::Poll,
};

use jit_core::{Collection, Document, DocumentKind, DocumentStore, Store, TenantId};
use jit_scim::server::Reach;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    faults::{Faulty, fill},
    support::*,
};

/// A house with a group of people, and a group within it.
async fn house_of_many(reach: Reach, count: u64) -> (House, Arc<Faulty>, String) {
    let store = Arc::new(Faulty::new());
    let house =
        house_on(Arc::clone(&store) as Arc<dyn Store>, SETTINGS, |connection| connection.reach(reach));
    let path = group_of_many(&house, &store, count).await;
    store.rows.store(0, Ordering::SeqCst);
    (house, store, path)
}

async fn group_of_many(house: &House, store: &Faulty, count: u64) -> String {
    let inner = house.post("/Groups", group("inner", &[])).await.is(201).id();
    let id = house.post("/Groups", group("team-red", &[&inner])).await.is(201).id();
    fill(store, &id, count).await;
    format!("/Groups/{id}")
}

fn remove(filter: &str) -> Value {
    json!({"op": "remove", "path": format!("members[{filter}]")})
}

fn bulk(path: &str, operations: impl IntoIterator<Item = Value>) -> Value {
    let operations = operations
        .into_iter()
        .map(|operation| json!({"method": "PATCH", "path": path, "data": patch(json!([operation]))}));
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations.collect::<Vec<_>>()})
}

fn statuses(answer: &Answer) -> Vec<&str> {
    let operations = answer.body["Operations"].as_array().unwrap();
    operations.iter().map(|operation| operation["status"].as_str().unwrap()).collect()
}

async fn count(house: &House, path: &str) -> usize {
    house.get(path).await.is(200).body["members"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_group_is_read_once_for_all_operations_of_a_request_that_ask_about_all_of_it() {
    let (house, store, path) = house_of_many(Reach::default(), 3_000).await;
    let groups = || remove(r#"type eq "Group""#);
    house.patch(&path, json!([groups(), groups(), remove(r#"type eq "None""#)])).await.is(204);
    assert_eq!(store.rows.swap(0, Ordering::SeqCst), 3_001);
    assert_eq!(count(&house, &path).await, 3_000, "the group within is gone");
    store.rows.store(0, Ordering::SeqCst);
    let none = (0..20).map(|number| remove(&format!("type eq \"None{}\"", number % 2)));
    let first = remove(r#"value ew "000000000000" or type eq "Group""#);
    let answer = house.post("/Bulk", bulk(&path, none.chain([first.clone(), groups(), first]))).await.is(200);
    assert_eq!(statuses(&answer), ["200"; 23]);
    assert_eq!(store.rows.load(Ordering::SeqCst), 3_000, "what the request wrote itself is known");
    assert_eq!(count(&house, &path).await, 2_999);
    store.rows.store(0, Ordering::SeqCst);
    house.patch(&path, json!([groups()])).await.is(204);
    assert_eq!(store.rows.load(Ordering::SeqCst), 2_999, "another request reads it anew");
}

#[tokio::test]
async fn whom_a_filter_names_is_looked_up_and_nobody_else_is_read() {
    let (house, store, path) = house_of_many(Reach::default(), 3_000).await;
    let one = |number: usize| format!(r#"value eq "00000000-0000-7000-8000-{number:012x}""#);
    for (filter, left) in [
        (format!(r#"type eq "User" and {}"#, one(7)), 3_000),
        (format!(r#"{} and type eq "Group""#, one(8)), 3_000),
        (format!(r#"({} and type eq "User") or ({} and not (type eq "Group"))"#, one(9), one(10)), 2_998),
    ] {
        house.patch(&path, json!([remove(&filter)])).await.is(204);
        assert_eq!(store.rows.swap(0, Ordering::SeqCst), 0, "{filter}");
        assert_eq!(count(&house, &path).await, left, "{filter}");
        store.rows.store(0, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_request_reads_no_more_members_than_it_may_and_changes_nothing_beyond() {
    let reach = Reach { members_read: 2_500, ..Reach::default() };
    let (house, store, path) = house_of_many(reach, 3_000).await;
    for change in [remove(r#"type eq "User""#), json!({"op": "remove", "path": "members"})] {
        house.patch(&path, json!([change])).await.refuses(413, None);
        assert!(store.rows.swap(0, Ordering::SeqCst) <= 3_000);
    }
    house.put(&path, group("team-red", &[])).await.refuses(413, None);
    assert_eq!(count(&house, &path).await, 3_001);
    let [one, two] = [house_of_many(reach, 2_000).await, house_of_many(reach, 2_000).await];
    let (house, _, path) = one;
    house.patch(&path, json!([remove(r#"type eq "Group""#)])).await.is(204);
    assert_eq!(count(&house, &path).await, 2_000);
    // each of two operations could have been done alone
    let (house, store, path) = two;
    let other = house.post("/Groups", group("team-blue", &[])).await.is(201).id();
    let other = format!("/Groups/{other}");
    let all: Vec<_> = house.get(&path).await.is(200).body["members"].as_array().unwrap().clone();
    house.patch(&other, json!([{"op": "add", "path": "members", "value": all}])).await.is(204);
    store.rows.store(0, Ordering::SeqCst);
    let mut request = bulk(&path, [remove(r#"type eq "Group""#)]);
    let more = bulk(&other, [remove(r#"type eq "Group""#), remove(r#"type eq "None""#)]);
    let more = more["Operations"].as_array().unwrap().clone();
    request["Operations"].as_array_mut().unwrap().extend(more);
    let answer = house.post("/Bulk", request).await.is(200);
    assert_eq!(statuses(&answer), ["200", "413", "413"]);
    assert!(store.rows.load(Ordering::SeqCst) <= 2_001 + 2_001 + 1_000);
    assert_eq!((count(&house, &path).await, count(&house, &other).await), (2_000, 2_001));
}

/// Lets the next look at the group find it as it was before somebody joined.
async fn join_beside(house: &House, store: &Faulty, path: &str) {
    let before = team(store, path).await;
    let id = house.post("/Groups", group("joins", &[])).await.is(201).id();
    let joins = json!({"op": "add", "path": "members", "value": [{"value": id}]});
    house.patch(path, json!([joins])).await.is(204);
    *store.old.lock().unwrap() = Some(before);
}

async fn team(store: &Faulty, path: &str) -> Document {
    let of = Collection {
        tenant: TenantId::new("acme").unwrap(),
        connection: "scim".parse().unwrap(),
        kind: DocumentKind::new("Group").unwrap(),
    };
    let id = path.trim_start_matches("/Groups/").parse().unwrap();
    store.inner.document(&of.key(id)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_change_that_others_overtake_until_it_may_read_no_more_can_be_sent_again() {
    let reach = Reach { members_read: 3_500, ..Reach::default() };
    let (house, store, path) = house_of_many(reach, 2_000).await;
    let all = json!([remove(r#"type eq "Group""#)]);
    join_beside(&house, &store, &path).await;
    house.patch(&path, all.clone()).await.refuses(503, None);
    assert_eq!(count(&house, &path).await, 2_002, "nothing of it is done");
    join_beside(&house, &store, &path).await;
    let answer = house.post("/Bulk", bulk(&path, [all[0].clone(), all[0].clone()])).await.is(200);
    assert_eq!(statuses(&answer), ["503", "503"]);
    house.put(&path, group("team-red", &[])).await.is(200);
    assert_eq!(count(&house, &path).await, 0, "alone it may be done");
}

#[tokio::test]
async fn a_group_that_is_too_large_keeps_nobody_from_small_ones() {
    let reach = Reach { members_read: 2_500, ..Reach::default() };
    let (house, store, path) = house_of_many(reach, 3_000).await;
    let small = house.post("/Groups", group("team-blue", &[])).await.is(201).id();
    let small = format!("/Groups/{small}");
    let inner = house.post("/Groups", group("inner", &[])).await.is(201).id();
    house.patch(&small, json!([{"op": "add", "path": "members", "value": [{"value": inner}]}])).await.is(204);
    let groups = || remove(r#"type eq "Group""#);
    let mut request = bulk(&path, (0..20).map(|_| groups()));
    let others = bulk(&small, [groups()])["Operations"].as_array().unwrap().clone();
    request["Operations"].as_array_mut().unwrap().extend(others);
    store.rows.store(0, Ordering::SeqCst);
    let answer = house.post("/Bulk", request).await.is(200);
    let (last, refused) =
        statuses(&answer).split_last().map(|(last, refused)| (*last, refused.to_vec())).unwrap();
    assert_eq!((refused, last), (vec!["413"; 20], "200"), "it fits");
    assert_eq!(store.rows.load(Ordering::SeqCst), 3_000 + 1, "what is too large is not read again");
    assert_eq!((count(&house, &path).await, count(&house, &small).await), (3_001, 0));
}

#[tokio::test]
async fn groups_that_are_too_large_are_not_read_without_end() {
    let reach = Reach { members_read: 4_000, ..Reach::default() };
    let (house, store, path) = house_of_many(reach, 5_000).await;
    let all: Vec<_> = house.get(&path).await.is(200).body["members"].as_array().unwrap().clone();
    let mut request = bulk(&path, []);
    for number in 0..6 {
        let id = house.post("/Groups", group(&format!("team-{number}"), &[])).await.is(201).id();
        let other = format!("/Groups/{id}");
        house.patch(&other, json!([{"op": "add", "path": "members", "value": all}])).await.is(204);
        let operations =
            bulk(&other, [remove(r#"type eq "Group""#)])["Operations"].as_array().unwrap().clone();
        request["Operations"].as_array_mut().unwrap().extend(operations);
    }
    store.rows.store(0, Ordering::SeqCst);
    let answer = house.post("/Bulk", request).await.is(200);
    assert_eq!(statuses(&answer), ["413"; 6]);
    let read = store.rows.load(Ordering::SeqCst);
    assert!(read <= 2 * 4_000 + 6 * 1_000, "twice what may be read, and a page of each: {read}");
}

#[tokio::test]
async fn what_looks_at_everybody_lets_others_have_their_turn() {
    let (house, _, path) = house_of_many(Reach::default(), 20_000).await;
    let mut turns = 0;
    let others = poll_fn(|context| {
        turns += 1;
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let change = json!([remove(r#"type eq "Group""#)]);
    tokio::select! {
        biased;
        changed = house.patch(&path, change) => changed.is(204),
        () = others => unreachable!(),
    };
    assert!(turns >= 20, "each page of the group is a turn, and so is each part of the look at it: {turns}");
}

#[derive(Clone, Debug)]
enum Step {
    Add(usize, bool),
    Remove(usize),
    Replace(Vec<usize>),
    /// By a filter, of which this is the number.
    Where(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..6_usize, any::<bool>()).prop_map(|(who, says)| Step::Add(who, says)),
        1 => (0..6_usize).prop_map(Step::Remove),
        1 => prop::collection::vec(0..6_usize, 0..3).prop_map(Step::Replace),
        3 => (0..5_usize).prop_map(Step::Where),
    ];
    prop::collection::vec(step, 1..8)
}

/// Tells by plain sets who is left. Of two kinds are the members, and whoever is new may be added without saying theirs.
fn left(before: &BTreeSet<usize>, steps: &[Step]) -> BTreeSet<usize> {
    let kind = |who: usize| if who == 5 { "Group" } else { "User" };
    let fits = |filter: usize, who: usize, kind: Option<&str>| match filter {
        0 => kind == Some("User"),
        1 => kind == Some("Group"),
        2 => who == 1 && kind == Some("User"),
        3 => who == 2 || who == 5 && kind != Some("User"),
        _ => kind != Some("Group"),
    };
    let mut now: BTreeMap<usize, Option<Option<&str>>> = before.iter().map(|who| (*who, None)).collect();
    for step in steps {
        match step {
            Step::Add(who, says) => drop(now.insert(*who, Some(says.then(|| kind(*who))))),
            Step::Remove(who) => drop(now.remove(who)),
            Step::Replace(who) => now = who.iter().map(|who| (*who, Some(None))).collect(),
            Step::Where(filter) => now.retain(|who, said| {
                let as_kept = before.contains(who) && fits(*filter, *who, Some(kind(*who)));
                !as_kept && !said.is_some_and(|said| fits(*filter, *who, said))
            }),
        }
    }
    now.into_keys().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_left_is_as_sets_say(
        before in prop::collection::btree_set(0..6_usize, 0..6),
        requests in prop::collection::vec(steps(), 1..4),
        at_once in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let house = house();
            let mut ids = Vec::new();
            for number in 0..5 {
                ids.push(house.post("/Users", user(&format!("u{number}"))).await.is(201).id());
            }
            ids.push(house.post("/Groups", group("inner", &[])).await.is(201).id());
            let members: Vec<_> = before.iter().map(|who| ids[*who].as_str()).collect();
            let path = format!("/Groups/{}", house.post("/Groups", group("team-a", &members)).await.is(201).id());
            let filters = [
                r#"type eq "User""#.to_owned(),
                r#"type eq "Group""#.to_owned(),
                format!(r#"type eq "User" and value eq "{}""#, ids[1]),
                format!(r#"value eq "{}" or (value eq "{}" and type ne "User")"#, ids[2], ids[5]),
                r#"not (type eq "Group")"#.to_owned(),
            ];
            let written = |step: &Step| match step {
                Step::Add(who, says) => {
                    let mut member = json!({"value": ids[*who]});
                    if *says {
                        member["type"] = json!(if *who == 5 { "Group" } else { "User" });
                    }
                    json!({"op": "add", "path": "members", "value": [member]})
                }
                Step::Remove(who) => remove(&format!("value eq \"{}\"", ids[*who])),
                Step::Replace(who) => {
                    let members: Vec<_> = who.iter().map(|who| json!({"value": ids[*who]})).collect();
                    json!({"op": "replace", "path": "members", "value": members})
                }
                Step::Where(filter) => remove(&filters[*filter]),
            };
            let mut expected = before;
            for steps in &requests {
                expected = left(&expected, steps);
            }
            let requests: Vec<Vec<_>> = requests.iter().map(|steps| steps.iter().map(written).collect()).collect();
            if at_once {
                let operations = requests.into_iter().map(|operations| {
                    json!({"method": "PATCH", "path": path, "data": patch(json!(operations))})
                });
                let mut request = bulk(&path, []);
                request["Operations"] = operations.collect();
                let answer = house.post("/Bulk", request).await.is(200);
                assert!(statuses(&answer).iter().all(|status| *status == "200"), "{answer:?}");
            } else {
                for operations in requests {
                    house.patch(&path, json!(operations)).await.is(204);
                }
            }
            let shown = house.get(&path).await.is(200);
            let shown: BTreeSet<_> = shown.body["members"].as_array().into_iter().flatten()
                .map(|member| ids.iter().position(|id| member["value"] == **id).unwrap()).collect();
            assert_eq!(shown, expected);
        });
    }
}
