//! Looking after a lease: doing what is due, step by step, each written down before the next.

use std::num::NonZeroUsize;

use chrono::TimeDelta;

use super::super::{
    JitError, WorkReport,
    work::{HOLD, after_pause},
};
use crate::{
    Account, Actor, BackendError, Claimed, Desired, DesiredState, Duty, Effect, ErrorKind, Jit, Lease,
    Observed, Phase, Settlement, Store, TargetId, TargetSetup, WorkerId,
};

/// The most steps in a row: from being over, through removal and confirmation, to a tombstone.
const STEPS: usize = 8;

/// Tells how far a lease came before something failed.
pub(super) struct Failed {
    pub(super) account: Account,
    pub(super) error: JitError,
}

type Stepped = Result<Account, JitError>;

impl Jit {
    /// Does up to `limit` due tasks of the leases at one target, privileged ones first, in each store. Call it in a loop of
    /// its own for each target: a target that hangs keeps no other from its work. Any number of workers share it.
    ///
    /// # Errors
    /// `lease.unknown_target`; the first [`BackendError`] of a store that cannot hand out or settle tasks, after the
    /// others had their turn. A lease whose target fails is counted and comes again, later and later, without end.
    ///
    /// # Cancel safety
    /// Each step is written down whole or not at all; claims come back when their hold is over.
    pub async fn work_target(
        &self,
        worker: &WorkerId,
        target: &TargetId,
        limit: NonZeroUsize,
    ) -> Result<WorkReport, JitError> {
        self.setup(target)?;
        let mut report = WorkReport::default();
        let mut first = self.watch_time().await?;
        for store in self.parts.stores.values().chain(std::iter::once(&self.parts.store)) {
            if let Err(error) = self.work_target_in(store.as_ref(), worker, target, limit, &mut report).await
            {
                first.get_or_insert(error);
            }
        }
        first.map_or(Ok(report), |error| Err(error.into()))
    }

    async fn work_target_in(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        target: &TargetId,
        limit: NonZeroUsize,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let mut left = limit.get();
        for lane in Self::lanes_of(target).into_iter().flatten() {
            let Some(limit) = NonZeroUsize::new(left) else { break };
            let claims = store.claim(worker, &lane, self.parts.clock.work(), HOLD, limit).await?;
            left = left.saturating_sub(claims.len());
            for claimed in claims {
                let settlement = self.tend_claimed(store, &claimed, report).await;
                match store.settle(&claimed, settlement).await {
                    // The lease moved on and has another task by now.
                    Err(error) if *error.kind() == ErrorKind::Conflict => {}
                    other => other?,
                }
            }
        }
        Ok(())
    }

    async fn tend_claimed(
        &self,
        store: &dyn Store,
        claimed: &Claimed,
        report: &mut WorkReport,
    ) -> Settlement {
        let task = &claimed.task;
        let is_ours =
            |account: &Account| account.lease.as_ref().is_some_and(|lease| lease.task == Some(task.id));
        let tended = match store.get(&task.tenant, task.account).await {
            Ok(Some(account)) if is_ours(&account) => {
                self.tend(store, account).await.map_err(|failed| failed.error)
            }
            Ok(other) => other.map_or_else(|| Err(JitError::refused("lease.unknown")), Ok),
            Err(error) => Err(error.into()),
        };
        match tended {
            Err(JitError::Refused(code)) if code.as_str() == "lease.unknown" => {
                report.done += 1;
                Settlement::Done
            }
            Err(error) => self.again(claimed, &error, report),
            Ok(account) => {
                // Each step that was written down brought a task of its own; only an early one is due again.
                let lease = account.lease.as_ref().filter(|lease| lease.task == Some(task.id));
                let due = lease.and_then(|lease| lease.due(self.parts.clock.work()));
                *(if due.is_some() { &mut report.again } else { &mut report.done }) += 1;
                due.map_or(Settlement::Done, Settlement::Again)
            }
        }
    }

    /// Revocation has no terminal failure: the task comes again, whatever it was.
    fn again(&self, claimed: &Claimed, error: &JitError, report: &mut WorkReport) -> Settlement {
        tracing::warn!(task = %claimed.task.id, kind = claimed.task.kind.word(), code = %error.code(), "task failed");
        report.failed += 1;
        Settlement::Again(after_pause(claimed, self.parts.clock.work()))
    }

