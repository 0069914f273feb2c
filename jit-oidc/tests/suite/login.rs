//! Whole sign-ins against a small provider on a loopback port, honest at first and tampered with by each test.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::TimeDelta;
use jit_core::{
    AttributeMapper, ConnectionId, ConnectionSettings, Context, Decision, Denial, DomainSet, ErrorClass,
    Event, ManualClock, MapError, MemoryStore, Policy, Profile, Request, SystemEntropy, TenantId, Trace,
    Trigger, VerifiedIdentity,
};
use jit_oidc::checks::Check;
use jit_oidc::login::{Authentication, Redirect};
use jit_oidc::{
    Begin, Callback, Engine, Environment, Login, LoginError, OidcSettings, OidcTrigger, Rejection,
    SignInEvidence, StateKeeper,
};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::server::{Answer, Asked, Server, client};
use crate::signer::{Signer, encode};
use crate::world::{ACCESS_TOKEN, CODE, WORLD, half_hash, now};

/// What the provider does, for tests to change.
struct Behaviour {
    nonce: String,
    challenge: String,
    discovery: Value,
    claims: Value,
    signer: &'static Signer,
    jwks: Vec<&'static Signer>,
    token: Answer,
    token_patch: Value,
    userinfo: Value,
    asked: Vec<Asked>,
}

struct Op {
    issuer: String,
    clock: Arc<ManualClock>,
    behaviour: Arc<Mutex<Behaviour>>,
    login: Login,
    settings: OidcSettings,
}

impl Op {
    async fn start() -> Self {
        Self::start_with("", sealed()).await
    }

    async fn start_with(settings: &str, keeper: StateKeeper) -> Self {
        let behaviour = Arc::new(Mutex::new(Behaviour::honest()));
        let shared = Arc::clone(&behaviour);
        let server = Server::start(Duration::ZERO, move |asked| shared.lock().unwrap().answer(asked)).await;
        let issuer = server.address;
        behaviour.lock().unwrap().live_at(&issuer);
        let settings: OidcSettings = toml::from_str(&format!(
            r#"
            issuer = "{issuer}"
            client_id = "client"
            redirect_uri = "https://portal.example.com/callback"
            dangerous = {{ allow_loopback_http = true }}
            {settings}
            "#
        ))
        .unwrap();
        let clock = Arc::new(ManualClock::at(now()));
        let login = login(&settings, &clock, keeper);
        Self { issuer, clock, behaviour, login, settings }
    }

