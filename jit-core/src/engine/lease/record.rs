//! Writing down where a lease stands.

use chrono::{DateTime, Utc};

use super::super::{Jit, JitError};
use crate::{
    Account, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Code,
    Commit, Lease, Store, Task, TaskKind, TenantId,
};

impl Jit {
    /// Writes a new lease down; its account must not exist.
    pub(super) async fn intend(
        &self,
        store: &dyn Store,
        tenant: &TenantId,
        id: AccountId,
        lease: Lease,
        now: DateTime<Utc>,
    ) -> Result<Account, BackendError> {
        let pending = AccountState::Pending { since: now };
        let fresh = Account::begin(id, tenant.clone(), pending, now);
        let actor = Actor::Account { id: lease.holder };
        let (commit, after) = self.lease_commit(None, fresh, lease, "lease.intended", actor, now);
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
}

/// The step did not follow from where the lease stood: it moved on meanwhile.
pub(super) fn moved_on(_: crate::Misfit) -> JitError {
    JitError::refused("lease.over")
}
