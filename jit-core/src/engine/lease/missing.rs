//! Targets that leases name and this engine does not have: nobody here can end what is there, and somebody must know.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::repeat,
    num::NonZeroUsize,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::super::{
    unreadable::is_unreadable,
    work::{HOLD, WorkReport},
};
use crate::{
    BackendError, Claimed, ErrorKind, Jit, Lane, LookupKey, Settlement, Store, TargetId, Task, TaskKind,
    TenantId, Tenants, WorkerId,
};

/// How long a task must have been left alone before this engine looks at it: another one that has the target would have
/// taken it by then. Alarms are due from then on.
const LEFT_ALONE: TimeDelta = TimeDelta::minutes(15);
/// How often the lanes are looked at.
const EVERY: TimeDelta = TimeDelta::minutes(5);
/// The most lanes that are looked at.
const LANES: usize = 10_000;
/// For how long one look goes on; then each lane that is left has one page. Others take up what is held for longer than `HOLD`,
/// and other work waits meanwhile.
const LOOKS_FOR: TimeDelta = TimeDelta::seconds(30);

/// One look at the lanes of a store.
#[derive(Clone, Copy)]
struct Look<'a> {
    store: &'a dyn Store,
    worker: &'a WorkerId,
    limit: NonZeroUsize,
    began: DateTime<Utc>,
}

impl Jit {
    /// Names the targets that have unfinished leases of the tenants of this engine, or accounts of theirs that are to change
    /// there, in any store and are not targets of this engine. Ask when the application starts: unless another process has
    /// them, nobody ends what is lent there. [`Jit::work`] raises the alarms of what is overdue.
    ///
    /// Its tenants are those of its connections and targets, and those that
    /// [`JitBuilder::for_tenants`](crate::JitBuilder::for_tenants) names. Where there is none, the leases of all count.
    ///
    /// A target that is there is missed as well where it neither is open to such a tenant nor says that it
    /// [was](crate::TargetSetup::formerly_for_tenants): what is theirs there is left alone.
    ///
    /// # Errors
    /// [`BackendError`] of a store.
    pub async fn missing_targets(&self) -> Result<BTreeSet<TargetId>, BackendError> {
        self.missing_among(&self.parts.tenants).await
    }

    /// The same for one tenant, whoever the others of this engine are.
    ///
    /// # Errors
    /// [`BackendError`] of a store.
    pub async fn missing_targets_of(&self, tenant: &TenantId) -> Result<BTreeSet<TargetId>, BackendError> {
        self.missing_among(&BTreeSet::from([tenant.clone()])).await
    }

    async fn missing_among(&self, tenants: &BTreeSet<TenantId>) -> Result<BTreeSet<TargetId>, BackendError> {
        let mut missing = BTreeSet::new();
        for store in self.parts.stores.values().chain(std::iter::once(&self.parts.store)) {
            let lanes = self.lanes_of_targets(store.as_ref()).await?;
            let targets: BTreeSet<_> = lanes.into_iter().map(|(_, target)| target).collect();
            for target in targets {
                if !missing.contains(&target) && self.is_missed(store.as_ref(), tenants, &target).await? {
                    missing.insert(target);
                }
            }
        }
        Ok(missing)
    }

