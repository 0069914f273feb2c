//! One first sign-in at a time for each identity, within this process; between processes the store decides.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::{Account, ExternalKey};

/// What those who wait find when their turn comes: the account as the one before left it.
type Turnstile = Arc<AsyncMutex<Option<Arc<Account>>>>;

/// Keeps a turnstile for each identity that is signing in for the first time.
#[derive(Default)]
pub(super) struct Flights {
    turnstiles: Mutex<HashMap<ExternalKey, Turnstile>>,
}

/// Holds the turn of one identity until dropped.
pub(super) struct Turn<'a> {
    flights: &'a Flights,
    key: ExternalKey,
    guard: Option<OwnedMutexGuard<Option<Arc<Account>>>>,
    waited: bool,
}

impl Flights {
    /// Waits for the turn of an identity.
    pub(super) async fn enter(&self, key: &ExternalKey) -> Turn<'_> {
        let turnstile = {
            let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turnstiles.entry(key.clone()).or_default())
        };
        // Made before waiting, so that a caller who gives up while waiting cleans up as well.
        let mut turn = Turn { flights: self, key: key.clone(), guard: None, waited: false };
        turn.guard = if let Ok(guard) = Arc::clone(&turnstile).try_lock_owned() {
            Some(guard)
        } else {
            turn.waited = true;
            Some(turnstile.lock_owned().await)
        };
        turn
    }
}

impl Turn<'_> {
    /// Tells whether somebody else had the turn when this one came.
    pub(super) fn waited(&self) -> bool {
        self.waited
    }

    /// The account as the one before left it. Whoever waits began before it came into being, so that its sign-in counts as
    /// one at that moment.
    pub(super) fn left_behind(&self) -> Option<Arc<Account>> {
        self.guard.as_ref().and_then(|guard| (**guard).clone())
    }

    /// Leaves the account to those who wait.
    pub(super) fn leave(&mut self, account: &Account) {
        if let Some(guard) = &mut self.guard {
            **guard = Some(Arc::new(account.clone()));
        }
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("waited", &self.waited).finish_non_exhaustive()
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
