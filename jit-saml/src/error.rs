//! What can go wrong in a sign-in.

use jit_core::{BackendError, Code, ErrorClass, VerifyError};

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
    /// The request cannot be written: no provider is named, it has no endpoint, or the key cannot sign.
    #[error("the connection is not configured in a way that works")]
    Client,
}

impl LoginError {
    /// The code of [`LoginError::Client`].
    pub const CLIENT: &'static str = "saml.client_unusable";

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(rejection) => Code::new(rejection.code()),
            Self::Store(error) => error.code(),
            Self::Client => Code::new(Self::CLIENT),
        }
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Rejected(Rejection::IdpExpired) => ErrorClass::Transient,
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
            Self::Store(_) | Self::Client => None,
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
