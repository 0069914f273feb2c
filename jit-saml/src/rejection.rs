//! Every reason for which evidence is refused, each with a stable code.

use std::fmt;

use crate::response::Status;
use crate::signature::SignatureError;
use crate::xml::XmlError;

jit_core::reasons! {
    /// Says why evidence was refused. Carries no part of the evidence.
    ///
    /// Those of the reader, of signatures and of the provider's status are listed by [`codes::all`](crate::codes::all).
    pub enum Rejection {
        {
            /// The document, or what was decrypted in it, is not read.
            Xml(XmlError),
            /// The signature of the response does not hold.
            ResponseSignature(SignatureError),
            /// The signature of the assertion does not hold.
            AssertionSignature(SignatureError),
            /// The provider answered with another status than success (SAML Core §3.2.2.2).
            Status(Status),
        }

        // what the browser brings
        FormTooLarge = "saml.form_too_large", "the form is longer than 2 MiB or has more than 32 parameters";
        FormMalformed = "saml.form_malformed", "a parameter of the form is not valid UTF-8";
        FormAmbiguous = "saml.form_ambiguous", "a parameter of the form occurs twice";
        #[doc = "SAML Bindings §3.5.4."]
        ResponseMissing = "saml.response_missing", "the form holds no `SAMLResponse`";
        Base64Invalid = "saml.base64_invalid", "a parameter is not base64 with its padding";
        #[doc = "SAML Bindings §3.4.3 and §3.5.3."]
        RelayStateTooLong = "saml.relay_state_too_long", "`RelayState` is longer than 80 bytes";
        QueryTooLarge = "saml.query_too_large", "the query is longer than 64 KiB or has more than 32 parameters";
        QueryMalformed = "saml.query_malformed", "a parameter of the query is not valid UTF-8, oddly named or without its counterpart";
        QueryAmbiguous = "saml.query_ambiguous", "the query holds a parameter twice, or both a request and a response";
        #[doc = "SAML Bindings §3.4.4."]
        MessageMissing = "saml.message_missing", "the query holds neither `SAMLRequest` nor `SAMLResponse`";
        #[doc = "SAML Bindings §3.4.4."]
        EncodingUnsupported = "saml.encoding_unsupported", "the query names another encoding than DEFLATE";
        #[doc = "SAML Bindings §3.4.4.1."]
        DeflateInvalid = "saml.deflate_invalid", "the message is not one DEFLATE stream";
        DeflateTooLarge = "saml.deflate_too_large", "the message inflates to more than 256 KiB";

        // the sign-in that the response answers
        RelayStateMissing = "saml.relay_state_missing", "the form has no `RelayState`, so no sign-in can be found";
        StateNotThisBrowser = "saml.state_not_this_browser", "the sign-in was begun in another browser";
        StateUnknown = "saml.state_unknown", "no sign-in with this `RelayState` is pending";
        StateMalformed = "saml.state_malformed", "the stored sign-in cannot be read";
        StateExpired = "saml.state_expired", "the sign-in took too long";
        StateOtherConnection = "saml.state_other_connection", "the sign-in was begun at another connection";
        UnsolicitedRefused = "saml.unsolicited_refused", "nobody began this sign-in here, and the connection does not accept that";
        IdpUnknown = "saml.idp_unknown", "the connection knows no identity provider of that name";
        IdpExpired = "saml.idp_expired", "the metadata of the identity provider has run out";

        // the response
        #[doc = "SAML Profiles §4.1.4.2."]
        NotAResponse = "saml.not_a_response", "the document is not a SAML 2.0 response";
        #[doc = "SAML Core §1.3.4."]
        DuplicateId = "saml.duplicate_id", "the id of the response or the assertion is borne by another element";
        #[doc = "SAML Core §5.4."]
        SignatureUnexpected = "saml.signature_unexpected", "a signature stands where none is verified";
        #[doc = "SAML Profiles §4.1.4.5."]
        NotSigned = "saml.not_signed", "neither the response nor the assertion is signed";
        ResponseNotSigned = "saml.response_not_signed", "the response is not signed, which the connection demands";
        AssertionNotSigned = "saml.assertion_not_signed", "the assertion is not signed, which the connection demands";
        #[doc = "SAML Core §3.2.2."]
        ResponseMalformed = "saml.response_malformed", "the response holds a child, text or order that it may not have";
        #[doc = "SAML Core §4.1."]
        VersionUnsupported = "saml.version_unsupported", "`Version` is not 2.0";
        #[doc = "SAML Core §1.3.4."]
        IdMalformed = "saml.id_malformed", "the response or the assertion has no `ID`, or one that is no name";
        #[doc = "SAML Core §3.2.2."]
        IssueInstantMissing = "saml.issue_instant_missing", "the response or the assertion does not say when it was issued";
        #[doc = "SAML Core §1.3.3."]
        TimeMalformed = "saml.time_malformed", "a time is not written in UTC as SAML demands";
        IssuedInFuture = "saml.issued_in_future", "the response or the assertion was issued in the future";
        #[doc = "SAML Bindings §3.5.5.2."]
        DestinationMissing = "saml.destination_missing", "the response is signed and names no `Destination`";
        #[doc = "SAML Bindings §3.5.5.2."]
        DestinationMismatch = "saml.destination_mismatch", "`Destination` is not the address that the response came to";
        #[doc = "SAML Core §3.2.2."]
        InResponseToMissing = "saml.in_response_to_missing", "the response does not say which request it answers";
        #[doc = "SAML Profiles §4.1.4.3."]
        InResponseToMismatch = "saml.in_response_to_mismatch", "the response answers another request";
        #[doc = "SAML Profiles §4.1.5."]
        InResponseToUnexpected = "saml.in_response_to_unexpected", "the response answers a request although nobody asked here";
        #[doc = "SAML Profiles §4.1.4.2."]
        IssuerMissing = "saml.issuer_missing", "the response or the assertion does not name its issuer";
        #[doc = "SAML Core §8.3.6."]
        IssuerMalformed = "saml.issuer_malformed", "an issuer is not a text, or not the name of an entity";
        #[doc = "SAML Profiles §4.1.4.3."]
        IssuerMismatch = "saml.issuer_mismatch", "the issuer is not the identity provider that was asked";
        #[doc = "SAML Core §3.2.2.1."]
        StatusMissing = "saml.status_missing", "the response has no status";
        #[doc = "SAML Profiles §4.1.4.2."]
        AssertionMissing = "saml.assertion_missing", "the response holds no assertion";
        AssertionSeveral = "saml.assertion_several", "the response holds several assertions";

        // encryption
        EncryptionMalformed = "saml.encryption_malformed", "the encrypted element is not built as XML Encryption demands";
        EncryptionAlgorithm = "saml.encryption_algorithm", "the element is encrypted with an algorithm that is not accepted";
        EncryptionCbc = "saml.encryption_cbc", "the element is encrypted in CBC mode, and the response is not signed or the provider may not do that";
        EncryptionTooManyKeys = "saml.encryption_too_many_keys", "the element comes with more encrypted keys than are tried";
        DecryptionKeyMissing = "saml.decryption_key_missing", "the assertion is encrypted and the connection has no key to decrypt it";
        DecryptionFailed = "saml.decryption_failed", "no key of the connection decrypts the element";
        #[doc = "XML Encryption 1.0 §4.3.4."]
        DecryptedPrefixUnbound = "saml.decrypted_prefix_unbound", "what was decrypted uses a prefix that neither it nor what counts around it declares";

        // the assertion
        #[doc = "SAML Core §2.3.3."]
        AssertionMalformed = "saml.assertion_malformed", "the assertion holds a child, text or order that it may not have";
        #[doc = "SAML Profiles §4.1.4.2."]
        ConditionsMissing = "saml.conditions_missing", "the assertion has no conditions";
        #[doc = "SAML Core §2.5.1.1."]
        ConditionUnknown = "saml.condition_unknown", "the assertion holds a condition that is not understood";
        #[doc = "SAML Core §2.5.1.2."]
        NotYetValid = "saml.not_yet_valid", "the assertion is not valid yet";
        #[doc = "SAML Core §2.5.1.2."]
        Expired = "saml.expired", "the assertion is not valid any more";
        #[doc = "SAML Core §2.5.1.2."]
        ExpiresBeforeValid = "saml.expires_before_valid", "the assertion ends before it begins";
        #[doc = "SAML Profiles §4.1.4.2."]
        AudienceMissing = "saml.audience_missing", "the assertion names no audience";
        #[doc = "SAML Core §2.5.1.4."]
        AudienceMismatch = "saml.audience_mismatch", "an audience restriction does not name this service provider";
        #[doc = "SAML Profiles §4.1.4.2."]
        SubjectMissing = "saml.subject_missing", "the assertion has no subject";
        #[doc = "SAML Core §2.4.1."]
        SubjectMalformed = "saml.subject_malformed", "the subject is not built as SAML demands";
        #[doc = "SAML Profiles §3.3."]
        ConfirmationMissing = "saml.confirmation_missing", "the subject has no bearer confirmation with its data";
        #[doc = "SAML Profiles §4.1.4.2."]
        ConfirmationNotBefore = "saml.confirmation_not_before", "the bearer confirmation has a `NotBefore`, which it may not";
        #[doc = "SAML Profiles §4.1.4.2."]
        ConfirmationExpiryMissing = "saml.confirmation_expiry_missing", "the bearer confirmation does not say when it ends";
        #[doc = "SAML Profiles §4.1.4.3."]
        ConfirmationExpired = "saml.confirmation_expired", "the bearer confirmation has ended";
        #[doc = "SAML Profiles §4.1.4.2."]
        RecipientMissing = "saml.recipient_missing", "the bearer confirmation names no recipient";
        #[doc = "SAML Profiles §4.1.4.3."]
        RecipientMismatch = "saml.recipient_mismatch", "the recipient is not the address that the response came to";
        #[doc = "SAML Profiles §4.1.4.2."]
        AuthnStatementMissing = "saml.authn_statement_missing", "the assertion does not say how the person signed in";
        #[doc = "SAML Core §2.7.2."]
        AuthnStatementMalformed = "saml.authn_statement_malformed", "a statement about the sign-in is not built as SAML demands";
        AuthnInstantInFuture = "saml.authn_instant_in_future", "the person signed in in the future";
        #[doc = "SAML Core §3.4.1."]
        AuthenticationTooOld = "saml.authentication_too_old", "the person signed in longer ago than was demanded";
        #[doc = "SAML Profiles §4.1.4.3."]
        SessionOver = "saml.session_over", "the session at the identity provider is over";
        #[doc = "SAML Core §3.3.2.2.1."]
        AuthnContextMismatch = "saml.authn_context_mismatch", "the person signed in in another way than was demanded";
        #[doc = "SAML Core §2.7.3."]
        AttributeMalformed = "saml.attribute_malformed", "an attribute has no name, or a child that it may not have";
        #[doc = "SAML Core §2.5.1.5."]
        Replayed = "saml.replayed", "the assertion was used before";

        // whom it is about
        IssuerUnusable = "saml.issuer_unusable", "the name of the issuer is longer than a key may be, or holds control characters";
        NameIdMissing = "saml.name_id_missing", "the assertion names no `NameID`, which the connection takes as the subject";
        #[doc = "SAML Core §8.3."]
        NameIdNotStable = "saml.name_id_not_stable", "the format of the `NameID` does not promise the same name for good";
        SubjectAttributeMissing = "saml.subject_attribute_missing", "the attribute that the connection takes as the subject is missing or has no text";
        SubjectAttributeAmbiguous = "saml.subject_attribute_ambiguous", "the attribute that the connection takes as the subject has several values";
        #[doc = "SAML V2.0 Subject Identifier Attributes Profile §2.3."]
        SubjectScope = "saml.subject_scope", "the scope of the subject is not one of the identity provider";
        SubjectUnusable = "saml.subject_unusable", "the subject is empty, longer than a key may be, or holds control characters";
    }
}

