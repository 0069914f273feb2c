//! The keys of one provider, kept fresh with two budgets.
//!
//! A token that came straight from the token endpoint (the trusted channel) with an unknown key means that the provider
//! has rotated its keys, so the set is fetched at once. A token that anybody can hand in (the untrusted channel) means
//! nothing, so it fetches rarely; and however much of that happens, logins keep a budget of their own.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::Clock;

use crate::algorithm::AlgorithmSet;
use crate::http::{FetchError, Http, get_json};
use crate::keys::{KeySet, MAX_KEY_SET};
use crate::shelf::{Fetched, Shelf, Shelved, life_of};
use crate::signature::Engine;

/// How many unknown key names are remembered, and for how long.
const UNKNOWN_KIDS: usize = 64;
const UNKNOWN_FOR: TimeDelta = TimeDelta::seconds(30);

/// Where a token came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Channel {
    /// From the provider's token endpoint over TLS: an unknown key may refresh the set at once, a few times in a row
    /// and once a second in the long run.
    Trusted,
    /// From anybody: three refreshes in a row, then one each 30 seconds.
    Untrusted,
}

/// Keeps the key set of one provider.
pub struct JwksCache {
    http: Arc<dyn Http>,
    engine: Engine,
    algorithms: AlgorithmSet,
    shelf: Shelf<KeySet>,
    budgets: Mutex<Budgets>,
}

/// A key set and which fetch it came from.
#[derive(Debug, Clone)]
pub struct Keys(Arc<Shelved<KeySet>>);

struct Budgets {
    trusted: Bucket,
    untrusted: Bucket,
    unknown: VecDeque<(String, DateTime<Utc>)>,
}

/// A token bucket.
struct Bucket {
    capacity: i32,
    tokens: i32,
    refill: TimeDelta,
    since: Option<DateTime<Utc>>,
}

impl Keys {
    /// Returns the keys.
    #[must_use]
    pub fn set(&self) -> &KeySet {
        &self.0.value
    }
}

impl JwksCache {
    /// Begins with an empty cache; nothing is fetched before it is needed.
    #[must_use]
    pub fn new(http: Arc<dyn Http>, clock: Arc<dyn Clock>, engine: Engine, algorithms: AlgorithmSet) -> Self {
        let budgets = Budgets {
            trusted: Bucket::new(3, TimeDelta::seconds(1)),
            untrusted: Bucket::new(3, TimeDelta::seconds(30)),
            unknown: VecDeque::new(),
        };
        Self { http, engine, algorithms, shelf: Shelf::new(clock), budgets: Mutex::new(budgets) }
    }

    /// Returns the keys, fetched at most once however many ask at the same time. When the provider cannot be reached,
    /// keys that were fetched before serve for up to 24 hours more.
    ///
    /// # Errors
    /// [`FetchError`] when there are no keys that may still serve.
    ///
    /// # Cancel safety
    /// Nothing is lost; the next caller fetches.
    pub async fn keys(&self, jwks_uri: &str) -> Result<Keys, FetchError> {
        self.shelf.get(self.fetch(jwks_uri)).await.map(Keys)
    }

    /// Returns newer keys for a token whose key is not among those `seen`; `None` when the budget of the channel does
    /// not allow to look.
    ///
    /// # Errors
    /// [`FetchError`] when the keys cannot be fetched.
    ///
    /// # Cancel safety
    /// Nothing is lost but a piece of the budget.
    pub async fn newer(
        &self,
        jwks_uri: &str,
        seen: &Keys,
        channel: Channel,
        kid: Option<&str>,
    ) -> Result<Option<Keys>, FetchError> {
        let permit = |now| self.budgets().permit(channel, kid, now);
        let newer = self.shelf.renew(seen.0.generation, permit, self.fetch(jwks_uri)).await?;
        Ok(newer.map(Keys))
    }

    async fn fetch(&self, jwks_uri: &str) -> Result<Fetched<KeySet>, FetchError> {
        let response = get_json(self.http.as_ref(), "jwks", jwks_uri, MAX_KEY_SET).await?;
        let value = KeySet::parse(response.body(), &self.engine, self.algorithms)?;
        Ok(Fetched { value, life: life_of(&response) })
    }