    /// Does what is due about a lease until nothing is.
    ///
    /// # Cancel safety
    /// Each step is written down whole or not at all.
    pub(super) async fn tend(&self, store: &dyn Store, mut account: Account) -> Result<Account, Failed> {
        for _ in 0..STEPS {
            let now = self.parts.clock.work();
            let Some(lease) = account.lease.as_deref().cloned() else { return Ok(account) };
            let stepped = match lease.duty(now) {
                Duty::Rest | Duty::Wait(_) => return Ok(account),
                Duty::End(why) => match lease.ending(why, now) {
                    Ok(ending) => self.tended(store, &account, ending, "lease.ending").await,
                    Err(_) => return Ok(account),
                },
                Duty::Remove if lease.elevates.is_some() => self.release(store, &account, lease).await,
                Duty::Remove => self.remove(store, &account, lease).await,
                Duty::Confirm | Duty::Sweep if lease.elevates.is_some() => {
                    self.look_at_shares(store, &account, lease).await
                }
                Duty::Confirm | Duty::Sweep => self.look(store, &account, lease).await,
            };
            match stepped {
                Ok(after) => account = after,
                Err(error) => return Err(Failed { account, error }),
            }
        }
        Ok(account)
    }

    async fn tended(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: Lease,
        action: &'static str,
    ) -> Stepped {
        Ok(self.note(store, account, lease, action, Actor::Clock).await?)
    }

    /// Removes it. What cannot be removed is put out of use first, and removed when that becomes possible.
    async fn remove(&self, store: &dyn Store, account: &Account, lease: Lease) -> Stepped {
        let setup = self.setup(&lease.target)?;
        let desired = Desired { remote: lease.remote.clone(), state: DesiredState::Absent };
        let now = || self.parts.clock.work();
        let failure = match setup.target.ensure(&desired).await {
            // A stranger who bears the name of what never got an id: ours is not there.
            Ok(Effect::Absent { .. } | Effect::Stranger) => {
                let settles_after = settles_after(setup, &lease);
                let gone = lease.removed(settles_after, now()).map_err(super::record::moved_on)?;
                return self.tended(store, account, gone, "lease.removed").await;
            }
            Ok(Effect::NotOurs) => return self.quarantine(store, account, lease).await,
            Ok(Effect::Stuck(code)) => JitError::Refused(code),
            Ok(Effect::Present { .. } | Effect::Disabled | Effect::Holding { .. }) => {
                JitError::refused("target.protocol")
            }
            Err(error) => error.into(),
        };
        if matches!(lease.phase, Phase::Ending { shut: false, .. }) {
            self.shut(store, setup, account, lease).await?;
        }
        Err(failure)
    }

    async fn shut(
        &self,
        store: &dyn Store,
        setup: &TargetSetup,
        account: &Account,
        lease: Lease,
    ) -> Result<(), JitError> {
        let desired = Desired { remote: lease.remote.clone(), state: DesiredState::Disabled };
        if let Ok(Effect::Disabled) = setup.target.ensure(&desired).await {
            let shut = lease.shut(self.parts.clock.work()).map_err(super::record::moved_on)?;
            self.tended(store, account, shut, "lease.shut").await?;
        }
        Ok(())
    }

    /// Looks once more at what is gone.
    async fn look(&self, store: &dyn Store, account: &Account, lease: Lease) -> Stepped {
        let setup = self.setup(&lease.target)?;
        let is_sweep = matches!(lease.phase, Phase::Gone { .. });
        // What a late call made bears the name and another id.
        let mut remote = lease.remote.clone();
        if is_sweep {
            remote.native = None;
        }
        let now = self.parts.clock.work();
        let (next, action) = match setup.target.observe(&remote).await? {
            Observed::Ours { native, .. } => (lease.reappeared(native, now), "lease.reappeared"),
            Observed::Missing | Observed::Foreign if is_sweep => (lease.swept(now), "lease.swept"),
            Observed::Missing | Observed::Foreign => (lease.confirmed(now), "lease.gone"),
        };
        self.tended(store, account, next.map_err(super::record::moved_on)?, action).await
    }
}

/// Where a creation may still be on its way, looking once more belongs to the sweep.
pub(super) fn settles_after(setup: &TargetSetup, lease: &Lease) -> TimeDelta {
    if lease.unanswered.is_some() { TimeDelta::zero() } else { setup.target.capabilities().settles_after }
}
