//! Key sets with keys that must not be used, or not for this.

use jit_oidc::Rejection;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use jit_oidc::keys::KeySet;
use serde_json::{Value, json};

use crate::signer::{Signer, encode};
use crate::world::{CLIENT, NONCE, WORLD, answer, claims, engines, key_set, policy, verify_with, with};

/// Verifies an honest token against a changed copy of its key.
fn against(jwks: &Value, token: &str) -> &'static str {
    let keys: Vec<_> =
        engines().into_iter().map(|(name, engine)| (name, key_set(jwks, &engine).unwrap())).collect();
    let policy = policy();
    answer(&verify_with(token, &keys, &Expectations::new(&policy).nonce(NONCE)))
}

fn changed(signer: &Signer, change: impl FnOnce(&mut Value)) -> &'static str {
    let mut jwk = signer.jwk();
    change(&mut jwk);
    against(&json!({ "keys": [jwk] }), &signer.token(&claims()))
}

#[test]
fn keys_for_something_else() {
    let es = &WORLD.es;
    let cases: [(&str, Value, Rejection); 9] = [
        ("use", json!("enc"), Rejection::KeyNotForSignatures),
        ("use", json!(1), Rejection::KeyNotForSignatures),
        ("key_ops", json!(["sign"]), Rejection::KeyNotForSignatures),
        ("key_ops", json!([]), Rejection::KeyNotForSignatures),
        ("key_ops", json!("verify"), Rejection::KeyMalformed),
        ("alg", json!("ES384"), Rejection::KeyAlgorithmMismatch),
        ("alg", json!("RSA-OAEP"), Rejection::KeyAlgorithmMismatch),
        ("alg", json!(["ES256"]), Rejection::KeyMalformed),
        ("d", json!("AA"), Rejection::KeyPrivate),
    ];
    for (name, value, rejection) in cases {
        assert_eq!(changed(es, |jwk| jwk[name] = value.clone()), rejection.code(), "{name} = {value}");
    }
}

#[test]
fn keys_that_are_malformed() {
    let es = &WORLD.es;
    let x = es.jwk()["x"].clone();
    for (name, value, rejection) in [
        ("kty", json!("ec"), Rejection::KeyTypeUnsupported),
        ("kty", json!(null), Rejection::KeyMalformed),
        ("kty", json!("oct"), Rejection::KeySymmetric),
        ("kty", json!("RSA"), Rejection::KeyMalformed),
        ("crv", json!("P-521"), Rejection::KeyTypeUnsupported),
        ("crv", json!("secp256k1"), Rejection::KeyTypeUnsupported),
        ("crv", json!("P-384"), Rejection::KeyMalformed),
        ("crv", json!(256), Rejection::KeyMalformed),
        ("x", json!("AA"), Rejection::KeyMalformed),
        ("x", json!(format!("{}==", x.as_str().unwrap())), Rejection::KeyMalformed),
        ("y", json!(null), Rejection::KeyMalformed),
    ] {
        assert_eq!(changed(es, |jwk| jwk[name] = value.clone()), rejection.code(), "{name} = {value}");
    }
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    // the engine that parses keys when they are prepared says it of the key, the other one of the signature
    let es = &WORLD.es;
    let mut jwk = es.jwk();
    jwk["y"] = jwk["x"].clone();
    let policy = policy();
    for (name, engine) in engines() {
        let keys = [(name, key_set(&json!({ "keys": [jwk] }), &engine).unwrap())];
        let answer =
            answer(&verify_with(&es.token(&claims()), &keys, &Expectations::new(&policy).nonce(NONCE)));
        assert!(
            [Rejection::KeyInvalid.code(), Rejection::SignatureInvalid.code()].contains(&answer),
            "{name}"
        );
    }
}

#[test]
fn weak_and_absurd_rsa_keys() {
    let modulus = |bytes: usize, last: u8| {
        let mut modulus = vec![0xc1; bytes];
        modulus[bytes - 1] = last;
        json!(encode(&modulus))
    };
    let cases: [(&str, Value, Rejection); 12] = [
        ("n", modulus(64, 1), Rejection::KeyRsaTooSmall),
        ("n", modulus(128, 1), Rejection::KeyRsaTooSmall),
        ("n", modulus(255, 1), Rejection::KeyRsaTooSmall),
        ("n", json!(""), Rejection::KeyRsaTooSmall),
        ("n", modulus(1025, 1), Rejection::KeyRsaTooLarge),
        ("n", modulus(2048, 1), Rejection::KeyRsaTooLarge),
        ("n", modulus(256, 2), Rejection::KeyRsaModulus),
        ("e", json!("AQ"), Rejection::KeyRsaExponent),
        ("e", json!("Aw"), Rejection::KeyRsaExponent),
        ("e", json!("AQAC"), Rejection::KeyRsaExponent),
        ("e", json!(encode(&[0xff; 64])), Rejection::KeyRsaExponent),
        ("e", json!(65_537), Rejection::KeyMalformed),
    ];
    for (name, value, rejection) in cases {
        assert_eq!(changed(&WORLD.rs, |jwk| jwk[name] = value.clone()), rejection.code(), "{name} = {value}");
    }
}

