//! On which versions a request is made (RFC 9110 §13.1).

use jit_core::Document;

use super::message::ScimRequest;
use crate::error::ScimError;
use crate::reason::Reason;
use crate::resource::{Version, VersionMatch};

/// What must be true of the version of a resource that is changed.
#[derive(Default)]
pub(super) struct Conditions {
    if_match: Option<VersionMatch>,
    if_none_match: Option<VersionMatch>,
}

impl Conditions {
    pub(super) fn of(request: &ScimRequest<'_>) -> Self {
        Self {
            if_match: request.if_match.map(VersionMatch::parse),
            if_none_match: request.if_none_match.map(VersionMatch::parse),
        }
    }

    /// Asks for this version, where one is named.
    pub(super) fn version(version: Option<Version>) -> Self {
        Self { if_match: version.map(|version| VersionMatch::OneOf(vec![version])), ..Self::default() }
    }

    /// Refuses a change of what is not as it was asked for.
    pub(super) fn check(&self, document: &Document) -> Result<(), ScimError> {
        let version = Version::numbered(document.version);
        let is_named = |versions: &VersionMatch| versions.includes(&version);
        if self.if_match.as_ref().is_none_or(is_named) && !self.if_none_match.as_ref().is_some_and(is_named) {
            Ok(())
        } else {
            Err(Reason::VersionStale.into())
        }
    }
}
