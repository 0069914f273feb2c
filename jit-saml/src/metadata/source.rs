//! Metadata that is kept fresh: readers never wait for each other, one caller fetches for all, and what was good stays good
//! until its `validUntil` however often the network fails.

use std::fmt;
use std::sync::{Arc, Mutex as SyncMutex, PoisonError, RwLock};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Clock, Code};
use tokio::sync::{Mutex, MutexGuard};

use super::descriptor::IdpDescriptor;
use super::error::MetadataError;
use super::fetch::{Fetch, FetchRequest, Fetched};
use super::policy::{MetadataPolicy, Trust};
use super::rejection::MetadataRejection;
use super::shelf::{Held, Kept};
use super::verified::VerifiedMetadata;
use crate::crypto::CryptoProvider;
use crate::idp::{IdpSource, IdpSourceError, TrustedIdp};

/// Once an entity's key is not among those at hand, a look for newer ones is worth its cost, but not more often.
const RENEWAL_PAUSE: TimeDelta = TimeDelta::minutes(1);
const SHORTEST_PAUSE: TimeDelta = TimeDelta::seconds(30);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(30);

/// Keeps the metadata of one source, with the policy under which it is believed.
pub struct MetadataSource {
    policy: MetadataPolicy,
    origin: Option<Origin>,
    clock: Arc<dyn Clock>,
    crypto: Arc<dyn CryptoProvider>,
    current: RwLock<Option<Kept>>,
    /// Held by the one caller who fetches.
    flight: Mutex<()>,
    adjust: Option<Adjust>,
    attempts: SyncMutex<Attempts>,
}

/// What an application changes about providers, such as a legacy switch of one of them.
type Adjust = Box<dyn Fn(TrustedIdp) -> TrustedIdp + Send + Sync>;

struct Origin {
    url: String,
    fetch: Arc<dyn Fetch>,
}

/// What became of the last attempts.
#[derive(Default)]
struct Attempts {
    last: Option<DateTime<Utc>>,
    failures: u32,
    error: Option<MetadataError>,
}

/// How a source does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceStatus {
    /// Counts the documents that were taken over; 0 before the first.
    pub generation: u64,
    /// How many identity providers the present one holds.
    pub providers: usize,
    /// When it was last found to be the newest.
    pub fetched_at: Option<DateTime<Utc>>,
    /// When it ends.
    pub valid_until: Option<DateTime<Utc>>,
    /// When the next one is looked for.
    pub next_refresh: Option<DateTime<Utc>>,
    /// Why the last attempt failed, if it did.
    pub failure: Option<Code>,
}

impl MetadataSource {
    /// Reads a document that is at hand: a file, or a text in the configuration.
    ///
    /// # Errors
    /// As [`VerifiedMetadata::read`].
    pub fn from_octets(
        octets: &[u8],
        policy: MetadataPolicy,
        clock: Arc<dyn Clock>,
        crypto: Arc<dyn CryptoProvider>,
    ) -> Result<Self, MetadataError> {
        let now = clock.now();
        // A pinned text stays until somebody replaces it. Its end counts when a message comes, not when a process starts.
        let read_at = if policy.stays() { DateTime::<Utc>::MIN_UTC } else { now };
        let metadata = VerifiedMetadata::read(octets, &policy, read_at, crypto.as_ref())?;
        let source = Self::new(policy, None, clock, crypto);
        source.put(Kept::first(metadata, None, now));
        Ok(source)
    }

    /// Prepares a source whose document is fetched when it is needed, and again when it grows old.
    ///
    /// # Errors
    /// `saml.metadata_source` when the policy pins a text, or when it believes unsigned metadata and the address is not
    /// https.
    pub fn from_url(
        url: impl Into<String>,
        policy: MetadataPolicy,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
        crypto: Arc<dyn CryptoProvider>,
    ) -> Result<Self, MetadataError> {
        let url = url.into();
        let reached = match policy.trust {
            Trust::Signed(_) => url.starts_with("https://") || url.starts_with("http://"),
            Trust::Unsigned => policy.reach.admits(&url),
            Trust::Pinned => false,
        };
        if !reached {
            return Err(MetadataRejection::Source.into());
        }
        Ok(Self::new(policy, Some(Origin { url, fetch }), clock, crypto))
    }

    fn new(
        policy: MetadataPolicy,
        origin: Option<Origin>,
        clock: Arc<dyn Clock>,
        crypto: Arc<dyn CryptoProvider>,
    ) -> Self {
        let (flight, attempts) = (Mutex::new(()), SyncMutex::default());
        Self { policy, origin, clock, crypto, current: RwLock::new(None), flight, adjust: None, attempts }
    }