#[test]
fn key_sets_that_are_not_key_sets() {
    let (_, engine) = &engines()[0];
    let many: Vec<_> = (0..101).map(|_| WORLD.ed.jwk()).collect();
    for (name, jwks, rejection) in [
        ("no keys", json!({}), Rejection::KeySetMalformed),
        ("an object", json!({ "keys": {} }), Rejection::KeySetMalformed),
        ("not keys", json!({ "keys": ["a"] }), Rejection::KeySetMalformed),
        ("an array", json!([]), Rejection::JsonNotAnObject),
        ("too many", json!({ "keys": many }), Rejection::KeySetTooLarge),
        ("too long", json!({ "keys": [], "x": "y".repeat(256 * 1024) }), Rejection::KeySetTooLarge),
    ] {
        assert_eq!(key_set(&jwks, engine).err(), Some(rejection), "{name}");
    }
    let twice = br#"{"keys":[{"kty":"oct","kty":"EC"}]}"#;
    let refused = KeySet::parse(twice, engine, policy().allowed_algorithms());
    assert_eq!(refused.err(), Some(Rejection::JsonDuplicateMember));
}

#[test]
fn one_bad_key_spoils_nothing() {
    let jwks = json!({ "keys": [
        { "kty": "oct", "kid": "secret", "k": "AA" },
        { "kty": "EC", "crv": "secp256k1", "alg": "ES256K", "kid": "telegram", "x": "AA", "y": "AA" },
        { "kty": "AKP", "alg": "ML-DSA-44", "kid": "quantum", "pub": "AA" },
        { "kid": "nothing" },
        WORLD.es.jwk(),
    ]});
    assert_eq!(against(&jwks, &WORLD.es.token(&claims())), "accepted");
    let set = key_set(&jwks, &engines()[0].1).unwrap();
    assert_eq!(set.len(), 1);
    assert_eq!(set.refused().len(), 4);
    assert_eq!(set.refused()[0].reason, Rejection::KeySymmetric);
}

#[test]
fn without_a_name_only_a_single_fitting_key_is_used() {
    let other = Signer::generate("ES256", "other");
    let unnamed = WORLD.es.token_with(&json!({ "alg": "ES256" }), &claims());
    assert_eq!(against(&json!({ "keys": [WORLD.es.jwk(), WORLD.ed.jwk()] }), &unnamed), "accepted");
    let ambiguous = json!({ "keys": [WORLD.es.jwk(), other.jwk()] });
    assert_eq!(against(&ambiguous, &unnamed), Rejection::KeyAmbiguous.code());
    assert_eq!(against(&json!({ "keys": [WORLD.ed.jwk()] }), &unnamed), Rejection::KeyMissing.code());
}

#[test]
fn a_key_of_another_tenant_is_refused() {
    let tenant = "11111111-2222-3333-4444-555555555555";
    let issuer = |tenant: &str| format!("https://login.example.com/{tenant}/v2.0");
    let policy = TokenPolicy::new(IssuerRule::dangerous_any_tenant(issuer("{tenantid}")), CLIENT);
    let expectations = Expectations::new(&policy).nonce(NONCE);
    let mut claims = with("iss", &json!(issuer(tenant)));
    claims["tid"] = json!(tenant);
    let token = WORLD.es.token(&claims);
    for (published, expected) in [
        (issuer("{tenantid}"), "accepted"),
        (issuer(tenant), "accepted"),
        (issuer("9188040d-6c67-4c5b-b112-36a304b66dad"), Rejection::KeyIssuerMismatch.code()),
    ] {
        let mut jwk = WORLD.es.jwk();
        jwk["issuer"] = json!(published);
        let keys = [("aws-lc", key_set(&json!({ "keys": [jwk] }), &engines()[0].1).unwrap())];
        assert_eq!(answer(&verify_with(&token, &keys, &expectations)), expected, "{published}");
    }
}
