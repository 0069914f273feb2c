//! Where identity providers are looked up.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, Clock};

use crate::idp::TrustedIdp;
use crate::metadata::MetadataError;

/// Why a provider cannot be looked up now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdpSourceError {
    /// The store in which providers are kept cannot be asked.
    #[error("where identity providers are kept cannot be asked")]
    Store(#[from] BackendError),
    /// The metadata cannot be fetched, or what was fetched is refused.
    #[error("the metadata of the identity provider cannot be had now")]
    Metadata(#[from] MetadataError),
}

/// Finds identity providers by their name: a few that are configured, or a federation's hundred thousand.
#[async_trait]
pub trait IdpSource: Send + Sync {
    /// Finds a provider by its entity id, byte for byte. One of whom what is known has run out is handed out as well:
    /// whoever asks looks at [`TrustedIdp::holds_at`] before each use, so that people learn what has happened.
    ///
    /// # Errors
    /// `saml.metadata_unavailable` or `store.…` when the source cannot be asked now; that is never an answer.
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError>;

    /// Looks for newer knowledge of a provider than `seen`, none of whose keys made a signature: it may have new ones.
    /// `None` where there is nothing newer. Anybody can make us ask, so a source that fetches bounds how often it does.
    ///
    /// # Errors
    /// As [`Self::idp`].
    async fn renewed(&self, seen: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError>;
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
        Self(idps.into_iter().map(|idp| (idp.entity_id().to_owned(), idp)).collect())
    }
}

#[async_trait]
impl IdpSource for FixedIdps {
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        Ok(self.0.get(entity_id).cloned())
    }

    async fn renewed(&self, _: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
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
        // of one that has run out the source may know more by now
        (now < *until && idp.holds_at(now)).then(|| Arc::clone(idp))
    }

    fn remember(&self, idp: &Arc<TrustedIdp>, now: DateTime<Utc>) {
        let Some(until) = now.checked_add_signed(self.keep) else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= self.capacity && !known.contains_key(idp.entity_id()) {
            known.retain(|_, (until, _)| now < *until);
            if known.len() >= self.capacity {
                // rare, and cheaper than an order that every look-up would have to keep
                known.clear();
            }
        }
        if self.capacity > 0 {
            known.insert(idp.entity_id().to_owned(), (until, Arc::clone(idp)));
        }
    }
}

#[async_trait]
impl<S: IdpSource> IdpSource for CachedIdps<S> {
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
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

    async fn renewed(&self, seen: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
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
        async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(entity_id.starts_with("https://").then(|| Arc::new(TrustedIdp::new(entity_id, Vec::new()))))
        }

        async fn renewed(&self, _: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
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

    #[tokio::test]
    async fn a_provider_that_has_run_out_is_not_remembered() {
        let clock = Arc::new(ManualClock::at(DateTime::UNIX_EPOCH));
        let end = clock.now() + TimeDelta::minutes(1);
        let source = FixedIdps::one(TrustedIdp::new("https://a", Vec::new()).valid_until(Some(end)));
        let idps = CachedIdps::new(source, clock.clone(), 2, TimeDelta::minutes(5));
        assert!(idps.idp("https://a").await.unwrap().is_some());
        assert!(idps.remembered("https://a", clock.now()).is_some());
        clock.advance(TimeDelta::minutes(1));
        assert!(idps.remembered("https://a", clock.now()).is_none());
        assert!(!idps.idp("https://a").await.unwrap().unwrap().holds_at(clock.now()));
    }
}
