//! Identity providers that are trusted, and where they are looked up.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, Clock};

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
    scopes: Vec<String>,
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
            scopes: Vec::new(),
            wants_signed_requests: false,
            error_url: None,
            valid_until: None,
            demand: SignatureDemand::Either,
            legacy: LegacyRules::default(),
            signature_rules: SignatureRules::default(),
        }
    }

    /// Sets where sign-ins begin, the preferred endpoint first.
    #[must_use]
    pub fn with_sign_on(mut self, endpoints: Vec<Endpoint>) -> Self {
        self.sign_on = endpoints;
        self
    }

    /// Sets where sign-outs go, the preferred endpoint first.
    #[must_use]
    pub fn with_logout(mut self, endpoints: Vec<Endpoint>) -> Self {
        self.logout = endpoints;
        self
    }

    /// Sets the scopes that it may assert (`shibmd:Scope`), compared byte for byte.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Vec<String>) -> Self {
        self.scopes = scopes;
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
        &self.scopes
    }

    /// Tells whether it may assert a scope.
    #[must_use]
    pub fn admits_scope(&self, scope: &str) -> bool {
        !scope.is_empty() && self.scopes.iter().any(|known| known == scope)
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

    /// Chooses the endpoint for sign-ins: the first of the binding, or the first of all.
    #[must_use]
    pub fn sign_on_by(&self, binding: Option<Binding>) -> Option<&Endpoint> {
        self.sign_on.iter().find(|endpoint| binding.is_none_or(|binding| endpoint.binding == binding))
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

/// Finds identity providers by their name: a few that are configured, or a federation's hundred thousand.
#[async_trait]
pub trait IdpSource: Send + Sync {
    /// Finds a provider by its entity id, byte for byte.
    ///
    /// # Errors
    /// `store.unavailable` when the source cannot be asked now; that is never an answer.
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, BackendError>;

    /// Looks for newer knowledge of a provider than `seen`, none of whose keys made a signature: it may have new ones.
    /// `None` where there is nothing newer. Anybody can make us ask, so a source that fetches bounds how often it does.
    ///
    /// # Errors
    /// `store.unavailable` when the source cannot be asked now.
    async fn renewed(&self, seen: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, BackendError>;
}

/// A set of providers that does not change.
#[derive(Debug, Clone, Default)]
pub struct FixedIdps(HashMap<String, Arc<TrustedIdp>>);

impl FixedIdps {
    /// Takes one provider.
    #[must_use]
    pub fn one(idp: TrustedIdp) -> Self {
        Self::from_iter([Arc::new(idp)])
    }
}

impl FromIterator<Arc<TrustedIdp>> for FixedIdps {
    fn from_iter<I: IntoIterator<Item = Arc<TrustedIdp>>>(idps: I) -> Self {
        Self(idps.into_iter().map(|idp| (idp.entity_id.clone(), idp)).collect())
    }
}

#[async_trait]
impl IdpSource for FixedIdps {
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, BackendError> {
        Ok(self.0.get(entity_id).cloned())
    }

    async fn renewed(&self, _: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, BackendError> {
        Ok(None)
    }
}

/// Remembers what a slower source answered: bounded in number and in time. Only providers that exist are remembered, so
/// that invented names fill nothing.
pub struct CachedIdps<S> {
    source: S,
    clock: Arc<dyn Clock>,
    capacity: usize,
    keep: TimeDelta,
    known: Mutex<HashMap<String, Remembered>>,
}

/// A provider, and until when it need not be looked up again.
type Remembered = (DateTime<Utc>, Arc<TrustedIdp>);

impl<S: IdpSource> CachedIdps<S> {
    /// Remembers up to `capacity` providers, each for the time `keep`.
    #[must_use]
    pub fn new(source: S, clock: Arc<dyn Clock>, capacity: usize, keep: TimeDelta) -> Self {
        Self { source, clock, capacity, keep, known: Mutex::default() }
    }

    fn remembered(&self, entity_id: &str, now: DateTime<Utc>) -> Option<Arc<TrustedIdp>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, idp) = known.get(entity_id)?;
        (now < *until).then(|| Arc::clone(idp))
    }

    fn remember(&self, idp: &Arc<TrustedIdp>, now: DateTime<Utc>) {
        let Some(until) = now.checked_add_signed(self.keep) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.capacity && !known.contains_key(&idp.entity_id) {
            known.retain(|_, (until, _)| now < *until);
            if known.len() >= self.capacity {
                // rare, and cheaper than an order that every look-up would have to keep
                known.clear();
            }
        }
        if self.capacity > 0 {
            known.insert(idp.entity_id.clone(), (until, Arc::clone(idp)));
        }
    }
}

#[async_trait]
impl<S: IdpSource> IdpSource for CachedIdps<S> {
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, BackendError> {
        let now = self.clock.now();
        if let Some(idp) = self.remembered(entity_id, now) {
            return Ok(Some(idp));
        }
        let found = self.source.idp(entity_id).await?;
        if let Some(idp) = &found {
            self.remember(idp, now);
        }
        Ok(found)
    }

    async fn renewed(&self, seen: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, BackendError> {
        let renewed = self.source.renewed(seen).await?;
        if let Some(idp) = &renewed {
            self.remember(idp, self.clock.now());
        }
        Ok(renewed)
    }
}

impl<S> fmt::Debug for CachedIdps<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedIdps").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jit_core::ManualClock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counting(AtomicUsize);

    #[async_trait]
    impl IdpSource for Counting {
        async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, BackendError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(entity_id.starts_with("https://").then(|| Arc::new(TrustedIdp::new(entity_id, Vec::new()))))
        }

        async fn renewed(&self, _: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, BackendError> {
            Ok(None)
        }
    }

    #[tokio::test]
    async fn a_provider_is_asked_for_once_until_its_time_is_over() {
        let clock = Arc::new(ManualClock::at(DateTime::UNIX_EPOCH));
        let idps = CachedIdps::new(Counting(AtomicUsize::new(0)), clock.clone(), 2, TimeDelta::minutes(5));
        let asked = || idps.source.0.load(Ordering::SeqCst);
        for _ in 0..3 {
            assert!(idps.idp("https://a").await.unwrap().is_some());
        }
        assert_eq!(asked(), 1);
        clock.advance(TimeDelta::minutes(5));
        assert!(idps.idp("https://a").await.unwrap().is_some());
        assert_eq!(asked(), 2);
        for _ in 0..3 {
            assert!(idps.idp("urn:invented").await.unwrap().is_none());
        }
        assert_eq!(asked(), 5);
        for n in 0..100 {
            assert!(idps.idp(&format!("https://{n}")).await.unwrap().is_some());
            assert!(idps.known.lock().unwrap().len() <= 2);
        }
    }

    #[test]
    fn scopes_are_compared_byte_for_byte() {
        let idp = TrustedIdp::new("https://idp.example.org", Vec::new())
            .with_scopes(vec!["example.org".into(), String::new()]);
        assert!(idp.admits_scope("example.org"));
        for odd in ["", "Example.org", "a.example.org", "example.org.evil"] {
            assert!(!idp.admits_scope(odd), "{odd}");
        }
    }
}
