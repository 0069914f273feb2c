//! Bulk requests, and feeds that say everything with them.

use jit_core::AccountState;
use serde_json::{Value, json};

use crate::support::*;

const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn bulk(operations: Value) -> Value {
    let mut message = json!({"schemas": [REQUEST]});
    message["Operations"] = operations;
    message
}

#[tokio::test]
async fn operations_are_done_in_the_order_that_their_references_need() {
    let house = house();
    let done = house
        .post(
            "/Bulk",
            bulk(json!([
                {"method": "POST", "path": "/Groups", "bulkId": "g",
                    "data": {"schemas": [GROUP], "displayName": "team-a", "members": [{"value": "bulkId:u"}]}},
                {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("anna")},
                {"method": "POST", "path": "/Users", "bulkId": "again", "data": user("ANNA")},
                {"method": "PATCH", "path": "/Users/bulkId:u", "version": "W/\"99\"",
                    "data": patch(json!([{"op": "add", "path": "title", "value": "x"}]))},
                {"method": "DELETE", "path": "/Users/nobody"},
                {"method": "POST", "path": "/Nothing", "bulkId": "n", "data": {}},
            ])),
        )
        .await
        .is(200);
    let status: Vec<_> =
        done.body["Operations"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(status, ["201", "201", "409", "412", "404", "404"], "{}", done.body);
    assert_eq!(done.body["Operations"][2]["response"]["scimType"], "uniqueness");
    assert_eq!(house.grants("anna").await, ["group:team-a"]);
}

#[tokio::test]
async fn a_filter_in_a_path_names_who_is_created_in_the_same_request() {
    let house = house();
    let old = house.post("/Users", user("old")).await.is(201).id();
    let team = house.post("/Groups", group("team-a", &[&old])).await.is(201).id();
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "bulkId:u"}]}]);
    let remove = json!([{"op": "remove", "path": "members[value eq \"bulkId:u\"]"}]);
    let change =
        |operations| json!({"method": "PATCH", "path": format!("/Groups/{team}"), "data": patch(operations)});
    let create = json!({"method": "POST", "path": "/Users", "bulkId": "u", "data": user("anna")});
    let done = house.post("/Bulk", bulk(json!([change(add), change(remove), create]))).await.is(200);
    let status: Vec<_> =
        done.body["Operations"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(status, ["200", "200", "201"], "{}", done.body);
    let members = house.get(&format!("/Groups/{team}")).await.body["members"].clone();
    assert_eq!(members.as_array().map(Vec::len), Some(1), "{members}");
    assert_eq!(members[0]["value"], old.as_str());
}

/// What is wrong with one operation says nothing about the others.
#[tokio::test]
async fn an_operation_that_cannot_be_read_is_answered_in_its_place() {
    let house = house();
    let operations = json!([
        {"method": "POST", "path": "/Users", "data": user("nobody")},
        {"method": "POST", "path": "Users", "bulkId": "a", "data": user("nobody")},
        {"method": "POST", "path": "https://scim.example/v2/Users", "bulkId": "b", "data": user("nobody")},
        {"method": "GET", "path": "/Users/1"},
        {"method": "POST", "path": "/Users/.search", "bulkId": "c", "data": {}},
        {"method": "DELETE", "path": "/Users"},
        {"method": "PUT", "path": "/Me", "data": user("nobody")},
        {"method": "PUT", "path": "/Users/1", "data": {}, "version": "3"},
        {"method": "PATCH", "path": "/Users/bulkId:a", "data": patch(json!([{"op": "remove", "path": "title"}]))},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": user("anna")},
    ]);
    let done = house.post("/Bulk", bulk(operations.clone())).await.is(200);
    let bad = ["400"; 8];
    assert_eq!(statuses(&done), [&bad[..], &["409", "201"]].concat(), "{}", done.body);
    let answers = done.body["Operations"].as_array().unwrap();
    for (answer, asked) in answers.iter().zip(operations.as_array().unwrap()) {
        assert_eq!((&answer["method"], &answer["bulkId"]), (&asked["method"], &asked["bulkId"]));
    }
    assert_eq!(answers[3]["response"]["scimType"], "invalidSyntax", "{}", answers[3]);
    assert_eq!(house.accounts().await.len(), 1);

    let mut stops = bulk(json!([operations[3], create("v", &user("bert"))]));
    stops["failOnErrors"] = json!(1);
    let done = house.post("/Bulk", stops).await.is(200);
    assert_eq!(statuses(&done), ["400"], "it counts as one that failed");
}