    /// Whether one of these tenants has something at a target that does not look after theirs; another one's is looked after
    /// by others.
    async fn is_missed(
        &self,
        store: &dyn Store,
        tenants: &BTreeSet<TenantId>,
        target: &TargetId,
    ) -> Result<bool, BackendError> {
        let setup = self.parts.targets.get(target);
        for tenant in tenants.iter().filter(|tenant| !setup.is_some_and(|setup| setup.tends(tenant))) {
            for key in [LookupKey::leased_at(target), LookupKey::mirrored_at(target)] {
                if !store.bearers(tenant, &key, None, NonZeroUsize::MIN).await?.items.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(setup.is_none() && tenants.is_empty())
    }

    /// Tells whether it is time to look at the lanes again.
    pub(in super::super) fn looks_for_missing(&self) -> bool {
        let now = self.parts.clock.work();
        let mut looked = self.parts.looked_for_missing();
        // A clock that was set back does not keep it from looking.
        let is_recent =
            |at: DateTime<Utc>| (TimeDelta::zero()..EVERY).contains(&now.signed_duration_since(at));
        if looked.is_some_and(is_recent) {
            return false;
        }
        *looked = Some(now);
        true
    }

    /// Raises the alarms of leases that nobody has looked after, at targets that this engine does not have, or not for their
    /// tenant. Their tasks stay due for whoever has the target.
    pub(in super::super) async fn tell_of_missing(
        &self,
        store: &dyn Store,
        worker: &WorkerId,
        limit: NonZeroUsize,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let look = Look { store, worker, limit, began: self.parts.clock.work() };
        for (lane, target) in self.lanes_of_missing(store).await? {
            tracing::warn!(%target, "leases of a target that is not configured");
            // The other lanes have changes of accounts, of which nobody is told here.
            if Self::lanes_of(&target).contains(&Some(lane.clone())) {
                self.tell_of_lane(look, &lane, &Tenants::All, report).await?;
            }
        }
        // Also of tenants that this engine knows nothing of any longer: whoever was taken out of all settings is named nowhere.
        for setup in self.parts.targets.values() {
            let others = Tenants::AllBut(setup.tended());
            for lane in Self::lanes_of(&setup.id).into_iter().flatten() {
                self.tell_of_lane(look, &lane, &others, report).await?;
            }
        }
        Ok(())
    }

    /// Raises the alarms of the leases of one lane, of these tenants, that nobody has looked after.
    async fn tell_of_lane(
        &self,
        look: Look<'_>,
        lane: &Lane,
        tenants: &Tenants,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let mut held = Vec::new();
        let told = self.tell_of_pages(look, lane, tenants, &mut held, report).await;
        // They keep their places: whoever has the target does the oldest first.
        for claimed in held {
            match look.store.settle(&claimed, Settlement::Again(claimed.task.due)).await {
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                settled => settled?,
            }
        }
        told
    }

    /// Holds what it has looked at until the lane gives nothing more: the oldest come first, and would come again.
    async fn tell_of_pages(
        &self,
        look: Look<'_>,
        lane: &Lane,
        tenants: &Tenants,
        held: &mut Vec<Claimed>,
        report: &mut WorkReport,
    ) -> Result<(), BackendError> {
        let now = self.parts.clock.work();
        let Some(left_alone) = now.checked_sub_signed(LEFT_ALONE) else { return Ok(()) };
        loop {
            // What is held is due after `left_alone`, however long this takes: no page shows anything twice.
            let lasts = LEFT_ALONE + HOLD;
            let page = look.store.claim(look.worker, lane, tenants, left_alone, lasts, look.limit).await?;
            if page.is_empty() {
                return Ok(());
            }
            for claimed in &page {
                report.unreadable += usize::from(is_unreadable(claimed));
                report.unserved += usize::from(self.tell_of(look.store, &claimed.task).await);
            }
            held.extend(page);
            if self.parts.clock.work().signed_duration_since(look.began) >= LOOKS_FOR {
                tracing::warn!(%lane, looked_at = held.len(), "too many leases that nobody looks after to look at each");
                return Ok(());
            }
        }
    }

    /// Raises the alarm of the lease that a task is about, if one is due. Tells whether it is about one.
    async fn tell_of(&self, store: &dyn Store, task: &Task) -> bool {
        if task.kind != TaskKind::TendLease {
            return false;
        }
        // What cannot be read now is looked at again with the others.
        let Ok(Some(account)) = store.get(&task.tenant, task.account).await else { return false };
        let is_its_task = account.lease.as_ref().is_some_and(|lease| lease.task == Some(task.id));
        if is_its_task {
            self.raise_overdue(store, LEFT_ALONE, account).await;
        }
        is_its_task
    }

    /// The lanes of targets that this engine does not have.
    async fn lanes_of_missing(&self, store: &dyn Store) -> Result<Vec<(Lane, TargetId)>, BackendError> {
        let mut lanes = self.lanes_of_targets(store).await?;
        lanes.retain(|(_, target)| !self.parts.targets.contains_key(target));
        Ok(lanes)
    }

    /// The lanes of targets in which something waits.
    async fn lanes_of_targets(&self, store: &dyn Store) -> Result<Vec<(Lane, TargetId)>, BackendError> {
        let of = |target: &TargetId| Self::lanes_of(target).into_iter().flatten().zip(repeat(target.clone()));
        let known: BTreeMap<Lane, TargetId> = self.parts.targets.keys().flat_map(of).collect();
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..LANES {
            let Some(lane) = store.next_lane(after).await? else { break };
            let target = known.get(&lane).cloned().or_else(|| Self::target_of(&lane));
            found.extend(target.map(|target| (lane.clone(), target)));
            after = Some(lane);
        }
        Ok(found)
    }

    /// The target that the work of a lane is about.
    fn target_of(lane: &Lane) -> Option<TargetId> {
        let name = lane.as_str().strip_prefix("target:")?;
        let kinds = [":first", ":ends", ":mirror"];
        let name = kinds.iter().find_map(|kind| name.strip_suffix(kind)).unwrap_or(name);
        TargetId::new(name).ok()
    }
}
