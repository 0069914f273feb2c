//! Keeps guesses away from the directory, which would lock the person out after a few.
//!
//! Each attempt takes a slot before the directory is asked, and keeps it where the directory counted a failure: whoever
//! guesses in parallel, on several nodes or by several connections, finds the slots taken all the same.
//!
//! It takes another one of the name that was typed, and only that is ever told: names count alike, whether somebody has them
//! or nobody.
//!
//! Active Directory forgets failures only when a window has passed since the *last* one, so that guesses which are spread
//! over the window add up for ever. So the last slot shuts all of them for a window. Each of the others is taken for as long
//! as guesses that add up can last without it: a window for each slot. Hence no more failures than there are slots ever
//! follow each other within a window.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{BackendError, ErrorClass, ErrorKind, OneTime, OneTimeKey, Taken, TenantId, VerifyError};

use super::settings::ThrottleSettings;

/// The directory counts from when it refused, which is later than when it was asked.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(1);

impl ThrottleSettings {
    /// Tells after how long at most somebody whose sign-ins are throttled (`ldap.sign_in_throttled`) may try once more.
    #[must_use]
    pub fn shut_for(self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.window_seconds)) + UNDER_WAY
    }
}

/// By what attempts are counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'a> {
    /// The name as it was typed, but for the case of its letters.
    Name(&'a str),
    /// The identifier of whoever has that name.
    Person(&'a [u8]),
    /// The name once more where nobody has it, so that it costs the same steps.
    Nobody(&'a str),
}

impl By<'_> {
    const fn purpose(&self) -> &'static str {
        match self {
            Self::Name(_) => "ldap failures of names",
            Self::Person(_) => "ldap failures",
            Self::Nobody(_) => "ldap failures of nobody",
        }
    }

    const fn bytes(&self) -> &[u8] {
        match self {
            Self::Name(name) | Self::Nobody(name) => name.as_bytes(),
            Self::Person(id) => id,
        }
    }
}

/// Counts the attempts on one person, and those by one name.
pub(super) struct Throttle {
    store: Arc<dyn OneTime>,
    /// Under whom the slots are kept, and for which directory.
    scope: (TenantId, String),
    settings: ThrottleSettings,
}

/// An attempt that was let through: the key of its own slot, behind those that were taken before it.
pub(super) struct Slot {
    keys: Vec<OneTimeKey>,
}

impl Throttle {
    pub(super) fn new(
        store: Arc<dyn OneTime>,
        scope: (TenantId, String),
        settings: ThrottleSettings,
    ) -> Self {
        Self { store, scope, settings }
    }

