//! A failure on the way through a call, and what it is to whoever asked.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use chrono::TimeDelta;
use jit_core::{BackendError, ErrorKind, FaultScope, Retry};

use super::reason::{TargetReason, TransportError};
use crate::reason::ScimType;

/// Why a call did not come to its end, before the step that it happened in is known.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: TargetReason,
    /// The status of an answer, and its detail type where it is one of RFC 7644 §3.12.
    answer: Option<(u16, Option<ScimType>)>,
    again_after: Option<TimeDelta>,
    /// Whether the target says that it does not work for now (503), whoever asks.
    is_outage: bool,
    /// Whether it came of a change of one known group, for an account that the target had just shown.
    is_of_group: bool,
    /// The ids of groups that may have been joined before, by name.
    ids: BTreeMap<String, String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    pub(super) fn answered(reason: TargetReason, status: u16, detail: Option<ScimType>) -> Self {
        Self { answer: Some((status, detail)), ..Self::new(reason) }
    }

    const fn new(reason: TargetReason) -> Self {
        let ids = BTreeMap::new();
        Self {
            reason,
            answer: None,
            again_after: None,
            is_outage: false,
            is_of_group: false,
            ids,
            source: None,
        }
    }

    pub(super) const fn while_out(mut self, is_outage: bool) -> Self {
        self.is_outage = is_outage;
        self
    }

    /// Says that it came of a change of one group whose id is known: it tells nothing of the target as a whole where a large
    /// group may fail so. A look-up of a group by its name is no matter of that group.
    pub(super) const fn of_group(mut self) -> Self {
        self.is_of_group = self.reason.is_of_large_group();
        self
    }

    pub(super) const fn again_after(mut self, pause: TimeDelta) -> Self {
        self.again_after = Some(pause);
        self
    }

    /// Adds the ids of groups that may have been joined.
    pub(super) fn knowing(self, ids: BTreeMap<String, String>) -> Self {
        Self { ids, ..self }
    }

    /// Whether one of many that were asked for together may be what is refused, so that others are taken without it.
    pub(super) fn may_be_of_one(&self) -> bool {
        let statuses = [400, 404, 409, 410, 413, 422];
        self.reason == TargetReason::Refused
            && self.answer.is_some_and(|(status, _)| statuses.contains(&status))
    }

    /// Whether the target itself failed so: not because of how long this call may take, or how often it may ask.
    pub(super) const fn is_of_target(&self) -> bool {
        use TargetReason::{GroupPaced, OutOfTime, Paced, Throttled};
        !matches!(self.reason, Paced | GroupPaced | OutOfTime | Throttled)
    }

    /// Whom it is about.
    fn scope(&self) -> FaultScope {
        use TargetReason::{
            AccountLost, AnswerForeign, AnswerTooLarge, ChangedMeanwhile, GroupMadeTwice, RequestInvalid,
            RequiredMissing, UseUnchanged,
        };
        match self.reason {
            _ if self.is_outage => FaultScope::Target,
            _ if self.may_be_of_one() || self.is_of_group => FaultScope::Account,
            AccountLost | AnswerForeign | AnswerTooLarge | ChangedMeanwhile | GroupMadeTwice
            | RequestInvalid | RequiredMissing | UseUnchanged => FaultScope::Account,
            _ => BackendError::new(self.kind(), "application.scope").scope(),
        }
    }

    const fn kind(&self) -> ErrorKind {
        ErrorKind::Target(self.reason.fault())
    }

    /// The same, for others who had asked for the same.
    pub(super) fn told(&self) -> Self {
        let Self { answer, again_after, is_outage, .. } = *self;
        Self { answer, again_after, is_outage, ..Self::new(self.reason) }
    }

    /// Puts it off as long as another one.
    pub(super) fn no_sooner_than(mut self, other: &Self) -> Self {
        self.again_after = self.again_after.max(other.again_after);
        self
    }

    /// Takes the place of an earlier one, and keeps the longer pause of both.
    pub(super) fn after(self, earlier: Option<Self>) -> Self {
        match earlier {
            Some(earlier) => self.no_sooner_than(&earlier).unless(Some(earlier)),
            None => self,
        }
    }

    /// Gives way to an earlier one that alone is about the target: what is told of one account must not hide it.
    pub(super) fn unless(self, earlier: Option<Self>) -> Self {
        let is_of_target = |failure: &Self| failure.scope() == FaultScope::Target;
        match earlier.filter(|earlier| is_of_target(earlier) && !is_of_target(&self)) {
            Some(earlier) => earlier.no_sooner_than(&self),
            None => self,
        }
    }

    /// Reports it to whoever asked.
    pub(super) fn during(mut self, operation: &'static str) -> BackendError {
        let error = BackendError::new(self.kind(), operation).about(self.scope());
        let error = match self.again_after {
            Some(pause) => error.with_retry(Retry::After(pause)),
            None => error,
        };
        error.knowing(std::mem::take(&mut self.ids)).caused_by(self)
    }
}

impl From<TargetReason> for Failure {
    fn from(reason: TargetReason) -> Self {
        Self::new(reason)
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        let (reason, source) = error.into_parts();
        Self { source, ..Self::new(reason) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.meaning())?;
        let Some((status, detail)) = self.answer else { return Ok(()) };
        write!(f, ", with status {status}")?;
        detail.map_or(Ok(()), |detail| write!(f, " and `{}`", detail.as_str()))
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
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
    fn a_refusal_tells_what_was_answered_and_no_value() {
        let failure = Failure::answered(TargetReason::Refused, 400, Some(ScimType::InvalidValue));
        let told = "the target refused a request of ours, with status 400 and `invalidValue`";
        assert_eq!(failure.to_string(), told);
    }

    #[test]
    fn what_is_refused_of_one_account_says_nothing_of_the_target() {
        use TargetReason::{AccountLost, Paced, Refused, ServerFailed, TakenByAnother, Throttled, Timeout};
        let scope = |failure: Failure| failure.during("application.mirror").scope();
        for status in [400, 409, 413, 422] {
            assert_eq!(scope(Failure::answered(Refused, status, None)), FaultScope::Account, "{status}");
        }
        for reason in [AccountLost, TakenByAnother] {
            assert_eq!(scope(reason.into()), FaultScope::Account, "{reason}");
        }
        assert_eq!(scope(Failure::answered(Refused, 403, None)), FaultScope::Target);
        for reason in [ServerFailed, Timeout] {
            assert_eq!(scope(reason.into()), FaultScope::Target, "{reason}");
        }
        for reason in [Throttled, Paced] {
            assert_eq!(scope(reason.into()), FaultScope::Neither, "{reason}: we asked too often");
            assert_eq!(scope(Failure::from(reason).while_out(true)), FaultScope::Target, "{reason}");
        }
    }

    #[test]
    fn a_pause_is_told_to_whoever_asks_again() {
        let failure = Failure::from(TargetReason::Throttled).again_after(TimeDelta::seconds(7));
        assert_eq!(failure.during("application.look").retry(), Retry::After(TimeDelta::seconds(7)));
        assert_eq!(Failure::from(TargetReason::Timeout).during("application.look").retry(), Retry::Backoff);
        assert_eq!(Failure::from(TargetReason::Refused).during("application.look").retry(), Retry::Never);
    }
}
