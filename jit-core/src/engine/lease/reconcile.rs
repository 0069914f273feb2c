//! Comparing what is in a target with what was written down. It reports; it never deletes.

use std::{collections::BTreeMap, num::NonZeroUsize};

use chrono::{DateTime, Utc};

use super::{LentWrong, kept, record::moved_on};
use crate::{
    Account, AccountId, Actor, Code, ErrorKind, Filter, Jit, JitError, Lease, Listing, LookupKey, Observed,
    Phase, Query, RemoteRef, Store, StoreId, TargetId, TenantId,
};

/// Tells how a target differs from what was written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciliation {
    /// Why the listing is not whole; nothing can be said then of what is missing.
    pub partial: Option<Code>,
    /// How many remote accounts of the tenant were seen.
    pub seen: usize,
    /// There though their leases are gone: their late creation, or an older backup, brought them back.
    pub returned: Vec<RemoteRef>,
    /// There with our mark, and no lease of this target is known: the store lost it, or it is a copy of what was made in
    /// another target. Left to a person.
    pub suspects: Vec<RemoteRef>,
    /// Not there though their leases are active: somebody else removed them.
    pub missing: Vec<AccountId>,
    /// There under another id than the lease knows.
    pub changed: Vec<AccountId>,
    /// Lent to accounts that existed before, and not there: somebody took it, or the account is gone.
    pub unheld: Vec<LentWrong>,
    /// There though no lease needs it any longer, and ours to take: on its way out, for as long as that takes.
    pub leftover: Vec<LentWrong>,
    /// How many of those that returned were put on their way out, where that was asked for.
    pub ended: usize,
}

/// Says whether a reconciliation only reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it reports, or it acts within a bound")]
pub enum ReconcileMode {
    /// Reports and changes nothing.
    Report,
    /// Puts what returned on its way out, unless it is more than this many: then something else is wrong, and a person
    /// must look first.
    EndReturned {
        /// The most.
        at_most: usize,
    },
}

/// The leases read at once.
pub(super) const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);
/// The most pages of a listing; one that goes on longer is not whole.
const PAGES: usize = 10_000;

impl Jit {
    /// Compares the remote accounts of a tenant at a target with its leases.
    ///
    /// Only what bears a mark that this deployment made is looked at. What was found is looked at once more before
    /// anything is written, and even then only a lease is set to ending: its task removes the remote account under the
    /// same conditions as any other.
    ///
    /// # Errors
    /// `lease.unknown_target`, `engine.unknown_store`, `reconcile.too_many` when more returned than may be ended;
    /// `target.…` and `store.…` as [`JitError::Backend`].
    ///
    /// # Cancel safety
    /// Some of those that returned may have been set to ending.
    pub async fn reconcile(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        mode: ReconcileMode,
    ) -> Result<Reconciliation, JitError> {
        let (store, setup) = (self.store_named(store)?, self.setup_for(tenant, target)?);
        let began = self.parts.clock.now();
        let live = live_leases(store, tenant, target).await?;
        let (found, partial) = self.listed(tenant, target).await?;
        let mut result = Reconciliation { partial, seen: found.len(), ..Reconciliation::default() };
        for (id, lease) in live.iter().filter(|(_, lease)| lease.elevates.is_none()) {
            let is_settled = matches!(lease.phase, Phase::Active { since } if since < began);
            match found.get(id) {
                None if is_settled && result.partial.is_none() => result.missing.push(*id),
                Some(remote) if is_settled && remote.native != lease.remote.native => {
                    result.changed.push(*id);
                }
                _ => {}
            }
        }
        for (id, remote) in found.into_iter().filter(|(id, _)| !live.contains_key(id)) {
            match kept(store, tenant, id).await {
                // A copy of what was made in another target: nobody made it here, and its lease ends nothing here.
                Ok((_, lease)) if lease.target != *target => result.suspects.push(remote),
                Ok((_, lease)) if !lease.is_live() => result.returned.push(remote),
                Ok(_) => {}
                Err(JitError::Refused(_)) if is_mirrored(store, tenant, id, target).await? => {}
                Err(JitError::Refused(_)) => result.suspects.push(remote),
                Err(error) => return Err(error),
            }
        }
        self.compare_elevations(store, setup, tenant, &live, began, &mut result).await?;
        if let ReconcileMode::EndReturned { at_most } = mode {
            if result.returned.len() > at_most {
                return Err(JitError::refused("reconcile.too_many"));
            }
            result.ended = self.end_returned(store, tenant, target, &result.returned).await?;
        }
        Ok(result)
    }

    /// The remote accounts of the tenant by their leases, and why the listing is not whole.
    async fn listed(
        &self,
        tenant: &TenantId,
        target: &TargetId,
    ) -> Result<(BTreeMap<AccountId, RemoteRef>, Option<Code>), JitError> {
        let setup = self.setup(target)?;
        let (mut found, mut cursor) = (BTreeMap::new(), None);
        for _ in 0..PAGES {
            let (page, next) = match setup.target.list(cursor).await? {
                Listing::More(page, next) => (page, Some(next)),
                Listing::Complete(page) => (page, None),
                Listing::Partial(page, why) => {
                    take_ours(setup, tenant, page, &mut found);
                    return Ok((found, Some(why)));
                }
            };
            take_ours(setup, tenant, page, &mut found);
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok((found, None)),
            }
        }
        Ok((found, Some(Code::new("reconcile.endless"))))
    }

    async fn end_returned(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        target: &TargetId,
        returned: &[RemoteRef],
    ) -> Result<usize, JitError> {
        let setup = self.setup(target)?;
        let mut ended = 0;
        for remote in returned {
            let Some((_, id)) = setup.markers.reads(&remote.marker) else { continue };
            let (account, lease) = kept(store, tenant, id).await?;
            let Observed::Ours { native, .. } = setup.target.observe(remote).await? else { continue };
            let lease = Lease { remote: remote.clone(), ..lease };
            let now: DateTime<Utc> = self.parts.clock.now();
            let lease = lease.reappeared(native, now).map_err(moved_on)?;
            match self.note(store, &account, lease, "lease.reappeared", Actor::Clock).await {
                Ok(_) => ended += 1,
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(ended)
    }
}

fn take_ours(
    setup: &crate::TargetSetup,
    tenant: &TenantId,
    page: Vec<RemoteRef>,
    found: &mut BTreeMap<AccountId, RemoteRef>,
) {
    let ours = page.into_iter().filter_map(|remote| {
        let (of, lease) = setup.markers.reads(&remote.marker)?;
        (of == *tenant).then_some((lease, remote))
    });
    found.extend(ours);
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

async fn live_leases(
    store: &dyn Store,
    tenant: &TenantId,
    target: &TargetId,
) -> Result<BTreeMap<AccountId, Lease>, JitError> {
    let filter = Filter::Bearing(LookupKey::leased_at(target));
    let mut query = Query { tenant: tenant.clone(), filter, after: None, limit: PAGE };
    let mut live = BTreeMap::new();
    loop {
        let page = store.list(&query).await?;
        let leases = |account: Account| Some((account.id, *account.lease?));
        live.extend(page.items.into_iter().filter_map(leases));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(live),
        }
    }
}
