//! Reading and writing what is lent to one account that existed before.

use chrono::{DateTime, Utc};

use super::{
    super::{Jit, JitError},
    ATTEMPTS,
};
use crate::{
    Account, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Code,
    Commit, Elevation, ErrorKind, Lease, Store,
};

/// Says what is recorded of a change, and who caused it.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub(super) action: &'static str,
    pub(super) by: &'a Actor,
}

impl Act<'static> {
    /// What a task does by itself.
    pub(super) const fn due(action: &'static str) -> Self {
        Self { action, by: &Actor::Clock }
    }
}

impl Jit {
    /// Changes what is lent, on what is there when it is written. The step is told the number of the change, which no
    /// other has; `None` from it changes nothing.
    pub(super) async fn change<T>(
        &self,
        store: &dyn Store,
        account: &Account,
        lease: &Lease,
        act: Act<'_>,
        step: impl Fn(&Elevation, u64) -> Option<(Elevation, T)> + Send,
    ) -> Result<Option<T>, JitError> {
        let Some(keeper) = lease.elevates else { return Ok(None) };
        for _ in 0..ATTEMPTS {
            let Some(before) = store.get(&account.tenant, keeper).await? else { return Ok(None) };
            let stepped = before.elevation.as_deref().and_then(|now| step(now, before.version + 1));
            let Some((elevation, told)) = stepped else { return Ok(None) };
            match self.note_lent(store, Some(&before), account, lease, elevation, act).await {
                Ok(()) => return Ok(Some(told)),
                Err(error) if *error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JitError::refused("engine.contended"))
    }

    /// Writes down what is lent, on behalf of the lease that `account` keeps. What was there must be as it was read.
    pub(super) async fn note_lent(
        &self,
        store: &dyn Store,
        before: Option<&Account>,
        account: &Account,
        lease: &Lease,
        elevation: Elevation,
        act: Act<'_>,
    ) -> Result<(), BackendError> {
        let now = self.parts.clock.now();
        let mut commit = Commit::new(account.tenant.clone());
        let begin = |id: AccountId| {
            let state = AccountState::Suspended { reason: Code::new("account.is_leased"), since: now };
            Account::begin(id, account.tenant.clone(), state, now)
        };
        let Some(mut after) = before.cloned().or_else(|| lease.elevates.map(begin)) else { return Ok(()) };
        commit.events.push(AuditEvent {
            id: self.mint(now).event(),
            at: now,
            tenant: account.tenant.clone(),
            actor: act.by.clone(),
            action: Code::new(act.action),
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: said(&elevation, account.id, self.parts.clock.work()),
        });
        after.updated_at = now;
        after.elevation = Some(Box::new(elevation));
        commit.account = Some(match before {
            None => AccountWrite::create(after),
            Some(before) => AccountWrite::update(before, after),
        });
        store.commit(&commit).await
    }
}

/// Each entitlement of the lease, and what it is by now.
fn said(elevation: &Elevation, lease: AccountId, now: DateTime<Utc>) -> Vec<String> {
    let of_lease =
        elevation.edges.iter().filter_map(|(name, edge)| Some((name, edge, edge.leases.get(&lease)?)));
    let words = of_lease.map(|(name, edge, _)| {
        let word = match (edge.pre_existing, edge.is_needed(now)) {
            (true, _) => "was there before",
            (false, true) => "needed",
            (false, false) => "to be taken",
        };
        format!("{name} of {} at {}: {word}, lease {lease}", elevation.name, elevation.target)
    });
    words.collect()
}
