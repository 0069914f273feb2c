//! Sign-ins at real providers, started from `tests/peers`: honest ones, and every case of the OpenID Foundation's
//! certification plans for relying parties (Basic, Config, Form Post) and of FAPI 2.0 that concerns a code flow.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests")]

mod browser;
mod cases;
mod peer;

use std::sync::Arc;

use jit_core::{ConnectionId, ErrorClass, SystemClock, SystemEntropy};
use jit_oidc::login::Authentication;
use jit_oidc::secret::Secret;
use jit_oidc::settings::{ClientSettings, ResponseMode};
use jit_oidc::{
    Begin, Callback, Engine, Environment, GuardedHttp, Login, LoginError, OidcSettings, StateKeeper,
};
use serde_json::{Value, json};

use browser::Browser;
use cases::{Case, basic, fapi};
use peer::Peer;

const CALLBACK: &str = "http://127.0.0.1:9/cb";

fn http() -> GuardedHttp {
    // one for each test: reading the certificates of the platform takes longer than a sign-in
    thread_local! {
        static HTTP: GuardedHttp = GuardedHttp::builder().dangerous().allow_loopback_http().build().unwrap();
    }
    HTTP.with(GuardedHttp::clone)
}

fn settings(issuer: &str) -> OidcSettings {
    let mut settings = OidcSettings::new(issuer, "jit-rp", CALLBACK);
    settings.client =
        ClientSettings::ClientSecretBasic { secret: Secret::new("jit-rp-secret-jit-rp-secret-jit-rp") };
    settings.scopes = ["openid", "profile", "email", "groups"].map(str::to_owned).to_vec();
    settings.dangerous.allow_loopback_http = true;
    settings
}

fn login(settings: &OidcSettings) -> Login {
    let environment = Environment {
        http: Arc::new(http()),
        engine: Engine::aws_lc(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        keeper: StateKeeper::sealed(&[7; 32]).unwrap(),
    };
    Login::new(ConnectionId::new("real").unwrap(), settings.check().unwrap(), environment)
}

/// Signs in once, as a browser and an application do.
async fn sign_in(login: &Login, origin: &str, hint: &str) -> Result<Authentication, LoginError> {
    let redirect = login.begin(Begin::for_person(hint)).await?;
    let back = Browser::new(origin).follow(redirect.url.as_str()).await;
    let cookies = format!("{}={}", redirect.cookie.name(), redirect.cookie.value());
    login.finish(&Callback::from_form(back.as_bytes())?, Some(&cookies)).await
}

fn code(result: &Result<Authentication, LoginError>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.code().as_str().to_owned(),
    }
}

/// Runs cases that each spoil one answer; a sign-in whose ID token is refused must never ask userinfo.
async fn run(peer: &Peer, settings: &OidcSettings, cases: &[Case]) {
    for case in cases {
        peer.control("reset", &json!({})).await;
        peer.control("tamper", &case.tamper).await;
        let login = login(settings);
        let result = sign_in(&login, &peer.issuer, "alice").await;
        assert_eq!(code(&result), case.expected, "{}", case.name);
        let asked = peer.control("stats", &Value::Null).await["/me"].as_u64().unwrap_or(0);
        assert_eq!(asked, u64::from(case.asks_userinfo), "{}: userinfo requests", case.name);
    }
    peer.control("reset", &json!({})).await;
}

#[tokio::test]
async fn the_basic_plan() {
    let peer = Peer::start("oidc-op").await;
    run(&peer, &settings(&peer.issuer), &basic()).await;
}

#[tokio::test]
async fn the_form_post_plan() {
    let peer = Peer::start("oidc-op").await;
    let mut settings = settings(&peer.issuer);
    settings.response_mode = Some(ResponseMode::FormPost);
    run(&peer, &settings, &basic()).await;
}

#[tokio::test]
async fn the_negatives_of_fapi() {
    let peer = Peer::start("oidc-op").await;
    let mut settings = settings(&peer.issuer);
    settings.algorithms = Some(vec![jit_oidc::algorithm::Algorithm::Rs256]);
    run(&peer, &settings, &fapi()).await;
}

#[tokio::test]
async fn the_config_plan() {
    let peer = Peer::start("oidc-op").await;
    let settings = settings(&peer.issuer);
    let known = login(&settings);
    assert_eq!(code(&sign_in(&known, &peer.issuer, "alice").await), "accepted");
    peer.control("rotate", &json!({ "mode": "replace" })).await;
    assert_eq!(code(&sign_in(&known, &peer.issuer, "alice").await), "accepted", "signing-key-rotation");
    peer.control("rotate", &json!({ "mode": "before_token" })).await;
    assert_eq!(
        code(&sign_in(&known, &peer.issuer, "alice").await),
        "accepted",
        "rotation-just-before-signing"
    );
    peer.control("tamper", &json!({ "discovery": { "set": { "issuer": "https://evil.example.com" } } }))
        .await;
    let mismatch = sign_in(&login(&settings), &peer.issuer, "alice").await;
    assert_eq!(code(&mismatch), "oidc.discovery_issuer_mismatch");
    peer.control("tamper", &json!({ "alg": "none" })).await;
    assert_eq!(code(&sign_in(&known, &peer.issuer, "alice").await), "oidc.algorithm_none");
}

