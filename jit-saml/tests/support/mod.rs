//! A small identity provider: writes responses, signs and encrypts them. Keys are made when the tests run.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says with a panic what went wrong")]

mod draft;
mod seal;

pub(crate) use draft::Draft;
pub(crate) use seal::{Cipher, Layout, Recipe, decryption_key};

use std::sync::OnceLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use chrono::{DateTime, TimeDelta, Utc};
use jit_saml::crypto::{AwsLc, VerificationKey};
use jit_saml::idp::TrustedIdp;
use jit_saml::response::{Expectations, Solicitation, VerifiedResponse, verify_response};
use jit_saml::signature::SigningKey;
use jit_saml::{Rejection, binding::Binding, binding::Endpoint};

pub(crate) const IDP: &str = "https://idp.example.org/metadata";
pub(crate) const SP: &str = "https://sp.example.com/saml";
pub(crate) const ACS: &str = "https://sp.example.com/saml/acs";
pub(crate) const REQUEST: &str = "_request1";

/// 2027-01-15T12:00:00Z, the instant at which drafts are issued.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_014_400, 0).unwrap()
}

pub(crate) fn later(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

/// The key of the provider.
pub(crate) fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(new_key)
}

pub(crate) fn new_key() -> SigningKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    SigningKey::from_pkcs8(pair.to_pkcs8v1().unwrap().as_ref()).unwrap()
}

pub(crate) fn verification_key(key: &SigningKey) -> VerificationKey {
    VerificationKey::from_public_key_info(&key.public_key_info().unwrap()).unwrap()
}

/// The provider as it is trusted.
pub(crate) fn trusted() -> TrustedIdp {
    TrustedIdp::new(IDP, vec![verification_key(key())])
        .with_sign_on(vec![Endpoint::new(Binding::Redirect, "https://idp.example.org/sso").unwrap()])
}

/// Verifies with what a usual sign-in demands, changed by `adjust`.
pub(crate) fn verify_with(
    xml: &str,
    idp: &TrustedIdp,
    adjust: impl FnOnce(&mut Expectations<'_>),
) -> Result<VerifiedResponse, Rejection> {
    let mut expected = Expectations::new(SP, ACS, idp, Solicitation::Request(REQUEST), now(), &AwsLc);
    adjust(&mut expected);
    verify_response(xml.as_bytes(), &expected)
}

pub(crate) fn verify(xml: &str) -> Result<VerifiedResponse, Rejection> {
    verify_with(xml, &trusted(), |_| {})
}

/// The code of a refusal; `accepted` where there was none.
pub(crate) fn code(outcome: &Result<VerifiedResponse, Rejection>) -> &'static str {
    outcome.as_ref().err().map_or("accepted", |rejection| rejection.code())
}
