//! Users: what is said of them is kept word for word, and becomes an account by mapping and policy.

use std::sync::Arc;

use async_trait::async_trait;
use jit_core::{AccountId, AccountState, AdminAct, AdminRequest, BackendError, ErrorKind, Outcome};
use jit_scim::server::{PasswordVersion, Passwords};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn a_user_is_created_read_changed_and_removed() {
    let house = house();
    let mut body = person("alice", "e1");
    body["title"] = json!("Engineer");
    let made = house.post("/Users", body).await.is(201);
    let id = made.id();
    let location = format!("https://scim.example/v2/Users/{id}");
    assert_eq!(made.header("location"), Some(location.as_str()));
    assert_eq!(made.header("etag"), Some("W/\"1\""));
    assert_eq!(made.header("content-type"), Some("application/scim+json"));
    assert_eq!(
        made.body["meta"],
        json!({"resourceType": "User", "created": "2026-11-21T09:00:00.000Z",
        "lastModified": "2026-11-21T09:00:00.000Z", "version": "W/\"1\"", "location": location})
    );
    let account = house.account().await;
    assert_eq!(account.user_name.as_ref().unwrap().as_str(), "alice");
    assert_eq!(account.email.as_ref().unwrap().address.as_str(), "alice@acme.example");

    let path = format!("/Users/{id}");
    assert_eq!(house.get(&path).await.is(200).body, made.body);
    let changed = house.patch(&path, json!([{"op": "remove", "path": "title"}])).await.is(200);
    assert_eq!(changed.header("etag"), Some("W/\"2\""));
    assert!(changed.body.get("title").is_none());
    assert!(house.account().await.attributes.iter().all(|(name, _)| name.as_str() != "title"));

    let replaced = house.put(&path, user("alice2")).await.is(200);
    assert_eq!((&replaced.body["userName"], replaced.body.get("externalId")), (&json!("alice2"), None));
    assert_eq!(house.account().await.user_name.unwrap().as_str(), "alice2");
    assert_eq!(house.get(&path).await.body, replaced.body);

    house.delete(&path).await.is(204);
    house.get(&path).await.refuses(404, None);
    house.delete(&path).await.refuses(404, None);
    assert!(matches!(house.account().await.state, AccountState::Ended { .. }));
    let events: Vec<_> = house.trail().await.iter().map(|event| event.action.to_string()).collect();
    assert_eq!(events, ["record.joined", "record.moved", "record.moved", "record.ended"]);
}

#[tokio::test]
async fn what_changes_nothing_writes_nothing() {
    let house = house();
    let id = house.post("/Users", user("alice")).await.id();
    let path = format!("/Users/{id}");
    for _ in 0..2 {
        let same = house.patch(&path, json!([{"op": "replace", "path": "userName", "value": "alice"}])).await;
        assert_eq!(same.is(200).header("etag"), Some("W/\"1\""));
        assert_eq!(house.put(&path, user("alice")).await.is(200).header("etag"), Some("W/\"1\""));
    }
    assert_eq!(house.trail().await.len(), 1);
}

