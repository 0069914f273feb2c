//! What the provider says came of the request (SAML Core §3.2.2.2).

use crate::names::SAMLP;
use crate::rejection::Rejection;
use crate::xml::Element;

macro_rules! status_codes {
    ($( $(#[$note:meta])* $variant:ident = $uri:literal, $code:literal, $meaning:literal; )+) => {
        /// One status code of SAML Core §3.2.2.2.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum StatusCode {
            $( #[doc = concat!("`", $code, "`: ", $meaning, ".")] $variant, )+
            /// `saml.status_other`: the provider answered with a status of its own.
            Other,
        }

        impl StatusCode {
            /// Lists all of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+ Self::Other];

            /// Names it; stable across releases.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ Self::Other => "saml.status_other" }
            }

            /// Explains it in one phrase.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)+
                    Self::Other => "the provider answered with a status of its own",
                }
            }

            fn from_uri(uri: &str) -> Self {
                match uri.strip_prefix("urn:oasis:names:tc:SAML:2.0:status:") {
                    $(Some($uri) => Self::$variant,)+
                    _ => Self::Other,
                }
            }
        }
    };
}

status_codes! {
    Success = "Success", "saml.status_success", "the request succeeded";
    Requester = "Requester", "saml.status_requester", "the provider says that the request is wrong";
    Responder = "Responder", "saml.status_responder", "the provider says that it failed";
    VersionMismatch = "VersionMismatch", "saml.status_version_mismatch", "the provider does not speak SAML 2.0";
    AuthnFailed = "AuthnFailed", "saml.status_authn_failed", "the person could not be authenticated";
    InvalidAttrNameOrValue = "InvalidAttrNameOrValue", "saml.status_invalid_attribute", "the provider met an attribute that it cannot use";
    InvalidNameIdPolicy = "InvalidNameIDPolicy", "saml.status_invalid_name_id_policy", "the provider cannot give the `NameID` that was asked for";
    NoAuthnContext = "NoAuthnContext", "saml.status_no_authn_context", "the provider cannot sign the person in as was demanded";
    NoAvailableIdp = "NoAvailableIDP", "saml.status_no_available_idp", "no provider behind this one is available";
    NoPassive = "NoPassive", "saml.status_no_passive", "the provider must ask the person, which the request forbids";
    NoSupportedIdp = "NoSupportedIDP", "saml.status_no_supported_idp", "no provider behind this one is supported";
    PartialLogout = "PartialLogout", "saml.status_partial_logout", "not every session could be ended";
    ProxyCountExceeded = "ProxyCountExceeded", "saml.status_proxy_count_exceeded", "the request passed through too many providers";
    RequestDenied = "RequestDenied", "saml.status_request_denied", "the provider or the person refused the sign-in";
    RequestUnsupported = "RequestUnsupported", "saml.status_request_unsupported", "the provider does not support the request";
    RequestVersionDeprecated = "RequestVersionDeprecated", "saml.status_request_version_deprecated", "the provider does not take this version any more";
    RequestVersionTooHigh = "RequestVersionTooHigh", "saml.status_request_version_too_high", "the provider does not take this version yet";
    RequestVersionTooLow = "RequestVersionTooLow", "saml.status_request_version_too_low", "the version of the request is too low";
    ResourceNotRecognized = "ResourceNotRecognized", "saml.status_resource_not_recognized", "the provider does not know the resource";
    TooManyResponses = "TooManyResponses", "saml.status_too_many_responses", "the provider has more to say than it can";
    UnknownAttrProfile = "UnknownAttrProfile", "saml.status_unknown_attribute_profile", "the provider does not know the attribute profile";
    UnknownPrincipal = "UnknownPrincipal", "saml.status_unknown_principal", "the provider does not know the person";
    UnsupportedBinding = "UnsupportedBinding", "saml.status_unsupported_binding", "the provider cannot answer by the binding that was asked for";
}

/// What the provider says came of the request. Unsigned as it may be, it only ever refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Status {
    /// Who is to blame.
    pub top: StatusCode,
    /// What happened, where the provider says so.
    pub second: Option<StatusCode>,
}

impl Status {
    /// Reads a `Status`. `StatusMessage` and `StatusDetail` are not read: they are texts of whoever wrote the response.
    pub(crate) fn read(status: Element<'_>) -> Result<Self, Rejection> {
        let mut codes = status.children().filter(|child| child.is(SAMLP, "StatusCode"));
        let (Some(top), None) = (codes.next(), codes.next()) else { return Err(Rejection::StatusMissing) };
        let value = |code: Element<'_>| code.attribute("Value").map(StatusCode::from_uri);
        let second = top.children().find(|child| child.is(SAMLP, "StatusCode"));
        Ok(Self { top: value(top).ok_or(Rejection::StatusMissing)?, second: second.and_then(value) })
    }

    /// Tells whether the request succeeded.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self.top, StatusCode::Success)
    }

    /// Names what happened, or who is to blame where nothing is said of that; stable across releases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.telling().code()
    }

    /// Explains the code in one phrase.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.telling().meaning()
    }

    const fn telling(self) -> StatusCode {
        match self.second {
            None | Some(StatusCode::Other | StatusCode::Success) => self.top,
            Some(second) => second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Document, Limits};

    fn read(inner: &str) -> Result<Status, Rejection> {
        let xml = format!("<s:Status xmlns:s=\"{SAMLP}\">{inner}</s:Status>");
        Status::read(Document::parse(xml.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn the_second_code_tells_what_happened() {
        let uri = |name| format!("urn:oasis:names:tc:SAML:2.0:status:{name}");
        let nested = |top, second: &str| {
            read(&format!(
                "<s:StatusCode Value=\"{}\"><s:StatusCode Value=\"{second}\"/></s:StatusCode>",
                uri(top)
            ))
        };
        let status = nested("Responder", &uri("NoPassive")).unwrap();
        assert_eq!((status.code(), status.is_success()), ("saml.status_no_passive", false));
        assert_eq!(nested("Responder", "urn:own").unwrap().code(), "saml.status_responder");
        assert!(nested("Success", &uri("PartialLogout")).unwrap().is_success());
        assert_eq!(read("<s:StatusCode Value=\"urn:own\"/>").unwrap().code(), "saml.status_other");
        for odd in ["", "<s:StatusCode/>", "<s:StatusCode Value=\"a\"/><s:StatusCode Value=\"b\"/>"] {
            assert_eq!(read(odd), Err(Rejection::StatusMissing));
        }
    }
}
