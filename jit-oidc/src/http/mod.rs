//! The one door to the network: a trait, so that an application can bring its own client.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use jit_core::ErrorClass;

use crate::rejection::Rejection;

#[cfg(feature = "http-reqwest")]
mod guarded;

#[cfg(feature = "http-reqwest")]
pub use jit_http::{DangerousOptions, GuardedHttp, GuardedHttpBuilder};

/// Sends one request and reads one response.
///
/// An implementation must not follow redirects, must stop reading beyond `max_body`, must bound the time, and must
/// not reach addresses that only this machine or its network can reach, unless it was told to.
#[async_trait]
pub trait Http: Send + Sync + fmt::Debug {
    /// Sends a request; a response of any status is an answer.
    ///
    /// # Errors
    /// [`HttpError`] with an `oidc.http_…` code when there is no answer, or one that is too large.
    ///
    /// # Cancel safety
    /// The request may have reached the provider.
    async fn send(&self, request: Request<Bytes>, max_body: usize) -> Result<Response<Bytes>, HttpError>;
}

jit_core::reasons! {
    /// Says why there is no answer.
    pub enum HttpErrorKind {
        SchemeRefused = "oidc.http_scheme_refused", "the address is not https";
        AddressRefused = "oidc.http_address_refused", "the host has an address that must not be reached";
        TooLarge = "oidc.http_too_large", "the response is too large";
        Timeout = "oidc.http_timeout", "the provider did not answer in time";
        Unreachable = "oidc.http_unreachable", "the provider cannot be reached";
        Invalid = "oidc.http_invalid", "the request cannot be sent";
    }
}

/// A failure to get an answer.
#[derive(Debug, Clone)]
pub struct HttpError {
    kind: HttpErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl HttpError {
    /// Describes a failure.
    #[must_use]
    pub const fn new(kind: HttpErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub const fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// Tells what a caller should do about it.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self.kind {
            HttpErrorKind::Timeout | HttpErrorKind::Unreachable => ErrorClass::Transient,
            _ => ErrorClass::Permanent,
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.meaning())
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Why a document of the provider is not at hand.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There was no answer.
    #[error("{operation} failed")]
    Http {
        /// What was fetched.
        operation: &'static str,
        /// Why there was no answer.
        source: HttpError,
    },
    /// The answer has another status than it should.
    #[error("{operation}: the provider answered with status {status}")]
    Status {
        /// What was fetched.
        operation: &'static str,
        /// The status.
        status: u16,
    },
    /// The answer breaks a rule.
    #[error("the document of the provider is refused")]
    Rejected(#[from] Rejection),
}

impl FetchError {
    /// The code of [`FetchError::Status`].
    pub const STATUS: &'static str = "oidc.http_status";

    /// Returns the stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Http { source, .. } => source.kind.code(),
            Self::Status { .. } => Self::STATUS,
            Self::Rejected(rejection) => rejection.code(),
        }
    }

    /// Tells what a caller should do about it. Documents of the provider are configuration: a broken one must be
    /// mended there.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Http { source, .. } => source.class(),
            Self::Status { status: 408 | 429 | 500..=599, .. } => ErrorClass::Transient,
            Self::Status { .. } | Self::Rejected(_) => ErrorClass::Permanent,
        }
    }
}

/// Fetches a JSON document.
pub(crate) async fn get_json(
    http: &dyn Http,
    operation: &'static str,
    uri: &str,
    max_body: usize,
) -> Result<Response<Bytes>, FetchError> {
    let failed = |source| FetchError::Http { operation, source };
    let request = Request::get(uri)
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| failed(HttpError::new(HttpErrorKind::Invalid).caused_by(error)))?;
    let response = http.send(request, max_body).await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status { operation, status: response.status().as_u16() });
    }
    if is_json(&response) { Ok(response) } else { Err(Rejection::ContentType.into()) }
}

/// Tells whether a response says that it is JSON.
pub(crate) fn is_json(response: &Response<Bytes>) -> bool {
    media_type(response).is_some_and(|media| {
        media == "application/json" || media.starts_with("application/") && media.ends_with("+json")
    })
}

/// Returns the media type in lower case, without parameters.
pub(crate) fn media_type(response: &Response<Bytes>) -> Option<String> {
    let value = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
