//! Verification answers, and never accepts under a key that nobody has.
#![no_main]

use std::sync::OnceLock;

use chrono::DateTime;
use jit_saml::crypto::{AwsLc, VerificationKey};
use jit_saml::idp::TrustedIdp;
use jit_saml::response::{Expectations, Solicitation, verify_response};
use libfuzzer_sys::fuzz_target;

/// The base point of P-256, whose private key is 1; nothing here signs with it.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----";

fn idp() -> &'static TrustedIdp {
    static IDP: OnceLock<TrustedIdp> = OnceLock::new();
    IDP.get_or_init(|| TrustedIdp::new("https://idp.example.org/metadata", vec![VerificationKey::from_pem(KEY).unwrap()]))
}

fuzz_target!(|octets: &[u8]| {
    let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
    let request = Solicitation::Request("_request1");
    let (sp, acs) = ("https://sp.example.com/saml", "https://sp.example.com/saml/acs");
    assert!(verify_response(octets, &Expectations::new(sp, acs, idp(), request, now, &AwsLc)).is_err());
});
