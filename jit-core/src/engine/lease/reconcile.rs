//! Comparing what is in a target with what was written down. It reports; it never deletes.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use chrono::{DateTime, Utc};

use super::{
    LentWrong,
    bearing::{bearing, is_corrupt, page_of},
    check_out::Errand,
    differ::{Differing, Odd, differences},
    kept,
};
use crate::{
    Account, AccountId, Actor, Code, ErrorKind, Jit, JitError, Lease, Listed, Listing, LookupKey, Observed,
    Phase, RemoteRef, Store, StoreId, TargetId, TargetSetup, TenantId,
};

/// Tells how a target differs from what was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Why the comparison is not whole. Unless the target only does not tell what some accounts hold (`reconcile.untold`), or
    /// some records cannot be read (`lease.unreadable`), the listing is not, and nothing can be said of what is missing.
    pub partial: Option<Code>,
    /// How many remote accounts of the tenant were seen.
    pub seen: usize,
    /// There though their leases are gone, under the id that was proved or the name that derives from the lease: their late
    /// creation, or an older backup, brought them back.
    pub returned: Vec<RemoteRef>,
    /// There with our mark, and nothing that a lease of this target made: the store lost it, it is a copy of what was made
    /// in another target, or somebody copied a mark. Left to a person.
    pub suspects: Vec<RemoteRef>,
    /// Not there though their leases are active or quarantined: somebody else removed them.
    pub missing: Vec<AccountId>,
    /// There under another id than the lease knows, elsewhere than the listing looks, without our mark, or quarantined.
    pub changed: Vec<AccountId>,
    /// There as what was made, and changed by somebody else: its end, whether it is in use, or what it holds, as far as the
    /// target tells.
    pub differing: Vec<Differing>,
    /// Lent to accounts that existed before, and not there: somebody took it, or the account is gone.
    pub unheld: Vec<LentWrong>,
    /// There though no lease needs it any longer, and ours to take: on its way out, for as long as that takes.
    pub leftover: Vec<LentWrong>,
    /// Leases, and records of what is lent to accounts that existed before, that cannot be read: nothing is said of them.
    pub unreadable: BTreeSet<AccountId>,
    /// Why nothing was acted on where that was asked for: `reconcile.too_many`. What was found is told all the same.
    pub refused: Option<Code>,
    /// How many of those that returned were put on their way out, where that was asked for.
    pub ended: usize,
    /// The leases of those that could not be put on their way out, and why. The others had their turn all the same.
    pub not_ended: BTreeMap<AccountId, Code>,
}

/// Says whether a reconciliation only reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it reports, or it acts within a bound")]
pub enum ReconcileMode {
    /// Reports, and changes nothing but that a live lease without a task gets one, and that the record of what returned is not
    /// removed any longer.
    Report,
    /// Puts what returned on its way out, and takes back what live accounts have more than they should: a later end, further
    /// entitlements. Unless either are more than this many: then something else is wrong, and a person must look first.
    Apply {
        /// The most.
        at_most: usize,
        /// Who asks for it, for the audit trail.
        by: Actor,
    },
}

impl ReconcileMode {
    /// Who changes something, where anything is changed.
    const fn actor(&self) -> &Actor {
        match self {
            Self::Report => &Actor::Clock,
            Self::Apply { by, .. } => by,
        }
    }
}

/// The leases read at once.
pub(super) const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);
/// The most pages of a listing; one that goes on longer is not whole.
const PAGES: usize = 10_000;
/// How many leases that a listing does not show are looked at by themselves; the others count as missing.
pub(super) const LOOKS: usize = 1_000;

/// What a listing shows, by the lease that its mark names. A mark that was copied is there more than once.
type Shown = BTreeMap<AccountId, Vec<Listed>>;

