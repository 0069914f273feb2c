//! Setting to ending what a comparison found there although its lease is over.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    check_out::Errand,
    declare_gone::declared_gone,
    differ::{Differing, Odd, plainly},
    is_unknown, kept,
    reconcile::{LOOKS, Reconciliation},
    record::moved_on,
};
use crate::{AccountId, Actor, Code, ErrorKind, Jit, JitError, Lease, Observed, RemoteRef, Store, TenantId};

impl Jit {
    /// Ends what returned and what had been declared gone, unless more would be acted on than may be; tells whether it did.
    pub(super) async fn end_found(
        &self,
        errand: Errand<'_>,
        tenant: &TenantId,
        (at_most, odd): (usize, &[(Odd, Differing)]),
        result: &mut Reconciliation,
    ) -> Result<bool, JitError> {
        let Errand { store, setup, .. } = errand;
        let fits = |(odd, differing): &&(Odd, Differing)| odd.can_be_brought_back(setup, &differing.found);
        let fitting = odd.iter().filter(fits).count();
        let declared = declared_gone(store, tenant, &result.leftover).await?;
        if result.returned.len() + declared.len() > at_most || fitting > at_most {
            result.refused = Some(Code::new("reconcile.too_many"));
            return Ok(false);
        }
        result.ended = self.end_returned(errand, tenant, &result.returned).await?;
        result.ended += self.end_declared(errand, tenant, declared).await?;
        Ok(true)
    }

    /// Writes down of leases that are over that they are there again, so that nobody removes the records by which they can be
    /// ended, for up to so many each time. Of whom it is written down is not among those that are over the next time, so that
    /// all have their turn.
    pub(super) async fn keep_returned(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        over: BTreeSet<AccountId>,
    ) -> Result<(), JitError> {
        for id in over.into_iter().take(LOOKS) {
            let Some(account) = store.get(tenant, id).await? else { continue };
            // It may have moved on since it was compared.
            let Some(lease) = account.lease.as_deref().filter(|_| account.over_since().is_some()) else {
                continue;
            };
            let seen = lease.clone().seen_again(self.parts.clock.now()).map_err(moved_on)?;
            match self.note(store, &account, seen, "lease.seen_again", Actor::Clock).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                noted => drop(noted?),
            }
        }
        Ok(())
    }

    async fn end_returned(
        &self,
        Errand { store, setup, by }: Errand<'_>,
        tenant: &TenantId,
        returned: &[RemoteRef],
    ) -> Result<usize, JitError> {
        let mut ended = 0;
        for remote in returned {
            let Some((_, id)) = setup.markers.reads(&remote.marker) else { continue };
            let (account, lease) = match kept(store, tenant, id).await {
                // Its record was removed since it was compared: the next comparison reports it as a suspect.
                Err(error) if is_unknown(&error) => continue,
                found => found?,
            };
            let Observed::Ours { native, .. } = setup.target.observe(remote).await? else { continue };
            let lease = Lease { remote: remote.clone(), ..lease };
            let now: DateTime<Utc> = self.parts.clock.now();
            let details = vec![format!("end what returned as {}", plainly(&native))];
            let lease = lease.reappeared(native, now).map_err(moved_on)?;
            match self.note_with(store, &account, lease, ("lease.reappeared", by), details).await {
                Ok(_) => ended += 1,
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(ended)
    }
}
