//! Why a signature does not count, each with a stable code.

jit_core::reasons! {
    /// Says why a signature does not count.
    pub enum SignatureError {
        // where the signature stands
        Missing = "saml.signature_missing", "the element is not signed";
        #[doc = "SAML Core §5.4.1."]
        Misplaced = "saml.signature_misplaced", "the signature does not stand after the issuer, or first where there is none";
        Repeated = "saml.signature_repeated", "the element has two signatures";
        Nested = "saml.signature_nested", "a signature stands inside a signature";
        #[doc = "XML Signature §4.1."]
        Malformed = "saml.signature_malformed", "the signature has other parts than the profile allows";

        // what it says
        CanonicalizationNotAllowed = "saml.canonicalization_not_allowed", "the canonicalisation is not the exclusive one";
        AlgorithmNotAllowed = "saml.signature_algorithm_not_allowed", "the signature algorithm is not on the list";
        DigestNotAllowed = "saml.digest_algorithm_not_allowed", "the digest algorithm is not on the list";
        Sha1NotAllowed = "saml.sha1_not_allowed", "SHA-1 is not allowed, or not any more";
        #[doc = "SAML Core §5.4.2."]
        ReferenceCount = "saml.reference_count", "the signature covers nothing or more than one thing";
        #[doc = "SAML Core §5.4.2."]
        ReferenceMismatch = "saml.reference_mismatch", "the signature names another element than the one it stands in";
        #[doc = "SAML Core §5.4.4."]
        TransformsNotAllowed = "saml.transforms_not_allowed", "the transforms are not exactly enveloped and exclusive";
        IdentifierMissing = "saml.id_missing", "the signed element has no `ID`";
        IdentifierRepeated = "saml.id_repeated", "the identifier of the signed element is borne by another one";
        DigestMalformed = "saml.digest_malformed", "the digest is not text in base64 of the right length";
        ValueMalformed = "saml.signature_value_malformed", "the signature value is not text in base64";

        // whether it is true
        CanonicalTooLarge = "saml.canonical_too_large", "what is signed is much longer in its canonical form than as it is written";
        KeyMissing = "saml.key_missing", "the connection has no usable key";
        KeyMismatch = "saml.key_mismatch", "no key of the connection is of the kind that the signature algorithm needs";
        #[doc = "XML Signature §3.2.2."]
        Invalid = "saml.signature_invalid", "the signature was not made by any key of this connection";
        #[doc = "XML Signature §3.2.1."]
        DigestMismatch = "saml.digest_mismatch", "the element is not what was signed";
    }
}

impl SignatureError {
    /// Tells whether a key that is not known yet may have made the signature.
    pub(crate) const fn may_be_a_new_key(self) -> bool {
        matches!(self, Self::KeyMissing | Self::KeyMismatch | Self::Invalid)
    }
}
