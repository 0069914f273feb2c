//! A failure on the way through a call, and what it is to whoever asked.

use std::error::Error;

use chrono::TimeDelta;
use jit_core::{BackendError, ErrorKind, Retry};

use super::reason::{TargetReason, TransportError};

/// Why a call did not come to its end, before the step that it happened in is known.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Failure {
    pub(super) reason: TargetReason,
    again_after: Option<TimeDelta>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(super) const fn again_after(mut self, pause: TimeDelta) -> Self {
        self.again_after = Some(pause);
        self
    }

    /// Reports it to whoever asked.
    pub(super) fn during(self, operation: &'static str) -> BackendError {
        let error = BackendError::new(ErrorKind::Target(self.reason.fault()), operation);
        let error = match self.again_after {
            Some(pause) => error.with_retry(Retry::After(pause)),
            None => error,
        };
        error.caused_by(self)
    }
}

impl From<TargetReason> for Failure {
    fn from(reason: TargetReason) -> Self {
        Self { reason, again_after: None, source: None }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let (reason, source) = error.into_parts();
        Self { reason, again_after: None, source }
    }
}

impl TargetReason {
    /// Returns the reason behind an error of the port, where a [`ScimTarget`](super::ScimTarget) reported it.
    #[must_use]
    pub fn of(error: &BackendError) -> Option<Self> {
        Some(error.source()?.downcast_ref::<Failure>()?.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_to_whoever_asks_again() {
        let failure = Failure::from(TargetReason::Throttled).again_after(TimeDelta::seconds(7));
        assert_eq!(failure.during("application.look").retry(), Retry::After(TimeDelta::seconds(7)));
        assert_eq!(Failure::from(TargetReason::Timeout).during("application.look").retry(), Retry::Backoff);
        assert_eq!(Failure::from(TargetReason::Refused).during("application.look").retry(), Retry::Never);
    }
}
