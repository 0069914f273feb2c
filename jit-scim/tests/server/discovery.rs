//! What the service says about itself, and resource types of files.

use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn the_service_says_what_it_does() {
    let house = house();
    let config = house.get("/ServiceProviderConfig").await.is(200).body;
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(config[feature]["supported"], true, "{feature}");
    }
    assert_eq!(config["changePassword"]["supported"], false);
    let pages = json!({"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100,
        "maxPageSize": 200, "cursorTimeout": 3600});
    assert_eq!(config["pagination"], pages);
    assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(house.get("/ResourceTypes").await.is(200).body["totalResults"], 2);
    assert_eq!(house.get("/ResourceTypes/User").await.is(200).body["endpoint"], "/Users");
    assert_eq!(house.get(&format!("/Schemas/{USER}")).await.is(200).body["id"], USER);
    house.get("/Schemas/urn:nothing").await.refuses(404, None);
    for path in ["/Schemas", "/ResourceTypes"] {
        house.get(&format!("{path}?filter=id eq \"x\"")).await.refuses(403, None);
    }
    house.get("/ServiceProviderConfig?filter=x").await.is(200);
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        house.post(path, json!({})).await.refuses(405, None);
    }
}

#[tokio::test]
async fn types_of_files_are_served_without_accounts() {
    let house = house_with(SETTINGS, |connection| connection.schemas(with_test_resource()));
    let [core, extension] = [
        "urn:ietf:params:scim:schemas:test:2.0:TestResource",
        "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource",
    ];
    let body = json!({"schemas": [core, extension], "identifier": "I", extension: {"extRequired": "r"},
        "writeOnlyAttr": "w", "requestOnlyAttr": "q", "uniqueString": "U"});
    let made = house.post("/TestResources", body.clone()).await.is(201);
    assert_eq!(made.body["requestOnlyAttr"], "q", "who wrote it sees it");
    assert!(made.body.get("writeOnlyAttr").is_none());
    let path = format!("/TestResources/{}", made.id());
    assert!(house.get(&path).await.body.get("requestOnlyAttr").is_none());
    assert_eq!(house.get(&format!("{path}?attributes=requestOnlyAttr")).await.body["requestOnlyAttr"], "q");
    let mut other = body.clone();
    other["identifier"] = json!("J");
    let taken = house.post("/TestResources", other).await.refuses(409, Some("uniqueness"));
    assert!(taken.body["detail"].as_str().unwrap().contains("uniqueString"), "{}", taken.body);
    let found = house.get("/TestResources?filter=uniqueString eq \"u\"").await;
    assert_eq!(found.body["totalResults"], 1);
    house.patch(&path, json!([{"op": "replace", "path": "uniqueString", "value": "V"}])).await.is(200);
    house.delete(&path).await.is(204);
    assert!(house.accounts().await.is_empty());
    let trail: Vec<_> = house.trail().await.iter().map(|event| event.action.to_string()).collect();
    assert_eq!(trail, ["document.created", "document.changed", "document.removed"]);
}

#[tokio::test]
async fn a_query_at_the_root_goes_over_every_type() {
    let house = house();
    let anna = house.post("/Users", user("anna")).await.id();
    house.post("/Groups", group("team-a", &[&anna])).await.is(201);
    let search = |filter: &str, start: usize| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter, "count": 1,
            "startIndex": start})
    };
    let found = house.post("/.search", search("meta.created pr", 2)).await.is(200).body;
    assert_eq!(
        (&found["totalResults"], &found["Resources"][0]["displayName"]),
        (&json!(2), &json!("team-a"))
    );
    let found = house.post("/.search", search("userName eq \"anna\"", 1)).await.is(200).body;
    assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(anna)));
    house.post("/.search", search("nothing eq 1", 1)).await.refuses(400, Some("invalidFilter"));
    let users = house.post("/Users/.search", search("userName sw \"a\"", 1)).await.is(200).body;
    assert_eq!(users["totalResults"], 1);
    assert_eq!(house.get("/").await.is(200).body["totalResults"], 2);
}

#[tokio::test]
async fn me_is_whoever_the_token_stands_for() {
    let house = house();
    let id = house.post("/Users", user("anna")).await.id();
    house.get("/Me").await.refuses(501, None);
    let me = context("acme").is(id.parse().unwrap());
    let shown = house.ask(&me, "GET", "/Me", &[], None).await.is(200);
    assert_eq!(shown.id(), id);
    let change = patch(json!([{"op": "replace", "path": "title", "value": "x"}]));
    house.ask(&me, "PATCH", "/Me", &[], Some(&change)).await.is(200);
    assert_eq!(house.get(&format!("/Users/{id}")).await.body["title"], "x");
}

