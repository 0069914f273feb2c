//! What is no good request is answered as SCIM says, and changes nothing.

use std::future::poll_fn;
use std::task::Poll;

use jit_scim::server::{Reach, ScimRequest};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn malformed_requests_are_refused_and_change_nothing() {
    let house = house();
    let id = house.post("/Users", user("anna")).await.id();
    let one = format!("/Users/{id}");
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20));
    let deep = "[".repeat(100_000);
    let (context, trail) = (context("acme"), house.trail().await.len());
    for (method, path, query, content_type, body, status) in [
        ("POST", "/Users", "", "application/scim+json", "{", 400),
        ("POST", "/Users", "", "application/scim+json", "{\"userName\":\"\u{0}", 400),
        ("POST", "/Users", "", "application/scim+json", &long, 413),
        ("POST", "/Users", "", "application/scim+json", &deep, 400),
        ("POST", "/Users", "", "text/plain", "{}", 415),
        ("POST", "/Users", "", "application/json; charset=utf-8", "[]", 400),
        ("PATCH", &one, "", "application/scim+json", "{}", 400),
        ("PUT", &one, "", "application/json", "{}", 400),
        ("GET", "/Users", "filter=%ff", "", "", 400),
        ("GET", "/Users", "count=1&count=2", "", "", 400),
        ("GET", "/Users", "attributes=a&excludedAttributes=b", "", "", 400),
        ("GET", "/users", "", "", "", 404),
        ("GET", "/Users/%zz", "", "", "", 404),
        ("GET", "/Users/../Groups", "", "", "", 404),
        ("PUT", "/Users", "", "application/json", "{}", 405),
        ("POST", &one, "", "application/json", "{}", 405),
        ("BREW", &one, "", "", "", 405),
    ] {
        let request = ScimRequest {
            method,
            path,
            query: Some(query),
            content_type: Some(content_type).filter(|text| !text.is_empty()),
            body: body.as_bytes(),
            ..ScimRequest::default()
        };
        let answer = house.service.handle(&context, request).await;
        assert_eq!(answer.status(), status, "{method} {path} {query}");
        let error: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(error["status"], status.to_string());
    }
    let request = ScimRequest { method: "POST", path: "/Users", body: b"\"\xff\"", ..ScimRequest::default() };
    assert_eq!(house.service.handle(&context, request).await.status(), 400);
    assert_eq!(house.trail().await.len(), trail);
}

#[tokio::test]
async fn identifiers_have_one_form() {
    let house = house();
    let id = house.post("/Users", user("anna")).await.id();
    for other in [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}")] {
        house.get(&format!("/Users/{other}")).await.refuses(404, None);
    }
}

#[tokio::test]
async fn a_query_that_no_index_answers_looks_at_so_many_and_no_more() {
    let house =
        house_with(SETTINGS, |connection| connection.reach(Reach { looked_at: 2, ..Reach::default() }));
    for name in ["anna", "bert", "carl"] {
        house.post("/Users", person(name, name)).await.is(201);
    }
    for indexed in [
        "emails[type eq \"work\"].value eq \"CARL@acme.example\"",
        "emails[type eq \"work\" and value eq \"carl@acme.example\"]",
        "emails eq \"carl@acme.example\" and active pr",
    ] {
        let found = house.get(&format!("/Users?filter={indexed}")).await.is(200);
        assert_eq!(found.body["totalResults"], u8::from(!indexed.ends_with("pr")), "{indexed}");
    }
    house.get("/Users?filter=title pr").await.refuses(400, Some("tooMany"));
    house.get("/Users?sortBy=userName").await.refuses(400, Some("tooMany"));
    assert_eq!(house.get("/Users?filter=userName eq \"carl\"").await.is(200).body["totalResults"], 1);
    assert_eq!(house.get("/Users").await.is(200).body["totalResults"], 3);
}

#[tokio::test]
async fn names_that_no_index_could_hold_are_found_all_the_same() {
    let house = house();
    let mut body = user("anna");
    let long = format!("{}@acme.example", "x".repeat(2000));
    body["emails"] = json!([{"value": long}, {"value": "a\u{1}b"}]);
    house.post("/Users", body).await.is(201);
    for value in [long.as_str(), "a\\u0001b"] {
        let found = house.get(&format!("/Users?filter=emails.value eq \"{value}\"")).await;
        assert_eq!(found.is(200).body["totalResults"], 1);
    }
    house.post("/Users", person("bert", &"x".repeat(2000))).await.refuses(400, Some("invalidValue"));
    house.post("/Users", person("bert", "a\u{1}b")).await.refuses(400, Some("invalidValue"));
}

