//! What honest providers send, in all its variety, is accepted.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512};
use base64::Engine as _;
use chrono::TimeDelta;
use jit_oidc::algorithm::Algorithm;
use jit_oidc::checks::{Check, Question};
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use serde_json::{Value, json};

use crate::signer::{Signer, encode};
use crate::world::{
    ACCESS_TOKEN, CLIENT, CODE, ISSUER, NONCE, NOW, WORLD, answer, claims, engines, half_hash, key_set,
    policy, verify, verify_as, verify_with, with, without,
};

type Change = fn(&mut Value);

fn assert_accepted(name: &str, claims: &Value) {
    assert_eq!(answer(&verify(&WORLD.es.token(claims))), "accepted", "{name}");
}

#[test]
fn every_algorithm_with_its_own_hashes() {
    let signers = [
        (&WORLD.rs, &SHA256),
        (&WORLD.ps, &SHA256),
        (&WORLD.es, &SHA256),
        (&WORLD.es384, &SHA384),
        (&WORLD.ed, &SHA512),
    ];
    for (signer, hash) in signers {
        let mut claims = with("at_hash", &json!(half_hash(hash, ACCESS_TOKEN)));
        claims["c_hash"] = json!(half_hash(hash, CODE));
        let verified = verify(&signer.token(&claims));
        assert_eq!(answer(&verified), "accepted", "{}", signer.algorithm());
        assert_eq!(verified.unwrap().algorithm().name(), signer.algorithm());
    }
}

#[test]
fn both_names_of_ed25519_and_all_rsa_hashes() {
    let every = jit_oidc::algorithm::AlgorithmSet::of(Algorithm::ALL);
    let policy = policy().algorithms(every);
    let expectations = Expectations::new(&policy).nonce(NONCE);
    for (bound, used) in [
        ("EdDSA", "Ed25519"),
        ("Ed25519", "EdDSA"),
        ("RS384", "RS384"),
        ("RS512", "RS512"),
        ("PS384", "PS384"),
        ("PS512", "PS512"),
    ] {
        let signer = Signer::generate(bound, "key");
        let jwks = json!({ "keys": [signer.jwk()] }).to_string();
        let keys: Vec<_> = engines()
            .into_iter()
            .map(|(name, engine)| {
                (name, jit_oidc::keys::KeySet::parse(jwks.as_bytes(), &engine, every).unwrap())
            })
            .collect();
        let token = signer.token_with(&json!({ "alg": used, "kid": "key" }), &claims());
        assert_eq!(answer(&verify_with(&token, &keys, &expectations)), "accepted", "{used}");
    }
}

