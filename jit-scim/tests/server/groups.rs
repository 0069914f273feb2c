//! Groups: members come and go, and their access with them.

use jit_scim::Tolerance;
use jit_scim::server::Reach;
use serde_json::{Value, json};

use crate::support::*;

async fn three_people(house: &House) -> [String; 3] {
    let mut ids = Vec::new();
    for name in ["anna", "bert", "carl"] {
        ids.push(house.post("/Users", person(name, name)).await.is(201).id());
    }
    ids.try_into().unwrap()
}

fn members(answer: &Answer) -> Vec<&str> {
    let list = answer.body["members"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|member| member["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_a_source_calls_a_group_is_nobodys_key() {
    let house = house();
    let name = format!("cn=a\u{7f},{}", "ou=x,".repeat(200));
    let mut body = group("team-a", &[]);
    body["externalId"] = json!(name);
    let made = house.post("/Groups", body).await.is(201);
    assert_eq!(made.body["externalId"], name);
    let change = json!([{"op": "replace", "path": "externalId", "value": "\u{7}"}]);
    house.patch(&format!("/Groups/{}", made.id()), change).await.is(204);
}

#[tokio::test]
async fn access_follows_members() {
    let house = house();
    let [anna, bert, carl] = three_people(&house).await;
    let made = house.post("/Groups", group("team-a", &[&anna, &bert])).await.is(201);
    let path = format!("/Groups/{}", made.id());
    assert_eq!(members(&made), [anna.as_str(), &bert]);
    let shown =
        json!({"value": anna, "$ref": format!("https://scim.example/v2/Users/{anna}"), "type": "User"});
    assert_eq!(made.body["members"][0], shown);
    assert_eq!(house.grants("anna").await, ["group:team-a"]);
    let user = house.get(&format!("/Users/{anna}")).await;
    assert_eq!(user.body["groups"], json!([{"value": made.id(), "display": "team-a", "type": "direct"}]));

    let change = json!([
        {"op": "add", "path": "members", "value": [{"value": carl}, {"value": anna}]},
        {"op": "remove", "path": format!("members[value eq \"{bert}\"]")},
    ]);
    assert_eq!(house.patch(&path, change).await.is(204).header("etag"), Some("W/\"2\""));
    assert_eq!(members(&house.get(&path).await), [anna.as_str(), &carl]);
    for (name, grants) in [("anna", vec!["group:team-a"]), ("bert", vec![]), ("carl", vec!["group:team-a"])] {
        assert_eq!(house.grants(name).await, grants, "{name}");
    }
    let rename = json!([{"op": "replace", "value": {"displayName": "team-b"}}]);
    house.patch(&path, rename).await.is(204);
    assert_eq!(house.grants("carl").await, ["group:team-b"]);
    house.put(&path, group("team-b", &[&bert])).await.is(200);
    assert_eq!(
        (house.grants("bert").await, house.grants("anna").await.len()),
        (vec!["group:team-b".into()], 0)
    );
    house.patch(&path, json!([{"op": "replace", "path": "members", "value": []}])).await.is(204);
    assert!(house.grants("bert").await.is_empty());
    house.patch(&path, json!([{"op": "add", "path": "members", "value": {"value": bert}}])).await.is(204);
    house.delete(&path).await.is(204);
    assert!(house.grants("bert").await.is_empty());
    assert!(house.get(&format!("/Users/{bert}")).await.body.get("groups").is_none());
    let report = house.work().await;
    assert_eq!(
        (report.failed, house.work().await.done),
        (0, 0),
        "what was told at once is told again for nothing"
    );
}

#[tokio::test]
async fn who_goes_leaves_their_groups() {
    let house = house();
    let [anna, bert, _] = three_people(&house).await;
    let made = house.post("/Groups", group("team-a", &[&anna, &bert])).await;
    house.delete(&format!("/Users/{anna}")).await.is(204);
    let path = format!("/Groups/{}", made.id());
    let now = house.get(&path).await;
    assert_eq!(members(&now), [bert.as_str()]);
    assert_eq!(now.header("etag"), Some("W/\"2\""), "the group changed");
}

#[tokio::test]
async fn members_are_resources_of_the_connection() {
    let house = house();
    let [anna, ..] = three_people(&house).await;
    for stranger in ["nobody", "01a1fd55-7a80-7071-a3cb-e1e45a520dd7"] {
        let refused = house.post("/Groups", group("team-a", &[&anna, stranger])).await;
        refused.refuses(400, Some("invalidValue"));
    }
    assert_eq!(house.get("/Groups").await.body["totalResults"], 0);
    let path = format!("/Groups/{}", house.post("/Groups", group("team-a", &[&anna])).await.id());
    let change = json!([{"op": "remove", "path": "members[value eq \"nobody\"]"},
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]}]);
    house.patch(&path, change).await.refuses(400, Some("invalidValue"));
    assert_eq!(members(&house.get(&path).await), [anna.as_str()]);
}

