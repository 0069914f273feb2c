//! What a target said of itself, and how long that is believed.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// A fault of a day must not change for good how a target is spoken to.
const BELIEVED_FOR: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Default)]
pub(super) struct Learned(Mutex<Option<DateTime<Utc>>>);

impl Learned {
    pub(super) fn learn(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Tells whether it was learned, and not so long ago that it is to be found out anew.
    pub(super) fn is_believed(&self, now: DateTime<Utc>) -> bool {
        let learned = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        learned.is_some_and(|at| (TimeDelta::zero()..BELIEVED_FOR).contains(&now.signed_duration_since(at)))
    }
}