impl Rejection {
    /// Tells whether a key that is not known yet may have made the signature.
    pub(crate) const fn may_be_a_new_key(self) -> bool {
        let (Self::ResponseSignature(error) | Self::AssertionSignature(error)) = self else { return false };
        error.may_be_a_new_key()
    }

    /// Returns the provider's status, where that is what refused the sign-in.
    #[must_use]
    pub const fn status(self) -> Option<Status> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResponseSignature(error) => write_signature(f, "the response", *error),
            Self::AssertionSignature(error) => write_signature(f, "the assertion", *error),
            rejection => f.write_str(rejection.meaning()),
        }
    }
}

/// Names what was missing: which of the two is not signed, and by whom.
fn write_signature(f: &mut fmt::Formatter<'_>, what: &str, error: SignatureError) -> fmt::Result {
    match error {
        SignatureError::Invalid => write!(f, "{what} is not signed by any key of this connection"),
        error => write!(f, "{what}: {}", error.meaning()),
    }
}

impl std::error::Error for Rejection {}

impl From<XmlError> for Rejection {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_follow_the_house_rules() {
        for rejection in Rejection::ALL {
            let message = rejection.to_string();
            assert!(!message.ends_with('.'), "{message}");
            assert!(message.starts_with(|c: char| c.is_lowercase() || c == '`'), "{message}");
        }
    }
}
