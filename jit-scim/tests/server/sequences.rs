//! What Entra and Okta send, in the order in which they send it.

use jit_core::AccountState;
use jit_scim::Tolerance;
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn entra_provisions_moves_and_lets_go() {
    let house =
        house_with(SETTINGS, |connection| connection.tolerance(Tolerance::entra()).unique_group_names());
    // the test of the connection asks for somebody who is not there
    let none = house.get("/Users?filter=userName eq \"6a8c1f4e\"").await.is(200);
    assert_eq!(none.body["totalResults"], 0);
    let made = house
        .post("/Users", json!({"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            "externalId": "jyoung", "userName": "jyoung@acme.example", "active": "True", "displayName": "Joy Young",
            "emails": [{"type": "work", "value": "jyoung@acme.example", "primary": true}],
            "meta": {"resourceType": "User"}, "name": {"formatted": "Joy Young", "familyName": "Young"},
            "roles": [{"primary": "True", "type": "WindowsAzureActiveDirectoryRole", "value": "[]"}]}))
        .await
        .is(201);
    let path = format!("/Users/{}", made.id());
    assert_eq!(house.get("/Users?filter=externalId eq jyoung").await.body["totalResults"], 1);
    house.post("/Users", user("JYOUNG@acme.example")).await.refuses(409, Some("uniqueness"));
    let change = json!([
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "joy@acme.example"},
        {"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555"},
        {"op": "Replace", "value": {"name.givenName": "Joy",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "7"}},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "value": "m1"},
    ]);
    let changed = house.patch(&path, change).await.is(200).body;
    assert_eq!(
        (&changed["emails"][0]["value"], &changed["name"]["givenName"]),
        (&json!("joy@acme.example"), &json!("Joy"))
    );
    assert_eq!(changed["phoneNumbers"][0]["value"], "+1 555");

    let group = house
        .post("/Groups", json!({"schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "object-1", "displayName": "team-a", "meta": {"resourceType": "Group"}}))
        .await
        .is(201);
    let group_path = format!("/Groups/{}", group.id());
    let id = made.id();
    let found = house.get("/Groups?excludedAttributes=members&filter=displayName eq \"team-a\"").await;
    assert_eq!(found.body["totalResults"], 1);
    let add = json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": id}]}]);
    house.patch(&group_path, add).await.is(204);
    assert_eq!(house.grants("jyoung@acme.example").await, ["group:team-a"]);
    let remove = json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": id}]}]);
    house.patch(&group_path, remove).await.is(204);
    assert!(house.grants("jyoung@acme.example").await.is_empty());

    house.patch(&path, json!([{"op": "Replace", "path": "active", "value": "False"}])).await.is(200);
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    assert_eq!(house.get(&path).await.is(200).body["active"], false, "it stays readable");
    house.delete(&path).await.is(204);
    house.delete(&path).await.is(404);
    house.delete(&group_path).await.is(204);
}

#[tokio::test]
async fn okta_assigns_pushes_groups_and_deactivates() {
    let house = house_with(SETTINGS, |connection| connection.tolerance(Tolerance::okta()));
    let none =
        house.get("/Users?filter=userName eq \"isaac@acme.example\"&startIndex=1&count=100").await.is(200);
    assert_eq!(none.body["Resources"], json!([]));
    let whole = |active: bool| {
        json!({"schemas": [USER], "userName": "isaac@acme.example", "name": {"givenName": "Isaac", "familyName": "B"},
            "emails": [{"primary": true, "value": "isaac@acme.example", "type": "work"}], "displayName": "Isaac B",
            "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [], "password": "1mz050nq",
            "active": active})
    };
    let made = house.post("/Users", whole(true)).await.is(201);
    assert_eq!(made.body["active"], true);
    let path = format!("/Users/{}", made.id());
    let mut profile = whole(true);
    profile["title"] = json!("Analyst");
    assert_eq!(house.put(&path, profile).await.is(200).body["title"], "Analyst");

    let group_id = house.post("/Groups", group("team-a", &[])).await.is(201).id();
    let group_path = format!("/Groups/{group_id}");
    let pushed =
        json!([{"op": "replace", "path": "members", "value": [{"value": made.id(), "display": "isaac"}]}]);
    house.patch(&group_path, pushed).await.is(204);
    assert_eq!(house.grants("isaac@acme.example").await, ["group:team-a"]);
    let rename = json!([{"op": "replace", "value": {"id": group_id, "displayName": "team-b"}}]);
    house.patch(&group_path, rename).await.is(204);
    assert_eq!(house.grants("isaac@acme.example").await, ["group:team-b"]);
    house.patch(&group_path, json!([{"op": "replace", "path": "members", "value": []}])).await.is(204);

    let off = json!([{"op": "replace", "value": {"active": false}}]);
    assert_eq!(house.patch(&path, off).await.is(200).body["active"], false);
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    // assigned again: found by name, and brought back by PUT
    let found = house.get("/Users?filter=userName eq \"isaac@acme.example\"&startIndex=1&count=100").await;
    assert_eq!(found.body["Resources"][0]["id"], made.id());
    house.put(&path, whole(true)).await.is(200);
    assert_eq!(house.account().await.state, AccountState::Active);
}

/// From sign-ins that make accounts to a source that decides alone, without linking anybody anew.
#[tokio::test]
async fn a_tenant_passes_from_sign_ins_to_the_source() {
    let shared = house();
    let jit_core::Outcome::SignedIn(before) = shared.sign_in("e1").await else { panic!("not in") };
    let whole = SETTINGS
        .replace("renames = true", "renames = true\nauthority = \"whole\"\nmemberships = \"groups.display\"");
    let house = house_on(std::sync::Arc::clone(&shared.store), &whole, |connection| connection);
    assert!(
        matches!(house.sign_in("e2").await, jit_core::Outcome::Denied(_)),
        "who is not provisioned gets nothing"
    );
    let anna = house.post("/Users", person("anna", "e1")).await.is(201).id();
    house.post("/Groups", group("team-a", &[&anna])).await.is(201);
    let jit_core::Outcome::SignedIn(after) = house.sign_in("e1").await else { panic!("not in") };
    assert_eq!(after.account.id, before.account.id);
    assert!(after.plan.is_empty(), "a sign-in changes nothing any more");
    assert_eq!(house.grants("anna").await, ["group:team-a"]);
    house
        .patch(&format!("/Users/{anna}"), json!([{"op": "replace", "path": "active", "value": false}]))
        .await
        .is(200);
    assert!(matches!(house.sign_in("e1").await, jit_core::Outcome::Denied(_)));
}