impl Jit {
    /// Compares the remote accounts of a tenant at a target with its leases.
    ///
    /// Only what bears a mark that this deployment made is looked at. What was found is looked at once more before
    /// anything is written. Of what returned only the lease is set to ending: its task removes the remote account under the
    /// same conditions as any other. What was added to a live account is taken back under these conditions as well, and what
    /// was taken from it is not given again. One of which that fails keeps no other from its turn ([`Differing::failed`]).
    ///
    /// # Errors
    /// `lease.unknown_target`, `engine.unknown_store`; `clock.ahead` where it shall act and the clock is ahead of the plausible time; `target.…` and `store.…` as [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// Some of those that returned may have been set to ending, and some brought back to what they should be.
    pub async fn reconcile(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        mode: ReconcileMode,
    ) -> Result<Reconciliation, JitError> {
        let (store, setup) = (self.store_named(store)?, self.setup_for(tenant, target)?);
        // What is acted on by a clock that is ahead would be called settled too early.
        match mode {
            ReconcileMode::Apply { .. } => self.check_time().await?,
            ReconcileMode::Report => drop(self.watch_time().await?),
        }
        let began = self.parts.clock.work();
        let (live, unreadable) = live_leases(store, tenant, target).await?;
        self.give_tasks(store, tenant, &live).await?;
        let (mut found, partial) = self.listed(setup, tenant, &live).await?;
        let seen = found.values().map(Vec::len).sum();
        let mut result = Reconciliation { partial, seen, unreadable, ..Reconciliation::default() };
        let settled_before = began.checked_sub_signed(setup.target.capabilities().settles_after);
        let Compared { unseen, odd, is_untold } =
            compare_live(&live, &mut found, settled_before.unwrap_or_default(), &mut result);
        self.look_for_unseen(store, setup, tenant, unseen, &mut result).await?;
        if is_untold {
            result.partial.get_or_insert(Code::new("reconcile.untold"));
        }
        let over = self.judge_others(store, tenant, target, found, &mut result).await?;
        self.keep_returned(store, tenant, over).await?;
        self.compare_elevations(store, setup, tenant, &live, began, &mut result).await?;
        if !result.unreadable.is_empty() {
            result.partial.get_or_insert(Code::new("lease.unreadable"));
        }
        let errand = Errand { store, setup, by: mode.actor() };
        let odd = self.still_odd(errand, tenant, odd).await?;
        let acts = match mode {
            ReconcileMode::Report => false,
            ReconcileMode::Apply { at_most, .. } => {
                self.end_found(errand, tenant, (at_most, &odd), &mut result).await?
            }
        };
        for (odd, mut differing) in odd {
            if acts && odd.can_be_brought_back(setup, &differing.found) {
                match self.bring_back(errand, tenant, &odd).await {
                    Ok(is_done) => differing.brought_back = is_done,
                    Err(error) => differing.failed = Some(error.code()),
                }
            }
            result.differing.push(differing);
        }
        Ok(result)
    }

    /// Gives each live lease a task that has none, as an earlier build left what was quarantined: without one nobody would look
    /// after it, nor be reminded of it.
    async fn give_tasks(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        live: &BTreeMap<AccountId, Lease>,
    ) -> Result<(), JitError> {
        for (id, _) in live.iter().filter(|(_, lease)| lease.task.is_none()).take(LOOKS) {
            let (account, lease) = kept(store, tenant, *id).await?;
            if lease.task.is_some() {
                continue;
            }
            match self.note(store, &account, lease, "lease.task_given", Actor::Clock).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                noted => drop(noted?),
            }
        }
        Ok(())
    }

    /// Judges what bears a mark of ours and belongs to no live lease. Tells of which that returned the record would be removed.
    async fn judge_others(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        target: &TargetId,
        found: Shown,
        result: &mut Reconciliation,
    ) -> Result<BTreeSet<AccountId>, JitError> {
        let mut over = BTreeSet::new();
        let each =
            found.into_iter().flat_map(|(id, shown)| shown.into_iter().map(move |one| (id, one.remote)));
        for (id, remote) in each {
            match kept(store, tenant, id).await {
                // A copy of what was made in another target: nobody made it here, and its lease ends nothing here.
                Ok((_, lease)) if lease.target != *target => result.suspects.push(remote),
                Ok((_, lease)) if lease.is_live() => {}
                Ok((account, lease)) if is_what_was_made(&lease, &remote) => {
                    over.extend(account.over_since().map(|_| id));
                    result.returned.push(remote);
                }
                // Nobody can tell what it made.
                Err(JitError::Backend(error)) if is_corrupt(&error) => drop(result.unreadable.insert(id)),
                Err(JitError::Refused(_)) if is_mirrored(store, tenant, id, target).await? => {}
                Ok(_) | Err(JitError::Refused(_)) => result.suspects.push(remote),
                Err(error) => return Err(error),
            }
        }
        Ok(over)
    }

    /// Looks at what a whole listing does not show: it may lie elsewhere, or have lost its mark. Whatever moved on meanwhile
    /// is no difference. Where the target does not let us look, or there is too much to look at, the comparison is not whole,
    /// and the rest is not called missing.
    async fn look_for_unseen(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        tenant: &TenantId,
        unseen: Vec<(AccountId, &Lease)>,
        result: &mut Reconciliation,
    ) -> Result<(), JitError> {
        for (number, (id, lease)) in unseen.into_iter().enumerate() {
            if number == LOOKS {
                result.partial = Some(Code::new("reconcile.endless"));
                return Ok(());
            }
            let observed = match setup.target.observe(&lease.remote).await {
                Ok(observed) => observed,
                Err(error) => {
                    result.partial = Some(error.code());
                    return Ok(());
                }
            };
            let (_, now_kept) = kept(store, tenant, id).await?;
            match observed {
                _ if now_kept.phase != lease.phase => {}
                Observed::Missing => result.missing.push(id),
                Observed::Ours { .. } | Observed::Foreign => result.changed.push(id),
            }
        }
        Ok(())
    }

    /// The remote accounts of the tenant by their leases, and why the listing is not whole.
    async fn listed(
        &self,
        setup: &TargetSetup,
        tenant: &TenantId,
        live: &BTreeMap<AccountId, Lease>,
    ) -> Result<(Shown, Option<Code>), JitError> {
        // The mark of a live lease is known by heart, whatever key it was made with.
        let marks: BTreeMap<_, _> = live.iter().map(|(id, lease)| (&lease.remote.marker, *id)).collect();
        let (mut found, mut cursor) = (Shown::new(), None);
        let take_ours = |page: Vec<Listed>, found: &mut Shown| {
            for listed in page {
                let mark = &listed.remote.marker;
                let read = || setup.markers.reads(mark).filter(|(of, _)| of == tenant);
                let lease = marks.get(mark).copied().or_else(|| read().map(|(_, lease)| lease));
                if let Some(lease) = lease {
                    found.entry(lease).or_default().push(listed);
                }
            }
        };
        self.greet(setup, tenant).await?;
        for _ in 0..PAGES {
            let (page, next) = match setup.target.list(cursor).await? {
                Listing::More(page, next) => (page, Some(next)),
                Listing::Complete(page) => (page, None),
                Listing::Partial(page, why) => {
                    take_ours(page, &mut found);
                    return Ok((found, Some(why)));
                }
            };
            take_ours(page, &mut found);
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok((found, None)),
            }
        }
        Ok((found, Some(Code::new("reconcile.endless"))))
    }
}

