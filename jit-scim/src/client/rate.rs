//! How often a target is asked: as its profile says, and as it says itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::retry_after::LONGEST;

/// The first pause after a target had enough and did not say for how long, and the longest.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(2);
const DOUBLINGS: u32 = 7;
/// For how long it must not have worked before those who were not let to it count as failed.
const OUT_FOR: TimeDelta = TimeDelta::minutes(1);

/// The largest number of a rate: with larger ones there would be spans that no clock has.
const MOST: u32 = 1_000_000;

/// Says how many requests a target takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct RequestRate {
    /// So many requests
    pub requests: u32,
    /// within so many seconds,
    pub seconds: u32,
    /// of which so many may come at once.
    pub burst: u32,
}

impl RequestRate {
    pub(super) const fn is_sound(&self) -> bool {
        const fn is_number(number: u32) -> bool {
            number > 0 && number <= MOST
        }
        is_number(self.requests) && is_number(self.seconds) && is_number(self.burst)
    }

    fn interval(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.seconds)) / i32::try_from(self.requests).unwrap_or(i32::MAX).max(1)
    }

    /// How far ahead of an even row a burst may be.
    fn slack(&self) -> TimeDelta {
        self.interval() * i32::try_from(self.burst.saturating_sub(1)).unwrap_or(i32::MAX)
    }

    /// Where the row goes on. What lies further ahead than any row can reach was said before the clock was set back.
    fn next(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let span = TimeDelta::seconds(i64::from(self.seconds)).max(self.slack());
        if at.signed_duration_since(now) > span * 2 { now } else { at.max(now) }
    }
}

/// Says how many members of one group may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct MemberRate {
    /// So many members
    pub members: u32,
    /// within so many seconds,
    pub seconds: u32,
    /// of which so many may come at once.
    pub burst: u32,
}

impl MemberRate {
    pub(super) const fn is_sound(&self) -> bool {
        self.as_requests().is_sound()
    }

    const fn as_requests(&self) -> RequestRate {
        RequestRate { requests: self.members, seconds: self.seconds, burst: self.burst }
    }
}

/// Keeps changes of members apart, group by group.
#[derive(Debug, Default)]
pub(super) struct MemberPace {
    /// When the next change of each group would come if all came evenly.
    next_at: Mutex<BTreeMap<String, DateTime<Utc>>>,
}

/// More groups than this are looked through for those of which nothing has to be remembered.
const GROUPS: usize = 1024;

impl MemberPace {
    /// Takes places for up to `wanted` members; `Err` with the time until there is one.
    pub(super) fn take(
        &self,
        rate: Option<MemberRate>,
        group: &str,
        wanted: usize,
        now: DateTime<Utc>,
    ) -> Result<usize, TimeDelta> {
        let Some(rate) = rate.map(|rate| rate.as_requests()) else { return Ok(wanted) };
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        let (interval, slack) = (rate.interval(), rate.slack());
        let mut next = rate.next(next_at.get(group).copied().unwrap_or(now), now);
        let wait = next.signed_duration_since(now) - slack;
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        let mut places = 0;
        while places < wanted && next.signed_duration_since(now) <= slack {
            next = next.checked_add_signed(interval).unwrap_or(next);
            places += 1;
        }
        if next_at.len() >= GROUPS {
            next_at.retain(|_, next| *next > now);
        }
        next_at.insert(group.to_owned(), next);
        Ok(places)
    }

    /// Hands places back that nobody used.
    pub(super) fn give_back(&self, rate: Option<MemberRate>, group: &str, places: usize) {
        let Some(rate) = rate.map(|rate| rate.as_requests()) else { return };
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = next_at.get_mut(group) {
            let span = rate.interval() * i32::try_from(places).unwrap_or(i32::MAX);
            *next = next.checked_sub_signed(span).unwrap_or(*next);
        }
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Reads,
    Writes,
}

/// Keeps requests apart: one for each target, for all that speak to it from this process.
#[derive(Debug)]
pub(super) struct Governor {
    reads: Option<RequestRate>,
    writes: Option<RequestRate>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the next request would come if all came evenly: the generic cell rate algorithm.
    reads_at: DateTime<Utc>,
    writes_at: DateTime<Utc>,
    closed_until: DateTime<Utc>,
    /// How often in a row the target had enough.
    refusals: u32,
    /// Since when it says that it does not work for now.
    out_since: Option<DateTime<Utc>>,
}

impl Governor {
    pub(super) fn new(reads: Option<RequestRate>, writes: Option<RequestRate>) -> Self {
        Self { reads, writes, state: Mutex::default() }
    }

