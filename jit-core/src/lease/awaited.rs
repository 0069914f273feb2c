//! Calls about a lease that nobody has the answer of.

use chrono::{DateTime, Utc};

use super::Lease;

/// Says which calls about a lease nobody has the answer of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Awaited {
    /// Until when they may take effect.
    answer_by: Option<DateTime<Utc>>,
    /// Whether one of them sets the secret anew.
    renewing: bool,
    /// The latest end that they asked for.
    asked_until: Option<DateTime<Utc>>,
}

impl Lease {
    /// The calls that nobody has the answer of.
    pub(crate) const fn awaited(&self) -> Awaited {
        Awaited { answer_by: self.unanswered, renewing: self.renewing, asked_until: self.asked_until }
    }

    /// Learns that the call which was about to be made did nothing: all is as it was before it was asked for, and so are the
    /// calls that had no answer before.
    #[must_use]
    pub(crate) const fn unchanged(mut self, before: Awaited) -> Self {
        (self.unanswered, self.renewing) = (before.answer_by, before.renewing);
        self.asked_until = before.asked_until;
        self
    }

    /// Learns that the target set no secret anew, and that no other call is on its way.
    #[must_use]
    pub(crate) fn not_renewed(self) -> Self {
        self.unchanged(Awaited::default())
    }
}