    fn budgets(&self) -> std::sync::MutexGuard<'_, Budgets> {
        self.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for JwksCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksCache").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl Budgets {
    fn permit(&mut self, channel: Channel, kid: Option<&str>, now: DateTime<Utc>) -> bool {
        match channel {
            Channel::Trusted => self.trusted.take(now),
            Channel::Untrusted => !self.is_known_unknown(kid, now) && self.untrusted.take(now),
        }
    }

    /// Remembers which names were looked for in vain, so that one bad token that is sent again and again costs the
    /// budget once.
    fn is_known_unknown(&mut self, kid: Option<&str>, now: DateTime<Utc>) -> bool {
        self.unknown.retain(|(_, since)| now.signed_duration_since(*since).abs() < UNKNOWN_FOR);
        let kid = kid.unwrap_or_default();
        if self.unknown.iter().any(|(unknown, _)| unknown == kid) {
            return true;
        }
        if self.unknown.len() == UNKNOWN_KIDS {
            self.unknown.pop_front();
        }
        self.unknown.push_back((kid.to_owned(), now));
        false
    }
}

impl Bucket {
    const fn new(capacity: i32, refill: TimeDelta) -> Self {
        Self { capacity, tokens: capacity, refill, since: None }
    }

    fn take(&mut self, now: DateTime<Utc>) -> bool {
        let since = *self.since.get_or_insert(now);
        let elapsed = now.signed_duration_since(since).num_milliseconds();
        let refilled = elapsed / self.refill.num_milliseconds();
        if refilled > 0 {
            let added = i32::try_from(refilled).unwrap_or(i32::MAX);
            self.tokens = self.tokens.saturating_add(added).min(self.capacity);
            self.since = Some(now);
        } else if elapsed < 0 {
            // the clock jumped back: wait anew rather than for the old time to return
            self.since = Some(now);
        }
        if self.tokens == 0 {
            return false;
        }
        self.tokens -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_bucket_gives_a_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(3, TimeDelta::seconds(30));
        let taken = (0..500).filter(|_| bucket.take(at(0))).count();
        assert_eq!(taken, 3);
        assert!(!bucket.take(at(29)));
        assert!(bucket.take(at(30)));
        assert!(!bucket.take(at(59)));
        assert_eq!((0..10).filter(|_| bucket.take(at(10_000))).count(), 3);
    }

    #[test]
    fn a_clock_that_jumps_back_neither_floods_nor_stops() {
        let mut bucket = Bucket::new(1, TimeDelta::seconds(1));
        assert!(bucket.take(at(1_000)));
        assert!(!bucket.take(at(0)));
        assert!(bucket.take(at(1)));
    }

    #[test]
    fn the_same_unknown_name_costs_the_budget_once() {
        let cache = JwksCache::new(
            Arc::new(Never),
            Arc::new(jit_core::SystemClock),
            engine(),
            AlgorithmSet::default(),
        );
        let mut budgets = cache.budgets();
        assert!(budgets.permit(Channel::Untrusted, Some("forged"), at(0)));
        assert!((0..1000).all(|_| !budgets.permit(Channel::Untrusted, Some("forged"), at(1))));
        assert_eq!(budgets.untrusted.tokens, 2);
        assert!(budgets.permit(Channel::Trusted, Some("forged"), at(1)));
        for number in 0..1000 {
            budgets.permit(Channel::Untrusted, Some(&number.to_string()), at(2));
        }
        assert!(budgets.unknown.len() <= UNKNOWN_KIDS);
    }

    fn engine() -> Engine {
        #[derive(Debug)]
        struct NoEngine;
        impl crate::signature::SignatureEngine for NoEngine {
            fn prepare(
                &self,
                _: &crate::keys::PublicKey,
                _: crate::algorithm::Algorithm,
            ) -> Result<Box<dyn crate::signature::PreparedKey>, crate::signature::KeyRefused> {
                Err(crate::signature::KeyRefused)
            }
        }
        Engine::custom(Arc::new(NoEngine))
    }

    #[derive(Debug)]
    struct Never;

    #[async_trait::async_trait]
    impl Http for Never {
        async fn send(
            &self,
            _: http::Request<bytes::Bytes>,
            _: usize,
        ) -> Result<http::Response<bytes::Bytes>, crate::http::HttpError> {
            Err(crate::http::HttpError::new(crate::http::HttpErrorKind::Unreachable))
        }
    }
}
