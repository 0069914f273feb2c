//! Keeps guesses away from the directory, which would lock the person out after a few.
//!
//! Each attempt takes one of a few slots before the directory is asked, and only success gives it back: whoever guesses
//! in parallel, or on several nodes, finds the slots taken all the same.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{
    BackendError, ConnectionId, ErrorClass, ErrorKind, OneTime, OneTimeKey, Taken, TenantId, VerifyError,
};

use super::settings::ThrottleSettings;
use crate::error::LdapError;
use crate::reason::Reason;

const PURPOSE: &str = "ldap failures";

/// Counts the attempts on one person.
pub(super) struct Throttle {
    store: Arc<dyn OneTime>,
    scope: (TenantId, ConnectionId),
    settings: ThrottleSettings,
}

/// An attempt that was let through.
pub(super) struct Slot {
    keys: Vec<OneTimeKey>,
}

impl Throttle {
    pub(super) fn new(
        store: Arc<dyn OneTime>,
        scope: (TenantId, ConnectionId),
        settings: ThrottleSettings,
    ) -> Self {
        Self { store, scope, settings }
    }

    /// Takes a free slot.
    pub(super) async fn reserve(&self, person: &[u8], now: DateTime<Utc>) -> Result<Slot, VerifyError> {
        let until = now + TimeDelta::seconds(i64::from(self.settings.window_seconds));
        let mut keys = Vec::new();
        for number in 0..self.settings.failures {
            let key = self.key(person, number);
            let put = self.store.put(&key, &[], until, now).await;
            keys.push(key);
            match put {
                Ok(()) => return Ok(Slot { keys }),
                Err(error) if *error.kind() == ErrorKind::AlreadyExists(Taken::OneTime) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        Err(LdapError::new(Reason::SignInThrottled).into())
    }

    /// Gives back the slot and those before it: the directory forgets failures after a success, too.
    pub(super) async fn release(&self, slot: Slot, now: DateTime<Utc>) -> Result<(), VerifyError> {
        for key in &slot.keys {
            self.store.take(key, now).await.map_err(unavailable)?;
        }
        Ok(())
    }

    fn key(&self, person: &[u8], number: u8) -> OneTimeKey {
        let (tenant, connection) = &self.scope;
        OneTimeKey::new(tenant.clone(), PURPOSE, &[connection.as_str().as_bytes(), person, &[number]])
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

    #[tokio::test]
    async fn a_few_failures_reach_the_directory_and_success_forgets_them() {
        let clock = ManualClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let scope = (TenantId::new("acme").unwrap(), ConnectionId::new("ad").unwrap());
        let throttle = Throttle::new(Arc::new(MemoryStore::new()), scope, ThrottleSettings::default());
        for _ in 0..2 {
            throttle.reserve(b"alice", clock.now()).await.unwrap();
        }
        let slot = throttle.reserve(b"alice", clock.now()).await.unwrap();
        let refused = throttle.reserve(b"alice", clock.now()).await.err().unwrap();
        assert_eq!(refused.code().as_str(), "ldap.sign_in_throttled");
        assert!(throttle.reserve(b"bob", clock.now()).await.is_ok(), "nobody else is slowed down");
        throttle.release(slot, clock.now()).await.unwrap();
        for _ in 0..3 {
            throttle.reserve(b"alice", clock.now()).await.unwrap();
        }
        clock.advance(TimeDelta::seconds(1800));
        assert!(throttle.reserve(b"alice", clock.now()).await.is_ok(), "the window is over");
    }
}
