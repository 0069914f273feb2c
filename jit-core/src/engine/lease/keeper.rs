//! Reading and writing what is lent to one account that existed before.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{
    super::{Jit, JitError},
    ATTEMPTS,
    differ::plainly,
    elevate::holdings,
};
use crate::{
    Account, AccountId, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, BackendError, Code,
    Commit, Elevation, ErrorKind, Holdings, Lease, Mint, RemoteEntitlement, Store, TargetFault, TargetSetup,
    lease::{Identified, Shown},
};

/// Says what is recorded of a change, and who caused it.
#[derive(Clone, Copy)]
pub(super) struct Act<'a> {
    pub(super) action: &'static str,
    pub(super) by: &'a Actor,
    /// Of what is not called so any longer by which it was lent: an alarm tells.
    repointed: Option<&'a BTreeSet<RemoteEntitlement>>,
    /// Whether nothing is to be changed where somebody else went on with the lease since.
    unless_moved: bool,
}

impl<'a> Act<'a> {
    pub(super) const fn by(action: &'static str, by: &'a Actor) -> Self {
        Self { action, by, repointed: None, unless_moved: false }
    }

    /// Changes nothing where somebody else went on with the lease since: `lease.interrupted`.
    pub(super) const fn unless_moved(self) -> Self {
        Self { unless_moved: true, ..self }
    }

    /// Tells of entitlements whose names stand for something else by now.
    pub(super) fn telling(self, repointed: &'a BTreeSet<RemoteEntitlement>) -> Self {
        Self { repointed: Some(repointed).filter(|repointed| !repointed.is_empty()), ..self }
    }
}

impl Act<'static> {
    /// What a task does by itself.
    pub(super) const fn due(action: &'static str) -> Self {
        Self::by(action, &Actor::Clock)
    }
}

const REPOINTED: &str = "lease.repointed";

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
            // Looked at last: whoever goes on with the lease writes that down before they join.
            if act.unless_moved {
                self.check_unmoved(store, account).await?;
            }
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

    /// Learns the ids of what is lent without one, where what is wanted has one: both may be the same, which counts once. A
    /// target that tells no ids is not asked for them.
    pub(super) async fn identified(
        &self,
        setup: &TargetSetup,
        id: AccountId,
        lease: &Lease,
        lent: Elevation,
        shown: Shown,
    ) -> Result<(Elevation, Shown), JitError> {
        if !shown.has_ids() {
            return Ok((lent, shown));
        }
        let ids = self.ids_of(setup, lease, &lent).await?;
        if ids.is_empty() {
            return Ok((lent, shown));
        }
        let lent = lent.knowing(&ids);
        let wanted = lent.wanted(id, &lease.entitlements);
        let shown = holdings(setup, &lease.remote, &wanted).await?.1;
        Ok((lent, shown))
    }

    /// Asks for the ids of what is lent without one: only by them is it known to be the same as what has one. What the target
    /// does not find, does not let us look at, or tells no id of, stays as it is: it is another lease's, and keeps this one
    /// from nothing.
    pub(super) async fn ids_of(
        &self,
        setup: &TargetSetup,
        lease: &Lease,
        lent: &Elevation,
    ) -> Result<Vec<Identified>, JitError> {
        let mut ids = Vec::new();
        for asked in lent.without_ids() {
            let shown = setup.target.holdings(&lease.remote, &BTreeSet::from([asked.clone()])).await;
            match shown {
                Ok(Holdings::Found { held, lacks, .. }) => {
                    let told = held.into_iter().chain(lacks).find(|told| told.native.is_some());
                    ids.extend(told.map(|told| Identified { asked: asked.clone(), told }));
                }
                Ok(Holdings::Missing | Holdings::Made) => break,
                Err(error) if keeps_ids(error.kind()) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(ids)
    }

    /// Stops whoever wrote something down for a lease that somebody else went on with.
    pub(super) async fn check_unmoved(&self, store: &dyn Store, account: &Account) -> Result<(), JitError> {
        let now_kept = store.get(&account.tenant, account.id).await?;
        let is_same = now_kept.is_some_and(|kept| kept.version == account.version);
        if is_same { Ok(()) } else { Err(JitError::refused("lease.interrupted")) }
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
        let mut mint = self.mint(now);
        let mut commit = Commit::new(account.tenant.clone());
        let begin = |id: AccountId| {
            let state = AccountState::Suspended { reason: Code::new("account.is_leased"), since: now };
            Account::begin(id, account.tenant.clone(), state, now)
        };
        let Some(mut after) = before.cloned().or_else(|| lease.elevates.map(begin)) else { return Ok(()) };
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: account.tenant.clone(),
            actor: act.by.clone(),
            action: Code::new(act.action),
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: said(&elevation, account.id, self.parts.clock.work()),
        });
        if let Some(repointed) = act.repointed {
            self.tell_repointed(&mut commit, &mut mint, account, lease, repointed);
        }
        after.updated_at = now;
        after.elevation = Some(Box::new(elevation));
        commit.account = Some(match before {
            None => AccountWrite::create(after),
            Some(before) => AccountWrite::update(before, after),
        });
        store.commit(&commit).await
    }

    /// Raises an alarm about what was taken where it was lent, though its name stands for something else by now: whoever
    /// pointed it there may count on something that is not so.
    fn tell_repointed(
        &self,
        commit: &mut Commit,
        mint: &mut Mint,
        account: &Account,
        lease: &Lease,
        repointed: &BTreeSet<RemoteEntitlement>,
    ) {
        commit.tasks.extend(self.lease_alarm(mint.task(), account, lease, REPOINTED));
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: self.parts.clock.now(),
            tenant: account.tenant.clone(),
            actor: Actor::Clock,
            action: Code::new(REPOINTED),
            account: Some(account.id),
            outcome: AuditOutcome::Done,
            rule: Some(lease.role.clone()),
            changes: repointed.iter().map(|entitlement| lent_as(entitlement, lease)).collect(),
        });
    }
}

fn lent_as(entitlement: &RemoteEntitlement, lease: &Lease) -> String {
    let RemoteEntitlement { name, native, at } = entitlement;
    let place = at.as_ref().or(native.as_ref()).map(|place| plainly(place)).unwrap_or_default();
    format!("{name} at {} stands for another one by now; what was lent was {place}", lease.target)
}

/// Each entitlement of the lease, and what it is by now.
fn said(elevation: &Elevation, lease: AccountId, now: DateTime<Utc>) -> Vec<String> {
    let of_lease = elevation.edges.iter().filter(|edge| edge.leases.contains_key(&lease));
    let words = of_lease.map(|edge| {
        let name = &edge.entitlement.name;
        let word = match (edge.pre_existing, edge.is_needed(now)) {
            (true, _) => "was there before",
            (false, true) => "needed",
            (false, false) => "to be taken",
        };
        format!("{name} of {} at {}: {word}, lease {lease}", elevation.name, elevation.target)
    });
    words.collect()
}

/// Whether a target that fails so tells no id of what it was asked for, and may be asked for something else.
const fn keeps_ids(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::Target(TargetFault::Entitlement | TargetFault::Forbidden))
}
