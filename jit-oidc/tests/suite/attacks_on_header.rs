//! Tokens whose header asks for what must not be given.

use aws_lc_rs::hmac;
use jit_oidc::Rejection;
use serde_json::{Value, json};

use crate::signer::{Signer, encode};
use crate::world::{WORLD, answer, assert_answers, claims, verify};

fn es(header: &Value) -> String {
    WORLD.es.token_with(header, &claims())
}

fn unsigned(algorithm: &str) -> String {
    let header = json!({ "alg": algorithm });
    format!("{}.{}.", encode(header.to_string().as_bytes()), encode(claims().to_string().as_bytes()))
}

fn maced(secret: &[u8]) -> String {
    let header = json!({ "alg": "HS256", "kid": "RS256" }).to_string();
    let message = format!("{}.{}", encode(header.as_bytes()), encode(claims().to_string().as_bytes()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", encode(tag.as_ref()))
}

#[test]
fn unsigned_tokens_in_every_spelling() {
    for name in ["none", "None", "NONE", "nOnE"] {
        assert_answers([(name, unsigned(name), Rejection::AlgorithmNone)]);
        let signed = es(&json!({ "alg": name, "kid": "ES256" }));
        assert_answers([(name, signed, Rejection::AlgorithmNone)]);
    }
}

#[test]
fn algorithms_that_are_missing_malformed_or_not_allowed() {
    for header in
        [json!({}), json!({"alg": null}), json!({"alg": ["ES256"]}), json!({"alg": 256}), json!({"alg": {}})]
    {
        assert_answers([("missing", es(&header), Rejection::AlgorithmMissing)]);
    }
    for name in
        ["", "es256", "ES256 ", "ES256K", "ES512", "RSA-OAEP", "HS512", "RS384", "RS512", "PS512", "none "]
    {
        let token = es(&json!({ "alg": name, "kid": "ES256" }));
        assert_answers([(name, token, Rejection::AlgorithmNotAllowed)]);
    }
}

#[test]
fn public_keys_are_never_secrets() {
    let jwk = WORLD.rs.jwk();
    let der = WORLD.rs.public_key();
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", encode(&der));
    let secrets =
        [der, pem.into_bytes(), jwk.to_string().into_bytes(), jwk["n"].as_str().unwrap().into(), Vec::new()];
    for secret in secrets {
        assert_answers([("mac", maced(&secret), Rejection::AlgorithmNotAllowed)]);
    }
}

#[test]
fn keys_in_the_header_are_not_read() {
    let stranger = Signer::generate("ES256", "stranger");
    for (name, value) in [
        ("jwk", stranger.jwk()),
        ("jku", json!("https://evil.example.com/jwks")),
        ("x5u", json!("https://evil.example.com/cert")),
        ("x5c", json!([encode(&stranger.public_key())])),
    ] {
        let known = stranger.token_with(&json!({ "alg": "ES256", "kid": "ES256", name: value }), &claims());
        let unknown =
            stranger.token_with(&json!({ "alg": "ES256", "kid": "stranger", name: value }), &claims());
        let unnamed = stranger.token_with(&json!({ "alg": "ES256", name: value }), &claims());
        assert_answers([
            (name, known, Rejection::SignatureInvalid),
            (name, unknown, Rejection::KeyUnknown),
            (name, unnamed, Rejection::SignatureInvalid),
        ]);
        let honest = es(&json!({ "alg": "ES256", "kid": "ES256", name: value }));
        assert_eq!(answer(&verify(&honest)), "accepted", "{name}");
    }
}

#[test]
fn key_names_are_opaque() {
    let long = "k".repeat(513);
    for kid in
        ["", "es256", "ES256 ", "../../../dev/null", "' OR 1=1 --", "https://evil.example.com/key", "\0", "*"]
    {
        assert_answers([(kid, es(&json!({ "alg": "ES256", "kid": kid })), Rejection::KeyUnknown)]);
    }
    for kid in [json!(null), json!(1), json!(["ES256"]), json!({"kid": "ES256"}), json!(true), json!(long)] {
        assert_answers([("type", es(&json!({ "alg": "ES256", "kid": kid })), Rejection::HeaderMalformed)]);
    }
    let exactly = "k".repeat(512);
    assert_answers([("512 bytes", es(&json!({ "alg": "ES256", "kid": exactly })), Rejection::KeyUnknown)]);
}

#[test]
fn extensions_are_refused() {
    for (name, value, rejection) in [
        ("crit", json!([]), Rejection::CriticalHeader),
        ("crit", json!(["exp"]), Rejection::CriticalHeader),
        ("crit", json!(["https://example.com/unknown"]), Rejection::CriticalHeader),
        ("crit", json!(null), Rejection::CriticalHeader),
        ("b64", json!(false), Rejection::UnencodedPayload),
        ("b64", json!(true), Rejection::UnencodedPayload),
        ("zip", json!("DEF"), Rejection::CompressedPayload),
        ("cty", json!("JWT"), Rejection::NestedToken),
        ("enc", json!("A128GCM"), Rejection::TokenEncrypted),
    ] {
        let token = es(&json!({ "alg": "ES256", "kid": "ES256", name: value }));
        assert_answers([(name, token, rejection)]);
    }
}

#[test]
fn other_kinds_of_tokens_are_not_id_tokens() {
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "oauth-authz-req+jwt",
        "JOSE",
        "JWT ",
        "",
    ] {
        let token = es(&json!({ "alg": "ES256", "kid": "ES256", "typ": typ }));
        assert_answers([(typ, token, Rejection::TokenTypeMismatch)]);
    }
    for typ in [json!(null), json!(1), json!(["JWT"])] {
        let token = es(&json!({ "alg": "ES256", "kid": "ES256", "typ": typ }));
        assert_answers([("type", token, Rejection::HeaderMalformed)]);
    }
}

#[test]
fn header_texts_that_parsers_read_differently() {
    let payload = claims().to_string();
    let deep = format!(r#"{{"alg":"ES256","x":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    for (name, header, rejection) in [
        (
            "duplicate",
            br#"{"alg":"ES256","kid":"ES256","alg":"none"}"#.as_slice(),
            Rejection::JsonDuplicateMember,
        ),
        ("escaped duplicate", br#"{"alg":"ES256","\u0061lg":"none"}"#, Rejection::JsonDuplicateMember),
        ("byte order mark", b"\xef\xbb\xbf{\"alg\":\"ES256\"}", Rejection::JsonInvalid),
        ("trailing", br#"{"alg":"ES256","kid":"ES256"}{}"#, Rejection::JsonInvalid),
        ("utf-8", b"{\"alg\":\"ES256\",\"kid\":\"\xff\"}", Rejection::Utf8Invalid),
        ("array", br#"["ES256"]"#, Rejection::JsonNotAnObject),
        ("deep", deep.as_bytes(), Rejection::JsonTooDeep),
        (
            "wide",
            &[b"{\"alg\":\"ES256\",\"x\":[", "0,".repeat(300).as_bytes(), b"0]}"].concat(),
            Rejection::JsonTooLarge,
        ),
        ("comment", br#"{"alg":"ES256"/**/}"#, Rejection::JsonInvalid),
    ] {
        assert_answers([(name, WORLD.es.token_of(header, payload.as_bytes()), rejection)]);
    }
}

#[test]
fn the_compact_form_is_exact() {
    let token = WORLD.es.token(&claims());
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    for (name, token, rejection) in [
        ("empty", String::new(), Rejection::TokenMalformed),
        ("two parts", format!("{header}.{payload}"), Rejection::TokenMalformed),
        ("four parts", format!("{token}.{signature}"), Rejection::TokenMalformed),
        ("no payload", format!("{header}..{signature}"), Rejection::TokenMalformed),
        (
            "json form",
            json!({"payload": payload, "signature": signature}).to_string(),
            Rejection::TokenMalformed,
        ),
        (
            "encrypted",
            format!("{header}.{payload}.{payload}.{payload}.{signature}"),
            Rejection::TokenEncrypted,
        ),
        ("blank before", format!(" {token}"), Rejection::Base64Invalid),
        ("newline after", format!("{token}\n"), Rejection::Base64Invalid),
        ("padding", format!("{token}=="), Rejection::Base64Invalid),
        ("too large", "a".repeat(16 * 1024 + 1), Rejection::TokenTooLarge),
        (
            "too large and signed",
            WORLD.es.token(&json!({ "x": "y".repeat(16 * 1024) })),
            Rejection::TokenTooLarge,
        ),
    ] {
        assert_answers([(name, token, rejection)]);
    }
}
