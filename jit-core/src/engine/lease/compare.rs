//! Comparing what is lent to accounts that existed before with what they hold.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{
    bearing::{bearing, page_of},
    reconcile::{PAGE, Reconciliation},
};
use crate::{
    Account, AccountId, Edge, Elevation, ErrorKind, Holdings, Jit, JitError, Lease, LookupKey, Phase,
    RemoteRef, Share, Store, TargetFault, TargetSetup, TenantId,
};

/// Names an entitlement that is not as it was written down, and the account that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LentWrong {
    /// The name by which the account was found first.
    pub name: String,
    /// The id that the target gave the account and never changes.
    pub native: String,
    /// The entitlement, by the target's own name.
    pub entitlement: String,
    /// The leases that it is about.
    pub leases: Vec<AccountId>,
}

impl Jit {
    /// Adds to a result what differs of accounts that existed before. Nothing is changed.
    pub(super) async fn compare_elevations(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        tenant: &TenantId,
        live: &BTreeMap<AccountId, Lease>,
        began: DateTime<Utc>,
        result: &mut Reconciliation,
    ) -> Result<(), JitError> {
        let mut query = bearing(tenant, LookupKey::elevated_at(&setup.id), PAGE);
        loop {
            let page = page_of(store, &query).await?;
            result.unreadable.extend(page.unreadable);
            for account in &page.items {
                self.compare_elevation(setup, account, live, began, result).await?;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn compare_elevation(
        &self,
        setup: &TargetSetup,
        account: &Account,
        live: &BTreeMap<AccountId, Lease>,
        began: DateTime<Utc>,
        result: &mut Reconciliation,
    ) -> Result<(), JitError> {
        let Some(lent) = account.elevation.as_deref() else { return Ok(()) };
        let remote = RemoteRef {
            name: lent.name.clone(),
            place: None,
            marker: setup.markers.mark(&account.tenant, account.id),
            native: Some(lent.native.clone()),
            home: home_of(lent, live),
        };
        let asked: BTreeSet<_> = lent.edges.iter().map(|edge| edge.entitlement.clone()).collect();
        let held = match setup.target.holdings(&remote, &asked).await {
            Ok(Holdings::Found { held, .. }) => held,
            Ok(Holdings::Missing | Holdings::Made) => BTreeSet::new(),
            // One of them is not found by what is known of it, or was lent in another system, of which this one proves
            // nothing; the others can still be compared.
            Err(error) if is_about_one(error.kind()) => {
                result.partial.get_or_insert(error.code());
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for edge in &lent.edges {
            let wrong = || wrong(lent, edge);
            let is_held = edge.entitlement.is_among(&held);
            // A lease that cannot be read may need it.
            let may_be_needed = || edge.leases.keys().any(|lease| result.unreadable.contains(lease));
            if is_held && !edge.pre_existing && !is_needed(edge, live) && !may_be_needed() {
                result.leftover.push(wrong());
            } else if !is_held && is_in_use(edge, live, began) {
                result.unheld.push(wrong());
            }
        }
        Ok(())
    }
}

const fn is_about_one(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Target(TargetFault::Entitlement | TargetFault::Elsewhere))
}

/// Where the account was when something was lent to it; `None` where no lease that is live says so.
fn home_of(lent: &Elevation, live: &BTreeMap<AccountId, Lease>) -> Option<String> {
    let mut leases = lent.edges.iter().flat_map(|edge| edge.leases.keys()).filter_map(|id| live.get(id));
    leases.find_map(|lease| lease.remote.home.clone())
}

fn wrong(lent: &Elevation, edge: &Edge) -> LentWrong {
    LentWrong {
        name: lent.name.clone(),
        native: lent.native.clone(),
        entitlement: edge.entitlement.name.clone(),
        leases: edge.leases.keys().copied().collect(),
    }
}

/// The leases of an entitlement that say that they need it and are there.
fn needing<'a>(edge: &'a Edge, live: &'a BTreeMap<AccountId, Lease>) -> impl Iterator<Item = &'a Lease> {
    let needing = edge.leases.iter().filter(|(_, share)| matches!(share, Share::Needs { .. }));
    needing.filter_map(|(id, _)| live.get(id))
}

fn is_needed(edge: &Edge, live: &BTreeMap<AccountId, Lease>) -> bool {
    needing(edge, live).any(|lease| matches!(lease.phase, Phase::Intended | Phase::Active { .. }))
}

/// Tells whether a lease was active before the comparison began.
fn is_in_use(edge: &Edge, live: &BTreeMap<AccountId, Lease>, began: DateTime<Utc>) -> bool {
    needing(edge, live).any(|lease| matches!(lease.phase, Phase::Active { since } if since < began))
}