#[tokio::test]
async fn the_work_of_a_query_ends_where_it_may_and_lets_others_have_their_turn() {
    let house =
        house_with(SETTINGS, |connection| connection.reach(Reach { looks: 250_000, ..Reach::default() }));
    let long = "x".repeat(60_000);
    for name in ["anna", "bert", "carl", "dora"] {
        let emails: Vec<_> =
            (0..12).map(|number| json!({"value": format!("{number}{long}@acme.example")})).collect();
        let mut body = user(name);
        body["emails"] = json!(emails);
        house.post("/Users", body).await.is(201);
    }
    let mut turns = 0;
    let others = poll_fn(|context| {
        turns += 1;
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let found = tokio::select! {
        biased;
        found = house.get("/Users?filter=emails.value co \"zz\"") => found.is(200),
        () = others => unreachable!(),
    };
    assert_eq!(found.body["totalResults"], 0);
    assert!(turns >= 3, "{turns}");
    let exploding = vec!["emails.value co \"zz\""; 100].join(" or ");
    house.get(&format!("/Users?filter={exploding}")).await.refuses(400, Some("tooMany"));
    assert_eq!(house.get("/Users?filter=userName eq \"dora\"").await.is(200).body["totalResults"], 1);
}

#[tokio::test]
async fn a_text_has_a_length() {
    let house = house();
    let mut body = user("anna");
    body["nickName"] = json!("x".repeat(64 << 10));
    house.post("/Users", body.clone()).await.is(201);
    body["nickName"] = json!("x".repeat((64 << 10) + 1));
    let refused = house.post("/Users", body).await.refuses(400, Some("invalidValue"));
    assert!(refused.body["detail"].as_str().unwrap().contains("a text is longer"), "{}", refused.body);
}

#[tokio::test]
async fn long_texts_are_sorted_and_paged() {
    let house = house();
    let long = "x".repeat(20_000);
    for (name, title) in
        [("anna", format!("{long}b")), ("bert", "B".to_owned()), ("carl", format!("{long}a"))]
    {
        let mut body = user(name);
        body["nickName"] = json!(title);
        house.post("/Users", body).await.is(201);
    }
    let (mut cursor, mut names) = (String::new(), Vec::new());
    loop {
        let page = house.get(&format!("/Users?sortBy=nickName&count=1&cursor={cursor}")).await.is(200);
        names.push(page.body["Resources"][0]["userName"].as_str().unwrap().to_owned());
        match page.body["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    names[1..].sort();
    assert_eq!(names, ["bert", "anna", "carl"], "each once");
}

/// One PATCH after the other may not make of a person what no POST could.
#[tokio::test]
async fn a_resource_grows_no_longer_than_is_kept() {
    let house = house_with(SETTINGS, |connection| {
        let mut limits = jit_scim::Limits::default();
        limits.resource_bytes = 2_000;
        connection.limits(limits)
    });
    let long = |number: usize| json!([{"value": format!("{number}{}@acme.example", "x".repeat(700))}]);
    let mut whole = user("bert");
    whole["emails"] = json!((0..3).map(|number| long(number)[0].clone()).collect::<Vec<_>>());
    house.post("/Users", whole.clone()).await.refuses(413, None);
    let id = house.post("/Users", user("anna")).await.is(201).id();
    let add = |number| json!([{"op": "add", "path": "emails", "value": long(number)}]);
    for number in 0..2 {
        house.patch(&format!("/Users/{id}"), add(number)).await.is(200);
    }
    let before = house.get(&format!("/Users/{id}")).await.is(200).body;
    let refused = house.patch(&format!("/Users/{id}"), add(2)).await;
    refused.refuses(413, None);
    house.put(&format!("/Users/{id}"), whole).await.refuses(413, None);
    assert_eq!(house.get(&format!("/Users/{id}")).await.is(200).body, before, "nothing changed");
    let shorter = json!([{"op": "replace", "path": "emails", "value": long(3)}]);
    house.patch(&format!("/Users/{id}"), shorter).await.is(200);
}

/// What is called as that of a person is which does not count is anything else in another type.
#[tokio::test]
async fn a_resource_of_a_type_of_ones_own_grows_no_longer_than_is_kept_whatever_its_attributes_are_called() {
    let team = "urn:example:team";
    let schema = json!({"id": team, "name": "Team", "attributes": [
        {"name": "groups", "type": "string", "multiValued": true}, {"name": "active", "type": "string", "multiValued": true}]});
    let kind = json!({"id": "Team", "name": "Team", "endpoint": "/Teams", "schema": team});
    let schemas = jit_scim::Schemas::builder().add_schemas(schema.to_string().as_bytes()).unwrap();
    let schemas = schemas.add_resource_types(kind.to_string().as_bytes()).unwrap().build();
    let house = house_with(SETTINGS, |connection| {
        let mut limits = jit_scim::Limits::default();
        limits.resource_bytes = 2_000;
        connection.limits(limits).schemas(schemas.clone())
    });
    for name in ["groups", "active"] {
        let path = format!("/Teams/{}", house.post("/Teams", json!({"schemas": [team]})).await.is(201).id());
        let add = |number: usize| json!([{"op": "add", "path": name, "value": [format!("{number}{}", "x".repeat(700))]}]);
        for number in 0..2 {
            house.patch(&path, add(number)).await.is(200);
        }
        house.patch(&path, add(2)).await.refuses(413, None);
    }
}

/// Nobody stays in use for being as long as one may be.
#[tokio::test]
async fn who_is_as_long_as_is_kept_is_put_out_of_use_all_the_same() {
    let house = house_with(SETTINGS, |connection| {
        let mut limits = jit_scim::Limits::default();
        limits.resource_bytes = 500;
        connection.limits(limits)
    });
    let mut anna = person("anna", "a1");
    anna["active"] = json!(true);
    let mut made = None;
    for length in (1..500).rev() {
        anna["title"] = json!("x".repeat(length));
        let answer = house.post("/Users", anna.clone()).await;
        if answer.status == 201 {
            made = Some(answer.id());
            break;
        }
        answer.refuses(413, None);
    }
    let path = format!("/Users/{}", made.unwrap());
    house.patch(&path, json!([{"op": "add", "path": "nickName", "value": "x"}])).await.refuses(413, None);
    house.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    assert!(matches!(house.account().await.state, jit_core::AccountState::Disabled { .. }));
}
