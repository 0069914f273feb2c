//! People in very many groups: a change of one group is told without reading the others.

use std::sync::{Arc, atomic::Ordering};

use jit_core::Store;
use jit_scim::server::Reach;
use serde_json::{Value, json};

use crate::{faults::Faulty, support::*};

fn counting_house() -> (House, Arc<Faulty>) {
    let store = Arc::new(Faulty::new());
    (house_on(Arc::clone(&store) as Arc<dyn Store>, SETTINGS, |connection| connection), store)
}

/// A group that the source calls by a name of its own, or by none.
fn named(name: &str, external: Option<&str>) -> Value {
    let mut group = group(name, &[]);
    if let Some(external) = external {
        group["externalId"] = json!(external);
    }
    group
}

fn shown(user: &Answer) -> Vec<(&str, &str)> {
    let groups = user.body["groups"].as_array().map_or(&[][..], Vec::as_slice);
    groups
        .iter()
        .map(|group| (group["value"].as_str().unwrap(), group["display"].as_str().unwrap()))
        .collect()
}

/// Joins a group by its POST, another by a PATCH, sees one renamed, leaves one, and loses one.
async fn go_through_groups(house: &House, anna: &str) {
    let first = house.post("/Groups", group("team-first", &[anna])).await.is(201).id();
    let second = house.post("/Groups", named("team-second", Some("ext-2"))).await.is(201).id();
    let [first, second] = [first, second].map(|id| format!("/Groups/{id}"));
    let join = json!([{"op": "add", "path": "members", "value": [{"value": anna}]}]);
    house.patch(&second, join).await.is(204);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "team-renamed"}]);
    house.patch(&first, rename).await.is(204);
    let leave = json!([{"op": "remove", "path": format!("members[value eq \"{anna}\"]")}]);
    house.patch(&second, leave).await.is(204);
    house.delete(&first).await.is(204);
    assert_eq!(house.work().await.failed, 0);
}

#[tokio::test]
async fn a_change_of_one_group_asks_as_little_of_who_is_in_many_as_of_who_is_in_few() {
    let mut asked = Vec::new();
    for count in [3, 60] {
        let (house, store) = counting_house();
        let anna = house.post("/Users", user("anna")).await.is(201).id();
        for number in 0..count {
            house.post("/Groups", group(&format!("team-{number}"), &[&anna])).await.is(201);
        }
        house.work().await;
        store.calls.store(0, Ordering::SeqCst);
        go_through_groups(&house, &anna).await;
        asked.push(store.calls.load(Ordering::SeqCst));
        assert_eq!(house.grants("anna").await.len(), count);
        assert_eq!(shown(&house.get(&format!("/Users/{anna}")).await.is(200)).len(), count);
    }
    assert_eq!(asked[0], asked[1], "calls of the store");
}

/// What is not read anew stays with the group that it belongs to.
#[tokio::test]
async fn what_groups_are_called_stays_theirs_while_others_come_change_and_go() {
    let by_key = r#"{ claim = "groups.externalId", pattern = "ext-*", give = "group:team-{*}", allow = ["group:team-*"] }"#;
    let by_name = r#"{ claim = "groups.display", pattern = "team-*", give = "group:team-{*}", allow = ["group:team-*"] }"#;
    let house = house_with(&SETTINGS.replace(by_name, by_key), |connection| connection);
    let anna = house.post("/Users", user("anna")).await.is(201).id();
    let mut groups = Vec::new();
    for (name, external) in [("A", Some("ext-a")), ("B", None), ("C", Some("ext-c")), ("D", None)] {
        let id = house.post("/Groups", named(name, external)).await.is(201).id();
        groups.push(format!("/Groups/{id}"));
    }
    let join = || json!([{"op": "add", "path": "members", "value": [{"value": anna}]}]);
    let leave = || json!([{"op": "remove", "path": format!("members[value eq \"{anna}\"]")}]);
    let set = |name: &str, value: &str| json!([{"op": "replace", "path": name, "value": value}]);
    for (place, change, held, names) in [
        (1, join(), &[][..], &["B"][..]),
        (2, join(), &["c"], &["B", "C"]),
        (3, join(), &["c"], &["B", "C", "D"]),
        (0, join(), &["a", "c"], &["A", "B", "C", "D"]),
        (1, leave(), &["a", "c"], &["A", "C", "D"]),
        (3, set("externalId", "ext-d"), &["a", "c", "d"], &["A", "C", "D"]),
        (2, set("externalId", "ext-x"), &["a", "d", "x"], &["A", "C", "D"]),
        (2, set("displayName", "Y"), &["a", "d", "x"], &["A", "Y", "D"]),
        (0, leave(), &["d", "x"], &["Y", "D"]),
        (1, join(), &["d", "x"], &["B", "Y", "D"]),
        (3, leave(), &["x"], &["B", "Y"]),
    ] {
        house.patch(&groups[place], change.clone()).await.is(204);
        assert_eq!(house.work().await.failed, 0);
        let mut grants = house.grants("anna").await;
        grants.sort();
        let held: Vec<_> = held.iter().map(|name| format!("group:team-{name}")).collect();
        let user = house.get(&format!("/Users/{anna}")).await.is(200);
        let shown: Vec<_> = shown(&user).into_iter().map(|(_, name)| name.to_owned()).collect();
        assert_eq!(
            (grants, shown.as_slice()),
            (held, names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>().as_slice()),
            "{change}"
        );
    }
}

