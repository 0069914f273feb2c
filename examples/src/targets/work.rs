//! How the work on the leases of a target is paced.

use std::num::NonZeroU32;

use chrono::TimeDelta;
use jit_core::config::Problems;
use jit_core::{Code, Span, TargetSetup};
use serde::Deserialize;

use super::settings::TargetSettings;

/// The most leases that a round of work asks a target about at a time.
const MOST_AT_ONCE: usize = 64;
/// The most that are quarantined at once.
const MOST_QUARANTINED: usize = 128;
/// No call is given up by the client of a target before it lasted a minute.
const SHORTEST_FLIGHT: TimeDelta = TimeDelta::minutes(2);
/// While a call may be on its way, nobody asks again.
const LONGEST_FLIGHT: TimeDelta = TimeDelta::hours(1);
/// Whoever hears of it later hears of it too late.
const LATEST_ALARM: TimeDelta = TimeDelta::days(7);

/// Bounds how many leases are worked on in a span.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PaceSettings {
    leases: NonZeroU32,
    each: Span,
}

impl TargetSettings {
    pub(super) fn check_work(&self, found: &mut Problems) {
        let mut refuse = |field: &str, message: &str| {
            found.report_in(field, Code::new("config.invalid_value"), message);
        };
        if self.at_once.is_some_and(|count| count.get() > MOST_AT_ONCE) {
            refuse("at_once", "must be 1 to 64");
        }
        if self.quarantined_at_most.is_some_and(|count| count.get() > MOST_QUARANTINED) {
            refuse("quarantined_at_most", "must be 1 to 128");
        }
        let flight = SHORTEST_FLIGHT..=LONGEST_FLIGHT;
        if self.in_flight_for.is_some_and(|span| !flight.contains(&span.delta())) {
            refuse("in_flight_for", "must be `2m` to `1h`: longer than any call is waited for");
        }
        let alarm = TimeDelta::minutes(1)..=LATEST_ALARM;
        if self.overdue_after.is_some_and(|span| !alarm.contains(&span.delta())) {
            refuse("overdue_after", "must be `1m` to `7d`");
        }
    }

    pub(super) fn paced(&self, mut setup: TargetSetup) -> TargetSetup {
        if let Some(count) = self.at_once {
            setup = setup.at_once(count);
        }
        if let Some(pace) = &self.no_more_than {
            setup = setup.no_more_than(pace.leases, pace.each.delta());
        }
        if let Some(count) = self.quarantined_at_most {
            setup = setup.quarantining_at_most(count);
        }
        if let Some(span) = self.in_flight_for {
            setup = setup.in_flight_for(span.delta());
        }
        if let Some(span) = self.overdue_after {
            setup = setup.overdue_after(span.delta());
        }
        setup
    }
}