#[test]
fn headers_of_real_providers() {
    for header in [
        json!({ "alg": "ES256", "kid": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256", "kid": "ES256", "typ": "jwt" }),
        json!({ "alg": "ES256", "kid": "ES256", "typ": "application/jwt" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "kid": "ES256", "x5t": "abc", "x5t#S256": "abc", "pi.atm": "1" }),
    ] {
        assert_eq!(answer(&verify(&WORLD.es.token_with(&header, &claims()))), "accepted", "{header}");
    }
}

#[test]
fn times_at_their_bounds_and_with_fractions() {
    for (name, value) in [
        ("exp", json!(NOW + 86_390)),
        ("exp", json!(1_800_000_000.25)),
        ("iat", json!(NOW + 60)),
        ("iat", json!(1.799_999_990e9)),
        ("nbf", json!(NOW + 60)),
        ("auth_time", json!(1_799_999_988.557_962)),
        ("auth_time", json!(NOW - 86_400 * 365)),
    ] {
        assert_accepted(name, &with(name, &value));
    }
    let mut claims = with("exp", &json!(NOW - 59));
    claims["iat"] = json!(NOW - 300);
    assert_accepted("exp within the leeway", &claims);
}

#[test]
fn audiences_and_parties() {
    assert_accepted("array", &with("aud", &json!([CLIENT])));
    assert_accepted("azp", &with("azp", &json!(CLIENT)));
    let policy = policy().trusted_audiences(vec!["api".into()]);
    let mut claims = with("aud", &json!(["api", CLIENT]));
    claims["azp"] = json!(CLIENT);
    let verified = verify_as(&WORLD.es.token(&claims), &Expectations::new(&policy).nonce(NONCE));
    assert_eq!(answer(&verified), "accepted");
}

#[test]
fn subjects_are_kept_byte_for_byte() {
    let long = "s".repeat(255);
    for subject in ["a", " a ", "A", "google-oauth2|1234", "a@b", "{}", &long] {
        let verified = verify(&WORLD.es.token(&with("sub", &json!(subject)))).unwrap();
        assert_eq!(verified.subject(), subject);
    }
}

#[test]
fn hashes_may_be_missing_and_other_claims_may_be_anything() {
    assert_accepted("no at_hash", &without("at_hash"));
    assert_accepted("no c_hash", &without("c_hash"));
    let nested = (0..29).fold(json!("core"), |inner, _| json!([inner]));
    for value in
        [json!(null), json!("ünïcödé 😀"), json!({ "a": { "b": [] } }), json!([null, 1.5, -3]), nested]
    {
        assert_accepted("extra", &with("https://example.com/extra", &value));
    }
}

#[test]
fn an_alias_is_accepted_and_the_identity_carries_the_configured_issuer() {
    let rule = IssuerRule::with_aliases("https://accounts.example.com", vec!["accounts.example.com".into()]);
    let policy = TokenPolicy::new(rule, CLIENT);
    let token = WORLD.es.token(&with("iss", &json!("accounts.example.com")));
    let verified = verify_as(&token, &Expectations::new(&policy).nonce(NONCE)).unwrap();
    assert_eq!(verified.issuer(), "https://accounts.example.com");
    assert_eq!(verified.claims()["iss"], "accounts.example.com");
}

#[test]
fn keys_as_real_providers_publish_them() {
    let policy = policy();
    let expectations = Expectations::new(&policy).nonce(NONCE);
    let changes: [(&str, Change); 5] = [
        ("no alg", |jwk| drop(jwk.as_object_mut().unwrap().remove("alg"))),
        ("no use", |jwk| drop(jwk.as_object_mut().unwrap().remove("use"))),
        ("no kid", |jwk| drop(jwk.as_object_mut().unwrap().remove("kid"))),
        ("key_ops", |jwk| jwk["key_ops"] = json!(["verify"])),
        ("certificates", |jwk| jwk["x5c"] = json!(["MIIB"])),
    ];
    for (name, change) in changes {
        let mut jwk = WORLD.rs.jwk();
        change(&mut jwk);
        let keys: Vec<_> = engines()
            .into_iter()
            .map(|(name, engine)| (name, key_set(&json!({ "keys": [jwk] }), &engine).unwrap()))
            .collect();
        let header = if name == "no kid" { json!({ "alg": "RS256" }) } else { WORLD.rs.header() };
        let token = WORLD.rs.token_with(&header, &claims());
        assert_eq!(answer(&verify_with(&token, &keys, &expectations)), "accepted", "{name}");
    }
}

#[test]
fn a_modulus_with_a_leading_zero_is_the_same_modulus() {
    let mut jwk = WORLD.rs.jwk();
    let modulus = jwk["n"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(modulus).unwrap();
    jwk["n"] = json!(encode(&[&[0], bytes.as_slice()].concat()));
    let policy = policy();
    for (name, engine) in engines() {
        let keys = [(name, key_set(&json!({ "keys": [jwk] }), &engine).unwrap())];
        let verified =
            verify_with(&WORLD.rs.token(&claims()), &keys, &Expectations::new(&policy).nonce(NONCE));
        assert_eq!(answer(&verified), "accepted", "{name}");
    }
}

#[test]
fn the_checks_that_were_made_are_reported() {
    let policy = policy();
    let token = WORLD.es.token(&claims());
    let full = verify(&token).unwrap().checks();
    for check in [
        Check::Signature,
        Check::Issuer,
        Check::Audience,
        Check::Expiry,
        Check::IssuedAt,
        Check::Nonce,
        Check::AccessTokenHash,
        Check::CodeHash,
    ] {
        assert!(full.made(check), "{check:?}");
    }
    let bare = verify_as(&token, &Expectations::new(&policy)).unwrap().checks();
    assert_eq!(bare.codes(Question::Replay).count(), 0);
    assert_eq!(bare.codes(Question::Origin).collect::<Vec<_>>(), ["signature", "iss"]);
    let aged = Expectations::new(&policy).max_age(TimeDelta::hours(1));
    let token = WORLD.es.token(&with("auth_time", &json!(NOW - 3_659)));
    assert!(verify_as(&token, &aged).unwrap().checks().made(Check::AuthTime));
}

#[test]
fn nothing_of_a_token_is_shown() {
    let verified = verify(&WORLD.es.token(&with("email", &json!("jane@example.com")))).unwrap();
    let shown = format!("{verified:?}");
    assert!(shown.contains(ISSUER));
    assert!(!shown.contains("jane") && !shown.contains("248289761001") && !shown.contains(NONCE));
}