#[tokio::test]
async fn every_algorithm_and_every_kind_of_client() {
    let peer = Peer::start("oidc-op").await;
    for (client, algorithm) in [
        ("jit-es256", "ES256"),
        ("jit-ps256", "PS256"),
        ("jit-eddsa", "EdDSA"),
        ("jit-ed25519", "Ed25519"),
        ("jit-signed-userinfo", "RS256"),
    ] {
        let mut settings = settings(&peer.issuer);
        settings.client_id = client.to_owned();
        let secret = Secret::new(format!("{client}-secret-for-tests-only-0123456789"));
        settings.client = ClientSettings::ClientSecretBasic { secret };
        let authentication = sign_in(&login(&settings), &peer.issuer, "alice").await.unwrap();
        assert_eq!(authentication.id_token().algorithm().name(), algorithm);
        assert_eq!(authentication.userinfo().unwrap()["sub"], "alice", "{client}");
    }
    let mut post = settings(&peer.issuer);
    post.client_id = "jit-post".to_owned();
    post.client =
        ClientSettings::ClientSecretPost { secret: Secret::new("jit-post-secret-jit-post-secret-xx") };
    assert_eq!(code(&sign_in(&login(&post), &peer.issuer, "alice").await), "accepted");
    let mut public = settings(&peer.issuer);
    public.client_id = "jit-public".to_owned();
    public.client = ClientSettings::None;
    public.redirect_uri = "http://127.0.0.1:43210/cb".to_owned();
    assert_eq!(code(&sign_in(&login(&public), &peer.issuer, "alice").await), "accepted");
}

#[tokio::test]
async fn a_client_with_a_key_of_its_own() {
    let peer = Peer::start("oidc-op").await;
    let (pem, jwk) = peer::client_key();
    let metadata = json!({
        "client_id": "jit-key", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code"],
        "response_types": ["code"], "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [jwk] },
    });
    peer.control("clients", &metadata).await;
    let mut settings = settings(&peer.issuer);
    settings.client_id = "jit-key".to_owned();
    settings.client = ClientSettings::PrivateKeyJwt { key: Secret::new(pem), kid: Some("client-1".into()) };
    assert_eq!(code(&sign_in(&login(&settings), &peer.issuer, "alice").await), "accepted");
    let (stranger, _) = peer::client_key();
    settings.client =
        ClientSettings::PrivateKeyJwt { key: Secret::new(stranger), kid: Some("client-1".into()) };
    assert_eq!(code(&sign_in(&login(&settings), &peer.issuer, "alice").await), "oidc.client_refused");
}

#[tokio::test]
async fn assurance_refusal_and_outage() {
    let peer = Peer::start("oidc-op").await;
    let settings = settings(&peer.issuer);
    let known = login(&settings);
    let strong = sign_in(&known, &peer.issuer, "bob;acr=urn:jit:mfa;amr=pwd,otp;auth_age=60").await.unwrap();
    assert_eq!(strong.id_token().acr(), Some("urn:jit:mfa"));
    assert_eq!(strong.id_token().amr().collect::<Vec<_>>(), ["pwd", "otp"]);
    assert_eq!(code(&sign_in(&known, &peer.issuer, "deny").await), "oidc.provider_access_denied");
    let mut aged = settings.clone();
    aged.max_age = Some(30);
    aged.required_acr = vec!["urn:jit:mfa".to_owned()];
    let old = sign_in(&login(&aged), &peer.issuer, "bob;acr=urn:jit:mfa;auth_age=3600").await;
    assert_eq!(code(&old), "oidc.authentication_too_old");
    assert_eq!(code(&sign_in(&login(&aged), &peer.issuer, "bob").await), "oidc.acr_not_accepted");
    for path in ["/token", "/jwks", "/me"] {
        peer.control("fault", &json!({ "path": path, "status": 503 })).await;
        let error = sign_in(&login(&settings), &peer.issuer, "alice").await.unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.class()),
            ("oidc.http_status", ErrorClass::Transient),
            "{path}"
        );
    }
    for (path, body, code) in [
        ("/jwks", "{\"keys\":[]}x", "oidc.json_invalid"),
        ("/token", "{\"id_token\":\"a\",\"id_token\":\"b\"}", "oidc.json_duplicate_member"),
        ("/.well-known/openid-configuration", "[]", "oidc.json_not_an_object"),
    ] {
        peer.control("fault", &json!({ "path": path, "body": body })).await;
        let error = sign_in(&login(&settings), &peer.issuer, "alice").await.unwrap_err();
        assert_eq!(error.code().as_str(), code, "{path}");
    }
    assert_eq!(code(&sign_in(&known, &peer.issuer, "alice").await), "accepted");
}

#[tokio::test]
async fn a_second_provider_of_another_make() {
    let peer = Peer::start("second-op").await;
    let client = json!({ "client_id": "jit-second", "client_secret": "a-secret-for-tests-only", "redirect_uris": [CALLBACK] });
    peer.control("client", &client).await;
    peer.control("login?user=alice", &Value::Null).await;
    let mut settings = settings(&peer.issuer);
    settings.client_id = "jit-second".to_owned();
    settings.client = ClientSettings::ClientSecretBasic { secret: Secret::new("a-secret-for-tests-only") };
    let authentication = sign_in(&login(&settings), &peer.issuer, "alice").await.unwrap();
    assert_eq!(authentication.id_token().subject(), "alice");
    let said = authentication.userinfo().unwrap();
    assert_eq!(said["groups"], json!(["eng", "staff"]));
}
