//! Clocks that are behind the trusted time: how it goes on by them all the same.
//!
//! A process that lives for one round of work has no pulse to tell it how much time has passed since the round before. The
//! clock of its machine can, also where it was set back, if somebody wrote down what it told when the time was trusted last.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::guard::ANCHORED_EVERY;

/// How many clocks are known at once; who was heard of least lately is forgotten.
const KNOWN: usize = 8;

/// Keeps what a clock that is behind told at an instant that was trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lag {
    #[serde(with = "crate::instant")]
    pub(crate) trusted: DateTime<Utc>,
    #[serde(with = "crate::instant")]
    wall: DateTime<Utc>,
}

impl Lag {
    /// As exactly as every store keeps the trusted time.
    pub(super) fn new(trusted: DateTime<Utc>, wall: DateTime<Utc>) -> Self {
        Self { trusted: trusted.trunc_subsecs(6), wall: wall.trunc_subsecs(6) }
    }

    /// The instant that it is by this clock, where `trusted` is the latest that anybody trusted.
    fn gone_on(&self, trusted: DateTime<Utc>, wall: DateTime<Utc>, bounds: Bounds) -> Option<DateTime<Utc>> {
        // What was written down after a person set the time back says nothing, and no clock runs backward.
        let passed = wall.signed_duration_since(self.wall);
        if self.trusted > trusted || passed < TimeDelta::zero() {
            return None;
        }
        let at = self.trusted.checked_add_signed(passed)?;
        // Where others went on meanwhile both agree, unless the clock was set in between or is not this one.
        let is_alone = trusted.signed_duration_since(self.trusted) < ANCHORED_EVERY;
        let most = if is_alone { bounds.alone } else { bounds.jump };
        let beyond = at.signed_duration_since(trusted);
        (-bounds.jump <= beyond && beyond <= most).then(|| at.max(trusted))
    }

    fn span(&self) -> TimeDelta {
        self.trusted.signed_duration_since(self.wall)
    }
}

/// How far a clock that is behind is believed.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Where others have trusted another time since.
    pub(super) jump: TimeDelta,
    /// Where nobody has.
    pub(super) alone: TimeDelta,
}

/// The instant that it is by a clock that tells `wall`, where it is known how far that is behind, and when that was heard
/// last. Of several that it may be, the earliest: what ends may come late, and never early.
pub(super) fn gone_on(
    known: &[Lag],
    trusted: DateTime<Utc>,
    wall: DateTime<Utc>,
    bounds: Bounds,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    known.iter().filter_map(|lag| Some((lag.gone_on(trusted, wall, bounds)?, lag.trusted))).min()
}

/// Those that are known from now on: the one that was heard of just now in the place of what was known of it.
pub(crate) fn with(mut known: Vec<Lag>, heard: Lag) -> Vec<Lag> {
    known.retain(|lag| (lag.span() - heard.span()).abs() >= ANCHORED_EVERY * 2);
    known.push(heard);
    known.sort_by_key(|lag| std::cmp::Reverse(lag.trusted));
    known.truncate(KNOWN);
    known
}
