//! Pages of what an index finds are those that looking at everything finds.

use serde_json::{Value, json};

use crate::support::*;

/// Five people with one address; three groups that one of them is in, and three with one name.
async fn furnish(house: &House) -> String {
    let mut ids = Vec::new();
    for name in ["anna", "bert", "carl", "dora", "emil"] {
        let mut body = person(name, name);
        body["emails"].as_array_mut().unwrap().push(json!({"value": "team@acme.example", "type": "other"}));
        ids.push(house.post("/Users", body).await.is(201).id());
    }
    for name in ["team-a", "team-b", "team-c"] {
        house.post("/Groups", group(name, &[&ids[1], &ids[3]])).await.is(201);
    }
    for _ in 0..3 {
        house.post("/Groups", group("team-d", &[&ids[0]])).await.is(201);
    }
    ids.remove(1)
}

/// How many there are in all, and who is on the page.
fn shown(answer: &Value) -> (Value, Vec<Value>) {
    let list = answer["Resources"].as_array().cloned().unwrap_or_default();
    assert_eq!(answer["itemsPerPage"], list.len());
    (answer["totalResults"].clone(), list.iter().map(|one| one["id"].clone()).collect())
}

#[tokio::test]
async fn every_page_of_an_index_is_that_of_looking() {
    let house = house();
    let member = furnish(&house).await;
    for (path, filter, total) in [
        ("/Users", "emails.value eq \"team@acme.example\"".to_owned(), 5),
        ("/Groups", format!("members.value eq \"{member}\""), 3),
        ("/Groups", "displayName eq \"team-d\"".to_owned(), 3),
    ] {
        for start in 0..=total + 2 {
            for count in 0..=total + 1 {
                let page = |filter: &str| format!("{path}?filter={filter}&startIndex={start}&count={count}");
                let quick = shown(&house.get(&page(&filter)).await.is(200).body);
                let looked = shown(&house.get(&page(&format!("{filter} and id pr"))).await.is(200).body);
                assert_eq!(quick, looked, "{path} {filter}, {count} from {start} on");
                assert_eq!(quick.0, total);
            }
        }
    }
}

#[tokio::test]
async fn a_source_that_asks_for_what_changed_since_comes_to_rest() {
    let house = house();
    house.clock.advance(chrono::TimeDelta::microseconds(678_912));
    let made = house.post("/Users", person("anna", "anna")).await.is(201).body;
    for attribute in ["created", "lastModified"] {
        let shown = made["meta"][attribute].as_str().unwrap();
        assert_eq!(shown, "2026-11-21T09:00:00.678Z");
        for (operator, total) in [("eq", 1), ("ge", 1), ("le", 1), ("gt", 0), ("lt", 0), ("ne", 0)] {
            let filter = format!("/Users?filter=meta.{attribute} {operator} \"{shown}\"");
            assert_eq!(house.get(&filter).await.is(200).body["totalResults"], total, "{filter}");
        }
    }
}

/// Whoever follows what a list says of itself sees everybody, however long their resources are.
#[tokio::test]
async fn a_page_of_long_resources_is_shorter_and_nobody_is_left_out() {
    let house = house_with(SETTINGS, |connection| {
        connection.reach(jit_scim::server::Reach { page_bytes: 3_000, ..jit_scim::server::Reach::default() })
    });
    for number in 0..7 {
        let mut body = person(&format!("p{number}"), &format!("p{number}"));
        // one alone is longer than a page
        body["title"] = json!("x".repeat(if number == 3 { 5_000 } else { 1_000 }));
        house.post("/Users", body).await.is(201);
        house.post("/Groups", group(&format!("g{number}"), &[])).await.is(201);
    }
    for (list, total) in [
        ("/Users?count=100", 7),
        ("/Users?count=100&filter=title pr", 7),
        ("/Users?count=100&filter=title pr&sortBy=userName", 7),
        ("/?count=100", 14),
        ("/?count=100&sortBy=id", 14),
    ] {
        let by_index = |seen: usize, _: &Value| format!("{list}&startIndex={}", seen + 1);
        let by_cursor = |_: usize, page: &Value| {
            format!("{list}&cursor={}", page["nextCursor"].as_str().unwrap_or_default())
        };
        let followed = follow(&house, list, by_index).await;
        assert_eq!(followed, follow(&house, &format!("{list}&cursor"), by_cursor).await, "{list}");
        assert_eq!(followed, total, "{list}");
    }
}

/// Counts who is seen on all pages, each of which has somebody and none of whom is seen twice.
async fn follow(house: &House, first: &str, next: impl Fn(usize, &Value) -> String) -> usize {
    let (mut seen, mut address, mut pages) = (Vec::new(), first.to_owned(), 0);
    loop {
        let page = house.get(&address).await.is(200).body;
        let (total, ids) = shown(&page);
        assert!(!ids.is_empty(), "{address}");
        seen.extend(ids);
        pages += 1;
        let is_over = page["nextCursor"].is_null() && page["startIndex"].is_null() || seen.len() == total;
        if is_over {
            assert!(pages > 1, "all of it on one page");
            let many = seen.len();
            seen.sort_by_key(Value::to_string);
            seen.dedup();
            assert_eq!(seen.len(), many, "somebody twice");
            return many;
        }
        address = next(seen.len(), &page);
    }
}
