//! Why there is no answer.

use std::error::Error;

jit_core::reasons! {
    /// Says why there is no answer.
    pub enum HttpFailureKind {
        SchemeRefused = "http.scheme_refused", "the address is not https";
        AddressRefused = "http.address_refused", "the host has an address that must not be reached";
        TooLarge = "http.too_large", "the answer is too large";
        Timeout = "http.timeout", "there was no answer in time";
        Unreachable = "http.unreachable", "the host cannot be reached";
        Invalid = "http.invalid", "the request cannot be sent, or the client cannot be built";
    }
}

/// There is no answer. Neither the text nor the cause holds the address, which may carry a secret.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct HttpFailure {
    kind: HttpFailureKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl HttpFailure {
    pub(crate) const fn new(kind: HttpFailureKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub const fn kind(&self) -> HttpFailureKind {
        self.kind
    }

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }
}
