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
