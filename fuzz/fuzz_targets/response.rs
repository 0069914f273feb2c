//! A response that was changed on its way is refused, or says what the provider signed.
//!
//! The input is what is changed in one of the documents that a provider sends: for each change where it is, how much goes,
//! and what comes in its place.
#![no_main]

mod edit;
#[path = "../../jit-saml/tests/support/said.rs"]
mod said;
#[expect(dead_code, unused_imports, reason = "a small part of the provider is enough here")]
#[path = "../../jit-saml/tests/support/mod.rs"]
mod support;

use std::sync::OnceLock;

use edit::edited;
use jit_saml::crypto::DecryptionKey;
use jit_saml::idp::TrustedIdp;
use libfuzzer_sys::fuzz_target;
use said::said_by;
use support::{Draft, Recipe, decryption_key, key, trusted, verify_with};

struct Sent {
    idp: TrustedIdp,
    keys: [DecryptionKey; 1],
    documents: [String; 4],
}

fn sent() -> &'static Sent {
    static SENT: OnceLock<Sent> = OnceLock::new();
    SENT.get_or_init(|| {
        let draft = Draft::new();
        let sealed = Recipe::default().seal("EncryptedAssertion", &draft.signed_assertion(key()), 0);
        let documents = [draft.signed(), draft.response_signed(), draft.both_signed(), draft.with(&sealed)];
        Sent { idp: trusted(), keys: [decryption_key(0)], documents }
    })
}

fuzz_target!(|octets: &[u8]| {
    let sent = sent();
    let Some((which, changes)) = octets.split_first() else { return };
    let original = &sent.documents[usize::from(*which) % sent.documents.len()];
    let verified = |xml: &str| verify_with(xml, &sent.idp, |expected| expected.decryption_keys = &sent.keys);
    let Ok(changed) = String::from_utf8(edited(original.as_bytes(), changes)) else { return };
    if let Ok(response) = verified(&changed) {
        assert_eq!(said_by(&response), said_by(&verified(original).unwrap()), "{changed}");
    }
});
