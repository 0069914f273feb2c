//! Comparing how live accounts are with how they were written down, and taking back what somebody added to them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{
    check_out::{Errand, answer_by, present},
    kept,
    record::moved_on,
};
use crate::{
    Account, AccountId, BackendError, Code, Desired, Effect, ErrorKind, Jit, JitError, Lease, Listed, Phase,
    RemoteEntitlement, ShownEnd, TargetFault, TargetSetup, TenantId, UnattendedEnd, lease::Awaited,
};

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
    /// Why that failed, where it did. The others had their turn all the same.
    pub failed: Option<Code>,
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
    /// It has another name, by which whoever has its secret can use it.
    Renamed(String),
    /// It lies in another place; `None` in one that has no name here.
    Moved(Option<String>),
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
            Self::Renamed(_) => "renamed",
            Self::Moved(_) => "moved",
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
}

/// Compares an account with its lease.
pub(super) fn differences(lease: &Lease, shown: &Listed) -> Vec<Difference> {
    let mut found = Vec::new();
    let (is, was) = (&shown.remote, &lease.remote);
    if is.name != was.name {
        found.push(Difference::Renamed(is.name.clone()));
    }
    // A role without a place leaves it to the target which one it is.
    if was.place.as_ref().is_some_and(|was| is.place.as_ref() != Some(was) && !shown.also_in.contains(was)) {
        found.push(Difference::Moved(is.place.clone()));
    }
    match shown.end {
        ShownEnd::Never => found.push(Difference::EndsNever),
        ShownEnd::At(end) if end - lease.ends_by() > NEAR => found.push(Difference::EndsLater(end)),
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

impl Odd {
    /// Tells whether anything that differs can be taken back. What is out of use is left alone: nobody can use it. Where the
    /// target does not tell what the account holds, or when it ends it though it does that, whoever sets both might give
    /// again what somebody took.
    pub(super) fn can_be_brought_back(&self, setup: &TargetSetup, found: &[Difference]) -> bool {
        let ends_nothing = || setup.target.capabilities().end == UnattendedEnd::LibraryOnly;
        let is_told =
            self.shown.entitlements.is_some() && (self.shown.end != ShownEnd::Untold || ends_nothing());
        is_told && found.iter().any(Difference::adds) && !found.contains(&Difference::Shut)
    }
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
        let (mut still, mut known) = (Vec::new(), BTreeMap::new());
        for odd in odd {
            let (_, lease) = kept(errand.store, tenant, odd.id).await?;
            let is_on_its_way = lease.unanswered.is_some_and(|answer_by| now < answer_by);
            if lease != odd.lease || is_on_its_way {
                continue;
            }
            let mut found = differences(&odd.lease, &odd.shown);
            leave_out_unknown(errand.setup, &odd.lease, &mut found, &mut known).await;
            if !found.is_empty() {
                let differing = Differing { lease: odd.id, found, brought_back: false, failed: None };
                still.push((odd, differing));
            }
        }
        Ok(still)
    }

    /// Takes back what an account has more than it should; tells whether it did. Never gives back what somebody took: an
    /// end that comes earlier stays, and so does an entitlement that is gone.
    ///
    /// It is written down first, as an extension is, so that no other call about the lease is under way meanwhile. The
    /// listing may be old by now: what is taken is what the target shows then.
    pub(super) async fn bring_back(
        &self,
        errand: Errand<'_>,
        tenant: &TenantId,
        odd: &Odd,
    ) -> Result<bool, JitError> {
        let Errand { store, setup, .. } = errand;
        let (account, lease) = kept(store, tenant, odd.id).await?;
        if lease != odd.lease {
            return Ok(false);
        }
        let (before, until) = (lease.awaited(), lease.until);
        let asking = lease.asking(answer_by(setup, self.parts.clock.now()), until).map_err(moved_on)?;
        let listed = taken_back(&odd.lease, &odd.shown);
        let Some(mut account) = self.note_taking(errand, &account, asking, &listed).await? else {
            return Ok(false);
        };
        let mut asking = account.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
        let less = match self.still_to_take(setup, odd, &asking).await {
            Ok(Some(less)) => less,
            nothing => {
                self.leave_as_it_was(errand, &account, asking.unchanged(before)).await;
                return nothing.map(|_| false);
            }
        };
        // More may have been added since it was listed: it is named before it is taken as well.
        if less.taken != listed {
            let Some(noted) = self.note_taking(errand, &account, asking, &less.taken).await? else {
                return Ok(false);
            };
            asking = noted.lease.as_deref().cloned().ok_or(JitError::refused("lease.unknown"))?;
            account = noted;
        }
        self.lessen(errand, &account, (asking, before), less).await
    }

    /// Writes down that nothing was taken back: the target was not asked, or says that it did nothing. Nothing can be on its way
    /// but what was before. Where that cannot be written, the lease waits for an answer until none can come any longer.
    async fn leave_as_it_was(&self, errand: Errand<'_>, account: &Account, as_before: Lease) {
        let Errand { store, by, .. } = errand;
        let noted = self.note(store, account, as_before, "lease.not_brought_back", by.clone()).await;
        if let Err(error) = noted {
            tracing::warn!(account = %account.id, code = %error.code(), "that nothing was taken back is not written down");
        }
    }

    /// Writes down what is about to be taken back; `None` where somebody else went on with the lease.
    async fn note_taking(
        &self,
        Errand { store, by, .. }: Errand<'_>,
        account: &Account,
        asking: Lease,
        taken: &[String],
    ) -> Result<Option<Account>, JitError> {
        let act = ("lease.bringing_back", by);
        match self.note_with(store, account, asking, act, taken.to_vec()).await {
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(None),
            noted => Ok(Some(noted?)),
        }
    }

    /// How the account shall be, by what the target shows now; `None` where it is there no longer, has nothing more than it
    /// should, or nobody can tell.
    async fn still_to_take(
        &self,
        setup: &TargetSetup,
        odd: &Odd,
        asking: &Lease,
    ) -> Result<Option<Lessened>, JitError> {
        let shown = setup.target.show(&asking.remote).await?;
        let Some(shown) = shown.filter(|shown| shown.remote.native == asking.remote.native) else {
            return Ok(None);
        };
        // A process that stood still for so long must not ask any more: others may have gone on with the lease.
        if asking.unanswered.is_none_or(|answer_by| answer_by <= self.parts.clock.now()) {
            return Err(JitError::refused("lease.interrupted"));
        }
        let now = Odd { id: odd.id, lease: odd.lease.clone(), shown };
        let is_to_take = now.can_be_brought_back(setup, &differences(&now.lease, &now.shown));
        Ok(is_to_take.then(|| Lessened::of(asking, &now.shown)))
    }

    async fn lessen(
        &self,
        errand: Errand<'_>,
        account: &Account,
        (asking, before): (Lease, Awaited),
        less: Lessened,
    ) -> Result<bool, JitError> {
        let Errand { store, setup, by } = errand;
        let as_before = asking.clone().unchanged(before);
        let (next, action, is_done) = match setup.target.ensure(&less.desired).await {
            Ok(Effect::Present { native, end }) => {
                let now = self.parts.clock.now();
                (asking.present(native, Some(end), now).map_err(moved_on)?, "lease.brought_back", true)
            }
            Ok(Effect::Disabled) => (asking.answered(), "lease.shut_by_others", false),
            nothing => return self.not_lessened(errand, account, as_before, nothing).await,
        };
        let details = if is_done { less.taken } else { Vec::new() };
        match self.note_with(store, account, next, (action, by), details).await {
            // Where its end has begun, nothing is left of it; else somebody went on with it, and nobody can tell.
            Err(error) if *error.kind() == ErrorKind::Conflict => {
                let (_, lease) = kept(store, &account.tenant, account.id).await?;
                Ok(is_done && is_ending(&lease))
            }
            noted => noted.map(|_| is_done).map_err(JitError::from),
        }
    }

    /// Learns that the target took nothing back, or that nobody heard whether it did.
    async fn not_lessened(
        &self,
        errand: Errand<'_>,
        account: &Account,
        as_before: Lease,
        answer: Result<Effect, BackendError>,
    ) -> Result<bool, JitError> {
        let (did_nothing, told) = match answer {
            Err(error) => (error.has_done_nothing(), Err(error.into())),
            Ok(Effect::NotOurs) => match self.quarantine(errand.store, account, as_before.clone()).await {
                Ok(_) => return Ok(false),
                Err(error) => (true, Err(error)),
            },
            // Somebody removed it meanwhile: the next comparison tells.
            Ok(Effect::Absent { .. }) => (true, Ok(false)),
            Ok(_) => (false, Ok(false)),
        };
        if did_nothing {
            self.leave_as_it_was(errand, account, as_before).await;
        }
        told
    }
}

fn is_ending(lease: &Lease) -> bool {
    matches!(lease.phase, Phase::Ending { .. } | Phase::Unconfirmed { .. } | Phase::Gone { .. })
}

/// Leaves out what the target does not know any longer: it cannot tell whether an account holds that. Asks it about each
/// name once.
async fn leave_out_unknown(
    setup: &TargetSetup,
    lease: &Lease,
    found: &mut Vec<Difference>,
    known: &mut BTreeMap<String, bool>,
) {
    for difference in found.iter_mut() {
        let Difference::HoldsLess(less) = difference else { continue };
        for name in std::mem::take(less) {
            if !known.contains_key(&name) {
                let one = BTreeSet::from([RemoteEntitlement::named(name.clone())]);
                let asked = setup.target.holdings(&lease.remote, &one).await;
                let fault = asked.err().map(|error| error.kind().clone());
                known.insert(name.clone(), fault != Some(ErrorKind::Target(TargetFault::Entitlement)));
            }
            if known.get(&name) == Some(&true) {
                less.insert(name);
            }
        }
    }
    found.retain(|difference| !matches!(difference, Difference::HoldsLess(less) if less.is_empty()));
}

/// How the account shall be, and what is taken from it for that.
struct Lessened {
    desired: Desired,
    taken: Vec<String>,
}

impl Lessened {
    /// As the lease says, without what somebody took from it.
    fn of(lease: &Lease, shown: &Listed) -> Self {
        let mut less = lease.clone();
        let held = shown.entitlements.as_ref();
        less.entitlements.retain(|given| held.is_some_and(|held| held.contains(given)));
        if let ShownEnd::At(end) = shown.end {
            less.until = less.until.min(end);
        }
        Self { desired: present(&less, None), taken: taken_back(lease, shown) }
    }
}

/// The most entitlements that are named in the trail for one account; of the others their number is told.
const NAMED: usize = 1_000;

/// What is taken back from an account, for whoever reads the trail later.
fn taken_back(lease: &Lease, shown: &Listed) -> Vec<String> {
    let told = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut taken = Vec::new();
    for difference in differences(lease, shown) {
        match difference {
            Difference::EndsNever => taken.push(format!("move end from never to {}", told(lease.until))),
            Difference::EndsLater(end) => {
                taken.push(format!("move end from {} to {}", told(end), told(lease.until)));
            }
            Difference::HoldsMore(more) => {
                let others = more.len().saturating_sub(NAMED);
                taken.extend(more.iter().take(NAMED).map(|name| format!("withdraw {}", plainly(name))));
                taken.extend((others > 0).then(|| format!("withdraw {others} more")));
            }
            Difference::EndsEarlier(_)
            | Difference::Shut
            | Difference::HoldsLess(_)
            | Difference::Renamed(_)
            | Difference::Moved(_) => {}
        }
    }
    taken
}

/// A name of the target without what would disturb whoever reads the trail.
pub(super) fn plainly(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}
