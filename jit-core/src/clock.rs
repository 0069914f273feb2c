//! Time and randomness as inputs.

mod guard;
mod lag;
mod told;

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};

pub(crate) use guard::{GuardedClock, Reading};
pub use guard::{TimeDoubt, TimeGuard};
pub(crate) use lag::{Lag, with as with_lag};
pub(crate) use told::Told;

/// Tells the time.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// Reads the clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock enters")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// Tells how long it has been running, whatever is done to the clock.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Pulse: Send + Sync {
    /// The time since it began; never less than it was.
    fn elapsed(&self) -> TimeDelta;
}

/// Reads the monotonic clock of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemPulse {
    began: Instant,
}

impl Default for SystemPulse {
    fn default() -> Self {
        Self { began: Instant::now() }
    }
}

impl Pulse for SystemPulse {
    fn elapsed(&self) -> TimeDelta {
        TimeDelta::from_std(self.began.elapsed()).unwrap_or(TimeDelta::MAX)
    }
}

/// Stands still until it is moved: for tests and for replaying a decision at an earlier instant. As a pulse it tells how
/// much time has passed on it.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
    passed: AtomicI64,
}

impl ManualClock {
    /// Stands at `now`, to the microsecond.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self { micros: AtomicI64::new(now.timestamp_micros()), passed: AtomicI64::new(0) }
    }

    /// Moves by `by`, backwards when negative. Forwards, time passes.
    pub fn advance(&self, by: TimeDelta) {
        self.jump(by);
        let passed = by.max(TimeDelta::zero()).num_microseconds().unwrap_or(i64::MAX);
        self.passed.fetch_add(passed, Ordering::SeqCst);
    }

    /// Is set ahead by `by`, or back when negative: no time passes.
    pub fn jump(&self, by: TimeDelta) {
        self.micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Pulse for ManualClock {
    fn elapsed(&self) -> TimeDelta {
        TimeDelta::microseconds(self.passed.load(Ordering::SeqCst))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Draws random bytes.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// `store.unavailable` when the system has no randomness to give.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), crate::BackendError>;
}

/// Draws from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), crate::BackendError> {
        getrandom::fill(buffer).map_err(|error| {
            crate::BackendError::new(crate::ErrorKind::Unavailable, "entropy.fill")
                .caused_by(error.to_string())
        })
    }
}

/// Repeats one sequence: for tests and simulations, never for secrets.
#[derive(Debug)]
pub struct SeededEntropy {
    state: AtomicU64,
    turn: Mutex<()>,
}

impl SeededEntropy {
    /// Starts the sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed), turn: Mutex::new(()) }
    }

    fn next(&self) -> u64 {
        // SplitMix64: full period, one word of state.
        let state = self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), crate::BackendError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
        Ok(())
    }
}
