//! A directory that means harm reaches nothing beyond its own.

use std::sync::Arc;

use async_trait::async_trait;
use jit_core::{Clock, ManualClock, SystemClock};
use jit_scim::server::{Access, AccessTokens, Authenticator, ScimContext, Token, Tokens, VerifiesAccess};
use jit_scim::{Reason, ScimError};
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn another_tenant_sees_and_changes_nothing() {
    let house = house();
    let anna = house.post("/Users", person("anna", "e1")).await.id();
    let team = house.post("/Groups", group("team-a", &[&anna])).await.id();
    let other = context("other");
    let ask = async |method: &str, path: &str, body: Option<serde_json::Value>| {
        house.ask(&other, method, path, &[], body.as_ref()).await
    };
    let before = house.trail().await.len();
    for path in [format!("/Users/{anna}"), format!("/Groups/{team}")] {
        ask("GET", &path, None).await.refuses(404, None);
        ask("DELETE", &path, None).await.refuses(404, None);
        ask("PUT", &path, Some(user("anna"))).await.refuses(404, None);
        ask("PATCH", &path, Some(patch(json!([{"op": "add", "path": "externalId", "value": "x"}]))))
            .await
            .refuses(404, None);
    }
    ask("POST", "/Groups", Some(group("mine", &[&anna]))).await.refuses(400, Some("invalidValue"));
    for query in [
        "/Users",
        "/Groups",
        &format!("/Users?filter=id eq \"{anna}\""),
        "/Users?filter=userName eq \"anna\"",
    ] {
        assert_eq!(ask("GET", query, None).await.is(200).body["totalResults"], 0, "{query}");
    }
    // the same names are somebody else's there
    ask("POST", "/Users", Some(person("anna", "e1"))).await.is(201);
    assert_eq!(house.trail().await.len(), before);
    assert_eq!(house.get("/Users").await.body["totalResults"], 1);
}

#[tokio::test]
async fn a_connection_that_is_not_served_gets_nothing() {
    let house = house();
    let stranger = ScimContext::new("acme".parse().unwrap(), "sso".parse().unwrap(), "x");
    house.ask(&stranger, "GET", "/Users", &[], None).await.refuses(403, None);
    let reader = context("acme").reading_only();
    house.ask(&reader, "GET", "/Users", &[], None).await.is(200);
    house.ask(&reader, "POST", "/Users", &[], Some(&user("x"))).await.refuses(403, None);
    house.ask(&reader, "DELETE", "/Users/.search", &[], None).await.refuses(403, None);
}

#[tokio::test]
async fn nothing_above_the_ceiling_is_granted_and_nothing_read_only_is_taken() {
    let house = house();
    let mut body = person("anna", "e1");
    body["groups"] = json!([{"value": "x", "display": "team-a"}]);
    body["id"] = json!("mine");
    body["roles"] = json!([{"value": "role:admin"}]);
    let made = house.post("/Users", body).await.is(201);
    assert!(made.body.get("groups").is_none() && made.id() != "mine");
    house.post("/Groups", group("role:admin", &[&made.id()])).await.is(201);
    assert!(house.grants("anna").await.is_empty());
    let path = format!("/Users/{}", made.id());
    for attribute in ["id", "groups", "meta"] {
        let change = json!([{"op": "replace", "path": attribute, "value": "x"}]);
        house.patch(&path, change).await.refuses(400, Some("mutability"));
    }
}

