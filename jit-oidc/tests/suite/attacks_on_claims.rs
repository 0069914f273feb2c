//! Well-signed tokens that say something that must not be believed.

use aws_lc_rs::digest::{SHA256, SHA384, digest};
use chrono::TimeDelta;
use jit_oidc::Rejection;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use serde_json::{Value, json};

use crate::signer::encode;
use crate::world::{
    ACCESS_TOKEN, CLIENT, ISSUER, NONCE, NOW, WORLD, answer, claims, half_hash, policy, verify, verify_as,
    with, without,
};

fn assert_claim(name: &str, values: impl IntoIterator<Item = Value>, rejection: Rejection) {
    for value in values {
        let token = WORLD.ed.token(&with(name, &value));
        assert_eq!(answer(&verify(&token)), rejection.code(), "{name} = {value}");
    }
}

fn assert_missing(name: &str, rejection: Rejection) {
    assert_eq!(answer(&verify(&WORLD.ed.token(&without(name)))), rejection.code(), "{name} is missing");
}

fn assert_claims(claims: &Value, expectations: &Expectations<'_>, rejection: Rejection) {
    assert_eq!(answer(&verify_as(&WORLD.ed.token(claims), expectations)), rejection.code(), "{claims}");
}

/// Everything that is not a string.
fn not_texts() -> [Value; 5] {
    [json!(null), json!(1), json!(true), json!(["x"]), json!({ "x": "y" })]
}

/// Everything that is not a time.
fn not_times() -> [Value; 11] {
    [
        json!(null),
        json!((NOW + 300).to_string()),
        json!("2027-01-15T08:05:00Z"),
        json!(true),
        json!([NOW]),
        json!({}),
        json!(-1),
        json!(1e300),
        json!(253_402_300_800_i64),
        json!(u64::MAX),
        json!(i64::MIN),
    ]
}

#[test]
fn issuers() {
    assert_missing("iss", Rejection::IssuerMissing);
    assert_claim("iss", not_texts(), Rejection::IssuerMalformed);
    assert_claim("iss", [json!([ISSUER])], Rejection::IssuerMalformed);
    let others =
        ["", "https://op.example.com/", "https://OP.example.com", "HTTPS://op.example.com", "op.example.com"];
    assert_claim("iss", others.map(Value::from), Rejection::IssuerMismatch);
    let others = [
        "https://op.example.com:443",
        "http://op.example.com",
        " https://op.example.com",
        "https://op.example.com.evil.org",
    ];
    assert_claim("iss", others.map(Value::from), Rejection::IssuerMismatch);
}

#[test]
fn subjects() {
    assert_missing("sub", Rejection::SubjectMissing);
    assert_claim("sub", not_texts(), Rejection::SubjectMalformed);
    let long = "s".repeat(256);
    for subject in ["", "a\u{0}b", "a\nb", "\u{7f}", "ärger", "\u{202e}abc", &long] {
        assert_claim("sub", [json!(subject)], Rejection::SubjectMalformed);
    }
}

#[test]
fn audiences() {
    assert_missing("aud", Rejection::AudienceMissing);
    assert_claim("aud", [json!([])], Rejection::AudienceMissing);
    let malformed =
        [json!(null), json!(1), json!({ "client": true }), json!([1]), json!([CLIENT, 1]), json!([[CLIENT]])];
    assert_claim("aud", malformed, Rejection::AudienceMalformed);
    let others = [
        json!(""),
        json!("Client"),
        json!("client "),
        json!("client,other"),
        json!(["other"]),
        json!(["other", "third"]),
    ];
    assert_claim("aud", others, Rejection::AudienceMismatch);
    let untrusted = [json!([CLIENT, "other"]), json!(["other", CLIENT]), json!([CLIENT, ""])];
    assert_claim("aud", untrusted, Rejection::AudienceUntrusted);
    assert_claim("aud", [json!([CLIENT, CLIENT])], Rejection::AuthorizedPartyMissing);
}

#[test]
fn an_authorized_party_does_not_make_other_audiences_trusted() {
    let mut claims = with("aud", &json!([CLIENT, "other"]));
    claims["azp"] = json!(CLIENT);
    assert_eq!(answer(&verify(&WORLD.ed.token(&claims))), Rejection::AudienceUntrusted.code());
}