/// RFC 7644 §3.11.
#[tokio::test]
async fn every_answer_of_me_says_where_they_are_for_good() {
    let house = house();
    let id = house.post("/Users", user("anna")).await.id();
    let location = format!("https://scim.example/v2/Users/{id}");
    let (me, reader) = (context("acme").is(id.parse().unwrap()), context("acme").is(id.parse().unwrap()));
    let reader = reader.reading_only();
    let change = patch(json!([{"op": "replace", "path": "title", "value": "x"}]));
    let (known, stale) = ([("if-none-match", "W/\"1\"")], [("if-match", "W/\"1\"")]);
    for (context, method, headers, body, status) in [
        (&me, "GET", &[][..], None, 200),
        (&me, "HEAD", &[], None, 200),
        (&me, "GET", &known, None, 304),
        (&reader, "PATCH", &[], Some(&change), 403),
        (&me, "PATCH", &[], Some(&change), 200),
        (&me, "PATCH", &stale, Some(&change), 412),
        (&me, "PATCH", &[], None, 400),
        (&me, "POST", &[], Some(&change), 405),
        (&me, "DELETE", &[], None, 204),
        (&me, "GET", &[], None, 404),
    ] {
        let answer = house.ask(context, method, "/Me", headers, body).await.is(status);
        let locations: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "location").collect();
        assert_eq!(locations, [&("location".to_owned(), location.clone())], "{method} {status}");
    }
    assert_eq!(house.get("/Me").await.refuses(501, None).header("location"), None);
}

#[tokio::test]
async fn a_query_at_the_root_is_ordered_and_paged_over_every_type() {
    let house = house();
    let mut ids = Vec::new();
    for name in ["carl", "anna", "bert"] {
        let mut body = user(name);
        body["displayName"] = json!(name);
        ids.push(house.post("/Users", body).await.is(201).id());
    }
    for name in ["Anna's", "carla"] {
        ids.push(house.post("/Groups", group(name, &[])).await.is(201).id());
    }
    let pages = async |query: &str| {
        let (mut shown, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = house.get(&format!("/?count=2&{query}&cursor={cursor}")).await.is(200).body;
            assert_eq!(page["totalResults"], 5);
            shown.extend(page["Resources"].as_array().unwrap().clone());
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return shown,
            }
        }
    };
    let names: Vec<_> =
        pages("sortBy=displayName").await.iter().map(|one| one["displayName"].clone()).collect();
    assert_eq!(names, ["anna", "Anna's", "bert", "carl", "carla"]);
    let mut shown: Vec<_> = pages("").await.iter().map(|one| one["id"].clone()).collect();
    shown.sort_by_key(ToString::to_string);
    ids.sort();
    assert_eq!(shown, ids, "each once");
    let names = house.get("/?sortBy=userName&sortOrder=descending&startIndex=3&count=2").await.is(200).body;
    assert_eq!(names["Resources"][0]["userName"], "carl", "what has no user name comes first: {names}");
    house.get("/?sortBy=nothing").await.refuses(400, Some("invalidValue"));
}

#[tokio::test]
async fn an_address_can_be_looked_for() {
    let house = house();
    house.post("/Users", user("bert")).await.is(201);
    let anna = house.post("/Users", user("anna")).await.is(201);
    let location = anna.header("location").unwrap().to_owned();
    for filter in [format!("meta.location eq \"{location}\""), format!("meta[location eq \"{location}\"]")] {
        let found = house.get(&format!("/Users?filter={filter}")).await.is(200).body;
        assert_eq!((&found["totalResults"], &found["Resources"][0]["userName"]), (&json!(1), &json!("anna")));
    }
}

#[tokio::test]
async fn what_cannot_be_done_says_what_can() {
    let house = house();
    for (method, path, allowed) in [
        ("DELETE", "/Users", "GET, HEAD, POST"),
        ("POST", "/Users/none", "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", "/Bulk", "POST"),
        ("GET", "/.search", "POST"),
        ("PUT", "/Schemas", "GET, HEAD"),
    ] {
        let answer = house.send(method, path, &[], None).await.refuses(405, None);
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}
