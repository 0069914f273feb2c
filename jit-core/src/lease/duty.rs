//! What is to be done about a lease.

use chrono::{DateTime, TimeDelta, Utc};

use super::{EndReason, Lease, Phase};

/// How often it is looked whether what is quarantined bears its marker again, or is gone.
const LOOKED_AT_EVERY: TimeDelta = TimeDelta::hours(1);

/// Says what is to be done about a lease now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the worker does each")]
pub enum Duty {
    /// Nothing, ever.
    Rest,
    /// Nothing before this instant.
    Wait(DateTime<Utc>),
    /// Write down that it ends.
    End(EndReason),
    /// Remove it from the target.
    Remove,
    /// Look whether it is gone everywhere.
    Confirm,
    /// Look whether a late call brought it back.
    Sweep,
    /// Look whether a person settled what is quarantined, and tell of it again where not.
    Remind,
}

impl Lease {
    /// Tells what is to be done.
    #[must_use]
    pub fn duty(&self, now: DateTime<Utc>) -> Duty {
        let once = |at: DateTime<Utc>, duty: Duty| if now < at { Duty::Wait(at) } else { duty };
        match (&self.phase, self.unanswered) {
            (Phase::Intended, answer_by) => {
                once(answer_by.unwrap_or(self.until), Duty::End(EndReason::Interrupted))
            }
            (Phase::Active { .. }, _) => once(self.until, Duty::End(EndReason::Expired)),
            (Phase::Ending { .. }, _) => Duty::Remove,
            (Phase::Unconfirmed { look_at, .. }, _) => once(*look_at, Duty::Confirm),
            (Phase::Gone { .. }, Some(until)) => once(until, Duty::Sweep),
            (Phase::Quarantined { since, .. }, _) => once(self.reminder(*since), Duty::Remind),
            (Phase::Gone { .. }, None) => Duty::Rest,
        }
    }

    /// Tells when to look after it next; `None` where never.
    pub(crate) fn due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.duty(now) {
            Duty::Rest => None,
            Duty::Wait(at) => Some(self.looked_at_by(at, now)),
            Duty::End(_) | Duty::Remove | Duty::Confirm | Duty::Sweep | Duty::Remind => Some(now),
        }
    }
    /// What is quarantined is looked at between reminders as well. What existed before bears nothing to look for.
    fn looked_at_by(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let is_looked_at = matches!(self.phase, Phase::Quarantined { .. }) && self.elevates.is_none();
        let soon = now.checked_add_signed(LOOKED_AT_EVERY).filter(|_| is_looked_at);
        soon.map_or(at, |soon| at.min(soon))
    }
}