/// Where the store does not name all groups of one person, what those give that it did not name is not taken away.
#[tokio::test]
async fn nothing_is_taken_for_a_group_that_the_store_did_not_name() {
    let (house, store) = counting_house();
    let anna = house.post("/Users", user("anna")).await.is(201).id();
    let mut groups = Vec::new();
    for number in 0..5 {
        groups.push(house.post("/Groups", group(&format!("team-{number}"), &[&anna])).await.is(201).id());
    }
    house.work().await;
    let held = |from: usize| (from..6).map(|number| format!("group:team-{number}")).collect::<Vec<_>>();
    store.named.store(3, Ordering::SeqCst);
    groups.push(house.post("/Groups", group("team-5", &[&anna])).await.is(201).id());
    let path = format!("/Users/{anna}");
    assert_eq!(house.work().await.failed, 0);
    assert_eq!(house.grants("anna").await.len(), 5, "what is not named gives nothing new, and loses nothing");
    assert_eq!(shown(&house.get(&path).await.is(200)).len(), 3);
    // what is said of the person later knows of it
    house.patch(&path, json!([{"op": "replace", "path": "title", "value": "Baker"}])).await.is(200);
    assert_eq!(house.grants("anna").await.len(), 5);
    store.named.store(usize::MAX, Ordering::SeqCst);
    house.delete(&format!("/Groups/{}", groups[0])).await.is(204);
    assert_eq!(house.work().await.failed, 0);
    let mut grants = house.grants("anna").await;
    grants.sort();
    assert_eq!((grants, shown(&house.get(&path).await.is(200)).len()), (held(1), 5));
}

/// A part of the groups is never taken for all of them.
#[tokio::test]
async fn a_filter_over_members_finds_all_groups_or_says_that_it_cannot() {
    for (looked_at, found) in [(100, Some(5)), (4, None)] {
        let store = Arc::new(Faulty::new());
        let reach = Reach { looked_at, ..Reach::default() };
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let house = house_on(shared, SETTINGS, |connection| connection.reach(reach));
        let anna = house.post("/Users", user("anna")).await.is(201).id();
        for number in 0..5 {
            house.post("/Groups", group(&format!("team-{number}"), &[&anna])).await.is(201);
        }
        house.post("/Groups", group("team-other", &[])).await.is(201);
        store.named.store(3, Ordering::SeqCst);
        for filter in ["members.value eq \"{}\"", "members[value eq \"{}\" and type eq \"User\"]"] {
            let filter = filter.replace("{}", &anna);
            let answer = house.get(&format!("/Groups?filter={filter}&count=2")).await;
            match found {
                Some(found) => assert_eq!(answer.is(200).body["totalResults"], found, "{filter}"),
                None => drop(answer.refuses(400, Some("tooMany"))),
            }
            // another index helps
            let both = format!("/Groups?filter=displayName eq \"team-4\" and {filter}");
            assert_eq!(house.get(&both).await.is(200).body["totalResults"], 1, "{filter}");
            let both = format!("/Groups?filter={filter} and displayName eq \"team-4\"");
            assert_eq!(house.get(&both).await.is(200).body["totalResults"], 1, "{filter}");
        }
    }
}
