//! Ends that do not come.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Lease, Phase};

/// Each alarm comes at this many times the distance of the one before.
const GROWS_BY: i32 = 4;
/// The longest time between two alarms.
const FARTHEST: TimeDelta = TimeDelta::days(7);
/// From where the distances of reminders grow: what is quarantined is told of at once, and again after an hour.
pub(super) const REMINDED_FROM: TimeDelta = TimeDelta::minutes(15);

impl Lease {
    /// Tells since when it should no longer be in the target, or since when somebody should have looked whether it is there
    /// again; `None` where it may be there, or is gone.
    #[must_use]
    pub fn owed_since(&self) -> Option<DateTime<Utc>> {
        match &self.phase {
            Phase::Intended => Some(self.unanswered.unwrap_or(self.until)),
            Phase::Active { .. } => Some(self.until),
            Phase::Ending { since, .. } => Some(self.until.min(*since)),
            Phase::Unconfirmed { look_at, .. } => Some(*look_at),
            Phase::Gone { .. } => self.unanswered,
            Phase::Quarantined { .. } => None,
        }
    }

    /// Counts the alarm that is to be raised now, if one is, and tells for how long the lease is overdue or quarantined:
    /// at the bound, and again at growing distances without end.
    pub(crate) fn take_alarm(&mut self, bound: TimeDelta, now: DateTime<Utc>) -> Option<TimeDelta> {
        let (since, bound) = match self.phase {
            Phase::Quarantined { since, .. } => (since, REMINDED_FROM),
            _ => (self.owed_since()?, bound),
        };
        let lasts = now.signed_duration_since(since);
        if lasts < told_after(bound, self.alarms) {
            return None;
        }
        self.told(bound, lasts);
        Some(lasts)
    }

    /// When somebody is to be told again of what is quarantined since then.
    pub(super) fn reminder(&self, since: DateTime<Utc>) -> DateTime<Utc> {
        let after = told_after(REMINDED_FROM, self.alarms);
        since.checked_add_signed(after).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Counts every alarm as raised that is due after so long: whoever was not there to raise them raises one.
    pub(super) fn told(&mut self, bound: TimeDelta, lasts: TimeDelta) {
        while self.alarms < u32::MAX && told_after(bound, self.alarms) <= lasts {
            self.alarms += 1;
        }
    }
}

/// After how long the next alarm is due where so many were raised: at the bound, at four times that, sixteen times, and so
/// on, and never farther apart than a week.
fn told_after(bound: TimeDelta, raised: u32) -> TimeDelta {
    let (mut after, mut left) = (bound.max(TimeDelta::seconds(1)), raised);
    while left > 0 && after <= FARTHEST / (GROWS_BY - 1) {
        (after, left) = (after * GROWS_BY, left - 1);
    }
    let weeks = i32::try_from(left).ok().and_then(|left| FARTHEST.checked_mul(left));
    weeks.and_then(|weeks| after.checked_add(&weeks)).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_come_at_growing_distances_and_never_farther_apart_than_a_week() {
        let quarter = TimeDelta::minutes(15);
        let minutes: Vec<_> = (0..9).map(|raised| told_after(quarter, raised).num_minutes()).collect();
        let week = 7 * 24 * 60;
        assert_eq!(minutes[..6], [15, 60, 240, 960, 3_840, 3_840 + week]);
        assert!(minutes.windows(2).skip(4).all(|pair| pair[1] - pair[0] == week), "{minutes:?}");
        assert_eq!(told_after(TimeDelta::days(30), 2), TimeDelta::days(44));
        for odd in [TimeDelta::zero(), TimeDelta::MAX, TimeDelta::MIN] {
            assert!(told_after(odd, u32::MAX) >= told_after(odd, 0));
        }
    }
}
