//! Talks to the demo provider as a relying party and a browser would.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use jit_core::ManualClock;
use jit_examples::demo_idp::{ACME, Client, DemoProvider};
use serde_json::Value;
use tower::ServiceExt;
use url::Url;
use url::form_urlencoded::Serializer;

const ISSUER: &str = "http://127.0.0.1:9";
const REDIRECT: &str = "http://127.0.0.1:8/callback?tenant=acme";
const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-accepted-here";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn location(&self) -> Url {
        Url::parse(self.headers[LOCATION].to_str().unwrap()).unwrap()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.location().query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

struct House {
    router: Router,
    clock: Arc<ManualClock>,
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Utc.timestamp_opt(1_800_000_000, 0).unwrap()));
        let clients = vec![
            Client::new("portal", "s3cret", vec![REDIRECT.into()]),
            Client::new("other", "0ther", vec!["http://127.0.0.1:7/".into()]),
        ];
        let router = DemoProvider::new(ISSUER, &ACME, clients, clock.clone()).unwrap().router();
        Self { router, clock }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header(HOST, "127.0.0.1:9").body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], secret: Option<&str>) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = Request::post(path)
            .header(HOST, "127.0.0.1:9")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(secret) = secret {
            request = request.header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(secret)));
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn ask(&self, change: &[(&str, &str)]) -> Answer {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
        let mut asked = vec![
            ("client_id", "portal"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid profile email groups"),
            ("state", "st"),
            ("nonce", "no"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        asked.retain(|(name, _)| change.iter().all(|(changed, _)| changed != name));
        asked.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        self.get(&format!("/authorize?{}", Serializer::new(String::new()).extend_pairs(asked).finish())).await
    }

    async fn sign_in(&self, person: &str) -> Answer {
        let page = self.ask(&[]).await;
        assert_eq!(page.status, StatusCode::OK);
        let request = page.body.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        self.post("/sign-in", &[("request", request), ("person", person)], None).await
    }

    async fn code(&self) -> String {
        self.sign_in("alice").await.parameter("code").unwrap()
    }

    async fn exchange(&self, code: &str, change: &[(&str, &str)], secret: &str) -> Answer {
        let mut sent = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        sent.retain(|(name, _)| change.iter().all(|(changed, _)| changed != name));
        sent.extend(change);
        self.post("/token", &sent, Some(secret)).await
    }

    async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::get("/userinfo")
            .header(HOST, "127.0.0.1:9")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sign_in_ends_in_tokens_for_that_person() {
    let house = House::new();
    let back = house.sign_in("alice").await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    assert_eq!(back.parameter("state").as_deref(), Some("st"));
    assert_eq!(back.parameter("iss").as_deref(), Some(ISSUER));
    assert_eq!(back.parameter("tenant").as_deref(), Some("acme"));

    let tokens = house.exchange(&back.parameter("code").unwrap(), &[], "portal:s3cret").await;
    assert_eq!(tokens.status, StatusCode::OK);
    let tokens = tokens.json();
    let claims = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["aud"], "portal");
    assert_eq!(claims["sub"], "acme|alice");
    assert_eq!(claims["nonce"], "no");
    assert_eq!(claims["email_verified"], true);

    let info = house.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(info["sub"], "acme|alice");
    assert_eq!(info["department"], "engineering");
}

#[tokio::test]
async fn a_code_that_comes_twice_is_refused_and_ends_its_token() {
    let house = House::new();
    let code = house.code().await;
    let tokens = house.exchange(&code, &[], "portal:s3cret").await.json();
    let again = house.exchange(&code, &[], "portal:s3cret").await;
    assert_eq!(
        (again.status, again.json()["error"].as_str()),
        (StatusCode::BAD_REQUEST, Some("invalid_grant"))
    );
    let info = house.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(info.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_is_good_for_its_client_its_address_and_its_proof_key_only() {
    let house = House::new();
    let longer = format!("{VERIFIER}x");
    for (change, secret) in [
        (vec![("code_verifier", longer.as_str())], "portal:s3cret"),
        (vec![("redirect_uri", "http://127.0.0.1:8/callback")], "portal:s3cret"),
        (vec![], "other:0ther"),
    ] {
        let code = house.code().await;
        let wrong = house.exchange(&code, &change, secret).await;
        assert_eq!(wrong.json()["error"], "invalid_grant", "{change:?}");
        let right = house.exchange(&code, &[], "portal:s3cret").await;
        assert_eq!(right.json()["error"], "invalid_grant", "the wrong use spent the code");
    }
}

#[tokio::test]
async fn a_code_lasts_a_minute() {
    let house = House::new();
    let code = house.code().await;
    house.clock.advance(TimeDelta::seconds(60));
    assert_eq!(house.exchange(&code, &[], "portal:s3cret").await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let house = House::new();
    let code = house.code().await;
    let refused = house.exchange(&code, &[], "portal:wrong").await;
    assert_eq!(
        (refused.status, refused.json()["error"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("invalid_client"))
    );
}

#[tokio::test]
async fn an_unknown_redirect_address_gets_nothing() {
    let house = House::new();
    for address in [
        "http://127.0.0.1:8/callback",
        "http://127.0.0.1:8/callback?tenant=acme&x=1",
        "https://evil.example/",
    ] {
        let page = house.ask(&[("redirect_uri", address)]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(!page.headers.contains_key(LOCATION));
    }
    let page = house.ask(&[("client_id", "nobody")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_told_so_at_its_own_address() {
    let house = House::new();
    for (change, error) in [
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("response_type", "id_token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
        (("prompt", "none"), "login_required"),
        (("request", "x.y.z"), "request_not_supported"),
        (("response_mode", "fragment"), "invalid_request"),
    ] {
        let back = house.ask(&[change]).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{change:?}");
        assert_eq!(back.parameter("error").as_deref(), Some(error), "{change:?}");
        assert_eq!(back.parameter("iss").as_deref(), Some(ISSUER));
    }
}

#[tokio::test]
async fn a_person_can_say_no() {
    let back = House::new().sign_in("").await;
    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn a_form_carries_the_answer_when_asked_for() {
    let house = House::new();
    let page = house.ask(&[("response_mode", "form_post")]).await;
    let request = page.body.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = house.post("/sign-in", &[("request", request), ("person", "bob")], None).await;
    assert_eq!(form.status, StatusCode::OK);
    assert!(form.body.contains("action=\"http://127.0.0.1:8/callback?tenant=acme\""));
    assert!(form.body.contains("name=\"code\""));
    let policy = form.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8;"));
}

#[tokio::test]
async fn another_host_name_is_not_served() {
    let house = House::new();
    let request = Request::get("/jwks").header(HOST, "rebound.example").body(Body::empty()).unwrap();
    assert_eq!(house.send(request).await.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn the_metadata_names_what_is_there() {
    let house = House::new();
    let metadata = house.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["issuer"], ISSUER);
    let jwks = house.get("/jwks").await.json();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
    assert!(!jwks.to_string().contains("\"d\""), "no private member is published");
}

#[test]
fn only_loopback_can_be_an_issuer() {
    for issuer in ["http://192.0.2.1:80", "https://demo.example", "http://localhost:80", "http://0.0.0.0:80"]
    {
        let clock = Arc::new(ManualClock::at(DateTime::UNIX_EPOCH));
        assert!(DemoProvider::new(issuer, &ACME, vec![], clock).is_err(), "{issuer}");
    }
}