    /// Takes a place in the row, and tells how long to wait for it; `Err` with the same where that is beyond `patience`, and
    /// then no place is taken.
    pub(super) fn enter(
        &self,
        kind: Kind,
        now: DateTime<Utc>,
        patience: TimeDelta,
    ) -> Result<TimeDelta, TimeDelta> {
        let rate = match kind {
            Kind::Reads => self.reads,
            Kind::Writes => self.writes,
        };
        let mut state = self.state();
        let closed = state.closed_for(now);
        let next = match kind {
            Kind::Reads => &mut state.reads_at,
            Kind::Writes => &mut state.writes_at,
        };
        let Some(rate) = rate else { return within(closed, patience) };
        let (from, slack) = (rate.next(*next, now), rate.slack());
        let wait = within(closed.max(from.signed_duration_since(now) - slack), patience)?;
        *next = from.checked_add_signed(rate.interval()).unwrap_or(from);
        Ok(wait)
    }

    /// Tells for how long whoever waited for a place has to wait yet: others may have been told meanwhile to go away; `Err`
    /// with the same where that is beyond `patience`.
    pub(super) fn reenter(&self, now: DateTime<Utc>, patience: TimeDelta) -> Result<TimeDelta, TimeDelta> {
        within(self.state().closed_for(now), patience)
    }

    /// Learns that the target had enough, for this long where it said so. Tells the pause, which is a longer one where another
    /// request under way was told so.
    pub(super) fn close(&self, pause: Option<TimeDelta>, now: DateTime<Utc>) -> TimeDelta {
        let mut state = self.state();
        let pause = pause.unwrap_or_else(|| FIRST_PAUSE * (1 << state.refusals.min(DOUBLINGS)));
        state.refusals = state.refusals.saturating_add(1);
        let pause = pause.min(LONGEST).max(state.closed_for(now));
        state.closed_until = now.checked_add_signed(pause).unwrap_or(now);
        pause
    }

    pub(super) fn answered(&self) {
        let mut state = self.state();
        (state.refusals, state.out_since) = (0, None);
    }

    /// Learns whether it had enough of us, or does not work for now whoever asks.
    pub(super) fn said_out(&self, is_out: bool, now: DateTime<Utc>) {
        let mut state = self.state();
        state.out_since = state.out_since.or(Some(now)).filter(|_| is_out);
    }

    /// Whether it has said so for a while, and nothing else since.
    pub(super) fn is_out(&self, now: DateTime<Utc>) -> bool {
        self.state().out_since.is_some_and(|since| now.signed_duration_since(since) >= OUT_FOR)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What lies further ahead than any pause was said before the clock was set back.
    fn closed_for(&self, now: DateTime<Utc>) -> TimeDelta {
        let left = self.closed_until.signed_duration_since(now);
        if left > LONGEST { TimeDelta::zero() } else { left.max(TimeDelta::zero()) }
    }
}

fn within(wait: TimeDelta, patience: TimeDelta) -> Result<TimeDelta, TimeDelta> {
    let wait = wait.max(TimeDelta::zero());
    if wait <= patience { Ok(wait) } else { Err(wait) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: TimeDelta = TimeDelta::seconds(5);

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + second, 0).unwrap()
    }

    fn waits(governor: &Governor, second: i64) -> Result<i64, i64> {
        let wait = governor.enter(Kind::Writes, at(second), PATIENCE);
        wait.map(|span| span.num_seconds()).map_err(|span| span.num_seconds())
    }

    #[test]
    fn a_burst_passes_and_the_rest_comes_evenly() {
        let rate = RequestRate { requests: 30, seconds: 60, burst: 3 };
        let governor = Governor::new(None, Some(rate));
        let waited: Vec<_> = (0..6).map(|_| waits(&governor, 0)).collect();
        assert_eq!(waited, [Ok(0), Ok(0), Ok(0), Ok(2), Ok(4), Err(6)]);
        assert_eq!(waits(&governor, 10), Ok(0), "who was refused took no place");
        assert_eq!(
            governor.enter(Kind::Reads, at(0), PATIENCE),
            Ok(TimeDelta::zero()),
            "reads have no bound"
        );
        assert_eq!(waits(&governor, -100_000), Ok(0), "the clock was set back");
    }

    #[test]
    fn a_target_that_had_enough_is_left_alone_longer_each_time() {
        let governor = Governor::new(None, None);
        let pauses: Vec<_> = (0..9).map(|_| governor.close(None, at(0)).num_seconds()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 256]);
        assert_eq!(waits(&governor, 0), Err(256));
        assert_eq!(waits(&governor, 252), Ok(4));
        assert!(!governor.is_out(at(252)), "it had enough of us, and works");
        for (second, is_out) in [(252, false), (311, false), (312, true)] {
            governor.said_out(true, at(second));
            assert_eq!(governor.is_out(at(second)), is_out);
        }
        governor.answered();
        assert!(!governor.is_out(at(400)));
        assert_eq!(governor.close(None, at(300)).num_seconds(), 2);
        assert_eq!(governor.close(Some(TimeDelta::seconds(30)), at(300)).num_seconds(), 30, "it said so");
    }
}
