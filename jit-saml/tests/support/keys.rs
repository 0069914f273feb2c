//! Keys and certificates, made at test time.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit_saml::signature::SigningKey;

/// Makes a key of P-256.
pub(crate) fn elliptic() -> SigningKey {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8(pkcs8.as_ref()).unwrap()
}

/// Makes an RSA key in PKCS#8.
pub(crate) fn rsa_pkcs8() -> Vec<u8> {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    pkcs8.as_ref().to_vec()
}

/// Makes an RSA key.
pub(crate) fn rsa() -> SigningKey {
    SigningKey::from_pkcs8(&rsa_pkcs8()).unwrap()
}

/// Writes octets in base64.
pub(crate) fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}
