//! Writing down where a lease stands.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::super::{Jit, JitError};
use crate::{
    Account, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Code,
    Commit, EventId, Lease, Phase, Store, Task, TaskId, TaskKind, TenantId,
};

impl Jit {
    /// Writes a new lease down; its account must not exist. The trail of its holder tells of it as well, and names it: who held
    /// what can be read there also when its record is gone.
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
        let commit = self.lease_commit(None, fresh, lease, (INTENDED, by), Next::WhenDue);
        written(store, commit).await
    }

    /// Writes a lease down that goes on with what another one left, of which only the id is known any longer.
    pub(super) async fn take_up(
        &self,
        store: &dyn Store,
        left: &Account,
        id: AccountId,
        lease: Lease,
    ) -> Result<Account, BackendError> {
        let now = self.parts.clock.now();
        let pending = AccountState::Pending { since: now };
        let fresh = Account::begin(id, left.tenant.clone(), pending, now);
        let act = ("lease.passed_on", Actor::Clock);
        let mut step = self.lease_commit(None, fresh, lease, act, Next::WhenDue);
        step.commit.events.iter_mut().for_each(|event| event.changes.push(format!("of lease {}", left.id)));
        written(store, step).await
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
        self.note_before(store, before, lease, (action, actor), Next::WhenDue).await
    }

    /// Writes down a step, and what of the account there it is about.
    pub(super) async fn note_with(
        &self,
        store: &dyn Store,
        before: &Account,
        lease: Lease,
        (action, actor): (&'static str, &Actor),
        details: Vec<String>,
    ) -> Result<Account, BackendError> {
        let act = (action, actor.clone());
        let mut step = self.lease_commit(Some(before), before.clone(), lease, act, Next::WhenDue);
        step.commit.events.iter_mut().for_each(|event| event.changes.extend(details.iter().cloned()));
        written(store, step).await
    }

    /// Writes down a step, and says who takes the next one.
    pub(super) async fn note_before(
        &self,
        store: &dyn Store,
        before: &Account,
        lease: Lease,
        act: (&'static str, Actor),
        next: Next,
    ) -> Result<Account, BackendError> {
        let commit = self.lease_commit(Some(before), before.clone(), lease, act, next);
        written(store, commit).await
    }

    fn lease_commit(
        &self,
        before: Option<&Account>,
        mut after: Account,
        mut lease: Lease,
        (action, actor): (&'static str, Actor),
        next: Next,
    ) -> LeaseCommit {
        let now = before.map_or(after.created_at, |_| self.parts.clock.now());
        let mut mint = self.mint(now);
        let mut commit = Commit::new(after.tenant.clone());
        commit.counters = self.count_lent(before.and_then(|before| before.lease.as_deref()), &mut lease);
        self.follow_up(&mut commit, &after, &mut lease, mint.task(), next);
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: after.tenant.clone(),
            actor,
            action: Code::new(action),
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: step_of(&lease, action),
        });
        if action == INTENDED {
            let told = commit.events.first().map(|step| asked_for(step, mint.event(), &lease));
            commit.events.extend(told);
        }
        let about = alarm_about(&mut lease, action);
        commit.tasks.extend(about.and_then(|about| self.lease_alarm(mint.task(), &after, &lease, about)));
        // Whoever reads of the alarm reads of its end; the step has a name of its own.
        if let (Some(OVERDUE_OVER), Some(step)) = (about, commit.events.first()) {
            let over = AuditEvent { id: mint.event(), action: Code::new(OVERDUE_OVER), ..step.clone() };
            commit.events.push(over);
        }
        after.state = lease.account_state(after.created_at);
        after.ends_at = Some(lease.until);
        after.updated_at = now;
        after.lease = Some(Box::new(lease));
        let write = match before {
            None => AccountWrite::create(after),
            Some(before) => AccountWrite::update(before, after),
        };
        let after = write.shared();
        commit.account = Some(write);
        LeaseCommit { commit, after }
    }

    /// Leaves the lease the one task that looks after it from now on, if there is anything to look after.
    fn follow_up(&self, commit: &mut Commit, account: &Account, lease: &mut Lease, id: TaskId, next: Next) {
        let now = self.parts.clock.work();
        let due = lease.due(now);
        if next == Next::WithItsTask && lease.task.is_some() && due.is_some_and(|due| due <= now) {
            return;
        }
        commit.withdrawn.extend(lease.task.take());
        let [first, usual] = Self::lanes_of(&lease.target);
        let (Some(mut due), Some(lane)) = (due, if lease.privileged { first } else { usual }) else { return };
        if next != Next::WhenDue {
            due = now.checked_add_signed(GOES_ON_WITHIN).map_or(due, |later| later.max(due));
        }
        lease.task = Some(id);
        let (tenant, account) = (account.tenant.clone(), account.id);
        commit.tasks.push(Task { id, tenant, lane, account, kind: TaskKind::TendLease, due });
    }

    /// Raises an alarm about a lease that is overdue or quarantined, if one is due now. The task that looks after the lease
    /// stays.
    pub(super) async fn raise_overdue(&self, store: &dyn Store, bound: TimeDelta, before: Account) {
        let now = self.parts.clock.work();
        let Some(mut lease) = before.lease.as_deref().cloned() else { return };
        let Some(lasts) = lease.take_alarm(bound, now) else { return };
        let is_quarantined = matches!(lease.phase, Phase::Quarantined { .. });
        let about = if is_quarantined { QUARANTINED } else { OVERDUE };
        let is_tended = self.setup_tending(&before.tenant, &lease.target).is_ok();
        let why = if is_tended { "" } else { "; the target is not configured" };
        let (mut mint, mut after) = (self.mint(now), before.clone());
        let mut commit = Commit::new(after.tenant.clone());
        commit.tasks.extend(self.lease_alarm(mint.task(), &after, &lease, about));
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: after.tenant.clone(),
            actor: Actor::Clock,
            action: Code::new(about),
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: vec![format!(
                "{} at {}, {} s{why}",
                lease.remote.name,
                lease.target,
                lasts.num_seconds()
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

    pub(super) fn lease_alarm(
        &self,
        id: TaskId,
        account: &Account,
        lease: &Lease,
        about: &'static str,
    ) -> Option<Task> {
        let kind = TaskKind::Alarm { about: Code::new(about), target: Some(lease.target.clone()) };
        self.notice(id, &account.tenant, account.id, kind, self.parts.clock.work())
    }
}

/// Writes a step of a lease, and the account as it is then.
struct LeaseCommit {
    commit: Commit,
    after: Arc<Account>,
}

async fn written(store: &dyn Store, step: LeaseCommit) -> Result<Account, BackendError> {
    store.commit(&step.commit).await?;
    // The commit goes first, so that the account need not be copied where the store did not keep it either.
    drop(step.commit);
    Ok(Arc::unwrap_or_clone(step.after))
}

/// Says who takes the next step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Whoever gets its task, when it is due.
    WhenDue,
    /// Whoever wrote this one down, at once: its task leaves them the time for it.
    AtOnce,
    /// The worker that wrote this one down, at once. It holds the task, which stays: should the worker die, the task comes
    /// back when its claim is over.
    WithItsTask,
}

/// How long whoever wrote a step down has for the next one before another worker may take it up.
const GOES_ON_WITHIN: TimeDelta = TimeDelta::seconds(10);
const INTENDED: &str = "lease.intended";
const OVERDUE: &str = "lease.overdue";
const OVERDUE_OVER: &str = "lease.overdue_over";
pub(super) const QUARANTINED: &str = "lease.quarantined";
pub(super) const STILL_NAMED: &str = "lease.still_named";
pub(super) const DECLARED_GONE: &str = "lease.declared_gone";

/// Tells the trail of a holder of a lease, whose first step names it.
fn asked_for(step: &AuditEvent, id: EventId, lease: &Lease) -> AuditEvent {
    let mut changes = vec![format!("at {}", lease.target)];
    changes.extend(step.account.map(|id| format!("lease {id}")));
    let account = Some(lease.holder);
    AuditEvent { id, action: Code::new("access.asked_for"), account, changes, ..step.clone() }
}

/// Says how a lease is after a step, its end where the step is what set it, and the reason where the step begins its end or
/// proves it.
fn step_of(lease: &Lease, action: &'static str) -> Vec<String> {
    let mut said = vec![format!("{} {} at {}", lease.phase.word(), lease.remote.name, lease.target)];
    if matches!(action, "lease.active" | "lease.extended") {
        said.push(format!("until {}", lease.until.to_rfc3339_opts(SecondsFormat::AutoSi, true)));
    }
    said.extend(lease.phase.why().and_then(|why| why.said_of(action)));
    said
}

/// Tells for what of a step somebody must be told: it needs a person, or is gone after all.
fn alarm_about(lease: &mut Lease, action: &'static str) -> Option<&'static str> {
    // Nobody proved it: that is told as what it is, and not as good news.
    if action == DECLARED_GONE {
        lease.alarms = 0;
        return Some(DECLARED_GONE);
    }
    let is_over = matches!(lease.phase, Phase::Unconfirmed { .. } | Phase::Gone { .. });
    if is_over && std::mem::take(&mut lease.alarms) > 0 {
        return Some(OVERDUE_OVER);
    }
    [QUARANTINED, STILL_NAMED].into_iter().find(|about| *about == action)
}

/// The step did not follow from where the lease stood: it moved on meanwhile.
pub(super) fn moved_on(_: crate::Misfit) -> JitError {
    JitError::refused("lease.over")
}
