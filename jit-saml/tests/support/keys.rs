//! Keys and certificates, made at test time.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit_saml::signature::{SigningKey, VerificationKey};

/// Makes a key of P-256.
pub fn elliptic() -> SigningKey {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8(pkcs8.as_ref()).unwrap()
}

/// Makes an RSA key in PKCS#8.
pub fn rsa_pkcs8() -> Vec<u8> {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    pkcs8.as_ref().to_vec()
}

/// Makes an RSA key.
pub fn rsa() -> SigningKey {
    SigningKey::from_pkcs8(&rsa_pkcs8()).unwrap()
}

/// Returns the half of a key that verifies.
pub fn public(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_public_key_info(&key.public_key_info().unwrap()).unwrap()
}

/// Wraps a key into a certificate that ended long ago and that nobody signed: in SAML it is an envelope and nothing more.
pub fn certificate(key: &SigningKey) -> Vec<u8> {
    let algorithm = der(0x30, &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
    let name = der(0x30, &der(0x31, &der(0x30, &[&[0x06, 3, 0x55, 4, 3][..], &der(0x0c, b"test")].concat())));
    let validity = der(0x30, &[der(0x17, b"700101000000Z"), der(0x17, b"700102000000Z")].concat());
    let info = key.public_key_info().unwrap();
    let parts = [&[0xa0, 3, 2, 1, 2][..], &[2, 1, 1], &algorithm, &name, &validity, &name, &info];
    let signature = der(0x03, &[0, 0]);
    der(0x30, &[der(0x30, &parts.concat()), algorithm, signature].concat())
}

/// Writes octets in base64.
pub fn base64(octets: &[u8]) -> String {
    STANDARD.encode(octets)
}

fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let [.., high, low] = value.len().to_be_bytes();
    let length: &[u8] = if value.len() < 0x80 { &[low] } else { &[0x82, high, low] };
    [&[tag], length, value].concat()
}
