//! Signing and verifying against each other, for every kind of key.
#![expect(clippy::unwrap_used, reason = "a test says with a panic what went wrong")]

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair,
};
use chrono::{DateTime, Utc};
use jit_saml::crypto::{AwsLc, VerificationKey};
use jit_saml::signature::{SignatureError, SignatureRules, SigningKey, sign_enveloped, verify};
use jit_saml::xml::{Document, Limits};

const ASSERTION: &str = r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" Version="2.0"><saml:Issuer>https://idp.example</saml:Issuer><saml:Subject><saml:NameID>alice &amp; co</saml:NameID></saml:Subject></saml:Assertion>"#;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn keys() -> Vec<SigningKey> {
    let rsa = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa = SigningKey::from_pkcs8(AsDer::<Pkcs8V1Der<'_>>::as_der(&rsa).unwrap().as_ref());
    let curves = [
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &ECDSA_P384_SHA384_FIXED_SIGNING,
        &ECDSA_P521_SHA512_FIXED_SIGNING,
    ];
    let ec = curves.into_iter().map(|curve| {
        SigningKey::from_pkcs8(EcdsaKeyPair::generate(curve).unwrap().to_pkcs8v1().unwrap().as_ref()).unwrap()
    });
    std::iter::once(rsa.unwrap()).chain(ec).collect()
}

fn verification(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_public_key_info(&key.public_key_info().unwrap()).unwrap()
}

#[test]
fn what_is_signed_is_what_is_read() {
    for key in keys() {
        let signed = sign_enveloped(ASSERTION, "_a1", &key, None).unwrap();
        let document = Document::parse(signed.as_bytes(), &Limits::default()).unwrap();
        let keys = [verification(&keys().remove(0)), verification(&key)];
        let octets = verify(document.root(), &keys, &SignatureRules::default(), now(), &AwsLc).unwrap();
        assert_eq!(octets.octets(), ASSERTION.as_bytes());
        assert_eq!(octets.by().key(), 1);
    }
}

#[test]
fn another_key_or_another_text_is_refused() {
    for key in keys() {
        let signed = sign_enveloped(ASSERTION, "_a1", &key, None).unwrap();
        let check = |text: &str, key: &VerificationKey| {
            let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
            let keys = std::slice::from_ref(key);
            verify(document.root(), keys, &SignatureRules::default(), now(), &AwsLc).map(drop)
        };
        let ours = verification(&key);
        assert_eq!(check(&signed, &ours), Ok(()));
        assert_eq!(check(&signed.replace("alice", "admin"), &ours), Err(SignatureError::DigestMismatch));
        assert_eq!(check(ASSERTION, &ours), Err(SignatureError::Missing));
        let same_kind = keys().into_iter().find(|other| other.algorithm() == key.algorithm()).unwrap();
        assert_eq!(check(&signed, &verification(&same_kind)), Err(SignatureError::Invalid));
    }
}