#[test]
fn authorized_parties() {
    let others = [json!("other"), json!(""), json!(null), json!(1), json!([CLIENT]), json!("CLIENT")];
    assert_claim("azp", others, Rejection::AuthorizedPartyMismatch);
    let policy = policy().trusted_audiences(vec!["api".into()]);
    let expectations = Expectations::new(&policy).nonce(NONCE);
    assert_claims(&with("aud", &json!([CLIENT, "api"])), &expectations, Rejection::AuthorizedPartyMissing);
    assert_claims(&with("aud", &json!("api")), &expectations, Rejection::AudienceMismatch);
}

#[test]
fn expiry() {
    assert_missing("exp", Rejection::ExpiryMissing);
    assert_claim("exp", not_times(), Rejection::ExpiryMalformed);
    assert_claim("exp", [json!(NOW - 60), json!(NOW - 61), json!(0), json!(1)], Rejection::Expired);
    assert_claim("exp", [json!(NOW + 25 * 3600), json!(253_402_300_799_i64)], Rejection::LifetimeTooLong);
}

#[test]
fn time_of_issue() {
    assert_missing("iat", Rejection::IssuedAtMissing);
    assert_claim("iat", not_times(), Rejection::IssuedAtMalformed);
    assert_claim("iat", [json!(NOW + 61), json!(NOW + 3600)], Rejection::IssuedInFuture);
    let mut claims = with("iat", &json!(NOW + 50));
    claims["exp"] = json!(NOW + 10);
    assert_eq!(answer(&verify(&WORLD.ed.token(&claims))), Rejection::ExpiresBeforeIssued.code());
    let policy = policy().max_issued_ago(TimeDelta::minutes(5));
    let expectations = Expectations::new(&policy).nonce(NONCE);
    assert_claims(&with("iat", &json!(NOW - 361)), &expectations, Rejection::IssuedTooLongAgo);
}

#[test]
fn not_before() {
    assert_claim("nbf", not_times(), Rejection::NotBeforeMalformed);
    assert_claim("nbf", [json!(NOW + 61), json!(NOW + 86_400)], Rejection::NotYetValid);
}

#[test]
fn nonces() {
    assert_missing("nonce", Rejection::NonceMissing);
    assert_claim("nonce", not_texts(), Rejection::NonceMalformed);
    let others =
        [json!(""), json!("other"), json!("n-0S6_WzA2M"), json!("n-0S6_WzA2Mjx"), json!("N-0S6_WzA2Mj")];
    assert_claim("nonce", others, Rejection::NonceMismatch);
    assert_claim("nonce", [json!([NONCE])], Rejection::NonceMalformed);
}

#[test]
fn authentication_contexts() {
    let policy = policy();
    let accepted = ["phr".to_owned(), "urn:mfa".to_owned()];
    let expectations = Expectations::new(&policy).nonce(NONCE).acr(&accepted);
    assert_claims(&claims(), &expectations, Rejection::AcrMissing);
    for acr in ["", "pwd", "PHR", "phr urn:mfa"] {
        assert_claims(&with("acr", &json!(acr)), &expectations, Rejection::AcrNotAccepted);
    }
    assert_claim("acr", not_texts(), Rejection::AcrMalformed);
    assert_claim(
        "amr",
        [json!("pwd"), json!([1]), json!(null), json!({ "pwd": true })],
        Rejection::AmrMalformed,
    );
}

#[test]
fn time_of_authentication() {
    let policy = policy();
    let expectations = Expectations::new(&policy).nonce(NONCE).max_age(TimeDelta::minutes(5));
    assert_claims(&claims(), &expectations, Rejection::AuthTimeMissing);
    assert_claims(&with("auth_time", &json!(NOW - 361)), &expectations, Rejection::AuthenticationTooOld);
    assert_claims(&with("auth_time", &json!(0)), &expectations, Rejection::AuthenticationTooOld);
    assert_claim("auth_time", not_times(), Rejection::AuthTimeMalformed);
    assert_claim("auth_time", [json!(NOW + 61)], Rejection::AuthTimeInFuture);
}