#[tokio::test]
async fn members_that_name_nobody_empty_no_group() {
    let house = house();
    let [anna, bert, _] = three_people(&house).await;
    let path =
        format!("/Groups/{}", house.post("/Groups", group("team-a", &[&anna, &bert])).await.is(201).id());
    let nobody = json!([{"display": "ada"}]);
    for op in ["replace", "add"] {
        let change = json!([{"op": op, "path": "members", "value": nobody}]);
        house.patch(&path, change).await.refuses(400, Some("invalidValue"));
    }
    let mut whole = group("team-a", &[]);
    whole["members"] = nobody;
    house.put(&path, whole.clone()).await.refuses(400, Some("invalidValue"));
    house.post("/Groups", whole).await.refuses(400, Some("invalidValue"));
    assert_eq!(members(&house.get(&path).await), [anna.as_str(), &bert]);
    house.patch(&path, json!([{"op": "replace", "path": "members", "value": [{}]}])).await.is(204);
    assert_eq!(members(&house.get(&path).await), [""; 0], "nobody was said");
}

#[tokio::test]
async fn a_group_in_a_group_gives_its_members_nothing() {
    let house = house();
    let [anna, ..] = three_people(&house).await;
    let inner = house.post("/Groups", group("inner", &[&anna])).await.id();
    let outer = house.post("/Groups", group("team-a", &[&inner])).await.is(201);
    assert_eq!(outer.body["members"][0]["type"], "Group");
    assert!(house.grants("anna").await.is_empty());
    let found =
        house.get(&format!("/Groups?filter=members.value eq \"{inner}\"&attributes=displayName")).await;
    assert_eq!(found.body["Resources"][0]["displayName"], "team-a");
}

#[tokio::test]
async fn groups_are_found_by_name_and_by_members() {
    let house = house();
    let [anna, bert, _] = three_people(&house).await;
    let a = house.post("/Groups", group("team-a", &[&anna])).await.id();
    house.post("/Groups", group("team-b", &[&anna, &bert])).await;
    let names = async |query: &str| -> Vec<Value> {
        let found = house.get(&format!("/Groups?{query}")).await.is(200);
        found.body["Resources"].as_array().unwrap().iter().map(|one| one["displayName"].clone()).collect()
    };
    assert_eq!(names("filter=displayName eq \"TEAM-B\"").await, ["team-b"]);
    assert_eq!(names(&format!("filter=members.value eq \"{bert}\"")).await, ["team-b"]);
    assert_eq!(names(&format!("filter=members[value eq \"{anna}\"]")).await, ["team-a", "team-b"]);
    assert_eq!(names(&format!("filter=id eq \"{a}\" and members.value eq \"{anna}\"")).await, ["team-a"]);
    assert_eq!(names(&format!("filter=id eq \"{a}\" and members.value eq \"{bert}\"")).await.len(), 0);
    let bare = house.get("/Groups?filter=displayName eq \"team-a\"&excludedAttributes=members").await;
    assert!(
        bare.body["Resources"][0].get("members").is_none() && bare.body["Resources"][0].get("meta").is_some()
    );
    let only = house.get(&format!("/Groups/{a}?attributes=members.value")).await;
    assert_eq!(only.body, json!({"schemas": [GROUP], "id": a, "members": [{"value": anna}]}));
}

#[tokio::test]
async fn what_is_too_much_for_one_request_follows_with_work_and_nothing_is_lost() {
    let reach = Reach { retold_at_once: 1, members: 2, ..Reach::default() };
    let house = house_with(SETTINGS, |connection| connection.reach(reach));
    let [anna, bert, carl] = three_people(&house).await;
    let made = house.post("/Groups", group("team-a", &[&anna, &bert, &carl])).await.is(201);
    assert!(made.body.get("members").is_none(), "what was written is not sent back where it is too much");
    let path = format!("/Groups/{}", made.id());
    house.get(&path).await.refuses(400, Some("tooMany"));
    house.get(&format!("{path}?excludedAttributes=members")).await.is(200);
    assert_eq!(house.grants("carl").await.len(), 0);
    let report = house.work().await;
    assert_eq!((report.done, report.failed), (3, 0));
    for name in ["anna", "bert", "carl"] {
        assert_eq!(house.grants(name).await, ["group:team-a"], "{name}");
    }
}

