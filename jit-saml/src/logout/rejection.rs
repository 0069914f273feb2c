//! Why a message of a sign-out is refused.

use std::fmt;

use crate::rejection::Rejection;
use crate::signature::SignatureError;
use crate::xml::XmlError;

jit_core::reasons! {
    /// Says why a message of a sign-out was refused. Carries no part of the message.
    pub enum LogoutRejection {
        {
            /// The query, the form or an encrypted name is refused.
            Message(Rejection),
            /// The message is not strict XML within the limits.
            Xml(XmlError),
            /// The signature of the message does not hold.
            Signature(SignatureError),
        }

        #[doc = "SAML Core §3.7.1 and §3.7.2."]
        Root = "saml.logout_root", "the message is not the logout request or response that its parameter promises";
        IssuerUnknown = "saml.logout_issuer_unknown", "no identity provider of the issuer's name is trusted";
        #[doc = "SAML Profiles §4.4.4.1 and §4.4.4.2."]
        Unsigned = "saml.logout_unsigned", "the message is not signed in the way of its binding";
        #[doc = "SAML Bindings §3.4.4.1."]
        SignatureMisplaced = "saml.logout_signature_misplaced", "the message holds a signature that nobody verified";
        Malformed = "saml.logout_malformed", "the message holds an element or text where it may not";
        #[doc = "SAML Core §3.2.1."]
        Version = "saml.logout_version", "`Version` is not 2.0";
        #[doc = "SAML Core §1.3.4."]
        IdMissing = "saml.logout_id_missing", "`ID` is missing or not a name of 1 to 256 characters";
        #[doc = "SAML Profiles §4.4.4.1."]
        IssuerMissing = "saml.logout_issuer_missing", "`Issuer` is missing";
        IssuerMismatch = "saml.logout_issuer_mismatch", "`Issuer` is not the identity provider";
        #[doc = "SAML Bindings §3.4.5.2 and §3.5.5.2."]
        DestinationMissing = "saml.logout_destination_missing", "`Destination` is missing";
        DestinationMismatch = "saml.logout_destination_mismatch", "`Destination` is not the address that the message came to";
        #[doc = "SAML Core §1.3.3."]
        TimeMalformed = "saml.logout_time_malformed", "a time is missing or not in UTC";
        IssuedInFuture = "saml.logout_issued_in_future", "the message was issued in the future";
        IssuedTooLongAgo = "saml.logout_issued_too_long_ago", "the message was issued too long ago";
        #[doc = "SAML Core §3.7.1."]
        Expired = "saml.logout_expired", "`NotOnOrAfter` has passed";
        #[doc = "SAML Core §3.7.1."]
        NameMissing = "saml.logout_name_missing", "the request names nobody by `NameID` or `EncryptedID`";
        NameMalformed = "saml.logout_name_malformed", "the name of the person holds something other than text, or none";
        SessionIndexMalformed = "saml.logout_session_index_malformed", "a `SessionIndex` holds something other than text, or none";
        TooManySessions = "saml.logout_too_many_sessions", "the request names more than 256 sessions";
        Replayed = "saml.logout_replayed", "the request was received before";
        #[doc = "SAML Core §3.2.2."]
        InResponseToMissing = "saml.logout_in_response_to_missing", "`InResponseTo` is missing";
        InResponseToUnknown = "saml.logout_in_response_to_unknown", "no sign-out that the response could answer is pending";
        OtherProvider = "saml.logout_other_provider", "the response comes from another identity provider than was asked";
        #[doc = "SAML Core §3.2.2.1."]
        StatusMissing = "saml.logout_status_missing", "the response has no status code";
    }
}

impl From<Rejection> for LogoutRejection {
    fn from(rejection: Rejection) -> Self {
        Self::Message(rejection)
    }
}

impl From<XmlError> for LogoutRejection {
    fn from(error: XmlError) -> Self {
        Self::Xml(error)
    }
}

impl From<SignatureError> for LogoutRejection {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl fmt::Display for LogoutRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.meaning())
    }
}

impl std::error::Error for LogoutRejection {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_unique_and_every_message_follows_the_house_rules() {
        let codes: BTreeSet<_> = LogoutRejection::ALL.iter().map(|rejection| rejection.code()).collect();
        assert_eq!(codes.len(), LogoutRejection::ALL.len());
        assert!(codes.iter().all(|code| code.starts_with("saml.logout_")));
        for rejection in LogoutRejection::ALL {
            let message = rejection.to_string();
            assert!(!message.ends_with('.') && !message.starts_with(char::is_uppercase), "{message}");
        }
    }
}
