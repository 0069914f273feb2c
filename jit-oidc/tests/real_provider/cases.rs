//! The cases of the certification plans, by the names of their modules.

use serde_json::{Value, json};

/// One spoiled answer, and what must come of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) tamper: Value,
    pub(crate) expected: &'static str,
    pub(crate) asks_userinfo: bool,
}

fn accepted(name: &'static str, tamper: Value) -> Case {
    Case { name, tamper, expected: "accepted", asks_userinfo: true }
}

fn refused(name: &'static str, tamper: Value, expected: &'static str) -> Case {
    Case { name, tamper, expected, asks_userinfo: false }
}

/// Basic RP and Form Post RP.
pub(crate) fn basic() -> Vec<Case> {
    let clear = json!({ "clear": true });
    let kid = |jwks: &str| json!({ "times": 2, "header": { "kid": null }, "jwks": jwks });
    vec![
        accepted("oidcc-client-test", clear.clone()),
        refused(
            "invalid-iss",
            json!({ "set": { "iss": "https://evil.example.com" } }),
            "oidc.issuer_mismatch",
        ),
        refused("missing-sub", json!({ "unset": ["sub"] }), "oidc.subject_missing"),
        refused("invalid-aud", json!({ "set": { "aud": "another" } }), "oidc.audience_mismatch"),
        refused("missing-iat", json!({ "unset": ["iat"] }), "oidc.issued_at_missing"),
        accepted("kid-absent-single-jwks", kid("nokid_single")),
        refused("kid-absent-multiple-jwks", kid("nokid"), "oidc.key_ambiguous"),
        accepted("idtoken-sig-rs256", clear.clone()),
        refused("idtoken-sig-none", json!({ "alg": "none" }), "oidc.algorithm_none"),
        refused("invalid-sig-rs256", json!({ "bad_sig": true }), "oidc.signature_invalid"),
        Case {
            name: "userinfo-invalid-sub",
            tamper: json!({ "userinfo": { "set": { "sub": "somebody-else" } } }),
            expected: "oidc.userinfo_subject_mismatch",
            asks_userinfo: true,
        },
        refused("nonce-invalid", json!({ "set": { "nonce": "another" } }), "oidc.nonce_mismatch"),
        accepted("scope-userinfo-claims", clear.clone()),
        accepted("client-secret-basic", clear),
    ]
}

/// Negatives of FAPI 2.0 and its neighbours that concern a code flow.
pub(crate) fn fapi() -> Vec<Case> {
    let set = |name: &str, value: Value| json!({ "set": { name: value } });
    let unset = |name: &str| json!({ "unset": [name] });
    let authz = |change: Value| json!({ "authz": change });
    vec![
        refused("invalid-secondary-aud", set("aud", json!(["jit-rp", "another"])), "oidc.audience_untrusted"),
        refused("invalid-alternate-alg", json!({ "alg": "PS256" }), "oidc.algorithm_not_allowed"),
        refused("invalid-hs256", json!({ "alg": "HS256" }), "oidc.algorithm_not_allowed"),
        refused("unpublished-key", json!({ "unpublished_key": true }), "oidc.signature_invalid"),
        refused("unknown-kid", json!({ "header": { "kid": "unknown" } }), "oidc.key_unknown"),
        refused("invalid-expired-exp", set("exp", json!(1_700_000_000)), "oidc.expired"),
        refused("invalid-missing-exp", unset("exp"), "oidc.expiry_missing"),
        refused("invalid-missing-aud", unset("aud"), "oidc.audience_missing"),
        refused("invalid-missing-iss", unset("iss"), "oidc.issuer_missing"),
        accepted("valid-aud-as-array", set("aud", json!(["jit-rp"]))),
        refused("invalid-missing-nonce", unset("nonce"), "oidc.nonce_missing"),
        refused("invalid-athash", set("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")), "oidc.at_hash_mismatch"),
        refused(
            "invalid-authorization-response-iss",
            authz(json!({ "set": { "iss": "https://evil.example.com" } })),
            "oidc.callback_issuer_mismatch",
        ),
        refused(
            "remove-authorization-response-iss",
            authz(json!({ "unset": ["iss"] })),
            "oidc.callback_issuer_missing",
        ),
        refused(
            "invalid-state",
            authz(json!({ "set": { "state": "another" } })),
            "oidc.state_not_this_browser",
        ),
        refused("missing-state", authz(json!({ "unset": ["state"] })), "oidc.state_missing"),
        accepted("without-expires_in", json!({ "token": { "unset": ["expires_in"] } })),
        accepted("token-type-case", json!({ "token": { "set": { "token_type": "bEARER" } } })),
        refused("no-id-token", json!({ "token": { "unset": ["id_token"] } }), "oidc.id_token_missing"),
    ]
}
