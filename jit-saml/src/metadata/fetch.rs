//! The door through which metadata comes over the network.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;

/// Fetches a document. With the feature `http-reqwest`, `jit_http::GuardedHttp` does; without it, an application hands over its
/// own client.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Asks for the document at an address, by GET.
    ///
    /// Implementations follow redirects to https only, stop with a failure as soon as more than `limit` octets arrive, set a
    /// time limit, and answer [`Fetched::Unchanged`] only to a request with a validator.
    ///
    /// # Errors
    /// [`FetchFailure`] for every answer that is neither the document nor "not modified".
    ///
    /// # Cancel safety
    /// Nothing is lost.
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<Fetched, FetchFailure>;
}

/// What to fetch.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct FetchRequest<'a> {
    /// The address.
    pub url: &'a str,
    /// The most octets that the answer may have.
    pub limit: usize,
    /// The entity tag of the document at hand, for `If-None-Match`.
    pub validator: Option<&'a str>,
}

/// What came back.
#[derive(Clone)]
#[expect(clippy::exhaustive_enums, reason = "an answer holds a document or says that there is no newer one")]
pub enum Fetched {
    /// The document at hand is still the newest.
    Unchanged,
    /// A document.
    Document {
        /// Its octets, as they came.
        octets: Vec<u8>,
        /// Its entity tag.
        validator: Option<String>,
    },
}

/// The document could not be fetched.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the document could not be fetched")]
pub struct FetchFailure(#[source] Arc<dyn Error + Send + Sync>);

impl FetchFailure {
    /// The code of this failure.
    pub const CODE: &'static str = "saml.metadata_fetch";

    /// Wraps the failure of a client.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(source.into()))
    }
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unchanged => f.write_str("Unchanged"),
            Self::Document { octets, validator } => {
                let length = octets.len();
                f.debug_struct("Document").field("length", &length).field("validator", validator).finish()
            }
        }
    }
}
