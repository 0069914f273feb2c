//! When a target that fails nearly everybody is left alone, and how often it is asked then. Pure.

use chrono::TimeDelta;

use super::health::REMEMBERED;

/// Says when a target counts as one that fails nearly everybody, and how often it is asked while it does. What takes access is
/// brought all the while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it")]
pub struct QuarantineRules {
    /// So many different accounts it must have failed: 2 to 100, and no more than `percent` of the 128 that are remembered.
    pub accounts: u32,
    /// Of so large a part of those that it was asked for: 10 to 100 of each hundred.
    pub percent: u8,
    /// Within this span: five minutes to a day.
    pub within: TimeDelta,
    /// The pause before the first attempt: a minute to an hour. The next ones are 6, 24, 72 and 288 times as long.
    pub first_pause: TimeDelta,
    /// The longest pause: from the first one up to a week.
    pub longest_pause: TimeDelta,
}

/// How much longer than the first one the pauses are.
const LADDER: [i32; 5] = [1, 6, 24, 72, 288];

impl Default for QuarantineRules {
    /// Ten accounts and half of those that were asked for, within 30 minutes; asked after 5 minutes at first, and daily in the
    /// end.
    fn default() -> Self {
        Self {
            accounts: 10,
            percent: 50,
            within: TimeDelta::minutes(30),
            first_pause: TimeDelta::minutes(5),
            longest_pause: TimeDelta::hours(24),
        }
    }
}

impl QuarantineRules {
    /// Tells the first setting that lies outside its bounds, by its name, and what the bounds are.
    #[must_use]
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        let day = TimeDelta::days(1);
        let is_reachable = self.accounts <= most_of(self.percent);
        if !(2..=100).contains(&self.accounts) {
            Some(("accounts", "must be 2 to 100"))
        } else if !(10..=100).contains(&self.percent) {
            Some(("percent", "must be 10 to 100"))
        } else if !is_reachable {
            Some(("accounts", "must be no more than `percent` of 128: so many are remembered"))
        } else if !(TimeDelta::minutes(5)..=day).contains(&self.within) {
            Some(("within", "must be `5m` to `1d`"))
        } else if !(TimeDelta::minutes(1)..=TimeDelta::hours(1)).contains(&self.first_pause) {
            Some(("first_pause", "must be `1m` to `1h`"))
        } else if !(self.first_pause..=day * 7).contains(&self.longest_pause) {
            Some(("longest_pause", "must be `first_pause` to `7d`"))
        } else {
            None
        }
    }

    /// Brings every setting into its bounds.
    pub(crate) fn bounded(self) -> Self {
        let percent = self.percent.clamp(10, 100);
        let first_pause = self.first_pause.clamp(TimeDelta::minutes(1), TimeDelta::hours(1));
        Self {
            accounts: self.accounts.clamp(2, most_of(percent).min(100)),
            percent,
            within: self.within.clamp(TimeDelta::minutes(5), TimeDelta::days(1)),
            first_pause,
            longest_pause: self.longest_pause.clamp(first_pause, TimeDelta::days(7)),
        }
    }

    /// Tells whether so many that failed, of so many that were asked for, are too many.
    pub(crate) fn are_too_many(&self, failed: usize, asked: usize) -> bool {
        let fewest = usize::try_from(self.accounts).unwrap_or(usize::MAX);
        failed >= fewest && failed.saturating_mul(100) >= asked.saturating_mul(usize::from(self.percent))
    }

    /// The pause before an attempt, by its number.
    pub(crate) fn pause(&self, step: usize) -> TimeDelta {
        let factor = LADDER.get(step).or(LADDER.last()).copied().unwrap_or(1);
        (self.first_pause * factor).min(self.longest_pause)
    }
}

/// How many accounts such a part of those that are remembered is.
fn most_of(percent: u8) -> u32 {
    u32::try_from(REMEMBERED).unwrap_or(u32::MAX).saturating_mul(percent.into()) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_named_and_brought_inside() {
        let usual = QuarantineRules::default();
        assert_eq!((usual.problem(), usual.bounded()), (None, usual));
        let wrong = [
            ("accounts", QuarantineRules { accounts: 1, ..usual }),
            ("accounts", QuarantineRules { accounts: 1_000, ..usual }),
            ("accounts", QuarantineRules { accounts: 65, ..usual }),
            ("accounts", QuarantineRules { percent: 10, accounts: 13, ..usual }),
            ("percent", QuarantineRules { percent: 0, ..usual }),
            ("percent", QuarantineRules { percent: 101, ..usual }),
            ("within", QuarantineRules { within: TimeDelta::zero(), ..usual }),
            ("within", QuarantineRules { within: TimeDelta::MAX, ..usual }),
            ("first_pause", QuarantineRules { first_pause: TimeDelta::MIN, ..usual }),
            ("first_pause", QuarantineRules { first_pause: TimeDelta::MAX, ..usual }),
            ("longest_pause", QuarantineRules { longest_pause: TimeDelta::minutes(4), ..usual }),
            ("longest_pause", QuarantineRules { longest_pause: TimeDelta::MAX, ..usual }),
        ];
        for (name, rules) in wrong {
            assert_eq!(rules.problem().map(|(name, _)| name), Some(name));
            assert_eq!(rules.bounded().problem(), None, "{rules:?}");
        }
    }

    #[test]
    fn no_pause_is_longer_than_the_longest() {
        let rules = QuarantineRules { longest_pause: TimeDelta::hours(1), ..QuarantineRules::default() };
        let pauses: Vec<_> = (0..7).map(|step| rules.pause(step).num_minutes()).collect();
        assert_eq!(pauses, [5, 30, 60, 60, 60, 60, 60]);
    }
}
