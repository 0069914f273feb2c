//! Checking in, and ending what a holder may no longer hold.

use std::num::NonZeroUsize;

use super::{
    ATTEMPTS,
    bearing::{bearing, page_of},
    kept,
    places::Turn,
    record::{Next, QUARANTINED, moved_on},
};
use crate::{
    Account, AccountId, Actor, BackendError, EndReason, ErrorKind, Jit, JitError, Lease, LookupKey, Phase,
    Store, StoreId, TenantId,
};

/// The leases read at once while ending those of a holder.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);

impl Jit {
    /// Ends a lease now. Once this has answered, it ends whatever happens; the lease tells how far it has come.
    ///
    /// Checking in twice is no error. A target that cannot be reached is none either: the lease stays in
    /// [`Phase::Ending`], and its task goes on until it is gone.
    ///
    /// A quarantined lease is looked at once more: where a person removed what was there, or gave it its mark back, it
    /// ends.
    ///
    /// # Errors
    /// `lease.unknown`, `lease.quarantined` where what is there is still not what was made, `engine.contended`; `store.…` as
    /// [`JitError::Backend`]; of a quarantined lease also `lease.unknown_target`, `lease.over` and `target.…`.
    ///
    /// # Cancel safety
    /// It ends, or nothing was changed.
    pub async fn check_in(
        &self,
        store: Option<&StoreId>,
        tenant: &TenantId,
        id: AccountId,
        by: Actor,
    ) -> Result<Lease, JitError> {
        let store = self.store_named(store)?;
        // A person's word counts whatever the clock says; when to look next goes by the plausible time.
        if let Some(error) = self.watch_time().await.unwrap_or_else(Some) {
            tracing::warn!(code = %error.code(), "the clock was not compared");
        }
        let ended = self.end_lease(store, tenant, id, EndReason::CheckedIn, by.clone(), Next::AtOnce).await;
        let account = match ended {
            Err(JitError::Refused(code)) if code.as_str() == QUARANTINED => {
                self.settle_quarantined(store, tenant, id, by).await?
            }
            ended => ended?,
        };
        match self.tend(store, account, Turn::AT_ONCE).await {
            Ok(account) => account.lease.map(|lease| *lease).ok_or(JitError::refused("lease.unknown")),
            // It may have failed because a worker was quicker.
            Err(_) => kept(store, tenant, id).await.map(|(_, lease)| lease),
        }
    }

    /// Writes down that a quarantined lease ends, unless what is there is still not what was made.
    async fn settle_quarantined(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
        by: Actor,
    ) -> Result<Account, JitError> {
        let (account, lease) = kept(store, tenant, id).await?;
        let setup = self.setup_tending(tenant, &lease.target)?;
        // What existed before bears no mark: the end itself finds out.
        if lease.elevates.is_none() && !self.is_settled(setup, &account, &lease).await? {
            return Err(JitError::refused(QUARANTINED));
        }
        let settled = lease.settled(EndReason::CheckedIn, self.parts.clock.work()).map_err(moved_on)?;
        Ok(self.note_before(store, &account, settled, ("lease.ending", by), Next::AtOnce).await?)
    }

    /// Writes down that a lease ends, unless it does already.
    async fn end_lease(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
        why: EndReason,
        by: Actor,
        next: Next,
    ) -> Result<Account, JitError> {
        for _ in 0..ATTEMPTS {
            let (account, lease) = kept(store, tenant, id).await?;
            match lease.phase {
                Phase::Ending { .. } | Phase::Unconfirmed { .. } | Phase::Gone { .. } => return Ok(account),
                Phase::Quarantined { .. } => return Err(JitError::refused(QUARANTINED)),
                Phase::Intended | Phase::Active { .. } => {}
            }
            let Ok(ending) = lease.ending(why, self.parts.clock.work()) else { continue };
            let noted = self.note_before(store, &account, ending, ("lease.ending", by.clone()), next).await;
            match noted {
                Ok(account) => return Ok(account),
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Ends every lease of a holder who may no longer hold anything. Only writes it down: their tasks do the rest. One that
    /// fails keeps no other from its end; the call then fails, and must be repeated. Somebody is told of what cannot be read, at
    /// the first attempt and at each hundredth after it.
    pub(in super::super) async fn end_leases_of(
        &self,
        store: &dyn Store,
        holder: &Account,
        attempts: u32,
    ) -> Result<(), JitError> {
        let mut query = bearing(&holder.tenant, LookupKey::leased_for(holder.id), PAGE);
        let mut first = None;
        loop {
            let page = page_of(store, &query).await?;
            for account in &page.items {
                let (why, by) = (EndReason::HolderEnded, Actor::Clock);
                match self.end_lease(store, &holder.tenant, account.id, why, by, Next::WhenDue).await {
                    Ok(_) => {}
                    // A person looks after what is quarantined.
                    Err(JitError::Refused(code)) if code.as_str() == QUARANTINED => {}
                    Err(error) => drop(first.get_or_insert(error)),
                }
            }
            if !page.unreadable.is_empty() {
                if attempts.is_multiple_of(100) {
                    let which = page.unreadable.iter().map(|id| format!("{id} of {}", holder.tenant));
                    let told = self.tell("lease.unreadable", None, Actor::Clock, which.collect()).await;
                    first = first.or(told.err().map(JitError::from));
                }
                first.get_or_insert(BackendError::new(ErrorKind::Corrupt, "leases.end").into());
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return first.map_or(Ok(()), Err),
            }
        }
    }
}
