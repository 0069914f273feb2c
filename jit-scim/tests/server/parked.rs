//! What is said of people whose leave waits for an administrator, or was dismissed, or whom an administrator brought back.

use jit_core::{Account, AccountState, AdminAct, AdminRequest, Outcome, TenantId};
use serde_json::{Value, json};

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

fn texts(account: &Account, name: &str) -> Vec<String> {
    let values = account.attributes.iter().find(|(own, _)| own.as_str() == name).map(|(_, values)| values);
    values.into_iter().flatten().map(|value| value.text.clone()).collect()
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

/// What may be said of somebody without a word on whether they are there.
fn silent() -> [Value; 4] {
    [
        json!([{"op": "replace", "path": "title", "value": "Guide"}]),
        json!([{"op": "replace", "value": {"title": "Head", "active": null}}]),
        json!([{"op": "replace", "path": "active", "value": null}, {"op": "remove", "path": "title"}]),
        json!([{"op": "remove", "path": "active"}]),
    ]
}

#[tokio::test]
async fn a_leave_that_was_dismissed_is_not_repeated_by_a_change_that_does_not_name_it() {
    let (house, path, _) = waiting_in_a_group(0).await;
    for silence in silent() {
        leaves(&house, &path).await;
        administer(&house, AdminAct::DismissLeave(house.account().await.waiting_leaves())).await;
        house.patch(&path, silence.clone()).await.is(200);
        assert!(!waits(&house).await, "{silence}");
        assert_eq!(house.account().await.state, AccountState::Active);
        assert_eq!(house.grants("anna").await, ["role:member"], "nothing goes with it");
        let on = json!([{"op": "replace", "path": "active", "value": true}]);
        house.patch(&path, on).await.is(200);
    }
    leaves(&house, &path).await;
    administer(&house, AdminAct::DismissLeave(house.account().await.waiting_leaves())).await;
    let mut body = person("anna", "a1");
    body["title"] = json!("Guide");
    let put = house.put(&path, body.clone()).await.is(200);
    assert_eq!((&put.body["active"], waits(&house).await), (&json!(false), false));
    assert_eq!(texts(&house.account().await, "title"), ["Guide"], "what else is said is followed");
    body["active"] = json!(null);
    body["title"] = json!("Head");
    house.put(&path, body).await.is(200);
    assert!(!waits(&house).await);
}

#[tokio::test]
async fn a_leave_is_said_again_by_whoever_names_it_though_it_is_no_change() {
    for dismissed in [true, false] {
        let (house, path, _) = waiting_in_a_group(if dismissed { 0 } else { 9 }).await;
        let stays = async || {
            let waiting = house.account().await.waiting_leaves();
            let act = if dismissed { AdminAct::DismissLeave(waiting) } else { AdminAct::Reactivate };
            administer(&house, act).await;
            assert_eq!((house.account().await.state, waits(&house).await), (AccountState::Active, false));
        };
        let left = async || {
            let is_stopped = matches!(house.account().await.state, AccountState::Disabled { .. });
            if dismissed { waits(&house).await } else { is_stopped }
        };
        leaves(&house, &path).await;
        stays().await;
        leaves(&house, &path).await;
        assert!(left().await, "their source insists");
        stays().await;
        let mut body = person("anna", "a1");
        body["active"] = json!(false);
        house.put(&path, body.clone()).await.is(200);
        assert!(left().await, "so it does by PUT");
        // Said of somebody who has left, it is a repetition and changes nothing, not even a version.
        let before = (house.get(&path).await.body, house.account().await);
        leaves(&house, &path).await;
        house.put(&path, body).await.is(200);
        assert_eq!((house.get(&path).await.body, house.account().await), before);
    }
}

#[tokio::test]
async fn whom_an_administrator_brought_back_no_change_stops_that_does_not_name_it() {
    let (house, path, _) = waiting_in_a_group(5).await;
    leaves(&house, &path).await;
    administer(&house, AdminAct::Reactivate).await;
    for silence in silent() {
        house.patch(&path, silence.clone()).await.is(200);
        assert_eq!(house.account().await.state, AccountState::Active, "{silence}");
        assert!(house.grants("anna").await.is_empty(), "nor does silence give anything");
    }
}

#[tokio::test]
async fn a_leave_that_waits_waits_on_whatever_else_is_said() {
    let (house, path, _) = waiting_in_a_group(0).await;
    leaves(&house, &path).await;
    let seen = house.account().await.waiting_leaves();
    for silence in silent() {
        house.patch(&path, silence).await.is(200);
    }
    house.put(&path, person("anna", "a1")).await.is(200);
    assert_eq!(house.account().await.waiting_leaves(), seen, "it is the one that was seen");
}

#[tokio::test]
async fn of_somebody_whose_account_was_let_go_silence_lets_nobody_in() {
    let (house, path, _) = waiting_in_a_group(9).await;
    leaves(&house, &path).await;
    administer(&house, AdminAct::End).await;
    administer(&house, AdminAct::Release).await;
    let [title, ..] = silent();
    house.patch(&path, title).await.is(200);
    let accounts = house.accounts().await;
    assert_eq!(accounts.len(), 2, "they are known anew, as somebody who has left");
    assert!(accounts.iter().all(|account| account.state != AccountState::Active), "{accounts:?}");
    assert!(matches!(house.sign_in("a1").await, Outcome::Denied(_)));
}