#[tokio::test]
async fn what_is_never_returned_cannot_be_guessed() {
    let house = house_with(SETTINGS, |connection| connection.schemas(with_test_resource()));
    let mut body = user("anna");
    body["password"] = json!("s3cret");
    house.post("/Users", body).await.is(201);
    for query in ["filter=password sw \"s\"", "filter=password pr", "sortBy=password"] {
        let refused = house.get(&format!("/Users?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
    }
    for kind in ["/TestResources?filter=writeOnlyAttr pr", "/TestResources?sortBy=writeOnlyAttr"] {
        assert_eq!(house.get(kind).await.status, 400, "{kind}");
    }
}

/// Whether a guess was right must show nowhere, not even in that nothing changed.
#[tokio::test]
async fn a_right_guess_of_what_is_never_returned_looks_like_a_wrong_one() {
    let house = house_with(SETTINGS, |connection| connection.schemas(with_test_resource()));
    let urns = [
        "urn:ietf:params:scim:schemas:test:2.0:TestResource",
        "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource",
    ];
    let body = |secret: Option<&str>| {
        let mut body = json!({"schemas": urns, "identifier": "one", (urns[1]): {"extRequired": "x"}});
        if let Some(secret) = secret {
            body["writeOnlyAttr"] = json!(secret);
        }
        body
    };
    let made = house.post("/TestResources", body(Some("s3cret"))).await.is(201);
    let path = format!("/TestResources/{}", made.id());
    let guess = |value: &str| json!([{"op": "add", "path": "writeOnlyAttr", "value": value}]);
    let mut tags = vec![made.header("etag").unwrap().to_owned()];
    for answer in [
        house.patch(&path, guess("s3cret")).await,
        house.patch(&path, json!([{"op": "replace", "value": {"WRITEONLYATTR": "s3cret"}}])).await,
        house.put(&path, body(Some("s3cret"))).await,
        house.patch(&path, guess("another")).await,
    ] {
        tags.push(answer.is(200).header("etag").unwrap().to_owned());
    }
    assert_eq!(tags, ["W/\"1\"", "W/\"2\"", "W/\"3\"", "W/\"4\"", "W/\"5\""]);
    let same = house.put(&path, body(None)).await.is(200);
    assert_eq!(same.header("etag"), Some("W/\"5\""), "nothing is said of it");
}

#[tokio::test]
async fn tokens_are_good_for_one_connection_and_until_their_end() {
    let clock = Arc::new(ManualClock::at("2026-11-21T09:00:00Z".parse().unwrap()));
    let token = |text: &str, tenant: &str, until: Option<&str>| Token {
        sha256: Tokens::digest(text),
        tenant: tenant.parse().unwrap(),
        connection: "scim".parse().unwrap(),
        name: text.to_owned(),
        until: until.map(|at| at.parse().unwrap()),
        reads_only: false,
        me: None,
    };
    let known = [
        token("old", "acme", Some("2026-11-21T10:00:00Z")),
        token("new", "acme", None),
        token("b", "other", None),
    ];
    let tokens = Tokens::new(known.clone(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    for (text, tenant) in [("old", "acme"), ("new", "acme"), ("b", "other")] {
        assert_eq!(tokens.authenticate(text).await.unwrap().tenant.as_str(), tenant);
    }
    for bad in ["", "ol", "olD", &"x".repeat(100_000), &Tokens::digest("new")] {
        assert_eq!(tokens.authenticate(bad).await.unwrap_err().reason().status(), 401);
    }
    clock.advance(chrono::TimeDelta::hours(1));
    assert!(tokens.authenticate("old").await.is_err());
    assert!(tokens.authenticate("new").await.is_ok());
    assert!(!format!("{tokens:?}{:?}", known[0]).contains(&Tokens::digest("old")));
    assert!(Tokens::new([known[1].clone(), known[1].clone()], clock).is_err());
}

#[tokio::test]
async fn tokens_are_replaced_as_a_whole_or_not_at_all() {
    let token = |text: &str| Token {
        sha256: Tokens::digest(text),
        tenant: "acme".parse().unwrap(),
        connection: "scim".parse().unwrap(),
        name: text.to_owned(),
        until: None,
        reads_only: false,
        me: None,
    };
    let tokens = Tokens::new([token("old")], Arc::new(SystemClock)).unwrap();
    let good = async |text: &str| tokens.authenticate(text).await.is_ok();
    let broken = Token { sha256: "1f3b".to_owned(), ..token("broken") };
    assert!(tokens.replace([token("new"), broken]).is_err());
    assert!(tokens.replace([token("new"), token("new")]).is_err());
    assert!(good("old").await && !good("new").await, "what is wrong changes nothing");
    tokens.replace([token("new")]).unwrap();
    assert!(good("new").await && !good("old").await);
    assert_eq!(tokens.list().iter().map(|token| token.name.as_str()).collect::<Vec<_>>(), ["new"]);
}

struct Issued;

/// Does not know who anybody is for now.
struct Away;

#[async_trait]
impl Authenticator for Away {
    async fn authenticate(&self, _: &str) -> Result<ScimContext, ScimError> {
        Err(Reason::Unavailable.into())
    }
}

#[async_trait]
impl VerifiesAccess for Issued {
    async fn verify(&self, token: &str) -> Result<Access, Reason> {
        let (client, scope) = token.split_once('/').ok_or(Reason::Unauthenticated)?;
        let scopes = [scope.to_owned()].into();
        Ok(Access { issuer: "https://as.example".to_owned(), client: client.to_owned(), scopes })
    }
}

#[tokio::test]
async fn clients_of_an_authorization_server_come_in_as_far_as_their_scopes_allow() {
    let (tenant, connection) = ("acme".parse().unwrap(), "scim".parse().unwrap());
    let access = AccessTokens::new(Arc::new(Issued)).client(("https://as.example", "hr"), tenant, connection);
    let all: Vec<Arc<dyn Authenticator>> = vec![Arc::new(Away), Arc::new(access)];
    assert!(!all.authenticate("hr/scim:write").await.unwrap().reads_only);
    assert!(all.authenticate("hr/scim:read").await.unwrap().reads_only);
    for (token, status) in [("hr/other", 403), ("stranger/scim:write", 503), ("nonsense", 503)] {
        assert_eq!(all.authenticate(token).await.unwrap_err().reason().status(), status, "{token}");
    }
    let known = all.get(1..).unwrap().to_vec();
    for (token, status) in [("hr/other", 403), ("stranger/scim:write", 401), ("nonsense", 401)] {
        assert_eq!(known.authenticate(token).await.unwrap_err().reason().status(), status, "{token}");
    }
    let long = format!("hr/{}", "x".repeat(8 << 10));
    assert_eq!(known.authenticate(&long).await.unwrap_err().reason().status(), 401, "no verifier is asked");
}
