//! What is left of a lease if nobody of ours ever runs again: what the target said, and never what it could do by now.

use chrono::{DateTime, Utc};

use super::{Elevation, EndReason, Lease, Phase, Seeing};
use crate::{AccountId, UnattendedEnd};

/// Says who ends what a lease lends if nobody of ours ever runs again, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever judges it reads both")]
pub struct Exposure {
    /// Who ends it, as the target said when it was asked last.
    pub ended_by: UnattendedEnd,
    /// From when on it cannot be used, at the latest; `None` is never.
    pub worst_case: Option<DateTime<Utc>>,
}

impl Exposure {
    /// What nobody said anything of.
    pub(crate) const UNKNOWN: Self = Self { ended_by: UnattendedEnd::LibraryOnly, worst_case: None };

    /// What the target ends by itself at an instant, if it ends it at all.
    pub(crate) fn at(ended_by: UnattendedEnd, end: DateTime<Utc>) -> Self {
        let worst_case = match ended_by {
            UnattendedEnd::ServerDeletes
            | UnattendedEnd::ServerRefusesLogin
            | UnattendedEnd::ServerDropsMembership => Some(end),
            UnattendedEnd::LibraryOnly => None,
        };
        Self { ended_by, worst_case }
    }
}

impl Lease {
    /// Tells who ends what it lends if nobody of ours ever runs again, and when at the latest. `id` names the lease, and `lent`
    /// is what [`Lease::elevates`] keeps. What the target has not said, it is not counted on for.
    #[must_use]
    pub fn exposure(&self, id: AccountId, lent: Option<&Elevation>) -> Exposure {
        let told = match self.elevates {
            None if self.renewing => None,
            None => self.unattended.map(|ended_by| Exposure::at(ended_by, self.ends_by())),
            Some(_) => lent.and_then(|lent| lent.exposure(id)),
        };
        let mut exposure = told.unwrap_or(Exposure::UNKNOWN);
        // What is there is not what was made: nobody knows when that ends.
        if matches!(self.phase, Phase::Quarantined { .. }) {
            exposure.worst_case = None;
        }
        exposure.worst_case = self.shut_at().or(exposure.worst_case);
        exposure
    }

    /// Since when the target has proved that it can no longer be used, or it is known that it was never made.
    fn shut_at(&self) -> Option<DateTime<Utc>> {
        let may_be_used = self.is_in_use() || matches!(self.phase, Phase::Quarantined { .. });
        let proof = self.proof.filter(|proof| !may_be_used && proof.seen != Seeing::Present);
        let never_made = match self.phase {
            Phase::Gone { since, why: EndReason::Refused } => Some(since),
            _ => None,
        };
        let shut_at = proof.map(|proof| proof.at).or(never_made);
        shut_at.filter(|_| self.unanswered.is_none())
    }
}