    /// Takes a free slot; there may be none.
    pub(super) async fn reserve(&self, by: By<'_>, now: DateTime<Utc>) -> Result<Option<Slot>, VerifyError> {
        let window = self.settings.shut_for();
        let last = self.settings.failures.saturating_sub(1);
        // What is over at once is refused where the key is taken, and leaves nothing where it is free.
        if !self.put(&self.key(by, last), now, now).await? {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for number in 0..=last {
            let key = self.key(by, number);
            let windows = if number == last { 1 } else { i32::from(self.settings.failures) };
            let is_free = self.put(&key, now + window * windows, now).await?;
            keys.push(key);
            if is_free {
                return Ok(Some(Slot { keys }));
            }
        }
        Ok(None)
    }

    /// Gives back the slot and those before it: the directory forgets failures after a success, too.
    pub(super) async fn release(&self, slot: Slot, now: DateTime<Utc>) -> Result<(), VerifyError> {
        for key in &slot.keys {
            self.store.take(key, now).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Gives back the slot alone: the directory did not count this attempt, and forgot no other.
    pub(super) async fn give_back(&self, slot: Slot, now: DateTime<Utc>) -> Result<(), VerifyError> {
        if let Some(own) = slot.keys.last() {
            self.store.take(own, now).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Takes a key until an instant; `false` where somebody has it.
    async fn put(
        &self,
        key: &OneTimeKey,
        until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<bool, VerifyError> {
        match self.store.put(key, &[], until, now).await {
            Ok(()) => Ok(true),
            Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::OneTime) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn key(&self, by: By<'_>, number: u8) -> OneTimeKey {
        let (tenant, system) = &self.scope;
        OneTimeKey::new(tenant.clone(), by.purpose(), &[system.as_bytes(), by.bytes(), &[number]])
    }
}

fn unavailable(error: BackendError) -> VerifyError {
    match error.class() {
        ErrorClass::Transient => VerifyError::transient(error.code(), error),
        _ => VerifyError::permanent(error.code(), error),
    }
}

#[cfg(test)]
mod tests {
    use jit_core::{Clock as _, ManualClock, MemoryStore};

    use super::*;

    const ALICE: By<'_> = By::Person(b"alice");

    fn throttle() -> Throttle {
        let scope = (TenantId::new("acme").unwrap(), "dc1".to_owned());
        Throttle::new(Arc::new(MemoryStore::new()), scope, ThrottleSettings::default())
    }

    fn clock() -> ManualClock {
        ManualClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
    }

    /// Counts as Active Directory does.
    #[derive(Default)]
    struct Counter {
        failures: u32,
        last: Option<DateTime<Utc>>,
        most: u32,
    }

    impl Counter {
        fn fail(&mut self, now: DateTime<Utc>) {
            let is_forgotten = |last: DateTime<Utc>| now - last >= TimeDelta::seconds(1800);
            self.failures = if self.last.is_none_or(is_forgotten) { 1 } else { self.failures + 1 };
            self.last = Some(now);
            self.most = self.most.max(self.failures);
        }
    }

    #[tokio::test]
    async fn a_few_failures_reach_the_directory_and_success_forgets_them() {
        let clock = clock();
        let throttle = throttle();
        for _ in 0..2 {
            throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        }
        let slot = throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        assert!(throttle.reserve(ALICE, clock.now()).await.unwrap().is_none());
        assert!(
            throttle.reserve(By::Person(b"bob"), clock.now()).await.unwrap().is_some(),
            "nobody else is slowed down"
        );
        assert!(
            throttle.reserve(By::Name("alice"), clock.now()).await.unwrap().is_some(),
            "nor is what is named as she"
        );
        throttle.release(slot, clock.now()).await.unwrap();
        for _ in 0..3 {
            throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        }
        clock.advance(ThrottleSettings::default().shut_for() - TimeDelta::seconds(1));
        assert!(throttle.reserve(ALICE, clock.now()).await.unwrap().is_none());
        clock.advance(TimeDelta::seconds(1));
        let slot = throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        assert!(
            throttle.reserve(ALICE, clock.now()).await.unwrap().is_none(),
            "one at a time, as long as they fail"
        );
        throttle.release(slot, clock.now()).await.unwrap();
        for _ in 0..3 {
            throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn an_attempt_that_was_not_counted_takes_nothing_and_forgets_nothing() {
        let clock = clock();
        let throttle = throttle();
        for _ in 0..2 {
            throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        }
        for _ in 0..4 {
            let slot = throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
            throttle.give_back(slot, clock.now()).await.unwrap();
        }
        throttle.reserve(ALICE, clock.now()).await.unwrap().unwrap();
        assert!(throttle.reserve(ALICE, clock.now()).await.unwrap().is_none(), "the first two still count");
    }

    #[tokio::test]
    async fn guesses_that_are_spread_over_days_never_add_up() {
        for gap in [1, 7, 10, 14, 15, 16, 20, 29, 30, 31, 33, 45] {
            let (clock, mut counter) = (clock(), Counter::default());
            let throttle = throttle();
            let mut reached = 0;
            for _ in 0..3 * 1440 / gap {
                clock.advance(TimeDelta::minutes(gap));
                if throttle.reserve(ALICE, clock.now()).await.unwrap().is_some() {
                    counter.fail(clock.now());
                    reached += 1;
                }
            }
            assert!(counter.most <= 3, "{} guesses, each {gap} minutes", counter.most);
            assert!(reached >= 3 * 1440 / 45, "it is not shut for ever: {reached}, each {gap} minutes");
        }
    }

    #[tokio::test]
    async fn guesses_at_any_distance_never_add_up() {
        for seed in 1..200_u64 {
            let (clock, mut counter, mut dice) = (clock(), Counter::default(), seed);
            let throttle = throttle();
            for _ in 0..200 {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                clock.advance(TimeDelta::seconds(i64::try_from((dice >> 33) % 2400).unwrap()));
                if throttle.reserve(ALICE, clock.now()).await.unwrap().is_some() {
                    counter.fail(clock.now());
                }
            }
            assert!(counter.most <= 3, "seed {seed}: {}", counter.most);
        }
    }
}
