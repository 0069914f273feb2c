//! Resources that were kept under other rules are found once they are indexed anew.

use std::num::NonZeroUsize;
use std::sync::Arc;

use jit_core::*;
use serde_json::json;

use crate::support::*;

async fn documents(house: &House, kind: &str) -> Vec<Document> {
    let of = Collection {
        tenant: "acme".parse().unwrap(),
        connection: "scim".parse().unwrap(),
        kind: DocumentKind::new(kind).unwrap(),
    };
    let query = DocumentQuery { of, after: None, skip: 0, limit: NonZeroUsize::new(100).unwrap() };
    let mut documents = Vec::new();
    for text in house.store.documents(&query).await.unwrap().items {
        documents.extend(house.store.document(&query.of.key(text.id)).await.unwrap());
    }
    documents
}

/// Writes what a document is found by, as another version of the service would have.
async fn rename(house: &House, before: &Document, name: impl Fn(&str) -> String) {
    let names = before.names.iter();
    let names = names.map(|old| DocumentName { value: name(&old.value).into(), ..old.clone() }).collect();
    let write = DocumentWrite::update(before, Document { names, ..before.clone() });
    let commit = Commit { documents: vec![write], ..Commit::new("acme".parse().unwrap()) };
    house.store.commit(&commit).await.unwrap();
}

#[tokio::test]
async fn what_was_indexed_under_other_rules_is_found_again() {
    let house = house();
    let id = house.post("/Users", person("anna", "e1")).await.is(201).id();
    house.post("/Users", person("bob", "e2")).await.is(201);
    house.post("/Groups", group("team-a", &[&id])).await.is(201);
    for kind in ["User", "Group"] {
        let before = documents(&house, kind).await.remove(0);
        rename(
            &house,
            &before,
            |value| if value == "e1" { value.to_owned() } else { format!("old {value}") },
        )
        .await;
    }
    let found = async |path: &str| house.get(path).await.is(200).body["totalResults"].clone();
    let asked = ["/Users?filter=userName eq \"ANNA\"", "/Groups?filter=displayName eq \"Team-A\""];
    for path in asked {
        assert_eq!(found(path).await, 0, "{path}");
    }
    let done = house.service.index_anew().await.unwrap();
    assert_eq!((done.seen, done.written, done.failed), (3, 2, 0));
    for path in asked {
        assert_eq!(found(path).await, 1, "{path}");
    }
    house.post("/Users", user("Anna")).await.refuses(409, Some("uniqueness"));
    assert_eq!(house.grants("anna").await, ["group:team-a"], "nothing else changes");
    let again = house.service.index_anew().await.unwrap();
    assert_eq!((again.seen, again.written, again.failed), (3, 0, 0));
}

#[tokio::test]
async fn a_name_that_another_has_by_now_keeps_nobody_else_from_theirs() {
    let house = house();
    for name in ["a", "b", "c"] {
        house.post("/Users", user(name)).await.is(201);
    }
    for (before, new) in documents(&house, "User").await.iter().zip(["old", "a", "lost"]) {
        rename(&house, before, |value| if value.len() == 1 { new.to_owned() } else { value.to_owned() })
            .await;
    }
    let done = house.service.index_anew().await.unwrap();
    assert_eq!((done.seen, done.written, done.failed), (3, 2, 1), "the first is in the way of the second");
    let done = house.service.index_anew().await.unwrap();
    assert_eq!((done.written, done.failed), (1, 0));
    let found = house.get("/Users?filter=userName eq \"a\"").await.body;
    assert_eq!(found["Resources"][0]["userName"], json!("a"));
}

