//! What one process knows of the quarantined of a target: how many may be at once, and whether there is room.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How long nobody asks again whether there is room: whoever waits is many.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug)]
pub(crate) struct UnmarkedView {
    pub(crate) most: usize,
    full_at: Mutex<Option<DateTime<Utc>>>,
}

impl UnmarkedView {
    pub(crate) fn of(most: usize) -> Self {
        Self { most, full_at: Mutex::default() }
    }

    /// Tells whether there was no room a moment ago.
    pub(crate) fn is_known_full(&self, now: DateTime<Utc>) -> bool {
        let is_fresh = |at: DateTime<Utc>| (TimeDelta::zero()..LOOK_AGAIN).contains(&(now - at));
        self.full_at().is_some_and(is_fresh)
    }

    pub(crate) fn saw_full(&self, now: DateTime<Utc>) {
        *self.full_at() = Some(now);
    }

    pub(crate) fn saw_room(&self) {
        *self.full_at() = None;
    }

    fn full_at(&self) -> MutexGuard<'_, Option<DateTime<Utc>>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