#[tokio::test]
async fn a_sign_in_and_the_source_agree_on_one_account_and_a_deletion_holds_for_both() {
    let house = house();
    let Outcome::SignedIn(first) = house.sign_in("e1").await else { panic!("not in") };
    let id = house.post("/Users", person("alice", "e1")).await.is(201).id();
    let account = house.account().await;
    assert_eq!(account.id, first.account.id, "the person had an account by their sign-in");
    let epoch = account.credential_epoch;

    let path = format!("/Users/{id}");
    let off = house.patch(&path, json!([{"op": "replace", "value": {"active": false}}])).await.is(200);
    assert_eq!(off.body["active"], json!(false));
    let account = house.account().await;
    assert!(matches!(account.state, AccountState::Disabled { .. }));
    assert!(account.credential_epoch > epoch, "sessions are void");
    assert!(matches!(house.sign_in("e1").await, Outcome::Denied(_)));
    house.get(&path).await.is(200);

    house.patch(&path, json!([{"op": "replace", "path": "active", "value": true}])).await.is(200);
    assert!(matches!(house.sign_in("e1").await, Outcome::SignedIn(_)));
    house.delete(&path).await.is(204);
    let Outcome::Denied(denied) = house.sign_in("e1").await else { panic!("a tombstone let them in") };
    assert_eq!(denied.denial.code.as_str(), "account.ended");
    let again = house.post("/Users", person("alice", "e1")).await.refuses(409, Some("uniqueness"));
    assert!(again.body["detail"].as_str().unwrap().contains("account.ended"), "{}", again.body);
    assert!(matches!(house.sign_in("e1").await, Outcome::Denied(_)));
    assert_eq!(house.get("/Users").await.body["totalResults"], 0);
}

#[tokio::test]
async fn what_a_source_first_called_a_person_stays_their_key() {
    let house = house();
    let id = house.post("/Users", person("alice", "e1")).await.id();
    let path = format!("/Users/{id}");
    house.patch(&path, json!([{"op": "replace", "path": "externalId", "value": "e2"}])).await.is(200);
    assert!(matches!(house.sign_in("e1").await, Outcome::SignedIn(_)));
    assert_eq!(house.accounts().await.len(), 1);
    for (external, total) in [("e1", 0), ("e2", 1)] {
        let found = house.get(&format!("/Users?filter=externalId eq \"{external}\"")).await;
        assert_eq!(found.body["totalResults"], total, "{external}");
    }
    house.post("/Users", person("bob", "e1")).await.refuses(409, Some("uniqueness"));
    house.post("/Users", person("bob", "e2")).await.is(201);
}

#[tokio::test]
async fn names_are_held_once_and_policy_and_mapping_are_asked() {
    let house = house();
    house.post("/Users", user("Alice")).await.is(201);
    let taken = house.post("/Users", user("ALICE")).await.refuses(409, Some("uniqueness"));
    assert!(taken.body["detail"].as_str().unwrap().contains("userName"), "{}", taken.body);
    let bob = house.post("/Users", user("bob")).await.id();
    let renamed = json!([{"op": "replace", "path": "userName", "value": "alicE"}]);
    house.patch(&format!("/Users/{bob}"), renamed).await.refuses(409, Some("uniqueness"));
    assert_eq!(house.get(&format!("/Users/{bob}")).await.body["userName"], "bob");

    let mut robot = user("robot");
    robot["userType"] = json!("Robot");
    let refused = house.post("/Users", robot).await.refuses(403, None);
    assert!(refused.body["detail"].as_str().unwrap().contains("robot"), "{}", refused.body);
    assert_eq!(house.accounts().await.len(), 2);
    assert_eq!(house.get("/Users").await.body["totalResults"], 2);
}

#[tokio::test]
async fn why_it_is_refused_is_told_as_it_is() {
    let house = house();
    let path = format!("/Users/{}", house.post("/Users", person("alice", "e1")).await.is(201).id());
    let says = |answer: Answer, what: &str| {
        assert!(answer.body["detail"].as_str().unwrap().contains(what), "{}", answer.body);
    };
    let mut bob = person("bob", "e2");
    bob["emails"][0]["value"] = json!("alice@acme.example");
    says(house.post("/Users", bob).await.refuses(409, Some("uniqueness")), "already (link.proof_required)");

    let (tenant, account) = ("acme".parse().unwrap(), house.account().await.id);
    let end = AdminRequest { tenant, store: None, account, act: AdminAct::End, by: "root".into() };
    house.jit.administer(&end).await.unwrap().unwrap();
    let change = json!([{"op": "replace", "path": "title", "value": "Director"}]);
    says(house.patch(&path, change).await.refuses(403, None), "account.ended");
    house.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    says(house.post("/Users", person("alice", "e3")).await.refuses(409, Some("uniqueness")), "userName");
    house.delete(&path).await.is(204);
    says(house.post("/Users", person("alice", "e1")).await.refuses(409, Some("uniqueness")), "account.ended");
}

