//! A self-signed certificate, as metadata carries keys in.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, TimeDelta, Utc};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `sha256WithRSAEncryption` with its empty parameters (RFC 4055 section 5).
const RSA_SHA256: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00];
/// `commonName` (X.520 section 6.2.2).
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

/// Holds a key that was made just now, and its certificate, for demos and tests.
#[non_exhaustive]
pub struct Identity {
    /// The private key, PKCS#8 in PEM.
    pub key: String,
    /// The certificate in DER.
    pub certificate: Vec<u8>,
}

impl Identity {
    /// Makes a key of 2,048 bits and a certificate of version 1 for it
    /// ([RFC 5280 section 4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
    ///
    /// # Errors
    /// `Unspecified` when no key can be made.
    pub fn generate(name: &str, now: DateTime<Utc>) -> Result<Self, Unspecified> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let public: PublicKeyX509Der<'_> = key.public_key().as_der()?;
        let name = named(name);
        let unsigned = der(
            SEQUENCE,
            &[
                der(INTEGER, &[1]),
                RSA_SHA256.to_vec(),
                name.clone(),
                der(SEQUENCE, &[time(now - TimeDelta::days(1)), time(now + TimeDelta::days(3650))].concat()),
                name,
                public.as_ref().to_vec(),
            ]
            .concat(),
        );
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &unsigned, &mut signature)?;
        signature.insert(0, 0);
        let certificate =
            der(SEQUENCE, &[unsigned, RSA_SHA256.to_vec(), der(BIT_STRING, &signature)].concat());
        let private: Pkcs8V1Der<'_> = key.as_der()?;
        Ok(Self { key: pem("PRIVATE KEY", private.as_ref()), certificate })
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn named(name: &str) -> Vec<u8> {
    let attribute = der(SEQUENCE, &[COMMON_NAME.to_vec(), der(UTF8_STRING, name.as_bytes())].concat());
    der(SEQUENCE, &der(SET, &attribute))
}

fn time(at: DateTime<Utc>) -> Vec<u8> {
    der(UTC_TIME, at.format("%y%m%d%H%M%SZ").to_string().as_bytes())
}

/// Writes a value with its tag and its length (X.690 section 8.1.3).
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let [.., high, low] = value.len().to_be_bytes();
    let length: &[u8] = match (high, low) {
        (0, 0..0x80) => &[low],
        (0, _) => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[tag], length, value].concat()
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use jit_saml::signature::{SigningKey, VerificationKey};

    use super::*;

    #[test]
    fn a_certificate_holds_the_key_that_was_made() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let identity = Identity::generate("demo", now).unwrap();
        assert!(VerificationKey::from_certificate(&identity.certificate).is_ok());
        assert!(VerificationKey::from_pem(&identity.certificate_pem()).is_ok());
        assert!(SigningKey::from_pem(&identity.key).is_ok());
        assert_eq!(format!("{identity:?}"), "Identity { .. }");
    }
}
