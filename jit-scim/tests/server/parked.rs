//! What is said of people whose leave waits for an administrator, or was dismissed, or whom an administrator brought back.

use jit_core::{AccountState, AdminAct, AdminRequest, TenantId};
use serde_json::json;

use crate::support::*;

/// A house in which every leave waits, with one person in a group that gives something.
async fn waiting_in_a_group(most: u32) -> (House, String, String) {
    let limit = format!("renames = true\nleavers = {{ most = {most}, within = \"1h\" }}");
    let house = house_with(&SETTINGS.replace("renames = true", &limit), |connection| connection);
    let anna = house.post("/Users", person("anna", "a1")).await.is(201).id();
    let members = json!([{"value": anna}]);
    let group =
        house.post("/Groups", json!({"schemas": [GROUP], "displayName": "Members", "members": members}));
    let group = format!("/Groups/{}", group.await.is(201).id());
    assert_eq!(house.grants("anna").await, ["role:member"]);
    (house, format!("/Users/{anna}"), group)
}

async fn leaves(house: &House, path: &str) {
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    house.patch(path, off).await.is(200);
}

async fn rename(house: &House, group: &str, name: &str) {
    let renamed = json!([{"op": "replace", "path": "displayName", "value": name}]);
    house.patch(group, renamed).await.is(204);
}

async fn administer(house: &House, act: AdminAct) {
    let account = house.account().await.id;
    let tenant = TenantId::new("acme").unwrap();
    let request = AdminRequest { tenant, store: None, account, act, by: "root".into() };
    house.jit.administer(&request).await.unwrap().unwrap();
}

async fn waits(house: &House) -> bool {
    house.account().await.records.iter().any(|held| held.parked.is_some())
}

#[tokio::test]
async fn a_group_that_is_left_is_left_while_a_leave_waits() {
    let (house, path, group) = waiting_in_a_group(0).await;
    leaves(&house, &path).await;
    assert!(waits(&house).await);
    assert_eq!(house.grants("anna").await, ["role:member"], "they wait with what they have");
    house.patch(&group, json!([{"op": "remove", "path": "members"}])).await.is(204);
    assert!(house.grants("anna").await.is_empty());
    assert!(waits(&house).await);
    assert_eq!(house.account().await.state, AccountState::Active);
    // nor is anything given to somebody who is about to leave
    let again =
        json!([{"op": "add", "path": "members", "value": [{"value": path.trim_start_matches("/Users/")}]}]);
    house.patch(&group, again).await.is(204);
    assert!(house.grants("anna").await.is_empty());
}

#[tokio::test]
async fn a_leave_that_was_dismissed_is_not_repeated_by_a_change_of_a_group() {
    let (house, path, group) = waiting_in_a_group(0).await;
    leaves(&house, &path).await;
    administer(&house, AdminAct::DismissLeave(house.account().await.waiting_leaves())).await;
    rename(&house, &group, "team-9").await;
    assert!(!waits(&house).await);
    assert_eq!(house.account().await.state, AccountState::Active);
    assert_eq!(house.grants("anna").await, ["group:team-9"], "their groups are followed as ever");
}

#[tokio::test]
async fn whom_an_administrator_brought_back_no_change_of_a_group_stops() {
    let (house, path, group) = waiting_in_a_group(5).await;
    leaves(&house, &path).await;
    administer(&house, AdminAct::Reactivate).await;
    rename(&house, &group, "team-9").await;
    assert_eq!(house.account().await.state, AccountState::Active);
    assert!(
        house.grants("anna").await.is_empty(),
        "their source says that they are not there, and gives nothing"
    );
    // what their source says itself counts
    house.patch(&path, json!([{"op": "replace", "path": "active", "value": true}])).await.is(200);
    assert_eq!(house.grants("anna").await, ["group:team-9"]);
    leaves(&house, &path).await;
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    rename(&house, &group, "Members").await;
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    assert!(house.grants("anna").await.is_empty());
}
