//! Identity providers that are trusted.

use std::fmt;

use chrono::{DateTime, Utc};

pub use crate::idp_source::{CachedIdps, FixedIdps, IdpSource, IdpSourceError};

use crate::binding::{Binding, Endpoint};
use crate::signature::{SignatureRules, VerificationKey};
use crate::time::TimeForm;

/// An identity provider with everything that is known about it, read once and shared.
///
/// Trust comes from here and from nowhere else: a key or certificate that a message carries is never used.
#[derive(Clone)]
pub struct TrustedIdp {
    entity_id: String,
    keys: Vec<VerificationKey>,
    sign_on: Vec<Endpoint>,
    logout: Vec<Endpoint>,
    /// Those that are listed, where any are; an empty list where all of them had to be left out.
    scopes: Option<Vec<String>>,
    asserts_any_scope: bool,
    wants_signed_requests: bool,
    error_url: Option<String>,
    valid_until: Option<DateTime<Utc>>,
    demand: SignatureDemand,
    legacy: LegacyRules,
    signature_rules: SignatureRules,
}

/// What must be signed. Whatever is signed beyond it must verify as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there are two things to sign")]
pub enum SignatureDemand {
    /// The response or the assertion.
    #[default]
    Either,
    /// The response (IIP-SP13).
    Response,
    /// The assertion.
    Assertion,
    /// Both.
    Both,
}

/// What one provider may do although the profile forbids it: each switch named, all of them off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LegacyRules {
    /// Accepts AES in CBC mode where the response around it is signed: unsigned, it lets anybody read an intercepted
    /// assertion by asking (Jager and Somorovsky, CCS 2011).
    pub cbc_under_signed_response: bool,
    /// Accepts Canonical XML 1.0 in the place of the exclusive form.
    pub inclusive_c14n: bool,
    /// Accepts signatures with SHA-1 until this instant.
    pub sha1_until: Option<DateTime<Utc>>,
    /// Reads times with an offset or without a zone.
    pub offset_times: bool,
}

impl TrustedIdp {
    /// Trusts these keys to speak for an entity. Without a key nothing is ever accepted.
    #[must_use]
    pub fn new(entity_id: impl Into<String>, keys: Vec<VerificationKey>) -> Self {
        Self {
            entity_id: entity_id.into(),
            keys,
            sign_on: Vec::new(),
            logout: Vec::new(),
            scopes: None,
            asserts_any_scope: false,
            wants_signed_requests: false,
            error_url: None,
            valid_until: None,
            demand: SignatureDemand::Either,
            legacy: LegacyRules::default(),
            signature_rules: SignatureRules::default(),
        }
    }

    /// Sets where sign-ins begin; of several with one binding, the first is taken.
    #[must_use]
    pub fn with_sign_on(mut self, endpoints: Vec<Endpoint>) -> Self {
        self.sign_on = endpoints;
        self
    }

    /// Sets where sign-outs go; of several with one binding, the first is taken.
    #[must_use]
    pub fn with_logout(mut self, endpoints: Vec<Endpoint>) -> Self {
        self.logout = endpoints;
        self
    }

