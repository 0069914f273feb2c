//! What goes in and what comes out, as every HTTP server can give and take it.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use jit_core::{ConnectionId, DocumentId, TenantId};

use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::Version;

/// The type of every body (RFC 7644 §3.1).
pub(super) const SCIM_JSON: &str = "application/scim+json";
/// What it is as well.
pub(super) const JSON: &str = "application/json";
const CHALLENGE: &str = "www-authenticate";

/// Says for whom a request is handled. Whoever makes one has checked who asks: see [`Authenticator`](super::Authenticator).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScimContext {
    /// The tenant.
    pub tenant: TenantId,
    /// The connection whose source speaks.
    pub connection: ConnectionId,
    /// The name of the token or client, for logs and for the checks of each record.
    pub principal: String,
    /// The user that `/Me` stands for.
    pub me: Option<DocumentId>,
    /// Whether it may only read.
    pub reads_only: bool,
}

impl ScimContext {
    /// Speaks for a connection of a tenant.
    #[must_use]
    pub fn new(tenant: TenantId, connection: ConnectionId, principal: impl Into<String>) -> Self {
        Self { tenant, connection, principal: principal.into(), me: None, reads_only: false }
    }

    /// Says which user `/Me` stands for.
    #[must_use]
    pub fn is(mut self, me: DocumentId) -> Self {
        self.me = Some(me);
        self
    }

    /// Lets it read only.
    #[must_use]
    pub fn reading_only(mut self) -> Self {
        self.reads_only = true;
        self
    }
}

/// One request. `Debug` shows neither query nor body.
#[derive(Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "whoever hands a request over must not forget a header")]
pub struct ScimRequest<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The path below the address of the service, such as `/Users/42`, as it was sent.
    pub path: &'a str,
    /// What stands behind the question mark, as it was sent.
    pub query: Option<&'a str>,
    /// The header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The header `If-Match`: where it has several lines, all of them, with commas between.
    pub if_match: Option<&'a str>,
    /// The header `If-None-Match`, likewise.
    pub if_none_match: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl fmt::Debug for ScimRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A name, in lower case, and what stands behind it.
type Header = (&'static str, Cow<'static, str>);

/// One answer. `Debug` does not show the body.
#[derive(Clone)]
pub struct ScimResponse {
    status: u16,
    headers: Vec<Header>,
    body: Bytes,
}

impl ScimResponse {
    pub(super) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(super) fn with_body(status: u16, body: impl Into<Bytes>) -> Self {
        // version and address may follow
        let mut headers = Vec::with_capacity(3);
        headers.push(("content-type", Cow::Borrowed(SCIM_JSON)));
        Self { status, headers, body: body.into() }
    }

    /// Answers with a refusal (RFC 7644 §3.12). What is wrong with a token is said to whoever sent one (RFC 6750 §3.1).
    #[must_use]
    pub fn refusal(error: &ScimError) -> Self {
        let response = Self::with_body(error.reason().status(), error.to_json().to_bytes());
        match error.reason() {
            Reason::TokenMissing => response.and(CHALLENGE, r#"Bearer realm="scim""#),
            Reason::Unauthenticated => {
                response.and(CHALLENGE, r#"Bearer realm="scim", error="invalid_token""#)
            }
            Reason::Forbidden => {
                response.and(CHALLENGE, r#"Bearer realm="scim", error="insufficient_scope""#)
            }
            Reason::Contended | Reason::Unavailable => response.and("retry-after", "1"),
            _ => response,
        }
    }

    pub(super) fn and(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Answers HEAD (RFC 9110 §9.3.2): what GET would, but for the body. With 304, its length would be that of what the client
    /// has already (§8.6).
    pub(super) fn without_body(self) -> Self {
        let length = self.body.len().to_string();
        let head = Self { body: Bytes::new(), ..self };
        if head.status == 304 { head } else { head.and("content-length", length) }
    }

    /// Calls the body what it is to whoever takes nothing but plain JSON (RFC 7644 §3.8).
    #[cfg(feature = "tower")]
    pub(super) fn called_plain_json(mut self) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| *name == "content-type") {
            *value = Cow::Borrowed(JSON);
        }
        self
    }

    pub(super) fn tagged(self, version: &Version) -> Self {
        self.and("etag", version.to_tag())
    }

    /// Returns the status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Iterates over the headers, their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_ref()))
    }

    /// Returns the header with this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Returns the body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    #[cfg(feature = "tower")]
    pub(super) fn into_parts(self) -> (u16, Vec<Header>, Bytes) {
        (self.status, self.headers, self.body)
    }

    /// Takes the body out.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }
}

impl fmt::Debug for ScimResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimResponse")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
