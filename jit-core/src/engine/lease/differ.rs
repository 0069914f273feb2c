//! Comparing how live accounts are with how they were written down, and taking back what somebody added to them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    check_out::{Errand, answer_by, present},
    kept,
    record::moved_on,
};
use crate::{AccountId, Desired, Effect, ErrorKind, Jit, JitError, Lease, Listed, ShownEnd, TenantId};

/// Tells how the account of a live lease differs from what was written down: somebody else changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Differing {
    /// The lease.
    pub lease: AccountId,
    /// What differs.
    pub found: Vec<Difference>,
    /// Whether what it has more than it should was taken back, where that was asked for.
    pub brought_back: bool,
}

/// Says what of an account differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The target never ends it.
    EndsNever,
    /// The target ends it later than the lease does.
    EndsLater(DateTime<Utc>),
    /// The target ends it before the lease does.
    EndsEarlier(DateTime<Utc>),
    /// It is out of use.
    Shut,
    /// It holds what the lease does not give, by the target's own names.
    HoldsMore(BTreeSet<String>),
    /// It does not hold what the lease gives.
    HoldsLess(BTreeSet<String>),
}

/// What is nearer than this is the rounding of a directory, or a call that took its time.
const NEAR: TimeDelta = TimeDelta::minutes(1);

impl Difference {
    /// The kind as a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::EndsNever => "ends_never",
            Self::EndsLater(_) => "ends_later",
            Self::EndsEarlier(_) => "ends_earlier",
            Self::Shut => "shut",
            Self::HoldsMore(_) => "holds_more",
            Self::HoldsLess(_) => "holds_less",
        }
    }

    /// Tells whether the account has more by it than it should: that can be taken back. What somebody took from an account
    /// or shut stays so.
    #[must_use]
    pub fn adds(&self) -> bool {
        matches!(self, Self::EndsNever | Self::EndsLater(_) | Self::HoldsMore(_))
    }
}

impl Differing {
    /// Tells whether nothing of it is left, as far as is known.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.brought_back && self.found.iter().all(Difference::adds)
    }

    /// Tells whether anything of it can be taken back. What is out of use is left alone: nobody can use it.
    pub(super) fn can_be_brought_back(&self) -> bool {
        self.found.iter().any(Difference::adds) && !self.found.contains(&Difference::Shut)
    }
}

/// Compares an account with its lease.
pub(super) fn differences(lease: &Lease, shown: &Listed) -> Vec<Difference> {
    // The answer to an extension may be missing.
    let latest = if lease.unanswered.is_some() { lease.latest } else { lease.until };
    let mut found = Vec::new();
    match shown.end {
        ShownEnd::Never => found.push(Difference::EndsNever),
        ShownEnd::At(end) if end - latest > NEAR => found.push(Difference::EndsLater(end)),
        ShownEnd::At(end) if lease.until - end > NEAR => found.push(Difference::EndsEarlier(end)),
        ShownEnd::At(_) | ShownEnd::Untold => {}
    }
    if shown.enabled == Some(false) {
        found.push(Difference::Shut);
    }
    if let Some(held) = &shown.entitlements {
        let given: BTreeSet<_> = lease.entitlements.iter().cloned().collect();
        let (more, less): (BTreeSet<_>, BTreeSet<_>) = (held - &given, &given - held);
        found.extend(Some(more).filter(|more| !more.is_empty()).map(Difference::HoldsMore));
        found.extend(Some(less).filter(|less| !less.is_empty()).map(Difference::HoldsLess));
    }
    found
}

/// An account that differs, as it was shown and as it was written down then.
pub(super) struct Odd {
    pub(super) id: AccountId,
    pub(super) lease: Lease,
    pub(super) shown: Listed,
}

impl Jit {
    /// Tells of those that differ whose leases are still as they were when the comparison began.
    pub(super) async fn still_odd(
        &self,
        errand: Errand<'_>,
        tenant: &TenantId,
        odd: Vec<Odd>,
    ) -> Result<Vec<(Odd, Differing)>, JitError> {
        let now = self.parts.clock.now();
        let mut found = Vec::new();
        for odd in odd {
            let (_, lease) = kept(errand.store, tenant, odd.id).await?;
            let is_on_its_way = lease.unanswered.is_some_and(|answer_by| now < answer_by);
            if lease == odd.lease && !is_on_its_way {
                let differing = Differing {
                    lease: odd.id,
                    found: differences(&odd.lease, &odd.shown),
                    brought_back: false,
                };
                found.push((odd, differing));
            }
        }
        Ok(found)
    }

    /// Takes back what an account has more than it should; tells whether it did. Never gives back what somebody took: an
    /// end that comes earlier stays, and so does an entitlement that is gone.
    ///
    /// It is written down first, as an extension is, so that no other call about the lease is under way meanwhile.
    pub(super) async fn bring_back(
        &self,
        errand: Errand<'_>,
        tenant: &TenantId,
        odd: &Odd,
    ) -> Result<bool, JitError> {
        let Errand { store, setup, by } = errand;
        let (account, lease) = kept(store, tenant, odd.id).await?;
        if lease != odd.lease {
            return Ok(false);
        }
        let asking = lease.asking(answer_by(setup, self.parts.clock.now())).map_err(moved_on)?;
        let account = match self.note(store, &account, asking, "lease.bringing_back", by.clone()).await {
            Err(error) if *error.kind() == ErrorKind::Conflict => return Ok(false),
            noted => noted?,
        };
        let asking = account.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
        let (next, action, is_done) = match setup.target.ensure(&lessened(&asking, &odd.shown)).await? {
            Effect::Present { native } => {
                let now = self.parts.clock.now();
                (asking.present(native, now).map_err(moved_on)?, "lease.brought_back", true)
            }
            Effect::Disabled => (asking.answered(), "lease.shut_by_others", false),
            Effect::NotOurs => {
                self.quarantine(store, &account, asking).await?;
                return Ok(false);
            }
            // Somebody removed it meanwhile: the next comparison tells.
            _ => return Ok(false),
        };
        match self.note(store, &account, next, action, by.clone()).await {
            // Its end has begun.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(is_done),
            noted => noted.map(|_| is_done).map_err(JitError::from),
        }
    }
}

/// How the account shall be: as the lease says, without what somebody took from it.
fn lessened(lease: &Lease, shown: &Listed) -> Desired {
    let mut less = lease.clone();
    if let Some(held) = &shown.entitlements {
        less.entitlements.retain(|given| held.contains(given));
    }
    if let ShownEnd::At(end) = shown.end {
        less.until = less.until.min(end);
    }
    present(&less, None)
}