    /// Lets the application change what it trusts a provider with: to demand signed responses, or to switch on what one
    /// old product needs. The function sees every provider when it is first asked for.
    #[must_use]
    pub fn adjusting(mut self, adjust: impl Fn(TrustedIdp) -> TrustedIdp + Send + Sync + 'static) -> Self {
        self.adjust = Some(Box::new(adjust));
        self
    }

    /// Returns one identity provider, ready to verify its messages. It is read once and then kept.
    ///
    /// # Errors
    /// Those of [`VerifiedMetadata::descriptor`], and those of the fetch when there is nothing to serve.
    ///
    /// # Cancel safety
    /// Nothing is lost; the next caller fetches.
    pub async fn trusted(&self, entity_id: &str) -> Result<Arc<TrustedIdp>, MetadataError> {
        let idp = self.ready(&*self.held().await?, entity_id)?;
        if idp.holds_at(self.clock.now()) { Ok(idp) } else { Err(MetadataRejection::Expired.into()) }
    }

    /// Describes one identity provider.
    ///
    /// # Errors
    /// As [`Self::trusted`].
    ///
    /// # Cancel safety
    /// Nothing is lost; the next caller fetches.
    pub async fn descriptor(&self, entity_id: &str) -> Result<IdpDescriptor, MetadataError> {
        self.held().await?.metadata().descriptor(entity_id, self.clock.now())
    }

    /// Lists the names of all identity providers: what a page for choosing one begins with.
    ///
    /// # Errors
    /// Those of the fetch when there is nothing to serve.
    ///
    /// # Cancel safety
    /// Nothing is lost; the next caller fetches.
    pub async fn entity_ids(&self) -> Result<Vec<String>, MetadataError> {
        let held = self.held().await?;
        let mut names: Vec<_> = held.metadata().entity_ids().map(str::to_owned).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Looks for a newer document than the one that a caller has seen and found wanting, because none of its keys made a
    /// signature. Tells whether there is one now. Looks at most once a minute, however many forged messages arrive.
    ///
    /// # Errors
    /// Those of the fetch.
    ///
    /// # Cancel safety
    /// Nothing is lost but the attempt.
    pub async fn renew(&self, seen: u64) -> Result<bool, MetadataError> {
        let Some(origin) = &self.origin else { return Ok(false) };
        let flight = self.flight.lock().await;
        let now = self.clock.now();
        if self.generation() > seen {
            return Ok(true);
        }
        if self.attempts().is_within(RENEWAL_PAUSE, now) || self.attempts().is_pausing(now) {
            return Ok(false);
        }
        self.refresh(origin, &flight).await?;
        Ok(self.generation() > seen)
    }

    /// Fetches the document if that is due, and tells how the source does. An application that calls this at
    /// [`SourceStatus::next_refresh`] from a task of its own spares the person who signs in the wait: a document of 100 MB
    /// takes seconds to verify.
    ///
    /// # Errors
    /// Those of the fetch when there is nothing to serve.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn keep_fresh(&self) -> Result<SourceStatus, MetadataError> {
        self.held().await?;
        Ok(self.status())
    }

