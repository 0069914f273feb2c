//! What a provider says reads the same, whichever part of the response it signs and whether it encrypts.
//!
//! The input is what is changed in an assertion before the provider signs it.
#![no_main]

mod edit;
#[path = "../../jit-saml/tests/support/said.rs"]
mod said;
#[expect(dead_code, unused_imports, reason = "a small part of the provider is enough here")]
#[path = "../../jit-saml/tests/support/mod.rs"]
mod support;

use std::sync::OnceLock;

use edit::edited;
use jit_saml::Rejection;
use jit_saml::crypto::DecryptionKey;
use jit_saml::idp::TrustedIdp;
use jit_saml::response::VerifiedResponse;
use jit_saml::signature::sign_enveloped;
use libfuzzer_sys::fuzz_target;
use said::said_by;
use support::{Draft, Recipe, code, decryption_key, key, trusted, verify_with};

fn trust() -> &'static (TrustedIdp, [DecryptionKey; 1]) {
    static TRUST: OnceLock<(TrustedIdp, [DecryptionKey; 1])> = OnceLock::new();
    TRUST.get_or_init(|| (trusted(), [decryption_key(0)]))
}

/// Why it is refused. What is no assertion any more is a stranger in the response, or a malformed assertion where it was sealed.
fn fault(outcome: &Result<VerifiedResponse, Rejection>) -> &'static str {
    match code(outcome) {
        "saml.response_malformed" => "saml.assertion_malformed",
        other => other,
    }
}

fuzz_target!(|octets: &[u8]| {
    let (idp, keys) = trust();
    let mut draft = Draft::new();
    let Ok(assertion) = String::from_utf8(edited(draft.assertion.as_bytes(), octets)) else { return };
    draft.assertion = assertion;
    // What cannot be signed by itself is no assertion that anybody sends.
    let Ok(signed) = sign_enveloped(&draft.assertion, "_assertion1", key(), None) else { return };
    let Ok(around) = sign_enveloped(&draft.plain(), "_response1", key(), None) else { return };
    let sealed = Recipe::default().seal("EncryptedAssertion", &signed, 0);
    let [by_itself, around, sealed] = [draft.with(&signed), around, draft.with(&sealed)]
        .map(|xml| verify_with(&xml, idp, |expected| expected.decryption_keys = keys));
    for other in [&around, &sealed] {
        assert_eq!(fault(&by_itself), fault(other), "{}", draft.assertion);
        if let (Ok(one), Ok(other)) = (&by_itself, other) {
            assert_eq!(said_by(one), said_by(other), "{}", draft.assertion);
        }
    }
});
