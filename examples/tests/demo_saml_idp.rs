//! Talks to the demo provider for SAML as a service provider and a browser would.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeZone, Utc};
use jit_core::{Clock, ManualClock};
use jit_examples::demo_idp::FOUNDRY;
use jit_examples::demo_saml_idp::{DemoSamlProvider, Identity, ServiceProvider};
use jit_saml::binding::{Direction, RedirectMessage, redirect_url};
use jit_saml::crypto::AwsLc;
use jit_saml::metadata::{MetadataPolicy, MetadataSource};
use jit_saml::request::AuthnRequest;
use jit_saml::signature::SigningKey;
use jit_saml::{Expectations, Solicitation, TrustedIdp, verify_response};
use tower::ServiceExt;
use url::form_urlencoded::Serializer;

const BASE: &str = "http://127.0.0.1:9";
const SP: &str = "http://127.0.0.1:8/metadata";
const ACS: &str = "http://127.0.0.1:8/acs";
const LOGOUT: &str = "http://127.0.0.1:8/logout";

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The value of a hidden field.
    fn field(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    fn location(&self) -> &str {
        self.headers[LOCATION].to_str().unwrap()
    }
}

struct House {
    router: Router,
    key: SigningKey,
    now: DateTime<Utc>,
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Utc.timestamp_opt(1_800_000_000, 0).unwrap()));
        let own = Identity::generate("sp", clock.now()).unwrap();
        let service = ServiceProvider {
            entity_id: SP.into(),
            acs_url: ACS.into(),
            logout_url: LOGOUT.into(),
            certificate: own.certificate,
        };
        let router = DemoSamlProvider::new(BASE, &FOUNDRY, service, clock.clone()).unwrap().router();
        Self { router, key: SigningKey::from_pem(&own.key).unwrap(), now: clock.now() }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::get(path).header(HOST, "127.0.0.1:9").header(COOKIE, cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)], cookie: &str) -> Answer {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(HOST, "127.0.0.1:9")
            .header(COOKIE, cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn ask(&self, issuer: &str, acs: &str, key: Option<&SigningKey>) -> Answer {
        let xml = AuthnRequest::new("_r1", self.now, "http://127.0.0.1:9/sso", issuer, acs).to_xml();
        let url = redirect_url("/sso", Direction::Request, &xml, Some("handle"), key).unwrap();
        self.get(&url, "").await
    }

    async fn sign_in(&self, person: &str) -> Answer {
        let page = self.ask(SP, ACS, Some(&self.key)).await;
        self.post("/sign-in", &[("request", &page.field("request")), ("person", person)], "").await
    }

    /// The provider as its own metadata describes it.
    async fn described(&self) -> Arc<TrustedIdp> {
        let metadata = self.get("/metadata", "").await.body;
        let policy = MetadataPolicy::pinned().dangerous().accept_loopback();
        let clock = Arc::new(ManualClock::at(self.now));
        let source =
            MetadataSource::from_octets(metadata.as_bytes(), policy, clock, Arc::new(AwsLc)).unwrap();
        source.trusted("http://127.0.0.1:9/metadata").await.unwrap()
    }
}

fn cookie(answer: &Answer) -> String {
    answer.headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_response_says_who_signed_in_and_verifies_with_the_key_of_the_metadata() {
    let house = House::new();
    let answer = house.sign_in("fay").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.field("RelayState"), "handle");
    assert!(answer.body.contains(&format!("action=\"{ACS}\"")));
    let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("form-action 'self' http://127.0.0.1:8;"), "{policy}");
    let octets = BASE64_STANDARD.decode(answer.field("SAMLResponse")).unwrap();
    let idp = house.described().await;
    let expected = Expectations::new(SP, ACS, &idp, Solicitation::Request("_r1"), house.now, &AwsLc);
    let response = verify_response(&octets, &expected).unwrap();
    assert_eq!(response.name_id().unwrap().value, "foundry|fay");
    let groups = response.attributes().get("urn:oid:1.3.6.1.4.1.5923.1.5.1.1").unwrap();
    assert_eq!(groups.texts().collect::<Vec<_>>(), ["foundry-smiths", "foundry-choir"]);
    let again = house.sign_in("fay").await;
    assert_ne!(again.field("SAMLResponse"), answer.field("SAMLResponse"));
}

#[tokio::test]
async fn whoever_cancels_gets_a_signed_refusal() {
    let house = House::new();
    let page = house.ask(SP, ACS, None).await;
    let answer = house.post("/sign-in", &[("request", &page.field("request")), ("cancel", "yes")], "").await;
    let octets = BASE64_STANDARD.decode(answer.field("SAMLResponse")).unwrap();
    let idp = house.described().await;
    let expected = Expectations::new(SP, ACS, &idp, Solicitation::Request("_r1"), house.now, &AwsLc);
    let rejection = verify_response(&octets, &expected).unwrap_err();
    assert!(rejection.status().is_some(), "{rejection}");
}

#[tokio::test]
async fn nobody_else_is_answered() {
    let house = House::new();
    let stranger = Identity::generate("stranger", house.now).unwrap();
    let stranger = SigningKey::from_pem(&stranger.key).unwrap();
    for (issuer, acs, key) in [
        ("http://127.0.0.1:7/metadata", ACS, None),
        (SP, "http://127.0.0.1:7/acs", None),
        (SP, ACS, Some(&stranger)),
    ] {
        let answer = house.ask(issuer, acs, key).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!answer.body.contains("SAMLResponse") && !answer.body.contains("name=\"request\""));
    }
    for path in ["/sso", "/sso?SAMLRequest=x", "/logout", "/logout?SAMLRequest=x"] {
        assert_eq!(house.get(path, "").await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let used = house.ask(SP, ACS, None).await.field("request");
    let answers = [("request", used.as_str()), ("person", "fay")];
    assert_eq!(house.post("/sign-in", &answers, "").await.status, StatusCode::OK);
    assert_eq!(house.post("/sign-in", &answers, "").await.status, StatusCode::BAD_REQUEST, "once only");
}

#[tokio::test]
async fn signing_out_there_asks_the_application_to_end_the_same_session() {
    let house = House::new();
    let cookie = cookie(&house.sign_in("fay").await);
    assert!(house.get("/", &cookie).await.body.contains("Fay Ferrous"));
    let answer = house.post("/sign-out", &[], &cookie).await;
    assert!(answer.location().starts_with(&format!("{LOGOUT}?SAMLRequest=")));
    let message = RedirectMessage::from_query(answer.location().split_once('?').unwrap().1).unwrap();
    assert!(message.signature().is_some());
    let xml = String::from_utf8(message.xml().to_vec()).unwrap();
    assert!(xml.contains("foundry|fay</saml:NameID>") && xml.contains("<samlp:SessionIndex>"), "{xml}");
    assert!(!house.get("/", &cookie).await.body.contains("Fay Ferrous"));
    assert_eq!(house.post("/sign-out", &[], &cookie).await.location(), "/", "there is nothing left to end");
}

#[test]
fn others_must_not_reach_it() {
    let clock = Arc::new(ManualClock::at(Utc.timestamp_opt(1_800_000_000, 0).unwrap()));
    let certificate = Identity::generate("sp", clock.now()).unwrap().certificate;
    let service =
        ServiceProvider { entity_id: SP.into(), acs_url: ACS.into(), logout_url: LOGOUT.into(), certificate };
    for base in ["http://192.0.2.1:80", "https://127.0.0.1:9", "http://localhost:9"] {
        assert!(DemoSamlProvider::new(base, &FOUNDRY, service.clone(), clock.clone()).is_err(), "{base}");
    }
}
