//! One first sign-in at a time for each identity, within this process; between processes the store decides.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::ExternalKey;

/// Keeps a turnstile for each identity that is signing in for the first time.
#[derive(Default)]
pub(super) struct Flights {
    turnstiles: Mutex<HashMap<ExternalKey, Arc<AsyncMutex<()>>>>,
}

/// Holds the turn of one identity until dropped.
pub(super) struct Turn<'a> {
    flights: &'a Flights,
    key: ExternalKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Flights {
    /// Waits for the turn of an identity.
    pub(super) async fn enter(&self, key: &ExternalKey) -> Turn<'_> {
        let turnstile = {
            let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turnstiles.entry(key.clone()).or_default())
        };
        // Made before waiting, so that a caller who gives up while waiting cleans up as well.
        let mut turn = Turn { flights: self, key: key.clone(), guard: None };
        turn.guard = Some(turnstile.lock_owned().await);
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut turnstiles = self.flights.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits holds the turnstile too; the last one to leave removes it.
        if turnstiles.get(&self.key).is_some_and(|turnstile| Arc::strong_count(turnstile) == 1) {
            turnstiles.remove(&self.key);
        }
    }
}
