//! The half of a key that verifies.

use jit_saml::signature::{SigningKey, VerificationKey};

/// Returns the half of a key that verifies.
pub(crate) fn public(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_public_key_info(&key.public_key_info().unwrap()).unwrap()
}
