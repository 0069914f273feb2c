//! Writing down where a lease stands.

use chrono::{DateTime, TimeDelta, Utc};

use super::super::{Jit, JitError};
use crate::{
    Account, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Code,
    Commit, Lease, Phase, Store, Task, TaskId, TaskKind, TenantId,
};

impl Jit {
    /// Writes a new lease down; its account must not exist.
    pub(super) async fn intend(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
        lease: Lease,
        by: Actor,
        now: DateTime<Utc>,
    ) -> Result<Account, BackendError> {
        let pending = AccountState::Pending { since: now };
        let fresh = Account::begin(id, tenant.clone(), pending, now);
        let (commit, after) = self.lease_commit(None, fresh, lease, "lease.intended", by, now);
        store.commit(&commit).await.map(|()| after)
    }

    /// Writes down where a lease stands now; the account must be as it was read.
    pub(super) async fn note(
        &self,
        store: &dyn Store,
        before: &Account,
        lease: Lease,
        action: &'static str,
        actor: Actor,
    ) -> Result<Account, BackendError> {
        let now = self.parts.clock.now();
        let (commit, after) = self.lease_commit(Some(before), before.clone(), lease, action, actor, now);
        store.commit(&commit).await.map(|()| after)
    }

    /// Writes down a step of whoever goes on with the next one at once: its task leaves them the time for it.
    pub(super) async fn note_and_go_on(
        &self,
        store: &dyn Store,
        before: &Account,
        lease: Lease,
        action: &'static str,
        actor: Actor,
    ) -> Result<Account, BackendError> {
        let now = self.parts.clock.now();
        let (mut commit, after) = self.lease_commit(Some(before), before.clone(), lease, action, actor, now);
        let later = self.parts.clock.work().checked_add_signed(GOES_ON_WITHIN);
        for task in commit.tasks.iter_mut().filter(|task| task.kind == TaskKind::TendLease) {
            task.due = later.map_or(task.due, |later| later.max(task.due));
        }
        store.commit(&commit).await.map(|()| after)
    }

    fn lease_commit(
        &self,
        before: Option<&Account>,
        mut after: Account,
        mut lease: Lease,
        action: &'static str,
        actor: Actor,
        now: DateTime<Utc>,
    ) -> (Commit, Account) {
        let mut mint = self.mint(now);
        let mut commit = Commit::new(after.tenant.clone());
        commit.withdrawn.extend(lease.task.take());
        let [first, usual] = Self::lanes_of(&lease.target);
        if let (Some(due), Some(lane)) =
            (lease.due(self.parts.clock.work()), if lease.privileged { first } else { usual })
        {
            let id = mint.task();
            lease.task = Some(id);
            let tenant = after.tenant.clone();
            commit.tasks.push(Task { id, tenant, lane, account: after.id, kind: TaskKind::TendLease, due });
        }
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: after.tenant.clone(),
            actor,
            action: Code::new(action),
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: vec![format!("{} {} at {}", lease.phase.word(), lease.remote.name, lease.target)],
        });
        let about = alarm_about(&mut lease, action);
        commit.tasks.extend(about.and_then(|about| self.lease_alarm(mint.task(), &after, &lease, about)));
        after.state = lease.account_state(after.created_at);
        after.ends_at = Some(lease.until);
        after.updated_at = now;
        after.lease = Some(Box::new(lease));
        let write = match before {
            None => AccountWrite::create(after),
            Some(before) => AccountWrite::update(before, after),
        };
        let after = write.after().clone();
        commit.account = Some(write);
        (commit, after)
    }

    /// Raises an alarm about a lease that is overdue, if one is due now. The task that looks after the lease stays.
    pub(super) async fn raise_overdue(&self, store: &dyn Store, bound: TimeDelta, before: Account) {
        let now = self.parts.clock.work();
        let Some(mut lease) = before.lease.as_deref().cloned() else { return };
        let Some(overdue) = lease.alarm_due(bound, now) else { return };
        lease.alarms = lease.alarms.saturating_add(1);
        let why = if self.parts.targets.contains_key(&lease.target) {
            ""
        } else {
            "; the target is not configured"
        };
        let (mut mint, mut after) = (self.mint(now), before.clone());
        let mut commit = Commit::new(after.tenant.clone());
        commit.tasks.extend(self.lease_alarm(mint.task(), &after, &lease, OVERDUE));
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: after.tenant.clone(),
            actor: Actor::Clock,
            action: Code::new(OVERDUE),
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: vec![format!(
                "{} at {}, {} s{why}",
                lease.remote.name,
                lease.target,
                overdue.num_seconds()
            )],
        });
        after.lease = Some(Box::new(lease));
        after.updated_at = now;
        commit.account = Some(AccountWrite::update(&before, after));
        // Where it cannot be written down now, the next attempt raises it.
        if let Err(error) = store.commit(&commit).await {
            tracing::warn!(account = %before.id, code = %error.code(), "alarm not raised");
        }
    }

    fn lease_alarm(&self, id: TaskId, account: &Account, lease: &Lease, about: &'static str) -> Option<Task> {
        let kind = TaskKind::Alarm { about: Code::new(about), target: Some(lease.target.clone()) };
        self.notice(id, &account.tenant, account.id, kind, self.parts.clock.work())
    }
}

/// How long whoever wrote a step down has for the next one before another worker may take it up.
const GOES_ON_WITHIN: TimeDelta = TimeDelta::seconds(10);
const OVERDUE: &str = "lease.overdue";
const QUARANTINED: &str = "lease.quarantined";

/// Tells for what of a step somebody must be told: it needs a person, or is gone after all.
fn alarm_about(lease: &mut Lease, action: &'static str) -> Option<&'static str> {
    let is_over = matches!(lease.phase, Phase::Unconfirmed { .. } | Phase::Gone { .. });
    if is_over && std::mem::take(&mut lease.alarms) > 0 {
        return Some("lease.overdue_over");
    }
    (action == QUARANTINED).then_some(QUARANTINED)
}

/// The step did not follow from where the lease stood: it moved on meanwhile.
pub(super) fn moved_on(_: crate::Misfit) -> JitError {
    JitError::refused("lease.over")
}
