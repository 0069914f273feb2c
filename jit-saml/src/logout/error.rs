//! What can go wrong in a sign-out.

use jit_core::{BackendError, Code, ErrorClass};

use super::rejection::LogoutRejection;
use crate::error::LoginError;
use crate::idp::IdpSourceError;
use crate::metadata::MetadataError;
use crate::rejection::Rejection;

/// Why a sign-out did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutError {
    /// The message is refused.
    #[error("the message is refused")]
    Rejected(#[from] LogoutRejection),
    /// Something could not be looked up or kept, or there was no randomness.
    #[error("what the sign-out needs could not be looked up or kept")]
    Store(#[from] BackendError),
    /// The metadata of the provider cannot be had now.
    #[error("the metadata of the identity provider cannot be had now")]
    Metadata(#[from] MetadataError),
    /// The provider takes no sign-outs.
    #[error("the provider has no address for sign-outs")]
    NoEndpoint,
    /// The message could not be signed or packed.
    #[error("the message could not be signed")]
    NotSent,
}

impl LogoutError {
    /// The code of [`LogoutError::NoEndpoint`].
    pub const NO_ENDPOINT: &'static str = "saml.logout_no_endpoint";
    /// The code of [`LogoutError::NotSent`].
    pub const NOT_SENT: &'static str = "saml.logout_not_sent";

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(rejection) => Code::new(rejection.code()),
            Self::Store(error) => error.code(),
            Self::Metadata(_) => Code::new(LoginError::METADATA),
            Self::NoEndpoint => Code::new(Self::NO_ENDPOINT),
            Self::NotSent => Code::new(Self::NOT_SENT),
        }
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Rejected(LogoutRejection::Message(Rejection::IdpExpired)) | Self::Metadata(_) => {
                ErrorClass::Transient
            }
            Self::Rejected(_) => ErrorClass::Rejected,
            Self::Store(error) => error.class(),
            Self::NoEndpoint => ErrorClass::Denied,
            Self::NotSent => ErrorClass::Permanent,
        }
    }

    /// Returns the rule that the message broke, if that is what happened.
    #[must_use]
    pub const fn rejection(&self) -> Option<LogoutRejection> {
        match self {
            Self::Rejected(rejection) => Some(*rejection),
            _ => None,
        }
    }
}

impl From<IdpSourceError> for LogoutError {
    fn from(error: IdpSourceError) -> Self {
        match error {
            IdpSourceError::Store(error) => Self::Store(error),
            IdpSourceError::Metadata(error) => Self::Metadata(error),
        }
    }
}
