//! Forgetting leases that are gone, when nothing that may still come needs their records.

use std::num::NonZeroUsize;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::super::{Jit, JitError, compose::TOMBSTONES};
use crate::{
    Account, AccountId, AuditQuery, Duty, EndReason, ErrorKind, Lane, Lease, Phase, RemoteRef, Settlement,
    Store, TargetSetup, Task, TaskKind, TenantId,
};

/// What is recorded last of a lease that is gone.
const LAST_ACTS: [&str; 3] = ["lease.removed", "lease.gone", "lease.swept"];
/// How long a record stays that is still needed when its time is over.
const A_DAY: TimeDelta = TimeDelta::days(1);

impl Jit {
    /// The task that is left to a lease that is gone for good, and when it is due.
    pub(super) fn forgetting(
        &self,
        lease: &Lease,
        now: DateTime<Utc>,
    ) -> Option<(Lane, TaskKind, DateTime<Utc>)> {
        let due = now.checked_add_signed(self.parts.remember_leases_for)?;
        let is_gone = matches!(lease.phase, Phase::Gone { .. });
        is_gone.then(|| Lane::new(TOMBSTONES).ok()).flatten().map(|lane| (lane, TaskKind::ForgetLease, due))
    }

    /// Removes the record of a lease that is gone and has not changed since this task was left to it. By then no call of it
    /// is under way: it was gone when none could arrive any longer, and that is at least a day ago.
    ///
    /// # Cancel safety
    /// The record is removed or not; the task comes again, and finds nothing then.
    pub(in super::super) async fn forget_lease(
        &self,
        store: &dyn Store,
        task: &Task,
        account: &Account,
    ) -> Result<Settlement, JitError> {
        let now = self.parts.clock.work();
        let is_over =
            |lease: &&Lease| lease.task == Some(task.id) && !lease.is_live() && lease.duty(now) == Duty::Rest;
        let Some(lease) = account.lease.as_deref().filter(is_over).filter(|_| account.may_be_forgotten())
        else {
            return Ok(Settlement::Done);
        };
        let later = Settlement::Again(now.checked_add_signed(A_DAY).unwrap_or(now));
        if self.is_mentioned(store, account, lease).await? {
            return Ok(later);
        }
        match store.forget(account).await {
            Ok(()) => Ok(Settlement::Done),
            // Somebody has just written to it: the next look finds what.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(later),
            Err(error) => Err(error.into()),
        }
    }

    /// A lease at the target whose record was removed, as far as the trail tells of it: that it was gone. Nobody knows any
    /// longer for whom it was but the trail, and it ends before others.
    pub(super) async fn forgotten(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
        remote: &RemoteRef,
        setup: &TargetSetup,
    ) -> Result<Option<Lease>, JitError> {
        let (tenant, account, limit) = (tenant.clone(), Some(id), NonZeroUsize::MIN);
        let query = AuditQuery { tenant, account, after: None, latest_first: true, limit };
        let Some(last) = store.events(&query).await?.items.pop() else { return Ok(None) };
        let here = format!(" at {}", setup.id);
        let is_gone = LAST_ACTS.contains(&last.action.as_str());
        let is_here = last.changes.first().is_some_and(|change| change.ends_with(&here));
        let Some(role) = last.rule.filter(|_| is_gone && is_here) else { return Ok(None) };
        Ok(Some(Lease {
            target: setup.id.clone(),
            holder: AccountId::from_uuid(Uuid::nil()),
            role,
            remote: remote.clone(),
            elevates: None,
            entitlements: Vec::new(),
            until: last.at,
            latest: last.at,
            phase: Phase::Gone { since: last.at, why: EndReason::Reappeared },
            unanswered: None,
            names_taken: 0,
            privileged: true,
            purpose: None,
            alarms: 0,
            proof: None,
            task: None,
        }))
    }
}
