//! Marking, in the commit that changes an account, the targets that must hear of it.

use chrono::{DateTime, TimeDelta, Utc};

use super::lanes_of;
use crate::{
    Account, Actor, Commit, Jit, Mint, Mirror, Mirrored, Mirroring, TargetId, TargetSetup, Task, TaskKind,
    Wanted, wanted,
};

/// How long whoever waits for a change may bring it themselves before a worker takes it up.
const WAITED_FOR: TimeDelta = TimeDelta::seconds(60);

impl Jit {
    /// Adds to a commit the tasks that bring the account to where it is mirrored, as far as it differs from what was brought
    /// there last.
    pub(in crate::engine) fn mark_mirrors(
        &self,
        commit: &mut Commit,
        after: &mut Account,
        actor: &Actor,
        now: DateTime<Utc>,
        mint: &mut Mint,
    ) {
        for setup in self.parts.targets.values() {
            let Some(mirroring) = setup.mirrored_for(&after.tenant) else { continue };
            let is_waited_for =
                matches!(actor, Actor::Connection { id } if self.is_waited_for(mirroring, &after.tenant, id));
            let work = self.parts.clock.work().min(now);
            let soon = if is_waited_for { work.checked_add_signed(WAITED_FOR).unwrap_or(work) } else { work };
            if let Some(next) = next(after, mirroring, setup, soon, now) {
                mark(commit, after, setup, next, mint);
            }
        }
        self.mark_elsewhere(commit, after, now, mint);
    }
}

impl Jit {
    /// Another engine may have targets that this one does not: it finds out whether the change matters there. It may take
    /// access, and is brought as what does.
    fn mark_elsewhere(&self, commit: &mut Commit, after: &mut Account, now: DateTime<Utc>, mint: &mut Mint) {
        let unknown = after.mirrors.iter().map(|mirror| &mirror.target);
        // One that it has for leases alone, or for other tenants, is mirrored to by somebody else as well.
        let targets = &self.parts.targets;
        let is_ours = |target: &TargetId| {
            targets.get(target).is_some_and(|setup| setup.mirrored_for(&after.tenant).is_some())
        };
        let unknown = unknown.filter(|target| !is_ours(target)).cloned();
        for target in unknown.collect::<Vec<_>>() {
            let due = self.parts.clock.work().min(now);
            let next = Next { due, is_change: true, takes: true };
            mark_at(commit, after, (&target, String::new()), next, mint);
        }
    }
}

impl TargetSetup {
    /// What is mirrored of the accounts of a tenant; `None` where nothing is.
    pub(in crate::engine) fn mirrored_for(&self, tenant: &crate::TenantId) -> Option<&Mirroring> {
        self.mirroring.as_deref().filter(|_| self.tenants.contains(tenant))
    }
}

/// Says when a target must hear of an account next.
#[derive(Clone, Copy)]
pub(super) struct Next {
    pub(super) due: DateTime<Utc>,
    /// Whether the account changed. What the target was asked for before is then forgotten: should the account change back,
    /// nobody knows which of the two the target heard last.
    pub(super) is_change: bool,
    /// Whether it takes access.
    pub(super) takes: bool,
}

/// Whether it takes access from somebody: all of it, or something that they were given.
pub(super) fn takes(wanted: &Wanted, there: Option<&Mirror>) -> bool {
    let loses = |mirrored: &Mirrored| {
        let given = there.into_iter().flat_map(|there| there.held.union(&there.doubtful));
        given.into_iter().any(|held| !mirrored.entitlements.contains(held))
    };
    wanted.stops() || matches!(wanted, Wanted::There(mirrored) if loses(mirrored))
}

/// When the target must hear of the account next; `None` where nothing changed for it.
pub(super) fn next(
    account: &Account,
    mirroring: &Mirroring,
    setup: &TargetSetup,
    soon: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<Next> {
    let there = account.mirror(&setup.id);
    let wanted = wanted(account, mirroring, there, now);
    let is_known = match there {
        Some(there) => there.asked.as_deref() == Some(wanted.digest().as_str()),
        None => wanted == Wanted::Nothing,
    };
    if !is_known {
        return Some(Next { due: soon, is_change: true, takes: takes(&wanted, there) });
    }
    // Nobody commits anything when an account begins.
    let begin = account.begins_at.filter(|begin| now < *begin)?;
    Some(Next { due: begin, is_change: false, takes: false })
}

/// Replaces the task by one that is due in time, where there is none yet.
pub(super) fn mark(
    commit: &mut Commit,
    account: &mut Account,
    setup: &TargetSetup,
    next: Next,
    mint: &mut Mint,
) {
    let name = setup.mirroring.as_ref().and_then(|mirroring| mirroring.name(account));
    mark_at(commit, account, (&setup.id, name.unwrap_or_default()), next, mint);
}

fn mark_at(
    commit: &mut Commit,
    account: &mut Account,
    (target, name): (&TargetId, String),
    next: Next,
    mint: &mut Mint,
) {
    let (tenant, id) = (account.tenant.clone(), account.id);
    let [ends, usual] = lanes_of(target);
    let Some(lane) = (if next.takes { ends } else { usual }) else { return };
    let mut place = account.mirrors.iter().position(|mirror| mirror.target == *target);
    if place.is_none() {
        account.mirrors.push(Mirror::begin(target.clone(), name));
        place = account.mirrors.len().checked_sub(1);
    }
    let Some(mirror) = place.and_then(|place| account.mirrors.get_mut(place)) else { return };
    if next.is_change {
        mirror.asked = None;
    }
    let planned = mirror.due.filter(|_| mirror.task.is_some());
    let due = planned.map_or(next.due, |planned| planned.min(next.due));
    // What takes access does not wait in the lane of what came before it.
    if planned == Some(due) && !(next.takes && next.is_change) {
        return;
    }
    let task = mint.task();
    commit.withdrawn.extend(mirror.task.replace(task));
    mirror.due = Some(due);
    let kind = TaskKind::Mirror { target: target.clone() };
    commit.tasks.push(Task { id: task, tenant, lane, account: id, kind, due });
}