    fn change(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    /// Begins, and lets the person agree at the provider.
    async fn begin(&self) -> (Redirect, BTreeMap<String, String>) {
        self.begin_with(Begin::default()).await
    }

    async fn begin_with(&self, begin: Begin) -> (Redirect, BTreeMap<String, String>) {
        let redirect = self.login.begin(begin).await.unwrap();
        let query: BTreeMap<_, _> = redirect.url.query_pairs().into_owned().collect();
        self.change(|behaviour| {
            behaviour.nonce.clone_from(&query["nonce"]);
            behaviour.challenge.clone_from(&query["code_challenge"]);
        });
        (redirect, query)
    }

    async fn finish_with(
        &self,
        redirect: &Redirect,
        callback: &[(&str, &str)],
    ) -> Result<Authentication, LoginError> {
        let cookies = format!("theme=dark; {}={}; x=y", redirect.cookie.name(), redirect.cookie.value());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(callback).finish();
        self.login.finish(&Callback::from_query(&query)?, Some(&cookies)).await
    }

    async fn sign_in(&self) -> Result<Authentication, LoginError> {
        let (redirect, query) = self.begin().await;
        self.finish_with(&redirect, &[("code", CODE), ("state", &query["state"]), ("iss", &self.issuer)])
            .await
    }

    async fn refused(&self) -> Option<Rejection> {
        self.sign_in().await.err().and_then(|error| error.rejection())
    }

    fn asked(&self, path: &str) -> Vec<Asked> {
        self.behaviour.lock().unwrap().asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

impl Behaviour {
    fn honest() -> Self {
        Self {
            nonce: String::new(),
            challenge: String::new(),
            discovery: json!({}),
            claims: json!({}),
            signer: &WORLD.es,
            jwks: vec![&WORLD.es],
            token: Answer::status(200),
            token_patch: json!({}),
            userinfo: json!({ "sub": "jane", "email": "jane@example.com", "groups": ["staff"] }),
            asked: Vec::new(),
        }
    }

    fn live_at(&mut self, issuer: &str) {
        self.discovery = json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/me"), "authorization_response_iss_parameter_supported": true,
            "id_token_signing_alg_values_supported": ["ES256", "EdDSA", "none"],
        });
        let seconds = now().timestamp();
        self.claims = json!({
            "iss": issuer, "sub": "jane", "aud": "client", "iat": seconds, "exp": seconds + 300,
            "auth_time": seconds - 10, "acr": "urn:mfa", "amr": ["pwd", "otp"], "sid": "s-1",
            "at_hash": half_hash(&SHA256, ACCESS_TOKEN),
        });
    }

    fn answer(&mut self, asked: &Asked) -> Answer {
        self.asked.push(asked.clone());
        match asked.path.as_str() {
            "/.well-known/openid-configuration" => Answer::json(&self.discovery),
            "/jwks" => {
                Answer::json(&json!({ "keys": self.jwks.iter().map(|key| key.jwk()).collect::<Vec<_>>() }))
            }
            "/me" => Answer::json(&self.userinfo),
            "/token" if self.token.status != 200 => self.token.clone(),
            "/token" => self.redeem(&asked.body),
            _ => Answer::status(404),
        }
    }

    fn redeem(&self, body: &str) -> Answer {
        let form: BTreeMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let challenge = encode(digest(&SHA256, form["code_verifier"].as_bytes()).as_ref());
        if form["code"] != CODE || challenge != self.challenge {
            return Answer { status: 400, ..Answer::json(&json!({ "error": "invalid_grant" })) };
        }
        let mut claims = json!({ "nonce": self.nonce });
        merge(&mut claims, &self.claims);
        let id_token = self.signer.token(&claims);
        let mut tokens =
            json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": id_token });
        merge(&mut tokens, &self.token_patch);
        Answer::json(&tokens)
    }
}

fn merge(into: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().unwrap() {
        into[name] = value.clone();
    }
}

fn sealed() -> StateKeeper {
    StateKeeper::sealed(&[7; 32]).unwrap()
}

fn one_time() -> StateKeeper {
    StateKeeper::one_time(Arc::new(MemoryStore::new()), TenantId::new("acme").unwrap())
}

fn login(settings: &OidcSettings, clock: &Arc<ManualClock>, keeper: StateKeeper) -> Login {
    let environment = Environment {
        http: Arc::new(client()),
        engine: Engine::aws_lc(),
        clock: Arc::clone(clock) as Arc<dyn jit_core::Clock>,
        entropy: Arc::new(SystemEntropy),
        keeper,
    };
    Login::new(ConnectionId::new("corp").unwrap(), settings.check().unwrap(), environment)
}

#[tokio::test]
async fn a_person_signs_in() {
    for keeper in [sealed(), one_time()] {
        let op = Op::start_with(
            "max_age = 3600\nacr_values = [\"urn:mfa\"]\nrequired_acr = [\"urn:mfa\"]",
            keeper,
        )
        .await;
        let (redirect, query) = op.begin().await;
        let asked: Vec<_> = query.keys().map(String::as_str).collect();
        let expected = [
            "acr_values",
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "max_age",
            "nonce",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
        ];
        assert_eq!(asked, expected);
        assert_eq!(query["code_challenge_method"], "S256");
        assert!(query["nonce"].len() <= 64 && query["nonce"] != query["state"]);
        let callback = [("code", CODE), ("state", query["state"].as_str()), ("iss", op.issuer.as_str())];
        let authentication = op.finish_with(&redirect, &callback).await.unwrap();
        assert_eq!(authentication.id_token().subject(), "jane");
        assert_eq!(authentication.userinfo().unwrap()["email"], "jane@example.com");
        let checks = authentication.id_token().checks();
        for check in [
            Check::Nonce,
            Check::Pkce,
            Check::ResponseIssuer,
            Check::AccessTokenHash,
            Check::Acr,
            Check::AuthTime,
        ] {
            assert!(checks.made(check), "{check:?}");
        }
    }
}

#[tokio::test]
async fn whoever_must_authenticate_anew_has_done_so_since_the_sign_in_began() {
    let anew = || {
        let mut begin = Begin::default();
        begin.max_age = Some(0);
        begin
    };
    let seconds = now().timestamp();
    for (keeper, authenticated, lingered, expected) in [
        (sealed(), json!(seconds - 3600), 0, Some(Rejection::AuthenticationTooOld)),
        (one_time(), json!(seconds - 61), 0, Some(Rejection::AuthenticationTooOld)),
        (one_time(), json!(seconds - 61), 120, Some(Rejection::AuthenticationTooOld)),
        (one_time(), Value::Null, 0, Some(Rejection::AuthTimeMissing)),
        // clocks may differ by the leeway
        (one_time(), json!(seconds - 60), 0, None),
        // a page of the provider may keep whoever has authenticated
        (sealed(), json!(seconds + 5), 200, None),
        (one_time(), json!(seconds + 5), 200, None),
    ] {
        let op = Op::start_with("", keeper).await;
        op.change(|behaviour| match authenticated {
            Value::Null => drop(behaviour.claims.as_object_mut().unwrap().remove("auth_time")),
            at => behaviour.claims["auth_time"] = at,
        });
        let (redirect, query) = op.begin_with(anew()).await;
        assert_eq!(query["max_age"], "0");
        op.clock.advance(TimeDelta::seconds(lingered));
        let callback = [("code", CODE), ("state", query["state"].as_str()), ("iss", op.issuer.as_str())];
        let refused = op.finish_with(&redirect, &callback).await.err().and_then(|error| error.rejection());
        assert_eq!(refused, expected, "{lingered}");
    }
}

#[tokio::test]
async fn a_stored_sign_in_works_once() {
    let op = Op::start_with("", one_time()).await;
    let (redirect, query) = op.begin().await;
    let callback = [("code", CODE), ("state", query["state"].as_str()), ("iss", op.issuer.as_str())];
    assert!(op.finish_with(&redirect, &callback).await.is_ok());
    let again = op.finish_with(&redirect, &callback).await.unwrap_err();
    assert_eq!(again.rejection(), Some(Rejection::StateUnknown));
    assert_eq!(op.asked("/token").len(), 1, "a replayed callback reaches no endpoint");
}

#[tokio::test]
async fn a_callback_belongs_to_its_browser() {
    for (keeper, expected) in
        [(sealed(), Rejection::StateNotThisBrowser), (one_time(), Rejection::StateUnknown)]
    {
        let op = Op::start_with("", keeper).await;
        let (victim, _) = op.begin().await;
        let (_, attacker) = op.begin().await;
        let callback = [("code", CODE), ("state", attacker["state"].as_str()), ("iss", op.issuer.as_str())];
        let foreign = op.finish_with(&victim, &callback).await.unwrap_err();
        assert_eq!(foreign.rejection(), Some(Rejection::StateNotThisBrowser), "another cookie name");
        // the attacker plants the victim's value under the right name
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(callback).finish();
        let (other, _) = op.begin().await;
        let right_name = op.login.begin(Begin::default()).await.unwrap();
        let planted = format!("{}={}", right_name.cookie.name(), other.cookie.value());
        let state = right_name.url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let query = query.replace(&attacker["state"], &state);
        let planted =
            op.login.finish(&Callback::from_query(&query).unwrap(), Some(&planted)).await.unwrap_err();
        assert_eq!(planted.rejection(), Some(expected));
        assert!(op.asked("/token").is_empty());
    }
}

#[tokio::test]
async fn the_cookie_of_a_sign_in_goes_with_its_answer() {
    let op = Op::start().await;
    let ((mine, sent), (theirs, _)) = (op.begin().await, op.begin().await);
    let callback = [("error", "access_denied"), ("state", sent["state"].as_str())];
    assert!(op.finish_with(&mine, &callback).await.is_err());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(callback).finish();
    let callback = Callback::from_query(&query).unwrap();
    let held = |redirect: &Redirect| format!("{}={}", redirect.cookie.name(), redirect.cookie.value());
    let cleared = op.login.cookie_of(&callback, Some(&held(&mine))).unwrap();
    assert_eq!(cleared.clear_header(), mine.cookie.clear_header());
    assert!(cleared.clear_header().contains("Max-Age=0"));
    // nothing is removed that the browser does not have
    assert!(op.login.cookie_of(&callback, Some(&held(&theirs))).is_none());
    assert!(op.login.cookie_of(&callback, None).is_none());
}

#[tokio::test]
async fn callbacks_that_do_not_fit_reach_no_endpoint() {
    let op = Op::start().await;
    let (redirect, query) = op.begin().await;
    let (state, issuer) = (query["state"].as_str(), op.issuer.as_str());
    for (callback, rejection) in [
        (vec![("code", CODE), ("iss", issuer)], Rejection::StateMissing),
        (vec![("code", CODE), ("state", ""), ("iss", issuer)], Rejection::StateMissing),
        (vec![("code", CODE), ("state", "forged"), ("iss", issuer)], Rejection::StateNotThisBrowser),
        (vec![("code", CODE), ("state", state)], Rejection::CallbackIssuerMissing),
        (
            vec![("code", CODE), ("state", state), ("iss", "https://evil.example.com")],
            Rejection::CallbackIssuerMismatch,
        ),
        (vec![("state", state), ("iss", issuer)], Rejection::CallbackCodeMissing),
        (
            vec![("error", "access_denied"), ("state", state), ("iss", issuer)],
            Rejection::ProviderAccessDenied,
        ),
        (
            vec![("error", "login_required"), ("state", state), ("iss", issuer)],
            Rejection::ProviderInteractionRequired,
        ),
        (vec![("error", "x"), ("code", CODE), ("state", state), ("iss", issuer)], Rejection::ProviderError),
        (
            vec![("error", "access_denied"), ("state", state), ("iss", "https://evil")],
            Rejection::CallbackIssuerMismatch,
        ),
        (vec![("code", CODE), ("code", CODE), ("state", state)], Rejection::CallbackDuplicateParameter),
        (vec![("code", CODE), ("id_token", "x"), ("state", state)], Rejection::CallbackTokenRefused),
    ] {
        let error = op.finish_with(&redirect, &callback).await.unwrap_err();
        assert_eq!(error.rejection(), Some(rejection), "{callback:?}");
    }
    op.clock.advance(TimeDelta::minutes(10));
    let late =
        op.finish_with(&redirect, &[("code", CODE), ("state", state), ("iss", issuer)]).await.unwrap_err();
    assert_eq!(late.rejection(), Some(Rejection::StateExpired));
    assert!(op.asked("/token").is_empty());
}

#[tokio::test]
async fn a_refused_id_token_ends_the_sign_in_before_userinfo() {
    let cases: [(Value, Rejection); 9] = [
        (json!({ "iss": "https://evil.example.com" }), Rejection::IssuerMismatch),
        (json!({ "aud": "other" }), Rejection::AudienceMismatch),
        (json!({ "aud": ["client", "other"] }), Rejection::AudienceUntrusted),
        (json!({ "nonce": "other" }), Rejection::NonceMismatch),
        (json!({ "nonce": null }), Rejection::NonceMalformed),
        (json!({ "sub": null }), Rejection::SubjectMalformed),
        (json!({ "iat": null }), Rejection::IssuedAtMalformed),
        (json!({ "exp": 1 }), Rejection::Expired),
        (json!({ "at_hash": half_hash(&SHA256, "other") }), Rejection::AccessTokenHashMismatch),
    ];
    let op = Op::start().await;
    for (patch, rejection) in cases {
        op.change(|behaviour| merge(&mut behaviour.claims, &patch));
        assert_eq!(op.refused().await, Some(rejection), "{patch}");
        op.change(|behaviour| behaviour.live_at(&op.issuer));
    }
    assert!(op.asked("/me").is_empty());
    assert!(op.sign_in().await.is_ok());
    assert_eq!(op.asked("/me").len(), 1);
}

#[tokio::test]
async fn userinfo_about_somebody_else_is_refused() {
    let op = Op::start().await;
    for (userinfo, rejection) in [
        (json!({ "sub": "admin" }), Rejection::UserInfoSubjectMismatch),
        (json!({ "sub": "JANE" }), Rejection::UserInfoSubjectMismatch),
        (json!({ "email": "jane@example.com" }), Rejection::UserInfoMalformed),
        (json!({ "sub": 1 }), Rejection::UserInfoMalformed),
        (json!(["jane"]), Rejection::JsonNotAnObject),
    ] {
        op.change(|behaviour| behaviour.userinfo = userinfo);
        assert_eq!(op.refused().await, Some(rejection));
    }
}

#[tokio::test]
async fn keys_may_rotate_between_and_just_before() {
    let op = Op::start().await;
    assert!(op.sign_in().await.is_ok());
    op.change(|behaviour| {
        behaviour.signer = &WORLD.ed;
        behaviour.jwks = vec![&WORLD.ed];
        behaviour.claims.as_object_mut().unwrap().remove("at_hash");
    });
    assert!(op.sign_in().await.is_ok());
    op.change(|behaviour| behaviour.jwks = vec![&WORLD.es]);
    assert!(op.sign_in().await.is_ok(), "keys in memory still serve");
    assert_eq!(op.asked("/jwks").len(), 2);
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    let op = Op::start().await;
    op.change(|behaviour| behaviour.discovery["issuer"] = json!("https://evil.example.com"));
    let error = op.login.begin(Begin::default()).await.unwrap_err();
    assert_eq!(error.code().as_str(), "oidc.discovery_issuer_mismatch");
    assert_eq!(error.class(), ErrorClass::Permanent);
}

#[tokio::test]
async fn algorithms_of_the_provider_only_narrow() {
    let op = Op::start().await;
    op.change(|behaviour| behaviour.discovery["id_token_signing_alg_values_supported"] = json!(["RS256"]));
    assert_eq!(op.refused().await, Some(Rejection::AlgorithmNotAllowed));
    let op = Op::start().await;
    op.change(|behaviour| {
        behaviour.discovery["id_token_signing_alg_values_supported"] = json!(["none", "HS256"]);
    });
    let error = op.login.begin(Begin::default()).await.unwrap_err();
    assert_eq!(error.rejection(), Some(Rejection::DiscoveryAlgorithms));
}

#[tokio::test]
async fn answers_of_the_token_endpoint_are_told_apart() {
    let op = Op::start().await;
    for (status, body, code, class) in [
        (400, json!({ "error": "invalid_grant" }), "oidc.code_refused", ErrorClass::Rejected),
        (401, json!({ "error": "invalid_client" }), "oidc.client_refused", ErrorClass::Permanent),
        (400, json!({ "error": "x" }), "oidc.token_request_refused", ErrorClass::Rejected),
        (503, json!({}), "oidc.http_status", ErrorClass::Transient),
        (429, json!({}), "oidc.http_status", ErrorClass::Transient),
        (302, json!({}), "oidc.http_status", ErrorClass::Permanent),
    ] {
        op.change(|behaviour| behaviour.token = Answer { status, ..Answer::json(&body) });
        let error = op.sign_in().await.unwrap_err();
        assert_eq!((error.code().as_str(), error.class()), (code, class));
    }
}

#[tokio::test]
async fn clients_authenticate_as_they_are_told() {
    let basic = "client = { method = \"client_secret_basic\", secret = \"s:1\" }";
    let op = Op::start_with(basic, sealed()).await;
    assert!(op.sign_in().await.is_ok());
    let asked = &op.asked("/token")[0];
    assert_eq!(asked.headers["authorization"], "Basic Y2xpZW50OnMlM0Ex");
    assert!(!asked.body.contains("client_id") && !asked.body.contains("secret"));
    let post = "client = { method = \"client_secret_post\", secret = \"s:1\" }";
    let op = Op::start_with(post, sealed()).await;
    assert!(op.sign_in().await.is_ok());
    let asked = &op.asked("/token")[0];
    assert!(asked.body.contains("client_id=client&client_secret=s%3A1"));
    assert!(!asked.headers.contains_key("authorization"));
    assert_eq!(op.asked("/me")[0].headers["authorization"], format!("Bearer {ACCESS_TOKEN}"));
}

#[tokio::test]
async fn form_post_asks_for_a_cookie_that_crosses_sites() {
    let op = Op::start_with("response_mode = \"form_post\"", sealed()).await;
    let (redirect, query) = op.begin().await;
    assert_eq!(query["response_mode"], "form_post");
    let header = redirect.cookie.set_header();
    assert!(
        header.starts_with("__Host-jit-oidc-") && header.ends_with("HttpOnly; SameSite=None; Secure"),
        "{header}"
    );
    let body = format!("code={CODE}&state={}&iss={}", query["state"], op.issuer);
    let cookies = format!("{}={}", redirect.cookie.name(), redirect.cookie.value());
    let callback = Callback::from_form(body.as_bytes()).unwrap();
    assert!(op.login.finish(&callback, Some(&cookies)).await.is_ok());
}

struct Nothing;

impl AttributeMapper for Nothing {
    fn map(&self, _: &VerifiedIdentity) -> Result<Profile, MapError> {
        Ok(Profile::default())
    }
}

#[async_trait]
impl Policy for Nothing {
    fn is_pure(&self) -> bool {
        true
    }