#[tokio::test]
async fn what_looks_like_a_digest_is_nobody_elses_name() {
    let house = house_with(SETTINGS, |connection| connection.schemas(with_test_resource()));
    let long = "x".repeat(600);
    let digest = "sha256:5130b33e6b87fbf5316ed9049e98924eb110800bcbaaad8050f642fba6df37c9";
    house.post("/Groups", group(&long, &[])).await.is(201);
    let found = async |name: &str| {
        let path = format!("/Groups?filter=displayName eq \"{name}\"");
        house.get(&path).await.is(200).body["totalResults"].clone()
    };
    assert_eq!((found(digest).await, found(&long).await), (json!(0), json!(1)));
    house.post("/Groups", group(digest, &[])).await.is(201);
    assert_eq!((found(digest).await, found(&long).await), (json!(1), json!(1)));
    let [core, extension] = [
        "urn:ietf:params:scim:schemas:test:2.0:TestResource",
        "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource",
    ];
    let kept = |value: &str| {
        json!({"schemas": [core, extension], "identifier": value, extension: {"extRequired": "r"},
            "uniqueString": value})
    };
    house.post("/TestResources", kept(&long)).await.is(201);
    house.post("/TestResources", kept(digest)).await.is(201);
    house.post("/TestResources", kept(digest)).await.refuses(409, Some("uniqueness"));
}

#[tokio::test]
async fn what_a_change_renamed_is_up_to_date() {
    let house = house();
    let path = format!("/Users/{}", house.post("/Users", person("anna", "e1")).await.is(201).id());
    let moved = json!([{"op": "replace", "path": "emails", "value": [{"value": "a@new.example"}, {"value": "b@new.example"}]},
        {"op": "replace", "path": "userName", "value": "anna.new"}]);
    house.patch(&path, moved).await.is(200);
    let done = house.service.index_anew().await.unwrap();
    assert_eq!((done.seen, done.written), (1, 0));
}

#[tokio::test]
async fn nobody_is_kept_in_by_a_name_that_another_has_under_newer_rules() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let strict = house_on(Arc::clone(&store), SETTINGS, |connection| connection);
    let anna = strict.post("/Users", person("anna", "e1")).await.is(201).id();
    let staff = [
        strict.post("/Groups", group("Staff", &[&anna])).await.is(201).id(),
        strict.post("/Groups", group("Staff", &[&anna])).await.is(201).id(),
    ];
    let one_of_each = house_on(store, SETTINGS, jit_scim::server::ScimConnection::unique_group_names);
    for id in &staff {
        let out = json!([{"op": "remove", "path": format!("members[value eq \"{anna}\"]")}]);
        one_of_each.patch(&format!("/Groups/{id}"), out).await.is(204);
    }
    assert_eq!(one_of_each.grants("anna").await, [""; 0]);
    let named = json!([{"op": "replace", "path": "displayName", "value": "Crew"}]);
    one_of_each.patch(&format!("/Groups/{}", staff[0]), named.clone()).await.is(204);
    one_of_each.patch(&format!("/Groups/{}", staff[1]), named).await.refuses(409, Some("uniqueness"));
}

#[tokio::test]
async fn who_shares_what_became_unique_can_be_stopped_all_the_same() {
    let extension = "urn:example:params:scim:schemas:staff";
    let schemas = |uniqueness: &str| {
        let schema = json!({"id": extension, "name": "Staff", "attributes": [
            {"name": "badge", "type": "string", "multiValued": false, "uniqueness": uniqueness}]});
        let kind = json!({"name": "User", "endpoint": "/Users", "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
            "schemaExtensions": [{"schema": extension, "required": false}]});
        let schemas = jit_scim::Schemas::builder().add_schemas(schema.to_string().as_bytes()).unwrap();
        schemas.add_resource_types(kind.to_string().as_bytes()).unwrap().build()
    };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let house = house_on(Arc::clone(&store), SETTINGS, |connection| connection.schemas(schemas("none")));
    let mut paths = Vec::new();
    for name in ["anna", "bert"] {
        let mut body = person(name, name);
        body["schemas"].as_array_mut().unwrap().push(json!(extension));
        body[extension] = json!({"badge": "7"});
        paths.push(format!("/Users/{}", house.post("/Users", body).await.is(201).id()));
    }
    let unique = house_on(store, SETTINGS, |connection| connection.schemas(schemas("server")));
    for path in &paths {
        let stopped = json!([{"op": "replace", "path": "active", "value": false}]);
        assert_eq!(unique.patch(path, stopped).await.is(200).body["active"], false, "{path}");
    }
}