#[tokio::test]
async fn versions_are_compared() {
    let house = house();
    let id = house.post("/Users", user("alice")).await.id();
    let path = format!("/Users/{id}");
    let titled = |title: &str| patch(json!([{"op": "replace", "path": "title", "value": title}]));
    let send = async |method: &str, tag: &str, body: Option<serde_json::Value>| {
        house.send(method, &path, &[("if-match", tag)], body.as_ref()).await
    };
    send("PATCH", "W/\"9\"", Some(titled("a"))).await.refuses(412, None);
    send("PATCH", "nonsense", Some(titled("a"))).await.refuses(412, None);
    send("PATCH", "W/\"1\"", Some(titled("a"))).await.is(200);
    send("PUT", "\"1\"", Some(user("alice"))).await.refuses(412, None);
    send("PUT", "*", Some(user("alice"))).await.is(200);
    send("DELETE", "W/\"1\"", None).await.refuses(412, None);
    let known = house.send("GET", &path, &[("if-none-match", "W/\"3\"")], None).await;
    assert_eq!((known.status, known.header("etag")), (304, Some("W/\"3\"")));
    for (method, body) in [("PUT", Some(user("alice"))), ("PATCH", Some(titled("b"))), ("DELETE", None)] {
        for tag in ["*", "W/\"3\"", "\"1\", \"3\""] {
            let refused = house.send(method, &path, &[("if-none-match", tag)], body.as_ref()).await;
            refused.refuses(412, None);
        }
    }
    house.send("PATCH", &path, &[("if-none-match", "\"1\"")], Some(&titled("b"))).await.is(200);
    send("DELETE", "W/\"4\"", None).await.is(204);
}

