//! Reading metadata answers.
#![no_main]

use chrono::DateTime;
use jit_saml::crypto::AwsLc;
use jit_saml::metadata::{MetadataPolicy, VerifiedMetadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
    let Ok(metadata) = VerifiedMetadata::read(octets, &MetadataPolicy::pinned(), now, &AwsLc) else { return };
    assert_eq!(metadata.is_empty(), metadata.len() == 0);
});
