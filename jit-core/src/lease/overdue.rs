//! Ends that do not come.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Lease, Phase};

/// Each alarm comes at this many times the distance of the one before.
const GROWS_BY: i32 = 4;

impl Lease {
    /// Tells since when it should no longer be in the target; `None` where it may be there, or is gone.
    #[must_use]
    pub fn owed_since(&self) -> Option<DateTime<Utc>> {
        match &self.phase {
            Phase::Intended => Some(self.unanswered.unwrap_or(self.until)),
            Phase::Active { .. } => Some(self.until),
            Phase::Ending { since, .. } => Some(self.until.min(*since)),
            Phase::Unconfirmed { .. } | Phase::Gone { .. } | Phase::Quarantined { .. } => None,
        }
    }

    /// Tells for how long it is overdue, if that is to be told now: at the bound, and again at growing distances.
    pub(crate) fn alarm_due(&self, bound: TimeDelta, now: DateTime<Utc>) -> Option<TimeDelta> {
        let overdue = now.signed_duration_since(self.owed_since()?);
        let times = GROWS_BY.checked_pow(self.alarms).unwrap_or(i32::MAX);
        let told_at = bound.checked_mul(times).unwrap_or(TimeDelta::MAX);
        (overdue >= told_at).then_some(overdue)
    }
}
