//! Lending accounts in targets: out, longer, in again, and looking after all of it.
//!
//! Whatever is done in a target was written down before, with all that is needed to undo it; what was found out is written
//! down after. Between the two anything may happen: the task of the lease finds it, and does what is due.

mod acceptance;
mod admit;
mod bearing;
mod check_in;
mod check_out;
mod compare;
mod declare_gone;
mod differ;
mod elevate;
mod exposure;
mod extend;
mod forget;
mod hand_out;
mod keeper;
mod late;
mod lent;
mod limit;
mod missing;
mod places;
mod pushes;
mod reconcile;
mod record;
mod release;
mod returned;
mod round;
mod tend;
mod unmarked;

use std::{fmt, num::NonZeroUsize};

use chrono::{DateTime, TimeDelta, Utc};

pub use bearing::LeasePage;
pub use compare::LentWrong;
pub use differ::{Difference, Differing};
pub use elevate::Elevated;
pub use extend::Extended;
pub use lent::LentAccounts;
pub use reconcile::{ReconcileMode, Reconciliation};

pub(super) use forget::SHORTEST;

use bearing::{bearing, page_of};

use super::{Jit, JitError};
use crate::{
    Account, AccountId, Actor, Cursor, Lane, Lease, LookupKey, Query, RuleName, Secret, Store, StoreId,
    TargetId, TargetSetup, TenantId, UnattendedEnd,
};

/// Asks for a role at a target, for a time. The application has checked that whoever asks may speak for the holder.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "the application builds it")]
pub struct CheckOut {
    /// The tenant.
    pub tenant: TenantId,
    /// The store that the holder's account lives in; `None` for the main one.
    pub store: Option<StoreId>,
    /// For whom.
    pub holder: AccountId,
    /// Who asks, for the audit trail: the holder, or somebody who may ask for them.
    pub by: Actor,
    /// The target.
    pub target: TargetId,
    /// The role at the target.
    pub role: RuleName,
    /// For how long.
    pub span: TimeDelta,
    /// Says that two calls are the same request: the second one makes no second account. Up to 256 bytes.
    pub key: Option<String>,
    /// Why, in the words of the person. Up to 1,024 bytes.
    pub purpose: Option<String>,
}

impl fmt::Debug for CheckOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckOut")
            .field("tenant", &self.tenant)
            .field("holder", &self.holder)
            .field("target", &self.target)
            .field("role", &self.role)
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}

/// Hands out what was checked out. The secret exists here and in the target only.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckedOut {
    /// The account that keeps the lease; its id names the lease.
    pub lease: AccountId,
    /// The name to log in by.
    pub name: String,
    /// The secret to log in by.
    pub secret: Secret,
    /// From when on it is over.
    pub until: DateTime<Utc>,
    /// Who ends it if nobody of ours ever runs again.
    pub unattended: UnattendedEnd,
    /// From when on it cannot be used then, at the latest; `None` is never.
    pub worst_case: Option<DateTime<Utc>>,
    /// Whether sessions that are open at its end go on.
    pub sessions_survive: bool,
}

const UNKNOWN: &str = "lease.unknown";
/// How often a step is tried anew when the lease changes under it.
const ATTEMPTS: usize = 16;

impl Jit {
    /// The lanes of a target, in the order in which they are to be worked.
    pub(super) fn lanes_of(target: &TargetId) -> [Option<Lane>; 2] {
        // The name of a target is short enough for both.
        [Lane::new(format!("target:{target}:first")).ok(), Lane::new(format!("target:{target}")).ok()]
    }

    fn setup(&self, target: &TargetId) -> Result<&TargetSetup, JitError> {
        self.parts.targets.get(target).ok_or(JitError::refused("lease.unknown_target"))
    }

    /// The target, where it is open to the tenant.
    fn setup_for(&self, tenant: &TenantId, target: &TargetId) -> Result<&TargetSetup, JitError> {
        let setup = self.setup(target)?;
        let is_open = setup.tenants.contains(tenant);
        if is_open { Ok(setup) } else { Err(JitError::refused("lease.unknown_target")) }
    }

    /// The target of a lease that is there already, where it is the one that the lease was made in: another tenant may call
    /// another system by the same name, and that says of everything of theirs that it is not there. Whoever looks after a
    /// lease has the target by this alone.
    fn setup_tending(&self, tenant: &TenantId, target: &TargetId) -> Result<&TargetSetup, JitError> {
        let setup = self.setup(target)?;
        if setup.tends(tenant) { Ok(setup) } else { Err(JitError::refused("lease.unknown_target")) }
    }

    /// Lists the accounts that keep the leases of a tenant which may still be in a target, in pages: at most `limit` of
    /// them, from where the page before ended. Those whose records cannot be read are named beside the others.
    ///
    /// # Errors
    /// `engine.unknown_store`; [`JitError::Backend`].
    pub async fn leases(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        target: &TargetId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<LeasePage, JitError> {
        let query = Query { after, ..bearing(tenant, LookupKey::leased_at(target), limit) };
        Ok(page_of(self.store_named(store)?, &query).await?)
    }

    /// Lists the accounts that keep the leases of one holder which may still be in a target, at whichever, in pages: at most
    /// `limit` of them, from where the page before ended. Those whose records cannot be read are named beside the others.
    ///
    /// # Errors
    /// `engine.unknown_store`; [`JitError::Backend`].
    pub async fn leases_of(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        holder: AccountId,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<LeasePage, JitError> {
        let query = Query { after, ..bearing(tenant, LookupKey::leased_for(holder), limit) };
        Ok(page_of(self.store_named(store)?, &query).await?)
    }
}

/// Tells whether there is no such lease, or none any longer.
fn is_unknown(error: &JitError) -> bool {
    matches!(error, JitError::Refused(code) if code.as_str() == UNKNOWN)
}

/// Reads the account that keeps a lease.
async fn kept(store: &dyn Store, tenant: &TenantId, id: AccountId) -> Result<(Account, Lease), JitError> {
    let account = store.get(tenant, id).await?.ok_or(JitError::refused(UNKNOWN))?;
    let lease = account.lease.as_deref().cloned().ok_or(JitError::refused(UNKNOWN))?;
    Ok((account, lease))
}