    async fn decide<'a>(&self, _: &Request<'a>, _: &mut Trace) -> Decision {
        Decision::Deny(Denial::new(jit_core::Code::new("policy.nobody")))
    }
}

#[tokio::test]
async fn the_trigger_yields_the_event_of_the_sign_in() {
    let op = Op::start().await;
    op.change(|behaviour| merge(&mut behaviour.claims, &json!({ "_claim_names": { "roles": "src1" } })));
    let settings = ConnectionSettings {
        tenant: TenantId::new("acme").unwrap(),
        id: ConnectionId::new("corp").unwrap(),
        issuers: op.settings.check().unwrap().issuers().unwrap(),
        domains: DomainSet::default(),
        ceiling: Vec::new(),
        link: Vec::new(),
        store: None,
    };
    let (_connection, attestor) =
        jit_core::Connection::define(settings, Arc::new(Nothing), Arc::new(Nothing));
    let (redirect, query) = op.begin().await;
    let trigger = OidcTrigger::new(login(&op.settings, &op.clock, sealed()), attestor);
    let evidence = |code: &str| SignInEvidence {
        callback: Callback::from_query(&format!("code={code}&state={}&iss={}", query["state"], op.issuer))
            .unwrap(),
        cookies: Some(format!("{}={}", redirect.cookie.name(), redirect.cookie.value())),
        context: Context::default(),
    };
    let refused = trigger.verify(evidence("other")).await.unwrap_err();
    assert_eq!((refused.code().as_str(), refused.class()), ("oidc.code_refused", ErrorClass::Rejected));
    let Event::SignIn(sign_in) = trigger.verify(evidence(CODE)).await.unwrap() else { panic!("a sign-in") };
    let identity = sign_in.identity;
    assert_eq!(identity.key().subject.as_str(), "jane");
    assert_eq!(identity.key().issuer.as_str(), op.issuer);
    assert_eq!(identity.claims().get("roles"), jit_core::Claim::Truncated);
    assert!(identity.claims().is_supplementary("email"));
    assert_eq!(identity.assurance().methods, ["pwd", "otp"]);
    assert_eq!(identity.session().index.as_deref(), Some("s-1"));
    assert_eq!(identity.checks().replay, jit_core::Check::Made("nonce at_hash sealed_state pkce".into()));
}
