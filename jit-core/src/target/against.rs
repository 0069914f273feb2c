//! What a circuit guards against, and how far apart its attempts are.
//!
//! Directories lock accounts out that prove themselves wrongly a few times, and ours is the one that ends all others. Active
//! Directory forgets failures only when its window (30 minutes) has passed since the last one, so that all but the second
//! attempt come later than that: it never counts more than two.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{BackendError, ErrorKind, Retry, TargetFault};

/// The operation of whoever is not let through.
pub(crate) const CIRCUIT: &str = "circuit.enter";

/// The first pause after our credentials were refused: whoever mends a slip at once waits no longer than this.
const FIRST_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// Every further one.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(35);
/// The first pause of a target that fails, twice as long each time, and the longest: an end waits no longer than this once
/// the target works again.
const FIRST_REST: TimeDelta = TimeDelta::seconds(15);
const LONGEST_REST: TimeDelta = TimeDelta::minutes(5);

/// Says what a circuit guards against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Against {
    /// That our credentials are locked.
    #[default]
    Refusal,
    /// That a target which fails everybody is asked for each, and somebody is told of each.
    Failure,
}

/// What a call says of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Fails,
    Works,
    /// Nothing, and it is not known whether anybody was asked.
    Unanswered,
    Nothing,
}

impl Against {
    /// The pause after so many attempts that failed.
    pub(super) fn pause(self, times: u32) -> TimeDelta {
        match self {
            Self::Refusal if times <= 1 => FIRST_PAUSE,
            Self::Failure => (FIRST_REST * (1 << times.saturating_sub(1).min(8))).min(LONGEST_REST),
            Self::Refusal => LONGEST_PAUSE,
        }
    }

    pub(super) const fn longest_pause(self) -> TimeDelta {
        match self {
            Self::Refusal => LONGEST_PAUSE,
            Self::Failure => LONGEST_REST,
        }
    }

    /// No clock of another process is as far ahead as this: what lies further was said before ours was set back.
    pub(super) fn beyond(self) -> TimeDelta {
        self.longest_pause() * 2
    }

    /// What is told when it opens, and when it closes.
    pub(crate) const fn alarms(self) -> [&'static str; 2] {
        match self {
            Self::Refusal => ["target.credentials_refused", "target.credentials_accepted"],
            Self::Failure => ["target.failing", "target.works_again"],
        }
    }

    pub(super) const fn lane(self) -> &'static str {
        match self {
            Self::Refusal => "circuit",
            Self::Failure => "failing",
        }
    }

    /// What a call that came out so says; `None`: well. What one account is refused for by its own is no failure.
    pub(super) const fn hears(self, error: Option<&ErrorKind>) -> Says {
        use TargetFault::{Credentials, Forbidden, Limit, Place, Protocol, Unreachable, Untrusted};
        let fault = match error {
            None => return Says::Works,
            Some(ErrorKind::Target(fault)) => *fault,
            // It never came to the target.
            Some(_) => return Says::Unanswered,
        };
        match (self, fault) {
            // A limit may be one of our own, and nobody was asked.
            (_, Limit) | (Self::Failure, Credentials) => Says::Nothing,
            (Self::Refusal, Credentials)
            | (Self::Failure, Unreachable | Untrusted | Forbidden | Place | Protocol) => Says::Fails,
            (Self::Refusal, Unreachable | Untrusted) => Says::Unanswered,
            _ => Says::Works,
        }
    }

    /// Says that the target is not asked before an instant.
    pub(crate) fn error(self, until: DateTime<Utc>, now: DateTime<Utc>) -> BackendError {
        let fault = match self {
            Self::Refusal => TargetFault::Credentials,
            Self::Failure => TargetFault::Unreachable,
        };
        let refused = BackendError::new(ErrorKind::Target(fault), CIRCUIT);
        refused.with_retry(Retry::After(until.signed_duration_since(now).max(TimeDelta::zero())))
    }
}
