//! What can go wrong in a sign-in.

use jit_core::{BackendError, Code, ErrorClass, VerifyError};

use crate::http::FetchError;
use crate::rejection::Rejection;

/// Why a sign-in did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The evidence is refused.
    #[error("the sign-in is refused")]
    Rejected(#[from] Rejection),
    /// The provider could not be asked.
    #[error("the provider could not be asked")]
    Fetch(#[source] FetchError),
    /// The sign-in could not be stored or taken, or there was no randomness.
    #[error("the pending sign-in could not be kept")]
    Store(#[from] BackendError),
    /// The client's key cannot sign, or a request cannot be written.
    #[error("the client is not configured in a way that works")]
    Client,
}

impl LoginError {
    /// The code of [`LoginError::Client`].
    pub const CLIENT: &'static str = "oidc.client_unusable";

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Rejected(rejection) => Code::new(rejection.code()),
            Self::Fetch(error) => Code::new(error.code()),
            Self::Store(error) => error.code(),
            Self::Client => Code::new(Self::CLIENT),
        }
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Rejected(rejection) if rejection.is_transient() => ErrorClass::Transient,
            Self::Rejected(Rejection::ClientRefused) | Self::Client => ErrorClass::Permanent,
            Self::Rejected(_) => ErrorClass::Rejected,
            Self::Fetch(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }

    /// Returns the rule that the evidence broke, if that is what happened.
    #[must_use]
    pub const fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected(rejection) | Self::Fetch(FetchError::Rejected(rejection)) => Some(*rejection),
            _ => None,
        }
    }
}

impl From<FetchError> for LoginError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
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
