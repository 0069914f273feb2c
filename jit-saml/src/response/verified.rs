//! What a verified response says.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::assertion::{Attributes, NameId};
use crate::checks::CheckList;
use crate::logout::SessionAtIdp;

/// What a provider said of a person, as it was signed. Made only by [`verify_response`](super::verify_response).
///
/// `Debug` shows neither names nor values.
#[must_use = "a response proves nothing to anybody until its identity is attested"]
pub struct VerifiedResponse {
    pub(super) issuer: String,
    pub(super) response_id: String,
    pub(super) assertion_id: String,
    pub(super) name_id: Option<NameId>,
    pub(super) attributes: Attributes,
    pub(super) authn_instant: DateTime<Utc>,
    pub(super) authn_context: Option<String>,
    pub(super) session_index: Option<String>,
    pub(super) session_end: Option<DateTime<Utc>>,
    pub(super) replayable_until: DateTime<Utc>,
    pub(super) algorithm: &'static str,
    pub(super) checks: CheckList,
}

impl VerifiedResponse {
    /// Returns the name of the identity provider.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the id of the response, which proves nothing where only the assertion is signed.
    #[must_use]
    pub fn response_id(&self) -> &str {
        &self.response_id
    }

    /// Returns the id of the assertion.
    #[must_use]
    pub fn assertion_id(&self) -> &str {
        &self.assertion_id
    }

    /// Returns the name of the subject, which a provider may leave out (SDP-SP13).
    #[must_use]
    pub const fn name_id(&self) -> Option<&NameId> {
        self.name_id.as_ref()
    }

    /// Returns the attributes.
    #[must_use]
    pub const fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Returns when the person signed in at the provider.
    #[must_use]
    pub const fn authn_instant(&self) -> DateTime<Utc> {
        self.authn_instant
    }

    /// Returns the class of the way in which the person signed in.
    #[must_use]
    pub fn authn_context(&self) -> Option<&str> {
        self.authn_context.as_deref()
    }

    /// Returns the provider's name of its session, by which it ends it.
    #[must_use]
    pub fn session_index(&self) -> Option<&str> {
        self.session_index.as_deref()
    }

    /// Returns when the provider wants the session to end.
    #[must_use]
    pub const fn session_not_on_or_after(&self) -> Option<DateTime<Utc>> {
        self.session_end
    }

    /// Names the session as the provider knows it, to be kept beside the application's own and ended with it; `None` where
    /// the provider named nobody.
    #[must_use]
    pub fn session_at_idp(&self) -> Option<SessionAtIdp> {
        Some(SessionAtIdp {
            issuer: self.issuer.clone(),
            name_id: self.name_id.clone()?,
            session_indexes: self.session_index.iter().cloned().collect(),
        })
    }

    /// Returns the instant from which nobody would accept the assertion any more, so that its use may be forgotten.
    #[must_use]
    pub const fn replayable_until(&self) -> DateTime<Utc> {
        self.replayable_until
    }

    /// Returns the identifier of the signature algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// Returns the checks that were made.
    #[must_use]
    pub const fn checks(&self) -> CheckList {
        self.checks
    }

    /// Notes a check that was made around the response.
    pub(crate) fn record(&mut self, check: crate::checks::Check) {
        self.checks.add(check);
    }
}

impl fmt::Debug for VerifiedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedResponse")
            .field("issuer", &self.issuer)
            .field("attributes", &self.attributes)
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}