#[tokio::test]
async fn people_are_found_by_index_and_by_looking() {
    let house = house();
    for (number, name) in ["anna", "bert", "carl", "dora"].into_iter().enumerate() {
        let mut body = person(name, &format!("e{number}"));
        body["title"] = json!(if number % 2 == 0 { "even" } else { "odd" });
        house.post("/Users", body).await.is(201);
    }
    for (query, names) in [
        ("filter=userName eq \"ANNA\"", vec!["anna"]),
        ("filter=externalId eq \"e1\"", vec!["bert"]),
        ("filter=externalId eq \"E1\"", vec![]),
        ("Filter=userName eq \"ANNA\"", vec!["anna"]),
        ("filter=emails.value eq \"Carl@acme.example\"", vec!["carl"]),
        ("filter=emails[type eq \"work\"].value eq \"x\"", vec![]),
        ("filter=emails[type eq \"work\" and value sw \"dora\"]", vec!["dora"]),
        ("filter=title eq \"odd\"", vec!["bert", "dora"]),
        ("filter=title eq \"odd\" and userName eq \"dora\"", vec!["dora"]),
        ("filter=title eq \"odd\"&sortBy=userName&sortOrder=descending", vec!["dora", "bert"]),
        ("sortBy=userName&startIndex=2&count=2", vec!["bert", "carl"]),
        ("startIndex=3", vec!["carl", "dora"]),
        ("count=0", vec![]),
        ("filter=meta.created gt \"2030-01-01T00:00:00Z\"", vec![]),
        ("filter=not (userName eq \"anna\") and meta.created pr&count=1", vec!["bert"]),
    ] {
        let found =
            house.get(&format!("/Users?{}", query.replace("].value eq \"x\"", " and value eq \"x\"]"))).await;
        let list = found.body["Resources"].as_array().unwrap_or_else(|| panic!("{query}: {}", found.body));
        let found: Vec<_> = list.iter().map(|user| user["userName"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
    }
    house.get("/Users?filter=userName").await.refuses(400, Some("invalidFilter"));
    house.get("/Users?filter=password eq \"x\"").await.refuses(400, Some("invalidFilter"));
    let chosen = house.get("/Users?filter=userName eq \"anna\"&attributes=title").await;
    let id = chosen.body["Resources"][0]["id"].clone();
    assert_eq!(chosen.body["Resources"], json!([{"schemas": [USER], "id": id, "title": "even"}]));
}

#[tokio::test]
async fn pages_by_cursor_follow_each_other() {
    let house = house();
    for name in ["a1", "b2", "c3", "d4", "e5"] {
        house.post("/Users", user(name)).await.is(201);
    }
    for query in ["", "&sortBy=userName", "&filter=userName pr"] {
        let (mut names, mut cursor) = (Vec::new(), Some(String::new()));
        while let Some(at) = cursor {
            let page = house.get(&format!("/Users?count=2&cursor={at}{query}")).await.is(200).body;
            assert_eq!(page["totalResults"], 5);
            names.extend(page["Resources"].as_array().unwrap().iter().map(|user| user["userName"].clone()));
            cursor = page["nextCursor"].as_str().map(str::to_owned);
        }
        assert_eq!(names, ["a1", "b2", "c3", "d4", "e5"], "{query}");
    }
    house.get("/Users?cursor=nonsense").await.refuses(400, Some("invalidCursor"));
}

#[tokio::test]
async fn a_password_is_in_no_document_and_no_answer() {
    let house = house();
    let mut body = user("alice");
    body["password"] = json!("s3cret");
    let made = house.post("/Users", body).await.is(201);
    assert!(!made.body.to_string().contains("s3cret"));
    let path = format!("/Users/{}", made.id());
    let changed = json!([{"op": "replace", "path": "password", "value": "s3cret"}]);
    assert_eq!(house.patch(&path, changed).await.is(200).header("etag"), Some("W/\"1\""));
    for path in [path.clone(), format!("{path}?attributes=password")] {
        assert!(!house.get(&path).await.is(200).body.to_string().contains("s3cret"));
    }
}

/// Of several that are the same, which of them is the primary one is not lost.
#[tokio::test]
async fn what_becomes_the_same_keeps_that_it_is_the_primary_one() {
    let house = house();
    let mail = |value: &str, primary: bool| json!({"value": value, "type": "work", "primary": primary});
    let mut body = user("alice");
    body["emails"] = json!([mail("a@acme.example", false), mail("z@acme.example", true)]);
    let path = format!("/Users/{}", house.post("/Users", body).await.is(201).id());
    let change = json!([{"op": "replace", "path": "emails.value", "value": "n@acme.example"}]);
    let changed = house.patch(&path, change).await.is(200);
    assert_eq!(changed.body["emails"], json!([mail("n@acme.example", true)]));
    let mut whole = user("alice");
    whole["emails"] = json!([mail("b@acme.example", false), mail("B@acme.example", true)]);
    let whole = house.put(&path, whole).await.is(200);
    assert_eq!(whole.body["emails"], json!([mail("B@acme.example", true)]));
}

type Sets = Vec<(AccountId, PasswordVersion, String)>;

#[derive(Default)]
struct Kept {
    sets: std::sync::Mutex<Sets>,
    is_down: std::sync::atomic::AtomicBool,
}

impl Kept {
    fn passwords(&self) -> Vec<(AccountId, String)> {
        let sets = self.sets.lock().unwrap();
        sets.iter().map(|(account, _, password)| (*account, password.clone())).collect()
    }
}

#[async_trait]
impl Passwords for Kept {
    async fn set(
        &self,
        account: AccountId,
        version: PasswordVersion,
        password: &str,
    ) -> Result<(), BackendError> {
        if self.is_down.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(BackendError::new(ErrorKind::Unavailable, "passwords.set"));
        }
        self.sets.lock().unwrap().push((account, version, password.to_owned()));
        Ok(())
    }
}

#[tokio::test]
async fn whoever_keeps_passwords_can_tell_which_one_is_the_later() {
    let kept = Arc::new(Kept::default());
    let house = house_with(SETTINGS, |connection| connection.passwords(Arc::clone(&kept) as _));
    let mut body = person("alice", "e1");
    body["password"] = json!("first");
    let path = format!("/Users/{}", house.post("/Users", body.clone()).await.is(201).id());
    let change = json!([{"op": "replace", "path": "title", "value": "x"}]);
    house.patch(&path, change).await.is(200);
    for password in ["second", "second", "third"] {
        let change = json!([{"op": "replace", "path": "password", "value": password}]);
        house.patch(&path, change).await.is(200);
    }
    body["password"] = json!("fourth");
    house.put(&path, body).await.is(200);
    let versions: Vec<_> = kept.sets.lock().unwrap().iter().map(|(_, version, _)| *version).collect();
    assert_eq!(versions.len(), 5);
    assert!(versions.is_sorted_by(|one, other| one < other), "{versions:?}");
    assert_eq!(versions.last().unwrap().number, 6, "that of the answer");
    assert!(versions.iter().all(|version| path.ends_with(&version.document.to_string())));
}

/// The change is there, and the version that the request named is not.
#[tokio::test]
async fn a_password_that_could_not_be_kept_comes_again_with_the_version_of_now() {
    let kept = Arc::new(Kept::default());
    let house = house_with(SETTINGS, |connection| connection.passwords(Arc::clone(&kept) as _));
    let path = format!("/Users/{}", house.post("/Users", user("alice")).await.is(201).id());
    let change = patch(json!([{"op": "replace", "path": "password", "value": "second"}]));
    let send = async |headers: &[(&str, &str)]| house.send("PATCH", &path, headers, Some(&change)).await;
    kept.is_down.store(true, std::sync::atomic::Ordering::Relaxed);
    send(&[("if-match", "W/\"1\"")]).await.refuses(503, None);
    let now = house.get(&path).await.is(200).header("etag").unwrap().to_owned();
    kept.is_down.store(false, std::sync::atomic::Ordering::Relaxed);
    send(&[("if-match", "W/\"1\"")]).await.refuses(412, None);
    assert!(kept.passwords().is_empty());
    send(&[("if-match", now.as_str())]).await.is(200);
    send(&[]).await.is(200);
    assert_eq!(kept.passwords().len(), 2);
}

#[tokio::test]
async fn a_password_is_handed_to_who_keeps_passwords() {
    let kept = Arc::new(Kept::default());
    let house = house_with(SETTINGS, |connection| connection.passwords(Arc::clone(&kept) as _));
    let mut body = user("alice");
    body["password"] = json!("first");
    let id = house.post("/Users", body).await.is(201).id();
    let change = json!([{"op": "replace", "path": "password", "value": "second"}]);
    house.patch(&format!("/Users/{id}"), change).await.is(200);
    let account = house.account().await.id;
    assert_eq!(kept.passwords(), [(account, "first".to_owned()), (account, "second".to_owned())]);
    assert_eq!(house.get("/ServiceProviderConfig").await.body["changePassword"]["supported"], true);
    let documents = house.get("/Users").await.body.to_string();
    assert!(!documents.contains("second"));
}

/// A directory that was emptied by accident: its documents are what it says, and the accounts wait for an administrator.
#[tokio::test]
async fn too_many_who_leave_at_once_wait_for_an_administrator() {
    let few = SETTINGS.replace("renames = true", "renames = true\nleavers = { most = 1, within = \"1h\" }");
    let house = house_with(&few, |connection| connection);
    let mut paths = Vec::new();
    for name in ["anna", "bert", "carl"] {
        let id = house.post("/Users", person(name, name)).await.is(201).id();
        paths.push(format!("/Users/{id}"));
    }
    house.delete(&paths[0]).await.is(204);
    let off = json!([{"op": "replace", "value": {"active": false}}]);
    assert_eq!(house.patch(&paths[1], off).await.is(200).body["active"], false);
    house.delete(&paths[2]).await.is(204);
    assert!(matches!(house.sign_in("anna").await, Outcome::Denied(_)));
    for waits in ["bert", "carl"] {
        assert!(matches!(house.sign_in(waits).await, Outcome::SignedIn(_)), "{waits} is not locked out");
    }
    // the source says that they are there: nothing waits any more
    let on = json!([{"op": "replace", "value": {"active": true}}]);
    house.patch(&paths[1], on).await.is(200);
    house.post("/Users", person("carl", "carl")).await.is(201);
    let waiting =
        house.accounts().await.into_iter().filter(|one| one.records.iter().any(|held| held.parked.is_some()));
    assert_eq!(waiting.count(), 0);
}

#[tokio::test]
async fn what_came_from_a_list_goes_with_what_the_list_loses() {
    let more = r#"attribute = [
  { attribute = "second", claim = "/emails/1/value" },
  { attribute = "phone", claim = "/phoneNumbers/0/value" },
  { attribute = "street", claim = "/addresses/0/streetAddress" },"#;
    let house = house_with(&SETTINGS.replacen("attribute = [", more, 1), |connection| connection);
    let attributes = async || {
        let account = house.account().await;
        let named = account.attributes.iter().filter(|(_, values)| !values.is_empty());
        named.map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    let mut anna = person("anna", "a1");
    anna["emails"] = json!([{"value": "anna@acme.example"}, {"value": "a@acme.example"}]);
    anna["phoneNumbers"] = json!([{"value": "tel:+1-201-555-0123"}]);
    anna["addresses"] = json!([{"streetAddress": "1 High Street", "locality": "Ames"}]);
    let path = format!("/Users/{}", house.post("/Users", anna).await.is(201).id());
    assert_eq!(attributes().await, ["phone", "second", "street"]);
    let shorter = json!([{"op": "remove", "path": "emails[value eq \"a@acme.example\"]"}]);
    house.patch(&path, shorter).await.is(200);
    assert_eq!(attributes().await, ["phone", "street"]);
    house.patch(&path, json!([{"op": "replace", "path": "phoneNumbers", "value": []}])).await.is(200);
    assert_eq!(attributes().await, ["street"]);
    house.patch(&path, json!([{"op": "remove", "path": "addresses.streetAddress"}])).await.is(200);
    assert!(attributes().await.is_empty());
    house.patch(&path, json!([{"op": "remove", "path": "emails"}])).await.is(200);
    assert!(house.account().await.email.is_some(), "an address goes when another takes its place");
}

#[tokio::test]
async fn a_replacement_that_says_nothing_of_use_brings_nobody_back() {
    let house = house();
    let path = format!("/Users/{}", house.post("/Users", person("anna", "a1")).await.is(201).id());
    house.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    let put = house.put(&path, person("anna", "a1")).await.is(200);
    assert_eq!(put.body["active"], false);
    let mut unsaid = person("anna", "a1");
    unsaid["active"] = json!(null);
    assert_eq!(house.put(&path, unsaid).await.is(200).body["active"], false, "null is not said either");
    assert!(matches!(house.account().await.state, jit_core::AccountState::Disabled { .. }));
    let mut body = person("anna", "a1");
    body["active"] = json!(true);
    assert_eq!(house.put(&path, body).await.is(200).body["active"], true);
    assert_eq!(house.account().await.state, jit_core::AccountState::Active);
}

#[tokio::test]
async fn only_who_is_said_to_be_in_use_comes_back() {
    let house = house_with(SETTINGS, jit_scim::server::ScimConnection::feed);
    let path = format!("/Users/{}", house.post("/Users", person("alice", "e1")).await.is(201).id());
    house.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    for unsaid in [
        json!([{"op": "replace", "path": "active", "value": null}]),
        json!([{"op": "replace", "value": {"active": null, "title": "x"}}]),
    ] {
        let changed = house.patch(&path, unsaid.clone()).await.is(200);
        assert_eq!(changed.body["active"], false, "{unsaid}");
    }
    let mut told = person("alice", "e1");
    told["active"] = json!(null);
    assert_eq!(house.post("/Users", told).await.is(200).body["active"], false, "a feed says it with POST");
    assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    assert!(matches!(house.sign_in("e1").await, Outcome::Denied(_)));
    let on = json!([{"op": "remove", "path": "active"}, {"op": "add", "path": "active", "value": true}]);
    assert_eq!(house.patch(&path, on).await.is(200).body["active"], true);
    assert!(matches!(house.sign_in("e1").await, Outcome::SignedIn(_)));
}

#[tokio::test]
async fn who_is_stopped_stays_so_when_active_is_taken_away() {
    let house = house_with(SETTINGS, jit_scim::server::ScimConnection::feed);
    let path = format!("/Users/{}", house.post("/Users", person("alice", "e1")).await.is(201).id());
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Staff"});
    let group = format!("/Groups/{}", house.post("/Groups", group).await.is(201).id());
    house.patch(&path, json!([{"op": "replace", "path": "active", "value": false}])).await.is(200);
    let taken_away = house.patch(&path, json!([{"op": "remove", "path": "active"}])).await.is(200);
    assert_eq!(taken_away.body.get("active"), None, "a removal removes, as suites of others ask for");
    for unsaid in [
        json!([{"op": "remove", "path": "active"}]),
        json!([{"op": "replace", "path": "title", "value": "x"}]),
        json!([{"op": "replace", "path": "active", "value": null}]),
    ] {
        let changed = house.patch(&path, unsaid).await.is(200);
        assert_eq!(changed.body.get("active"), None);
        assert!(matches!(house.account().await.state, AccountState::Disabled { .. }));
    }
    house.put(&path, person("alice", "e1")).await.is(200);
    house.post("/Users", person("alice", "e1")).await.is(200);
    let id = path.rsplit('/').next().unwrap();
    house.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": id}]}])).await.is(204);
    assert!(
        matches!(house.account().await.state, AccountState::Disabled { .. }),
        "nor do groups bring them back"
    );
    assert!(matches!(house.sign_in("e1").await, Outcome::Denied(_)));
    let on = json!([{"op": "add", "path": "active", "value": true}]);
    assert_eq!(house.patch(&path, on).await.is(200).body["active"], true);
    assert!(matches!(house.sign_in("e1").await, Outcome::SignedIn(_)));
    house.patch(&path, json!([{"op": "remove", "path": "active"}])).await.is(200);
    assert_eq!(house.account().await.state, AccountState::Active, "of whom nobody stopped it says nothing");
}

#[tokio::test]
async fn whoever_cannot_be_made_for_their_name_can_be_found_by_it() {
    let house = house();
    for (made, asked) in [("σοφος", "ΣΟΦΟΣ"), ("straße", "STRASSE"), ("ａｌｉｃｅ", "alice")]
    {
        house.post("/Users", user(made)).await.is(201);
        house.post("/Users", user(asked)).await.refuses(409, Some("uniqueness"));
        for filter in [
            format!("userName eq \"{asked}\""),
            format!("userName sw \"{}\"", asked.chars().take(3).collect::<String>()),
            format!("not (userName ne \"{asked}\")"),
        ] {
            let found = house.get(&format!("/Users?filter={}", encoded(&filter))).await.is(200);
            assert_eq!(found.body["totalResults"], 1, "{filter}");
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"))
}
