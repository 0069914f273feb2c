//! The one door to the network and to waiting: a trait, so that an application can bring its own client and runtime.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use http::{Request, Response};

use super::reason::TransportError;

/// Sends requests to a target, and waits.
///
/// An implementation must not follow redirects, must stop reading beyond `max_body`, must bound the time, must not unpack
/// what is packed, and must not reach addresses that only this machine or its network can reach, unless it was told to.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request; a response of any status is an answer. It is never sent a second time.
    ///
    /// # Errors
    /// [`TransportError`] with a `scim.http_…` code when there is no answer, or one that is too large.
    ///
    /// # Cancel safety
    /// The request may have reached the target.
    async fn send(&self, request: Request<Bytes>, max_body: usize)
    -> Result<Response<Bytes>, TransportError>;

    /// Waits: between requests that would come too fast.
    ///
    /// # Cancel safety
    /// Nothing happens.
    async fn wait(&self, span: TimeDelta);
}