    /// Sets the scopes that it may assert (`shibmd:Scope`), compared without regard to the case of ASCII letters.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Vec<String>) -> Self {
        self.scopes = (!scopes.is_empty()).then_some(scopes);
        self
    }

    /// Notes that scopes are listed for it of which none can be used, so that it may assert none.
    pub(crate) fn without_usable_scopes(mut self) -> Self {
        self.scopes = Some(Vec::new());
        self
    }

    /// Lets it assert any scope as long as none is listed: it is the only provider of its connection, and somebody other than
    /// itself has vouched for what is known of it. Never say so of what unsigned metadata describes, nor of one of many.
    #[must_use]
    pub const fn asserting_any_scope(mut self) -> Self {
        self.asserts_any_scope = true;
        self
    }

    /// Notes that it refuses unsigned requests.
    #[must_use]
    pub const fn wanting_signed_requests(mut self, wants: bool) -> Self {
        self.wants_signed_requests = wants;
        self
    }

    /// Sets its page for people who lack something that only it can give them.
    #[must_use]
    pub fn with_error_url(mut self, address: Option<String>) -> Self {
        self.error_url = address;
        self
    }

    /// Sets when what is known about it ends.
    #[must_use]
    pub const fn valid_until(mut self, end: Option<DateTime<Utc>>) -> Self {
        self.valid_until = end;
        self
    }

    /// Demands more than one signature, or a certain one.
    #[must_use]
    pub const fn demanding(mut self, demand: SignatureDemand) -> Self {
        self.demand = demand;
        self
    }

    /// Lets it do what the profile forbids.
    #[must_use]
    pub fn with_legacy(mut self, legacy: LegacyRules) -> Self {
        self.legacy = legacy;
        self.signature_rules =
            SignatureRules { inclusive_c14n: legacy.inclusive_c14n, sha1_until: legacy.sha1_until };
        self
    }

    /// Returns its name, compared byte for byte.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// Returns the keys that verify its signatures.
    #[must_use]
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// Returns where sign-ins begin.
    #[must_use]
    pub fn sign_on(&self) -> &[Endpoint] {
        &self.sign_on
    }

    /// Returns where sign-outs go.
    #[must_use]
    pub fn logout(&self) -> &[Endpoint] {
        &self.logout
    }

    /// Returns the scopes that it may assert.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.scopes.as_deref().unwrap_or_default()
    }

    /// Tells whether a scope is one of those listed. Scopes are domains, and values with one are compared without
    /// regard to case (SAML V2.0 Subject Identifier Attributes Profile §3.3 and §3.4).
    #[must_use]
    pub fn admits_scope(&self, scope: &str) -> bool {
        !scope.is_empty() && self.scopes().iter().any(|known| known.eq_ignore_ascii_case(scope))
    }

    /// Tells whether it may assert any scope, because none is listed and [`Self::asserting_any_scope`] was said.
    #[must_use]
    pub const fn asserts_any_scope(&self) -> bool {
        self.asserts_any_scope && self.scopes.is_none()
    }

    /// Tells whether it refuses unsigned requests.
    #[must_use]
    pub const fn wants_signed_requests(&self) -> bool {
        self.wants_signed_requests
    }

    /// Returns its page for people who lack something that only it can give them (SDP-SP12).
    #[must_use]
    pub fn error_url(&self) -> Option<&str> {
        self.error_url.as_deref()
    }

    /// Tells whether what is known about it still holds.
    #[must_use]
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.valid_until.is_none_or(|end| now < end)
    }

    /// Returns what must be signed.
    #[must_use]
    pub const fn demand(&self) -> SignatureDemand {
        self.demand
    }

    /// Returns what it may do although the profile forbids it.
    #[must_use]
    pub const fn legacy(&self) -> LegacyRules {
        self.legacy
    }

    /// Returns the rules for its signatures.
    #[must_use]
    pub const fn signature_rules(&self) -> &SignatureRules {
        &self.signature_rules
    }

    /// Chooses the endpoint for sign-ins: the first of the binding. Where none is named, the first by redirect, which
    /// SDP-SP02 demands wherever the provider offers it, or else the first of all.
    #[must_use]
    pub fn sign_on_by(&self, binding: Option<Binding>) -> Option<&Endpoint> {
        let by = |binding| self.sign_on.iter().find(move |endpoint| endpoint.binding == binding);
        match binding {
            Some(binding) => by(binding),
            None => by(Binding::Redirect).or_else(|| self.sign_on.first()),
        }
    }

    pub(crate) const fn time_form(&self) -> TimeForm {
        if self.legacy.offset_times { TimeForm::LegacyOffset } else { TimeForm::Utc }
    }
}

/// Shows the name and the number of keys.
impl fmt::Debug for TrustedIdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedIdp")
            .field("entity_id", &self.entity_id)
            .field("keys", &self.keys.len())
            .field("legacy", &self.legacy)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_compared_without_regard_to_case_and_else_exactly() {
        let idp = TrustedIdp::new("https://idp.example.org", Vec::new())
            .with_scopes(vec!["example.org".into(), String::new()]);
        assert!(idp.admits_scope("example.org") && idp.admits_scope("Example.ORG"));
        for odd in ["", "a.example.org", "example.org.evil", "example.org\u{130}"] {
            assert!(!idp.admits_scope(odd), "{odd}");
        }
    }
}