#[test]
fn hashes_of_what_came_beside() {
    let whole = encode(digest(&SHA256, ACCESS_TOKEN.as_bytes()).as_ref());
    let wrong = [
        json!(""),
        json!(null),
        json!(1),
        json!(whole),
        json!(half_hash(&SHA256, "another-access-token")),
        json!(half_hash(&SHA384, ACCESS_TOKEN)),
    ];
    for value in wrong {
        for (name, rejection) in
            [("at_hash", Rejection::AccessTokenHashMismatch), ("c_hash", Rejection::CodeHashMismatch)]
        {
            let token = WORLD.es.token(&with(name, &value));
            assert_eq!(answer(&verify(&token)), rejection.code(), "{name} = {value}");
        }
    }
    let policy = policy().require_at_hash();
    let expectations = Expectations::new(&policy).nonce(NONCE);
    assert_claims(&without("at_hash"), &expectations, Rejection::AccessTokenHashMissing);
    assert_claims(&claims(), &expectations, Rejection::AccessTokenHashMismatch);
}

#[test]
fn payload_texts_that_parsers_read_differently() {
    let good = claims().to_string();
    let body = good.strip_suffix('}').unwrap();
    let deep = format!("{body},\"x\":{}{}}}", "[".repeat(32), "]".repeat(32));
    let bomb = format!("{body},\"x\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let cases: [(&str, Vec<u8>, Rejection); 12] = [
        ("duplicate sub", format!("{body},\"sub\":\"admin\"}}").into(), Rejection::JsonDuplicateMember),
        (
            "duplicate sub, escaped",
            format!("{body},\"\\u0073ub\":\"admin\"}}").into(),
            Rejection::JsonDuplicateMember,
        ),
        (
            "duplicate deep inside",
            format!("{body},\"x\":[{{\"a\":1,\"a\":2}}]}}").into(),
            Rejection::JsonDuplicateMember,
        ),
        ("byte order mark", format!("\u{feff}{good}").into(), Rejection::JsonInvalid),
        ("trailing", format!("{good}{good}").into(), Rejection::JsonInvalid),
        ("trailing comma", format!("{body},}}").into(), Rejection::JsonInvalid),
        ("lone surrogate", format!("{body},\"x\":\"\\ud800\"}}").into(), Rejection::JsonInvalid),
        ("not a number", format!("{body},\"x\":NaN}}").into(), Rejection::JsonInvalid),
        ("utf-8", [body.as_bytes(), b",\"x\":\"\xc0\x80\"}"].concat(), Rejection::Utf8Invalid),
        ("array", format!("[{good}]").into(), Rejection::JsonNotAnObject),
        ("deep", deep.into(), Rejection::JsonTooDeep),
        ("bomb", bomb.into(), Rejection::JsonTooDeep),
    ];
    for (name, payload, rejection) in cases {
        let token = WORLD.ed.token_of(WORLD.ed.header().to_string().as_bytes(), &payload);
        assert_eq!(answer(&verify(&token)), rejection.code(), "{name}");
    }
}

const TENANT: &str = "a1111111-2222-3333-4444-555555555555";
const OTHER: &str = "99999999-2222-3333-4444-555555555555";

fn tenant_claims(iss: &str, tid: &Value) -> Value {
    let mut claims = with("iss", &json!(format!("https://login.example.com/{iss}/v2.0")));
    claims["tid"] = tid.clone();
    claims
}

#[test]
fn tenants() {
    let template = "https://login.example.com/{tenantid}/v2.0";
    let listed = TokenPolicy::new(IssuerRule::tenants(template, [TENANT.to_owned()]), CLIENT);
    let listed = Expectations::new(&listed).nonce(NONCE);
    let any = TokenPolicy::new(IssuerRule::dangerous_any_tenant(template), CLIENT);
    let any = Expectations::new(&any).nonce(NONCE);

    let token = WORLD.ed.token(&tenant_claims(TENANT, &json!(TENANT)));
    assert_eq!(answer(&verify_as(&token, &listed)), "accepted");
    assert_eq!(answer(&verify_as(&token, &any)), "accepted");

    assert_claims(&tenant_claims(OTHER, &json!(OTHER)), &listed, Rejection::TenantNotAllowed);
    for expectations in [&listed, &any] {
        assert_claims(&tenant_claims(TENANT, &json!(OTHER)), expectations, Rejection::IssuerMismatch);
        assert_claims(
            &tenant_claims("{tenantid}", &json!("{tenantid}")),
            expectations,
            Rejection::TenantMissing,
        );
        for tid in [
            json!(null),
            json!(1),
            json!(""),
            json!("common"),
            json!(TENANT.to_uppercase()),
            json!(format!("{TENANT}/x")),
        ] {
            assert_claims(&tenant_claims(TENANT, &tid), expectations, Rejection::TenantMissing);
        }
    }
}
