//! Taking what was lent to an account that existed before, as far as no other lease needs it.

use std::collections::BTreeSet;

use super::{check_out::answer_by, record::moved_on, tend::settles_after};
use crate::{
    Account, Actor, Desired, DesiredState, Effect, Holdings, Jit, JitError, Lease, Phase, Store, TargetSetup,
};

/// Says how taking ended.
enum Released {
    /// Nothing of the lease is there any longer, as far as the target knows.
    Done,
    /// What bears the native id is not what it was.
    NotOurs,
}

impl Jit {
    /// Takes what no lease needs any longer.
    pub(super) async fn release(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
    ) -> Result<Account, JitError> {
        let setup = self.setup(&lease.target)?;
        let gone = lease.clone().removed(settles_after(setup, &lease), self.parts.clock.now());
        let gone = gone.map_err(moved_on)?;
        match self.take(store, setup, account, &lease, !gone.is_live()).await? {
            Released::NotOurs => self.quarantine(store, account, lease).await,
            Released::Done => Ok(self.note(store, account, gone, "lease.removed", Actor::Clock).await?),
        }
    }

    /// Takes what was given to a lease that had ended meanwhile, as far as that is possible now; the task of the lease
    /// looks for it once more.
    pub(super) async fn take_back(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
    ) {
        let _ = self.take(store, setup, account, lease, false).await;
    }

    /// Writes down that the lease needs nothing any longer, and takes what is left over. With `rests`, no call of the
    /// lease can arrive any longer, and it is forgotten.
    async fn take(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
        rests: bool,
    ) -> Result<Released, JitError> {
        let now = self.parts.clock.now();
        let begun = self.change(store, account, lease, "lease.releasing", |lent, number| {
            let (next, take) = lent.clone().released(account.id, number, answer_by(setup, now), now);
            (next != *lent).then_some((next, (number, take)))
        });
        let (number, take) = begun.await?.unwrap_or_default();
        if !take.is_empty() && !self.is_taken(setup, lease, take).await? {
            return Ok(Released::NotOurs);
        }
        let settled = self.change(store, account, lease, "lease.taken", |lent, _| {
            let next = lent.clone().taken(number);
            let next = if rests { next.left(account.id) } else { next };
            (next != *lent).then_some((next, ()))
        });
        settled.await?;
        Ok(Released::Done)
    }

    async fn is_taken(
        &self,
        setup: &TargetSetup,
        lease: &Lease,
        take: BTreeSet<String>,
    ) -> Result<bool, JitError> {
        let state = DesiredState::Holding { give: std::collections::BTreeMap::new(), take };
        match setup.target.ensure(&Desired { remote: lease.remote.clone(), state }).await? {
            // What an account held went with it.
            Effect::Holding { .. } | Effect::Absent { .. } => Ok(true),
            Effect::NotOurs | Effect::Stranger => Ok(false),
            Effect::Stuck(code) => Err(JitError::Refused(code)),
            Effect::Present { .. } | Effect::Disabled => Err(JitError::refused("target.protocol")),
        }
    }

    /// Looks once more whether a late call, or a server that did not know yet, brought back what was taken.
    pub(super) async fn look_at_shares(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
    ) -> Result<Account, JitError> {
        let setup = self.setup(&lease.target)?;
        let now = self.parts.clock.now();
        if let Some(native) = self.what_came_back(store, setup, account, &lease).await? {
            let back = lease.reappeared(native, now).map_err(moved_on)?;
            return Ok(self.note(store, account, back, "lease.reappeared", Actor::Clock).await?);
        }
        let left = self.change(store, account, &lease, "lease.left", |lent, _| {
            lent.mentions(account.id).then(|| (lent.clone().left(account.id), ()))
        });
        left.await?;
        let (next, action) = match lease.phase {
            Phase::Gone { .. } => (lease.swept(now), "lease.swept"),
            _ => (lease.confirmed(now), "lease.gone"),
        };
        Ok(self.note(store, account, next.map_err(moved_on)?, action, Actor::Clock).await?)
    }

    /// The native id of the account, where something of the lease is there that nobody needs.
    async fn what_came_back(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: &Lease,
    ) -> Result<Option<String>, JitError> {
        let Some(keeper) = lease.elevates else { return Ok(None) };
        let kept = store.get(&account.tenant, keeper).await?;
        let Some(lent) = kept.and_then(|kept| kept.elevation) else { return Ok(None) };
        // It joined after it had been ended.
        if lent.is_needed_by(account.id) {
            return Ok(lease.remote.native.clone());
        }
        let surplus = lent.surplus_of(account.id);
        if surplus.is_empty() {
            return Ok(None);
        }
        Ok(match setup.target.holdings(&lease.remote, &surplus).await? {
            Holdings::Found { native, held } if !held.is_empty() => Some(native),
            Holdings::Found { .. } | Holdings::Missing | Holdings::Made => None,
        })
    }
}
