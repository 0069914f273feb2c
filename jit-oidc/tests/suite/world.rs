//! One issuer with its keys, one client, one moment: what the tests of tokens share.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Algorithm, SHA256, digest};
use chrono::{DateTime, Utc};
use jit_oidc::Rejection;
use jit_oidc::expectations::{Expectations, IssuerRule, TokenPolicy};
use jit_oidc::id_token::{self, IdToken};
use jit_oidc::keys::KeySet;
use jit_oidc::signature::Engine;
use serde_json::{Value, json};

use crate::signer::{Signer, encode};

pub(crate) const ISSUER: &str = "https://op.example.com";
pub(crate) const CLIENT: &str = "client";
pub(crate) const NONCE: &str = "n-0S6_WzA2Mj";
pub(crate) const ACCESS_TOKEN: &str = "an-access-token";
pub(crate) const CODE: &str = "a-code";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) struct World {
    pub(crate) rs: Signer,
    pub(crate) ps: Signer,
    pub(crate) es: Signer,
    pub(crate) es384: Signer,
    pub(crate) ed: Signer,
    pub(crate) keys: Vec<(&'static str, KeySet)>,
}

pub(crate) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let [rs, ps, es, es384, ed] =
        ["RS256", "PS256", "ES256", "ES384", "EdDSA"].map(|name| Signer::generate(name, name));
    let jwks = json!({ "keys": [rs.jwk(), ps.jwk(), es.jwk(), es384.jwk(), ed.jwk()] });
    let keys = engines().into_iter().map(|(name, engine)| (name, key_set(&jwks, &engine).unwrap())).collect();
    World { rs, ps, es, es384, ed, keys }
});

pub(crate) fn engines() -> [(&'static str, Engine); 2] {
    [("aws-lc", Engine::aws_lc()), ("jsonwebtoken", Engine::jsonwebtoken())]
}

pub(crate) fn key_set(jwks: &Value, engine: &Engine) -> Result<KeySet, Rejection> {
    KeySet::parse(jwks.to_string().as_bytes(), engine, policy().allowed_algorithms())
}

pub(crate) fn policy() -> TokenPolicy {
    TokenPolicy::new(IssuerRule::exact(ISSUER), CLIENT)
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

/// Claims that are accepted as they are.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "exp": NOW + 300, "iat": NOW - 10, "nonce": NONCE,
        "at_hash": half_hash(&SHA256, ACCESS_TOKEN), "c_hash": half_hash(&SHA256, CODE),
    })
}

/// The claims with one of them changed.
pub(crate) fn with(name: &str, value: &Value) -> Value {
    let mut claims = claims();
    claims[name] = value.clone();
    claims
}

/// The claims with one of them missing.
pub(crate) fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

pub(crate) fn half_hash(algorithm: &'static Algorithm, text: &str) -> String {
    let hash = digest(algorithm, text.as_bytes());
    encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

/// Verifies as a sign-in does, with both engines, which must agree.
pub(crate) fn verify(token: &str) -> Result<IdToken, Rejection> {
    let policy = policy();
    let expectations = Expectations::new(&policy).nonce(NONCE).access_token(ACCESS_TOKEN).code(CODE);
    verify_as(token, &expectations)
}

/// Verifies with given expectations and both engines.
pub(crate) fn verify_as(token: &str, expectations: &Expectations<'_>) -> Result<IdToken, Rejection> {
    verify_with(token, &WORLD.keys, expectations)
}

/// Verifies with given keys, which must agree.
pub(crate) fn verify_with(
    token: &str,
    keys: &[(&'static str, KeySet)],
    expectations: &Expectations<'_>,
) -> Result<IdToken, Rejection> {
    let mut answers =
        keys.iter().map(|(_, keys)| id_token::verify(token.as_bytes(), keys, expectations, now()));
    let first = answers.next().unwrap();
    for other in answers {
        assert_eq!(first.as_ref().err(), other.as_ref().err(), "the engines disagree about {token}");
    }
    first
}

/// The code of a refusal, or `accepted`.
pub(crate) fn answer(result: &Result<IdToken, Rejection>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(rejection) => rejection.code(),
    }
}

/// Asserts the answer to each token.
pub(crate) fn assert_answers<'a>(cases: impl IntoIterator<Item = (&'a str, String, Rejection)>) {
    for (name, token, rejection) in cases {
        assert_eq!(answer(&verify(&token)), rejection.code(), "{name}");
    }
}
