//! Setting to ending what a comparison found there although its lease is over.

use chrono::{DateTime, Utc};

use super::{
    check_out::Errand,
    declare_gone::declared_gone,
    differ::{Differing, Odd, plainly},
    kept,
    reconcile::Reconciliation,
    record::moved_on,
};
use crate::{ErrorKind, Jit, JitError, Lease, Observed, RemoteRef, TenantId};

impl Jit {
    /// Ends what returned and what had been declared gone, unless more would be acted on than may be.
    pub(super) async fn end_found(
        &self,
        errand: Errand<'_>,
        tenant: &TenantId,
        (at_most, odd): (usize, &[(Odd, Differing)]),
        result: &mut Reconciliation,
    ) -> Result<(), JitError> {
        let Errand { store, setup, .. } = errand;
        let fits = |(odd, differing): &&(Odd, Differing)| odd.can_be_brought_back(setup, &differing.found);
        let fitting = odd.iter().filter(fits).count();
        let declared = declared_gone(store, tenant, &result.leftover).await?;
        if result.returned.len() + declared.len() > at_most || fitting > at_most {
            return Err(JitError::refused("reconcile.too_many"));
        }
        result.ended = self.end_returned(errand, tenant, &result.returned).await?;
        result.ended += self.end_declared(errand, tenant, declared).await?;
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
            let (account, lease) = kept(store, tenant, id).await?;
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
