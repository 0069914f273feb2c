//! What was told of clocks in doubt: a process that lives for one call tells it once all the same.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};

use super::{
    TimeDoubt,
    guard::{ANCHORED_EVERY, TOLD_FOR},
};

/// How many clocks are known at once; who was heard of least lately is forgotten.
const KNOWN: usize = 8;

/// Keeps that somebody was told of a clock, and what that showed when it was heard of last. The trusted time would not do:
/// it stands still where each process that finds the clock ahead lives for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    is_ahead: bool,
    #[serde(with = "crate::instant")]
    pub(super) wall: DateTime<Utc>,
}

impl Told {
    /// As exactly as every store keeps an instant.
    pub(super) fn new(doubt: TimeDoubt, wall: DateTime<Utc>) -> Self {
        Self { is_ahead: doubt.is_ahead(), wall: wall.trunc_subsecs(6) }
    }

    /// Tells whether somebody was told of this clock, and it was heard of since.
    pub(crate) fn is_known(self, known: &[Self]) -> bool {
        known.iter().any(|told| self.follows(*told))
    }

    /// Tells whether that was heard of just now, and need not be kept again.
    pub(crate) fn is_kept(self, known: &[Self]) -> bool {
        let is_fresh = |told: &Self| self.wall.signed_duration_since(told.wall) < ANCHORED_EVERY;
        known.iter().any(|told| self.follows(*told) && is_fresh(told))
    }

    /// Those that are known from now on: this one in the place of what was known of it.
    pub(crate) fn among(self, mut known: Vec<Self>) -> Vec<Self> {
        known.retain(|told| !self.follows(*told));
        known.insert(0, self);
        known.truncate(KNOWN);
        known
    }

    /// A clock that was set in between shows another time.
    fn follows(self, told: Self) -> bool {
        let passed = self.wall.signed_duration_since(told.wall);
        self.is_ahead == told.is_ahead && passed >= chrono::TimeDelta::zero() && passed < TOLD_FOR
    }
}