/// What comes of comparing live leases with a listing.
struct Compared<'a> {
    /// Those of which nothing is shown.
    unseen: Vec<(AccountId, &'a Lease)>,
    /// Those that are there, and not as they were written down.
    odd: Vec<Odd>,
    /// Whether the target does not tell of one that is there what it holds.
    is_untold: bool,
}

/// Compares live leases with what is shown under their marks, which is taken out. Of what was done since `settled_before`
/// the server that was asked may not have learnt.
fn compare_live<'a>(
    live: &'a BTreeMap<AccountId, Lease>,
    found: &mut Shown,
    settled_before: DateTime<Utc>,
    result: &mut Reconciliation,
) -> Compared<'a> {
    let mut compared = Compared { unseen: Vec::new(), odd: Vec::new(), is_untold: false };
    for (id, lease) in live.iter().filter(|(_, lease)| lease.elevates.is_none()) {
        let shown = found.remove(id).unwrap_or_default();
        let (mut itself, copies): (Vec<_>, Vec<_>) =
            shown.into_iter().partition(|shown| shown.remote.native == lease.remote.native);
        let is_settled = is_settled(lease, settled_before);
        let is_foreign = matches!(lease.phase, Phase::Quarantined { .. });
        // What a call makes that is on its way has another id.
        let is_known = lease.remote.native.is_some() && !lease.may_have_been_made();
        let are_suspects = is_known && !(is_settled && itself.is_empty());
        match (itself.pop(), copies.is_empty()) {
            (None, true) if is_settled && result.partial.is_none() => compared.unseen.push((*id, lease)),
            (None, false) if is_settled => result.changed.push(*id),
            (Some(_), _) if is_settled && is_foreign => result.changed.push(*id),
            (Some(shown), _) if is_settled => {
                compared.is_untold |= shown.entitlements.is_none();
                if !differences(lease, &shown).is_empty() {
                    compared.odd.push(Odd { id: *id, lease: lease.clone(), shown });
                }
            }
            _ => {}
        }
        if are_suspects {
            result.suspects.extend(copies.into_iter().map(|copy| copy.remote));
        }
    }
    compared
}

/// Tells whether a lease stands where it does since before an instant, and the target was not told of another end since.
fn is_settled(lease: &Lease, before: DateTime<Utc>) -> bool {
    let (Phase::Active { since } | Phase::Quarantined { since, .. }) = lease.phase else { return false };
    lease.proof.map_or(since, |proof| proof.at.max(since)) < before
}

/// Tells whether a lease that is gone made this, or a backup of what it made: marks can be copied, ids cannot, and a name
/// that derives from a lease belongs to nothing else.
fn is_what_was_made(lease: &Lease, remote: &RemoteRef) -> bool {
    let is_same = lease.remote.native.is_some() && lease.remote.native == remote.native;
    is_same || lease.remote.name == remote.name
}

/// Tells whether an account from here is mirrored to the target: its mark is no lease's.
async fn is_mirrored(
    store: &dyn Store,
    tenant: &TenantId,
    id: AccountId,
    target: &TargetId,
) -> Result<bool, JitError> {
    Ok(store.get(tenant, id).await?.is_some_and(|account| account.mirror(target).is_some()))
}

/// The live leases of a tenant at a target, and those whose records cannot be read.
async fn live_leases(
    store: &dyn Store,
    tenant: &TenantId,
    target: &TargetId,
) -> Result<(BTreeMap<AccountId, Lease>, BTreeSet<AccountId>), JitError> {
    let mut query = bearing(tenant, LookupKey::leased_at(target), PAGE);
    let (mut live, mut unreadable) = (BTreeMap::new(), BTreeSet::new());
    loop {
        let page = page_of(store, &query).await?;
        let leases = |account: Account| Some((account.id, *account.lease?));
        live.extend(page.items.into_iter().filter_map(leases));
        unreadable.extend(page.unreadable);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok((live, unreadable)),
        }
    }
}