    /// Tells how the source does, without fetching.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        let kept = self.kept();
        let kept = kept.as_ref();
        SourceStatus {
            generation: kept.map_or(0, |kept| kept.generation),
            providers: kept.map_or(0, |kept| kept.held.metadata().len()),
            fetched_at: kept.map(|kept| kept.fetched_at),
            valid_until: kept.and_then(|kept| kept.held.metadata().valid_until()),
            next_refresh: kept.filter(|_| self.origin.is_some()).map(Kept::due),
            failure: self.attempts().error.as_ref().map(MetadataError::code),
        }
    }

    fn ready(&self, held: &Held, entity_id: &str) -> Result<Arc<TrustedIdp>, MetadataError> {
        let make = |descriptor: &IdpDescriptor| {
            let idp = descriptor.trusted(&self.policy);
            match &self.adjust {
                Some(adjust) => adjust(idp),
                None => idp,
            }
        };
        held.provider(entity_id, make)
    }

    /// Returns what may serve. While one caller refreshes an old document, all others are served the old one at once.
    async fn held(&self) -> Result<Arc<Held>, MetadataError> {
        let Some(kept) = self.serving() else { return self.first().await };
        let now = self.clock.now();
        let (Some(origin), true) = (&self.origin, kept.is_due(now)) else { return Ok(kept.held) };
        let Ok(flight) = self.flight.try_lock() else { return Ok(kept.held) };
        if self.attempts().is_pausing(now) {
            return Ok(kept.held);
        }
        let refreshed = self.refresh(origin, &flight).await;
        Ok(refreshed.unwrap_or(kept.held))
    }

    /// Waits for the one caller who fetches, where there is nothing to serve.
    async fn first(&self) -> Result<Arc<Held>, MetadataError> {
        let Some(origin) = &self.origin else { return Err(MetadataRejection::Expired.into()) };
        let flight = self.flight.lock().await;
        if let Some(kept) = self.serving() {
            return Ok(kept.held);
        }
        if self.attempts().is_pausing(self.clock.now()) {
            let error = self.attempts().error.clone();
            return Err(error.unwrap_or(MetadataRejection::NotFetched.into()));
        }
        self.refresh(origin, &flight).await
    }

    async fn refresh(&self, origin: &Origin, _: &MutexGuard<'_, ()>) -> Result<Arc<Held>, MetadataError> {
        self.attempts().last = Some(self.clock.now());
        let fetched = self.fetch(origin).await;
        let mut attempts = self.attempts();
        match fetched {
            Ok(kept) => {
                (attempts.failures, attempts.error) = (0, None);
                Ok(self.put(kept))
            }
            Err(error) => {
                attempts.failures = attempts.failures.saturating_add(1);
                attempts.error = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn fetch(&self, origin: &Origin) -> Result<Kept, MetadataError> {
        let at_hand = self.serving();
        let validator = at_hand.as_ref().and_then(|kept| kept.validator.as_deref());
        let request = FetchRequest { url: &origin.url, limit: self.policy.limits.bytes, validator };
        let fetched = origin.fetch.fetch(request).await?;
        let now = self.clock.now();
        match (fetched, at_hand) {
            (Fetched::Unchanged, Some(kept)) => Ok(kept.confirmed(now)),
            (Fetched::Unchanged, None) => Err(MetadataRejection::NotFetched.into()),
            (Fetched::Document { octets, validator }, at_hand) => {
                let metadata = VerifiedMetadata::read(&octets, &self.policy, now, self.crypto.as_ref())?;
                match at_hand {
                    Some(kept) => kept.followed_by(metadata, validator, now),
                    None => Ok(Kept::after(self.generation(), metadata, validator, now)),
                }
            }
        }
    }

    fn put(&self, kept: Kept) -> Arc<Held> {
        let held = Arc::clone(&kept.held);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        held
    }

    fn kept(&self) -> Option<Kept> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the document at hand unless it is over.
    fn serving(&self) -> Option<Kept> {
        let now = self.clock.now();
        self.kept().filter(|kept| kept.held.metadata().over_from().is_none_or(|over| now < over))
    }

    fn generation(&self) -> u64 {
        self.kept().map_or(0, |kept| kept.generation)
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    /// Tells whether failures in a row counsel to wait: 30 seconds, then twice as long each time.
    fn is_pausing(&self, now: DateTime<Utc>) -> bool {
        let doublings = self.failures.saturating_sub(1).min(6);
        let pause = (SHORTEST_PAUSE * (1_i32 << doublings)).min(LONGEST_PAUSE);
        self.failures > 0 && self.is_within(pause, now)
    }

    /// Looks in both directions: a clock that jumps back must not make a pause longer than it is.
    fn is_within(&self, pause: TimeDelta, now: DateTime<Utc>) -> bool {
        self.last.is_some_and(|last| now.signed_duration_since(last).abs() < pause)
    }
}

#[async_trait]
impl IdpSource for MetadataSource {
    /// A provider that the document does not hold, or that cannot be used, is none. A document that has run out without a
    /// successor still tells who the provider was, and with it that its time is over.
    async fn idp(&self, entity_id: &str) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        let held = match (self.held().await, self.kept()) {
            (Ok(held), _) => held,
            (Err(_), Some(over)) => over.held,
            (Err(error), None) => return Err(error.into()),
        };
        Ok(self.ready(&held, entity_id).ok())
    }

    /// What arrived since `seen` was handed out counts as newer; else the document is fetched, once a minute at most.
    async fn renewed(&self, seen: &Arc<TrustedIdp>) -> Result<Option<Arc<TrustedIdp>>, IdpSourceError> {
        let known = self.idp(seen.entity_id()).await?;
        if known.as_ref().is_none_or(|known| !Arc::ptr_eq(known, seen)) {
            return Ok(known);
        }
        if self.renew(self.generation()).await? { self.idp(seen.entity_id()).await } else { Ok(None) }
    }
}

impl fmt::Debug for MetadataSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataSource").field("status", &self.status()).finish_non_exhaustive()
    }
}
