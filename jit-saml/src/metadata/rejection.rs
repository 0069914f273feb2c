//! Why metadata, or one entity in it, cannot be used; and what is odd but does no harm.

jit_core::reasons! {
    /// Says why metadata was refused. Carries no part of the document.
    pub enum MetadataRejection {
        Root = "saml.metadata_root", "the root is neither an `EntityDescriptor` nor an `EntitiesDescriptor`";
        Unsigned = "saml.metadata_unsigned", "the root is not signed, and the policy demands a signature";
        EndMissing = "saml.metadata_end_missing", "the root has no `validUntil`";
        EndMalformed = "saml.metadata_end_malformed", "a `validUntil` is not a time in UTC";
        EndTooFar = "saml.metadata_end_too_far", "`validUntil` of the root lies further ahead than the policy allows";
        Expired = "saml.metadata_expired", "`validUntil` has passed";
        TooDeep = "saml.metadata_too_deep", "groups of entities are nested deeper than 16 levels";
        Older = "saml.metadata_older", "the document was published before the one that is in use";
        EntityUnknown = "saml.metadata_entity_unknown", "the metadata holds no identity provider of that name";
        EntityAmbiguous = "saml.metadata_entity_ambiguous", "the metadata holds several identity providers of that name";
        EntityId = "saml.metadata_entity_id", "the name of the entity is missing or not 1 to 1024 printable characters";
        NoProvider = "saml.metadata_no_provider", "the entity is no identity provider for SAML 2.0";
        NoSigningKey = "saml.metadata_no_signing_key", "the identity provider has no usable key that verifies signatures";
        NoSignOnEndpoint = "saml.metadata_no_sign_on_endpoint", "the identity provider has no usable address for sign-in by redirect or POST";
        Source = "saml.metadata_source", "the address of the metadata is not https, or the policy is not one for the network";
        NotFetched = "saml.metadata_not_fetched", "no valid metadata could be fetched yet";
    }
}

jit_core::reasons! {
    /// Says what was left out of an entity that can be used nevertheless.
    pub enum MetadataWarning {
        KeyMissing = "saml.metadata_key_missing", "a key descriptor holds neither a certificate nor a key value";
        KeyMalformed = "saml.metadata_key_malformed", "a key or certificate cannot be read";
        KeyUnsupported = "saml.metadata_key_unsupported", "a key is of a kind or size that is not accepted";
        KeyUse = "saml.metadata_key_use", "a key descriptor is for something other than signing and encryption";
        FurtherCertificate = "saml.metadata_further_certificate", "a certificate after the first of its key descriptor is not used";
        TooManyKeys = "saml.metadata_too_many_keys", "keys after the thirty-second are not used";
        EndpointRefused = "saml.metadata_endpoint_refused", "the address of an endpoint is not https";
        EndpointMalformed = "saml.metadata_endpoint_malformed", "an endpoint lacks its binding or address";
        ScopePattern = "saml.metadata_scope_pattern", "a scope is a regular expression and is not used";
        ScopeMalformed = "saml.metadata_scope_malformed", "a scope is empty or holds something other than text";
        AddressRefused = "saml.metadata_address_refused", "an address for people is not https and is not shown";
        SecondRole = "saml.metadata_second_role", "a second role of the same kind is not used";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_every_message_follows_the_house_rules() {
        let rejections = MetadataRejection::ALL.iter().map(|reason| (reason.code(), reason.meaning()));
        let warnings = MetadataWarning::ALL.iter().map(|reason| (reason.code(), reason.meaning()));
        let all: Vec<_> = rejections.chain(warnings).collect();
        assert_eq!(all.iter().map(|(code, _)| code).collect::<BTreeSet<_>>().len(), all.len());
        for (code, meaning) in all {
            assert!(code.starts_with("saml.metadata_"), "{code}");
            assert!(!meaning.ends_with('.') && !meaning.starts_with(char::is_uppercase), "{meaning}");
        }
    }
}
