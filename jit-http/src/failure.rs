//! Why there is no answer.

use std::error::Error;

/// Says why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpFailureKind {
    /// The address is not https.
    SchemeRefused,
    /// The host is, or resolves to, an address that the client must not reach.
    AddressRefused,
    /// The body is longer than allowed.
    TooLarge,
    /// The answer took too long.
    Timeout,
    /// The host cannot be reached, or the connection broke.
    Unreachable,
    /// The request cannot be sent as it is, or the client cannot be built.
    Invalid,
}

impl HttpFailureKind {
    /// Lists every kind.
    pub const ALL: &'static [Self] = &[
        Self::SchemeRefused,
        Self::AddressRefused,
        Self::TooLarge,
        Self::Timeout,
        Self::Unreachable,
        Self::Invalid,
    ];

    /// Names the kind; stable across releases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SchemeRefused => "http.scheme_refused",
            Self::AddressRefused => "http.address_refused",
            Self::TooLarge => "http.too_large",
            Self::Timeout => "http.timeout",
            Self::Unreachable => "http.unreachable",
            Self::Invalid => "http.invalid",
        }
    }

    /// Explains the code in one phrase.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SchemeRefused => "the address is not https",
            Self::AddressRefused => "the host has an address that must not be reached",
            Self::TooLarge => "the answer is too large",
            Self::Timeout => "there was no answer in time",
            Self::Unreachable => "the host cannot be reached",
            Self::Invalid => "the request cannot be sent, or the client cannot be built",
        }
    }
}

/// There is no answer. Neither the text nor the cause holds the address, which may carry a secret.
#[derive(Debug, thiserror::Error)]
#[error("{}", .kind.meaning())]
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
