//! The guard against jumps of the clock.
//!
//! Two clocks are read side by side: the wall clock, which can be set, and a pulse, which cannot. From an instant that was
//! trusted the pulse tells which instant is *plausible* now. The rule is one:
//!
//! - What is decided (who may, until when) goes by the later of the two: no jump, in no direction, extends anything.
//! - What is destroyed goes by the wall clock only while that is not ahead of the plausible instant by more than a bound.
//!   Else it goes by the plausible instant: what is due by then is done, and what only the jump made due waits.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Clock, Pulse, SystemPulse,
    lag::{Bounds, Lag, gone_on},
    told::Told,
};

/// Describes the guard against jumps of the clock.
#[derive(Clone)]
pub struct TimeGuard {
    pulse: Arc<dyn Pulse>,
    jump: TimeDelta,
    downtime: TimeDelta,
    patience: Option<TimeDelta>,
}

/// How long the application may have been away for its clock to be believed without a person, however steady it is.
const LONGEST_ABSENCE: TimeDelta = TimeDelta::days(14);
/// How long one trusted instant is measured against. The bound holds for the sum of all jumps within it, and the drift of a
/// working clock stays far below.
const MEASURED_FOR: TimeDelta = TimeDelta::days(1);
/// For how long nobody is told again of a clock that is in doubt, where nothing was heard of it.
pub(super) const TOLD_FOR: TimeDelta = TimeDelta::hours(1);
/// How exactly the store knows the trusted time.
pub(super) const ANCHORED_EVERY: TimeDelta = TimeDelta::minutes(1);

impl TimeGuard {
    /// Guards with a pulse.
    #[must_use]
    pub fn new(pulse: Arc<dyn Pulse>) -> Self {
        Self {
            pulse,
            jump: TimeDelta::minutes(10),
            downtime: TimeDelta::hours(12),
            patience: Some(TimeDelta::hours(1)),
        }
    }

    /// Says how far the clock may jump while the application runs; ten minutes unless said otherwise.
    #[must_use]
    pub fn jump(mut self, span: TimeDelta) -> Self {
        self.jump = span;
        self
    }

    /// Says how long the application may have been away without anybody asking whether the clock is right; twelve hours
    /// unless said otherwise. Where a process lives only for one round of work, it must be longer than the pause between
    /// rounds.
    #[must_use]
    pub fn downtime(mut self, span: TimeDelta) -> Self {
        self.downtime = span;
        self
    }

    /// Says how long a clock that is found far ahead at the start must go on steadily to be believed; one hour unless said
    /// otherwise. With `None` it is never believed without a person or another node.
    #[must_use]
    pub fn patience(mut self, span: Option<TimeDelta>) -> Self {
        self.patience = span;
        self
    }
}

impl Default for TimeGuard {
    fn default() -> Self {
        Self::new(Arc::new(SystemPulse::default()))
    }
}

impl fmt::Debug for TimeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimeGuard")
            .field("jump", &self.jump)
            .field("downtime", &self.downtime)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// Says how the clock is not plausible, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a clock is ahead or behind")]
pub enum TimeDoubt {
    /// It is ahead: what only the jump made due waits.
    Ahead(TimeDelta),
    /// It is behind: the plausible instant counts in its place.
    Behind(TimeDelta),
}

impl TimeDoubt {
    pub(super) fn is_ahead(self) -> bool {
        matches!(self, Self::Ahead(_))
    }
}

/// Reads a clock and guards it, where a guard is set.
pub(crate) struct GuardedClock {
    clock: Arc<dyn Clock>,
    guard: Option<TimeGuard>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reference: Option<Reference>,
    is_anchored: bool,
    anchor: Option<DateTime<Utc>>,
    announced: Option<TimeDoubt>,
    announced_before: Option<TimeDoubt>,
    /// The trusted time at which the store last learnt how far the clock is behind.
    lag_kept: Option<DateTime<Utc>>,
    /// What the clock in doubt showed when the store last learnt that somebody was told of it.
    told_kept: Option<DateTime<Utc>>,
}