#[tokio::test]
async fn one_of_many_members_is_one_change() {
    let house = house();
    let mut ids = Vec::new();
    for number in 0..50 {
        ids.push(house.post("/Users", user(&format!("u{number}"))).await.id());
    }
    let all: Vec<_> = ids.iter().map(String::as_str).collect();
    let id = house.post("/Groups", group("team-a", &all)).await.is(201).id();
    let path = format!("/Groups/{id}");
    house
        .patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[7])}]))
        .await
        .is(204);
    assert_eq!(members(&house.get(&path).await).len(), 49);
    let last =
        house.trail().await.into_iter().rev().find(|event| event.action.as_str() == "document.changed");
    assert_eq!(last.unwrap().changes.len(), 1);
}

#[tokio::test]
async fn what_changes_nothing_about_a_group_makes_no_version() {
    let house = house();
    let [anna, bert, carl] = three_people(&house).await;
    let path = format!("/Groups/{}", house.post("/Groups", group("team-a", &[&anna, &bert])).await.id());
    let version = house.get(&path).await.header("etag").unwrap().to_owned();
    let events = house.trail().await.len();
    let is_as_it_was = async || {
        let now = house.get(&path).await;
        now.header("etag") == Some(&version) && house.trail().await.len() == events
    };
    house.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": bert}]}])).await.is(204);
    assert!(is_as_it_was().await, "a member who is there is added");
    house
        .patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{carl}\"]")}]))
        .await
        .is(204);
    assert!(is_as_it_was().await, "somebody is removed who is no member");
    let again = house.put(&path, group("team-a", &[&bert, &anna])).await.is(200);
    assert!(is_as_it_was().await, "the same group is put again");
    assert_eq!((again.header("etag"), members(&again).len()), (Some(version.as_str()), 2));
    let wrong = json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}]}]);
    house.patch(&path, wrong).await.refuses(400, Some("invalidValue"));
    house.patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": carl}]}])).await.is(204);
    assert!(!is_as_it_was().await);
}

#[tokio::test]
async fn group_names_are_held_once_where_that_is_asked_for() {
    let free = house();
    free.post("/Groups", group("team-a", &[])).await.is(201);
    free.post("/Groups", group("Team-A", &[])).await.is(201);
    let strict = house_with(SETTINGS, jit_scim::server::ScimConnection::unique_group_names);
    strict.post("/Groups", group("team-a", &[])).await.is(201);
    strict.post("/Groups", group("Team-A", &[])).await.refuses(409, Some("uniqueness"));
}

#[tokio::test]
async fn what_a_change_looks_at_among_members_has_a_bound() {
    let house = house();
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(house.post("/Users", user(&format!("u{number}"))).await.is(201).id());
    }
    let members: Vec<_> = ids.iter().map(String::as_str).collect();
    let group = format!("/Groups/{}", house.post("/Groups", group("team-red", &members)).await.is(201).id());
    let remove = |number: usize| {
        let terms = vec![format!("type eq \"none{number}\""); 900].join(" or ");
        json!({"op": "remove", "path": format!("members[{terms}]")})
    };
    house.patch(&group, (0..40).map(remove).collect()).await.refuses(413, None);
    house.patch(&group, json!(vec![remove(1); 40])).await.is(204);
    let replace = json!({"op": "replace", "path": "members", "value": [{"value": ids[0]}]});
    house.patch(&group, json!(vec![replace; 500])).await.is(204);
    let left = house.get(&group).await.is(200);
    assert_eq!(left.body["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whom_a_filter_finds_a_removal_removes() {
    for (operation, tolerance) in [("remove", Tolerance::strict()), ("Remove", Tolerance::entra())] {
        let house = house_with(SETTINGS, |connection| connection.tolerance(tolerance));
        let [anna, bert, _] = three_people(&house).await;
        let path = format!("/Groups/{}", house.post("/Groups", group("team-a", &[&anna, &bert])).await.id());
        let upper = anna.to_uppercase();
        let found = house.get(&format!("/Groups?filter=members[value eq \"{upper}\"]")).await.is(200);
        assert_eq!(found.body["totalResults"], 1, "the case of a member's value does not count");
        let change = match operation {
            "remove" => json!([{"op": operation, "path": format!("members[value eq \"{upper}\"]")}]),
            _ => json!([{"op": operation, "path": "members", "value": [{"value": upper}]}]),
        };
        house.patch(&path, change).await.is(204);
        assert_eq!(members(&house.get(&path).await), [bert.as_str()]);
        assert!(house.grants("anna").await.is_empty());
    }
}
