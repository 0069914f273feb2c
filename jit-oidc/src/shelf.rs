//! One document of a provider, kept in memory: readers never wait for each other, one caller fetches for all.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Response, header};
use jit_core::Clock;
use tokio::sync::{Mutex, MutexGuard};

use crate::http::FetchError;

const SHORTEST_LIFE: TimeDelta = TimeDelta::minutes(5);
const USUAL_LIFE: TimeDelta = TimeDelta::hours(1);
const LONGEST_LIFE: TimeDelta = TimeDelta::hours(24);
/// How long a document serves while the provider cannot be reached.
const LONGEST_STALE: TimeDelta = TimeDelta::hours(24);
/// How long a failure answers for those who come after it.
const FAILURE_WITHOUT_DOCUMENT: TimeDelta = TimeDelta::seconds(1);
const FAILURE_WITH_DOCUMENT: TimeDelta = TimeDelta::seconds(30);

/// A document as it was fetched.
#[derive(Debug)]
pub(crate) struct Shelved<T> {
    pub(crate) value: T,
    /// Counts the fetches, so that callers can tell whether they saw this one.
    pub(crate) generation: u64,
    fetched_at: DateTime<Utc>,
    life: TimeDelta,
}

/// A fetched document and how long the provider lets it be kept.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    pub(crate) life: TimeDelta,
}

/// Keeps one document.
pub(crate) struct Shelf<T> {
    clock: Arc<dyn Clock>,
    current: RwLock<Option<Arc<Shelved<T>>>>,
    /// Held by the one caller who fetches.
    flight: Mutex<Option<Failure>>,
}

/// The last attempt, where it failed.
struct Failure {
    at: DateTime<Utc>,
    error: FetchError,
}

impl<T> Shelf<T> {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, current: RwLock::new(None), flight: Mutex::new(None) }
    }

    /// Returns the document and fetches it when it is not there or too old. While one caller refreshes an old one, all
    /// others are served the old one at once.
    pub(crate) async fn get(
        &self,
        fetch: impl Future<Output = Result<Fetched<T>, FetchError>> + Send,
    ) -> Result<Arc<Shelved<T>>, FetchError> {
        let Some(shelved) = self.serving() else { return self.first(fetch).await };
        if shelved.is_fresh(self.clock.now()) {
            return Ok(shelved);
        }
        let Ok(mut flight) = self.flight.try_lock() else { return Ok(shelved) };
        let now = self.clock.now();
        if flight.as_ref().is_some_and(|failure| is_within(failure.at, now, FAILURE_WITH_DOCUMENT)) {
            return Ok(shelved);
        }
        Ok(self.refresh(&mut flight, fetch).await.unwrap_or(shelved))
    }

    /// Fetches the document anew for a caller who has seen `generation` and found it wanting. `None` when `permit`
    /// says no; a document that somebody else fetched meanwhile is returned without asking.
    pub(crate) async fn renew(
        &self,
        generation: u64,
        permit: impl FnOnce(DateTime<Utc>) -> bool + Send,
        fetch: impl Future<Output = Result<Fetched<T>, FetchError>> + Send,
    ) -> Result<Option<Arc<Shelved<T>>>, FetchError> {
        let mut flight = self.flight.lock().await;
        if let Some(newer) = self.serving().filter(|shelved| shelved.generation > generation) {
            return Ok(Some(newer));
        }
        if !permit(self.clock.now()) {
            return Ok(None);
        }
        self.refresh(&mut flight, fetch).await.map(Some)
    }

    async fn first(
        &self,
        fetch: impl Future<Output = Result<Fetched<T>, FetchError>> + Send,
    ) -> Result<Arc<Shelved<T>>, FetchError> {
        let mut flight = self.flight.lock().await;
        if let Some(shelved) = self.serving() {
            return Ok(shelved);
        }
        if let Some(failure) = flight.as_ref()
            && is_within(failure.at, self.clock.now(), FAILURE_WITHOUT_DOCUMENT)
        {
            return Err(failure.error.clone());
        }
        self.refresh(&mut flight, fetch).await
    }

    async fn refresh(
        &self,
        flight: &mut MutexGuard<'_, Option<Failure>>,
        fetch: impl Future<Output = Result<Fetched<T>, FetchError>> + Send,
    ) -> Result<Arc<Shelved<T>>, FetchError> {
        let fetched = fetch.await;
        let now = self.clock.now();
        match fetched {
            Ok(Fetched { value, life }) => {
                **flight = None;
                Ok(self.put(value, life, now))
            }
            Err(error) => {
                **flight = Some(Failure { at: now, error: error.clone() });
                Err(error)
            }
        }
    }

    fn put(&self, value: T, life: TimeDelta, now: DateTime<Utc>) -> Arc<Shelved<T>> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let generation = current.as_ref().map_or(1, |shelved| shelved.generation + 1);
        let shelved = Arc::new(Shelved { value, generation, fetched_at: now, life });
        *current = Some(Arc::clone(&shelved));
        shelved
    }

    /// Returns the document unless it is too old to serve at all.
    fn serving(&self) -> Option<Arc<Shelved<T>>> {
        let now = self.clock.now();
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        current.filter(|shelved| is_within(shelved.fetched_at, now, shelved.life + LONGEST_STALE))
    }
}

impl<T> Shelved<T> {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        is_within(self.fetched_at, now, self.life)
    }
}

/// Tells whether `now` is less than `span` away from `then`, in either direction: a clock that jumps back makes nothing
/// live longer.
fn is_within(then: DateTime<Utc>, now: DateTime<Utc>, span: TimeDelta) -> bool {
    now.signed_duration_since(then).abs() < span
}

/// Reads how long a response may be kept (RFC 9111 §5.2.2.1), within our own bounds.
pub(crate) fn life_of(response: &Response<Bytes>) -> TimeDelta {
    let text = response.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let Some(text) = text.map(str::to_ascii_lowercase) else { return USUAL_LIFE };
    let mut life = USUAL_LIFE;
    for directive in text.split(',').map(str::trim) {
        if matches!(directive, "no-store" | "no-cache") {
            return SHORTEST_LIFE;
        }
        if let Some(seconds) =
            directive.strip_prefix("max-age=").and_then(|seconds| seconds.parse::<u32>().ok())
        {
            life = TimeDelta::seconds(i64::from(seconds));
        }
    }
    life.clamp(SHORTEST_LIFE, LONGEST_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_chooses_the_life_within_bounds() {
        let life = |value: &str| {
            life_of(&Response::builder().header(header::CACHE_CONTROL, value).body(Bytes::new()).unwrap())
        };
        assert_eq!(life("public, max-age=7200"), TimeDelta::hours(2));
        assert_eq!(life("max-age=1"), SHORTEST_LIFE);
        assert_eq!(life("Max-Age=99999999"), LONGEST_LIFE);
        assert_eq!(life("no-cache, max-age=7200"), SHORTEST_LIFE);
        assert_eq!(life("max-age=-1"), USUAL_LIFE);
        assert_eq!(life_of(&Response::new(Bytes::new())), USUAL_LIFE);
    }
}
