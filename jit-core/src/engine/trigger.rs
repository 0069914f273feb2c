//! The port where evidence comes in.

use std::{error::Error, fmt};

use async_trait::async_trait;

use super::Event;
use crate::{Code, ErrorClass};

/// Verifies evidence of one connection. Adapters implement it, one for each kind of evidence.
#[cfg_attr(feature = "mocks", mockall::automock(type Evidence = Vec<u8>;))]
#[async_trait]
pub trait Trigger: Send + Sync {
    /// What the protocol delivers and nobody trusts yet.
    type Evidence: Send;

    /// Verifies evidence and yields what happened.
    ///
    /// # Errors
    /// [`VerifyError`] with the code of the check that failed.
    ///
    /// # Cancel safety
    /// One-time values may have been taken; the evidence is then spent.
    async fn verify(&self, evidence: Self::Evidence) -> Result<Event, VerifyError>;
}

/// Says why evidence was refused, or could not be verified now.
pub struct VerifyError {
    class: ErrorClass,
    code: Code,
    source: Box<dyn Error + Send + Sync>,
}

impl VerifyError {
    /// Refuses evidence: the same evidence will be refused again.
    #[must_use]
    pub fn rejected(code: Code, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class: ErrorClass::Rejected, code, source: source.into() }
    }

    /// Reports that verification was not possible now.
    #[must_use]
    pub fn transient(code: Code, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class: ErrorClass::Transient, code, source: source.into() }
    }

    /// Reports that configuration or code must be mended first.
    #[must_use]
    pub fn permanent(code: Code, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { class: ErrorClass::Permanent, code, source: source.into() }
    }

    /// What a caller should do about it.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        self.class
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the evidence was not accepted ({})", self.code)
    }
}

impl fmt::Debug for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyError")
            .field("class", &self.class)
            .field("code", &self.code)
            .field("source", &self.source)
            .finish()
    }
}

impl Error for VerifyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source: &(dyn Error + 'static) = self.source.as_ref();
        Some(source)
    }
}