/// An instant that was trusted, and where the pulse stood then.
#[derive(Clone, Copy)]
struct Reference {
    at: DateTime<Utc>,
    pulse: TimeDelta,
    /// How far the clock was ahead at the start.
    ahead_at_start: Option<TimeDelta>,
}

impl Reference {
    fn trusting(at: DateTime<Utc>, pulse: TimeDelta) -> Self {
        Self { at, pulse, ahead_at_start: None }
    }
}

/// One look at the clock.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    wall: DateTime<Utc>,
    /// By which things are decided.
    pub(crate) now: DateTime<Utc>,
    /// By which things end.
    pub(crate) work: DateTime<Utc>,
    pub(crate) doubt: Option<TimeDoubt>,
}

impl Reading {
    /// What the store shall know once somebody was told of the doubt.
    pub(crate) fn told(self) -> Option<Told> {
        self.doubt.map(|doubt| Told::new(doubt, self.wall))
    }
}

impl GuardedClock {
    pub(crate) fn new(clock: Arc<dyn Clock>, guard: Option<TimeGuard>) -> Self {
        Self { clock, guard, state: Mutex::default() }
    }

    /// The instant by which things are decided.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.read().now
    }

    /// The instant by which things end.
    pub(crate) fn work(&self) -> DateTime<Utc> {
        self.read().work
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// Tells whether the time that the store knows was compared.
    pub(crate) fn is_anchored(&self) -> bool {
        self.state().is_anchored
    }

    pub(crate) fn read(&self) -> Reading {
        let wall = self.clock.now();
        let Some(guard) = &self.guard else { return Reading { wall, now: wall, work: wall, doubt: None } };
        let pulse = guard.pulse.elapsed();
        let mut state = self.state();
        let reference = *state.reference.get_or_insert(Reference::trusting(wall, pulse));
        let ran = pulse - reference.pulse;
        let plausible = reference.at.checked_add_signed(ran).unwrap_or(reference.at);
        let ahead = wall.signed_duration_since(plausible);
        let is_steady = || reference.ahead_at_start.is_some_and(|then| is_believed(guard, then, ahead, ran));
        let now = wall.max(plausible);
        if ahead > guard.jump && !is_steady() {
            return Reading { wall, now, work: plausible, doubt: Some(TimeDoubt::Ahead(ahead)) };
        }
        if ahead < -guard.jump {
            return Reading { wall, now, work: plausible, doubt: Some(TimeDoubt::Behind(-ahead)) };
        }
        if ahead > guard.jump || ran >= MEASURED_FOR {
            state.reference = Some(Reference::trusting(wall, pulse));
        }
        Reading { wall, now, work: now, doubt: None }
    }

    /// Tells whether the clock is behind the trusted time that the store knows.
    pub(crate) fn is_behind(&self, anchor: Option<DateTime<Utc>>) -> bool {
        anchor.is_some_and(|anchor| self.clock.now() < anchor)
    }

    /// Begins from the trusted time that the store knows, where it knows one, and from what it knows of clocks that are
    /// behind that.
    pub(crate) fn begin_from(&self, anchor: Option<DateTime<Utc>>, lags: &[Lag]) {
        let (Some(guard), wall) = (&self.guard, self.clock.now()) else { return };
        let pulse = guard.pulse.elapsed();
        let mut state = self.state();
        if std::mem::replace(&mut state.is_anchored, true) {
            return;
        }
        state.anchor = anchor;
        let Some(anchor) = anchor else { return };
        let away = wall.signed_duration_since(anchor);
        if away > guard.downtime {
            state.reference = Some(Reference { at: anchor, pulse, ahead_at_start: Some(away) });
            return;
        }
        let bounds = Bounds { jump: guard.jump, alone: guard.downtime };
        let known = gone_on(lags, anchor, wall, bounds).filter(|_| wall < anchor);
        let at = wall.max(known.map_or(anchor, |(at, _)| at));
        if let Some((_, heard)) = known {
            let behind = at.signed_duration_since(wall);
            let is_recent = anchor.signed_duration_since(heard) < TOLD_FOR;
            state.lag_kept = is_recent.then_some(anchor);
            state.announced = (is_recent && behind > guard.jump).then_some(TimeDoubt::Behind(behind));
        }
        state.reference = Some(Reference::trusting(at, pulse));
    }

    /// What the store shall learn of a clock that is behind, so that a process that comes later can go on by it.
    pub(crate) fn lag_to_keep(&self, reading: Reading) -> Option<Lag> {
        let mut state = self.state();
        if reading.work.signed_duration_since(reading.wall) < ANCHORED_EVERY {
            state.lag_kept = None;
            return None;
        }
        let is_old = |kept: DateTime<Utc>| reading.work.signed_duration_since(kept) >= ANCHORED_EVERY;
        state.lag_kept.is_none_or(is_old).then(|| Lag::new(reading.work, reading.wall))
    }

    pub(crate) fn lag_was_kept(&self, lag: Lag) {
        self.state().lag_kept = Some(lag.trusted);
    }

    /// That somebody was told of this clock, where the store shall learn that it is still so.
    pub(crate) fn told_to_keep(&self, reading: Reading) -> Option<Told> {
        let mut state = self.state();
        let Some(told) = reading.told() else {
            state.told_kept = None;
            return None;
        };
        let is_old = |kept: DateTime<Utc>| told.wall.signed_duration_since(kept).abs() >= ANCHORED_EVERY;
        state.told_kept.is_none_or(is_old).then_some(told)
    }

    pub(crate) fn told_was_kept(&self, told: Told) {
        self.state().told_kept = Some(told.wall);
    }

    /// Believes the clock where another node, whose own is plausible to it, tells the same time. Who is behind believes it
    /// only if the time that the store knows went back: nobody but a person does that.
    pub(crate) fn compare(&self, reading: Reading, anchor: DateTime<Utc>) {
        let apart = reading.wall.signed_duration_since(anchor).abs();
        let is_behind = matches!(reading.doubt, Some(TimeDoubt::Behind(_)));
        // What this node wrote itself says nothing.
        let is_of_another =
            self.state().anchor.is_some_and(|known| if is_behind { anchor < known } else { known < anchor });
        if is_of_another && apart <= ANCHORED_EVERY * 2 {
            self.trust();
            self.anchored(anchor);
        }
    }

    /// Believes the clock from now on.
    pub(crate) fn trust(&self) -> DateTime<Utc> {
        let wall = self.clock.now();
        if let Some(guard) = &self.guard {
            let pulse = guard.pulse.elapsed();
            self.state().reference = Some(Reference::trusting(wall, pulse));
        }
        wall
    }

    /// Tells whether somebody must be told of a doubt, or that it is over: one caller does, until that failed.
    pub(crate) fn takes_news(&self, doubt: Option<TimeDoubt>) -> bool {
        let mut state = self.state();
        let is_news = state.announced.map(TimeDoubt::is_ahead) != doubt.map(TimeDoubt::is_ahead);
        if is_news {
            state.announced_before = std::mem::replace(&mut state.announced, doubt);
        }
        is_news
    }

    /// Nobody was told of the last doubt, or that it is over.
    pub(crate) fn was_not_told(&self) {
        let mut state = self.state();
        state.announced = state.announced_before;
    }

    pub(crate) fn announced(&self, doubt: Option<TimeDoubt>) {
        self.state().announced = doubt;
    }

    /// Tells whether the store shall learn of this trusted time.
    pub(crate) fn moves_anchor(&self, work: DateTime<Utc>) -> bool {
        let known = self.state().anchor;
        known.is_none_or(|known| work.signed_duration_since(known) >= ANCHORED_EVERY)
    }

    pub(crate) fn anchored(&self, at: DateTime<Utc>) {
        self.state().anchor = Some(at);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock that ran as the pulse did since the start, for long enough: the application was away.
fn is_believed(guard: &TimeGuard, ahead_then: TimeDelta, ahead: TimeDelta, ran: TimeDelta) -> bool {
    let is_steady = (ahead - ahead_then).abs() <= guard.jump;
    is_steady && ahead <= LONGEST_ABSENCE && guard.patience.is_some_and(|patience| ran >= patience)
}