#[tokio::test]
async fn too_many_operations_are_refused_as_a_whole() {
    let limits = |connection: jit_scim::server::ScimConnection| {
        let mut limits = jit_scim::Limits::default();
        limits.bulk_operations = 1;
        connection.limits(limits)
    };
    let house = house_with(SETTINGS, limits);
    let one = |name: &str| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)});
    house.post("/Bulk", bulk(json!([one("a"), one("b")]))).await.refuses(413, None);
    assert!(house.accounts().await.is_empty());
    let config = house.get("/ServiceProviderConfig").await.is(200).body;
    assert_eq!(config["bulk"], json!({"supported": true, "maxOperations": 1, "maxPayloadSize": 1_048_576}));
}

#[tokio::test]
async fn a_service_that_takes_no_operation_says_so() {
    let house = house_with(SETTINGS, |connection| {
        let mut limits = jit_scim::Limits::default();
        limits.bulk_operations = 0;
        connection.limits(limits)
    });
    assert_eq!(house.get("/ServiceProviderConfig").await.is(200).body["bulk"]["supported"], false);
    house.post("/Bulk", bulk(json!([]))).await.refuses(501, None);
}

/// As Entra's API-driven provisioning sends a worker: POST again for whatever is new.
#[tokio::test]
async fn a_feed_says_everything_with_post() {
    let house = house_with(SETTINGS, jit_scim::server::ScimConnection::feed);
    let worker = |more: Value| {
        let mut data = json!({"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "externalId": "701984", "userName": "bjensen"});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bulk(
            json!([{"method": "POST", "bulkId": "897401c2-2de4-4b87-a97f-c02de3bcfc61", "path": "/Users", "data": data}]),
        )
    };
    let first = json!({"title": "Tour Guide", "active": true,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tour Operations"}});
    let send = async |more: Value| {
        let done = house.post("/Bulk", worker(more)).await.is(200);
        done.body["Operations"][0].clone()
    };
    let made = send(first).await;
    assert_eq!(made["status"], "201", "{made}");
    let changed = send(json!({"title": "Lead"})).await;
    assert_eq!((&changed["status"], &changed["location"]), (&json!("200"), &made["location"]));
    let user = house.get("/Users?filter=externalId eq \"701984\"").await.body["Resources"][0].clone();
    assert_eq!(user["title"], "Lead");
    let enterprise = &user["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"];
    assert_eq!(enterprise["department"], "Tour Operations", "what is left out stays");
    assert_eq!(send(json!({"active": false})).await["status"], "200");
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
}

/// Entra's API-driven provisioning asks for `schemas` and `externalId` alone, and another source may tell of badges only.
#[tokio::test]
async fn a_feed_says_a_part_of_somebody_who_is_known_and_all_of_who_is_new() {
    let house = house_with(SETTINGS, jit_scim::server::ScimConnection::feed);
    let whole = json!({"schemas": [USER], "externalId": "701984", "userName": "bjensen", "active": true});
    let leaver = json!({"schemas": [USER], "externalId": "701984", "active": false});
    let refused = house.post("/Bulk", bulk(json!([create("a", &leaver)]))).await.is(200);
    assert_eq!(statuses(&refused), ["400"], "nobody knows them yet");
    assert!(house.accounts().await.is_empty());
    let done = house.post("/Bulk", bulk(json!([create("a", &whole), create("b", &leaver)]))).await.is(200);
    assert_eq!(statuses(&done), ["201", "200"], "{}", done.body);
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    let user = house.get("/Users?filter=externalId eq \"701984\"").await.body["Resources"][0].clone();
    assert_eq!((&user["userName"], &user["active"]), (&json!("bjensen"), &json!(false)));
}

fn create(name: &str, data: &Value) -> Value {
    let path = if data["schemas"][0] == GROUP { "/Groups" } else { "/Users" };
    json!({"method": "POST", "path": path, "bulkId": name, "data": data})
}

fn statuses(answer: &Answer) -> Vec<&str> {
    let operations = answer.body["Operations"].as_array().unwrap();
    operations.iter().map(|one| one["status"].as_str().unwrap()).collect()
}

async fn members(house: &House, group: &str) -> Vec<String> {
    let group = house.get(&format!("/Groups?filter=displayName eq \"{group}\"")).await.body;
    let members = group["Resources"][0]["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_completes_a_circle_undoes_nothing() {
    let house = house();
    let anna = house.post("/Users", user("anna")).await.is(201).id();
    let change = patch(json!([
        {"op": "replace", "path": "displayName", "value": "team-x"},
        {"op": "add", "path": "members", "value": [{"value": anna}]},
    ]));
    let done = house
        .post(
            "/Bulk",
            bulk(json!([
                create("a", &group("team-a", &["bulkId:b"])),
                create("b", &group("team-b", &["bulkId:a"])),
                {"method": "PATCH", "path": "/Groups/bulkId:a", "data": change},
            ])),
        )
        .await
        .is(200);
    assert_eq!(statuses(&done), ["201", "201", "200"], "{}", done.body);
    assert_eq!(members(&house, "team-x").await.len(), 2, "the group of the circle, and anna");
    assert_eq!(members(&house, "team-b").await.len(), 1);
    assert_eq!(house.grants("anna").await, ["group:team-x"]);
}

#[tokio::test]
async fn what_only_the_service_writes_is_overlooked_in_a_circle() {
    let house = house();
    let mut anna = user("anna");
    anna["groups"] = json!([{"value": "bulkId:a"}]);
    let circle = json!([create("u", &anna), create("a", &group("team-a", &["bulkId:u"]))]);
    let done = house.post("/Bulk", bulk(circle)).await.is(200);
    assert_eq!(statuses(&done), ["201", "201"], "{}", done.body);
    assert_eq!(house.grants("anna").await, ["group:team-a"]);
}

#[tokio::test]
async fn where_too_much_fails_nothing_half_made_is_called_made() {
    let house = house();
    house.post("/Users", user("anna")).await.is(201);
    let mut taken = user("anna");
    taken["externalId"] = json!("bulkId:b");
    let mut stops = bulk(json!([
        create("a", &group("team-a", &["bulkId:b"])),
        create("b", &group("team-b", &["bulkId:a"])),
        create("c", &taken),
        create("d", &user("bob")),
    ]));
    stops["failOnErrors"] = json!(1);
    let done = house.post("/Bulk", stops).await.is(200);
    assert_eq!(statuses(&done)[0], "201", "{}", done.body);
    assert_eq!(members(&house, "team-a").await.len(), 1, "{}", done.body);

    taken["externalId"] = json!("bulkId:e");
    let mut stops = bulk(json!([
        create("e", &group("team-e", &["bulkId:f"])),
        create("f", &group("team-f", &["bulkId:g"])),
        create("g", &taken),
    ]));
    stops["failOnErrors"] = json!(1);
    let done = house.post("/Bulk", stops).await.is(200);
    assert!(members(&house, "team-e").await.is_empty());
    assert_eq!(statuses(&done), ["409", "409"], "{}", done.body);
    assert!(done.body["Operations"][0]["location"].is_string(), "it is told what is there: {}", done.body);
}
