//! Setting to ending what a comparison found there although its lease is over.

use std::collections::BTreeSet;

use super::{
    check_out::Errand,
    declare_gone::declared_gone,
    differ::{Differing, Odd, plainly},
    is_unknown, kept,
    reconcile::{LOOKS, Reconciliation},
    record::moved_on,
};
use crate::{
    Account, AccountId, Actor, Code, ErrorKind, Jit, JitError, Lease, Observed, RemoteRef, Store, TenantId,
};

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
        self.end_returned(errand, tenant, result).await;
        self.end_declared(errand, tenant, declared, result).await;
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

    /// Puts what returned on its way out. One of which that fails keeps no other from it.
    async fn end_returned(&self, errand: Errand<'_>, tenant: &TenantId, result: &mut Reconciliation) {
        for remote in result.returned.clone() {
            let Some((_, id)) = errand.setup.markers.reads(&remote.marker) else { continue };
            let ended = self.end_one(errand, tenant, id, &remote).await;
            result.learn_end(id, ended);
        }
    }

    async fn end_one(
        &self,
        Errand { store, setup, by }: Errand<'_>,
        tenant: &TenantId,
        id: AccountId,
        remote: &RemoteRef,
    ) -> Result<bool, JitError> {
        let (account, lease) = match kept(store, tenant, id).await {
            // Its record was removed since it was compared: the next comparison reports it as a suspect.
            Err(error) if is_unknown(&error) => return Ok(false),
            found => found?,
        };
        let Observed::Ours { native, .. } = setup.target.observe(remote).await? else { return Ok(false) };
        let lease = Lease { remote: remote.clone(), ..lease };
        let details = vec![format!("end what returned as {}", plainly(&native))];
        self.end_again(Errand { store, setup, by }, &account, (lease, native), details).await
    }

    /// Lets a lease that was gone end once more; tells whether it does by this. Where it moved on, it ends already, or the next
    /// comparison tells.
    pub(super) async fn end_again(
        &self,
        Errand { store, by, .. }: Errand<'_>,
        account: &Account,
        (lease, native): (Lease, String),
        details: Vec<String>,
    ) -> Result<bool, JitError> {
        let Ok(lease) = lease.reappeared(native, self.parts.clock.now()) else { return Ok(false) };
        match self.note_with(store, account, lease, ("lease.reappeared", by), details).await {
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(false),
            noted => noted.map(|_| true).map_err(JitError::from),
        }
    }
}

impl Reconciliation {
    /// Learns what became of putting what belongs to a lease on its way out.
    pub(super) fn learn_end(&mut self, lease: AccountId, ended: Result<bool, JitError>) {
        match ended {
            Ok(is_ended) => self.ended += usize::from(is_ended),
            Err(error) => drop(self.not_ended.insert(lease, error.code())),
        }
    }
}
