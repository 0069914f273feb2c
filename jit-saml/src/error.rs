//! What can go wrong in a sign-in.

use jit_core::{BackendError, Code, ErrorClass, VerifyError};

use crate::idp::IdpSourceError;
use crate::metadata::MetadataError;
use crate::rejection::Rejection;

/// Why a sign-in did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The evidence is refused.
    #[error("the sign-in is refused")]
    Rejected(#[from] Rejection),
    /// The sign-in or the provider could not be looked up or kept, or there was no randomness.
    #[error("what the sign-in needs could not be looked up or kept")]
    Store(#[from] BackendError),
    /// The metadata of the provider cannot be had now.
    #[error("the metadata of the identity provider cannot be had now")]
    Metadata(#[from] MetadataError),
    /// The request cannot be written: no provider is named, it has no endpoint, or the key cannot sign.
    #[error("the connection is not configured in a way that works")]
    Client,
}

impl LoginError {
    /// The code of [`LoginError::Client`].
    pub const CLIENT: &'static str = "saml.client_unusable";
    /// The code of [`LoginError::Metadata`]; its source tells why.
    pub const METADATA: &'static str = "saml.metadata_unavailable";

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(rejection) => Code::new(rejection.code()),
            Self::Store(error) => error.code(),
            Self::Metadata(_) => Code::new(Self::METADATA),
            Self::Client => Code::new(Self::CLIENT),
        }
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            // nothing that the person did, and what a provider publishes changes
            Self::Rejected(Rejection::IdpExpired) | Self::Metadata(_) => ErrorClass::Transient,
            Self::Rejected(_) => ErrorClass::Rejected,
            Self::Store(error) => error.class(),
            Self::Client => ErrorClass::Permanent,
        }
    }

    /// Returns the rule that the evidence broke, if that is what happened.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected(rejection) => Some(*rejection),
            _ => None,
        }
    }
}

impl From<IdpSourceError> for LoginError {
    fn from(error: IdpSourceError) -> Self {
        match error {
            IdpSourceError::Store(error) => Self::Store(error),
            IdpSourceError::Metadata(error) => Self::Metadata(error),
        }
    }
}

impl From<LoginError> for VerifyError {
    fn from(error: LoginError) -> Self {
        let code = error.code();
        match error.class() {
            ErrorClass::Transient => Self::transient(code, error),
            ErrorClass::Permanent => Self::permanent(code, error),
            ErrorClass::Rejected | ErrorClass::Denied => Self::rejected(code, error),
        }
    }
}
