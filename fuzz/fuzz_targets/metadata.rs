//! Reading metadata answers, and so does describing each provider that it names.
#![no_main]

use chrono::DateTime;
use jit_saml::crypto::AwsLc;
use jit_saml::metadata::{MetadataPolicy, VerifiedMetadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let now = DateTime::from_timestamp(1_800_014_400, 0).unwrap();
    let Ok(metadata) = VerifiedMetadata::read(octets, &MetadataPolicy::pinned(), now, &AwsLc) else { return };
    assert_eq!(metadata.entity_ids().count(), metadata.len());
    for name in metadata.entity_ids() {
        match metadata.descriptor(name, now) {
            Ok(described) => assert_eq!(described.entity_id, name),
            Err(error) => assert_ne!(error.code().as_str(), "saml.metadata_entity_unknown", "{name}"),
        }
    }
});
