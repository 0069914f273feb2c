//! One document and what was made of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::descriptor::IdpDescriptor;
use super::error::MetadataError;
use super::rejection::MetadataRejection;
use super::verified::VerifiedMetadata;
use crate::idp::TrustedIdp;

const SHORTEST_LIFE: TimeDelta = TimeDelta::minutes(5);
/// Shortly before the end of a document its successor is looked for often, but not at every sign-in.
const SHORTEST_LIFE_AT_THE_END: TimeDelta = TimeDelta::seconds(30);
const USUAL_LIFE: TimeDelta = TimeDelta::hours(1);
const LONGEST_LIFE: TimeDelta = TimeDelta::hours(24);
/// How many providers are kept ready. A federation has many, and few of them sign in within an hour.
const READY: usize = 1024;

/// A document with the place it has in time.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) held: Arc<Held>,
    /// Counts the documents, so that callers can tell whether they saw this one.
    pub(super) generation: u64,
    pub(super) fetched_at: DateTime<Utc>,
    pub(super) validator: Option<String>,
}

/// A document with the providers that were asked for.
pub(super) struct Held {
    metadata: VerifiedMetadata,
    ready: Mutex<HashMap<Box<str>, Arc<TrustedIdp>>>,
}

impl Kept {
    pub(super) fn first(metadata: VerifiedMetadata, validator: Option<String>, now: DateTime<Utc>) -> Self {
        Self::after(0, metadata, validator, now)
    }

    pub(super) fn after(
        generation: u64,
        metadata: VerifiedMetadata,
        validator: Option<String>,
        now: DateTime<Utc>,
    ) -> Self {
        let held = Arc::new(Held { metadata, ready: Mutex::default() });
        Self { held, generation: generation.saturating_add(1), fetched_at: now, validator }
    }

    /// Takes over a newer document. One that was published earlier would bring withdrawn keys back.
    pub(super) fn followed_by(
        &self,
        metadata: VerifiedMetadata,
        validator: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<Self, MetadataError> {
        match (self.held.metadata.published(), metadata.published()) {
            (Some(present), Some(offered)) if offered < present => Err(MetadataRejection::Older.into()),
            _ => Ok(Self::after(self.generation, metadata, validator, now)),
        }
    }

    pub(super) fn confirmed(self, now: DateTime<Utc>) -> Self {
        Self { fetched_at: now, ..self }
    }

    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        // a clock that jumps back makes nothing live longer
        now >= self.due() || now < self.fetched_at
    }

    /// Tells when to look again: when the publisher says, within our own bounds, and early enough before the end that many
    /// attempts may fail.
    pub(super) fn due(&self) -> DateTime<Utc> {
        let wanted = self.held.metadata.cache_duration().unwrap_or(USUAL_LIFE);
        let mut life = wanted.clamp(SHORTEST_LIFE, LONGEST_LIFE);
        if let Some(end) = self.held.metadata.valid_until() {
            life = life.min(end.signed_duration_since(self.fetched_at) / 2).max(SHORTEST_LIFE_AT_THE_END);
        }
        self.fetched_at.checked_add_signed(life).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Held {
    pub(super) const fn metadata(&self) -> &VerifiedMetadata {
        &self.metadata
    }

    /// Returns a provider, whether or not its time is over.
    pub(super) fn provider(
        &self,
        entity_id: &str,
        make: impl FnOnce(&IdpDescriptor) -> TrustedIdp,
    ) -> Result<Arc<TrustedIdp>, MetadataError> {
        if let Some(idp) = self.ready().get(entity_id).cloned() {
            return Ok(idp);
        }
        // read without the lock: two who ask at the same time both read, and neither waits
        let idp = Arc::new(make(&self.metadata.described(entity_id)?));
        let mut ready = self.ready();
        if ready.len() >= READY {
            ready.clear();
        }
        ready.insert(entity_id.into(), Arc::clone(&idp));
        Ok(idp)
    }

    fn ready(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Arc<TrustedIdp>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
