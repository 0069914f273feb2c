//! Making the commit of a plan: the account as it will be, the tasks that look after its ends, the record.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Jit, sign_in::Ending};
use crate::{
    Account, AccountState, AccountWrite, Actor, AuditEvent, AuditOutcome, Change, Code, Commit,
    CounterChange, CounterName, Denial, EmailAddress, Grant, Lane, LinkProof, Mint, Plan, Planned, RuleName,
    Task, TaskId, TaskKind, TenantId,
};

/// The lane of tasks that change accounts.
pub(super) const ACCOUNTS: &str = "accounts";
/// The lane of tasks that tell the application something.
pub(super) const NOTICES: &str = "notices";
/// What people must be told, apart from what the application must do: whoever tells of it takes nothing else.
pub(super) const ALARMS: &str = "alarms";

/// Says what is being committed, for the record.
pub(super) struct Record {
    pub(super) actor: Actor,
    pub(super) action: Code,
    pub(super) rule: Option<RuleName>,
    /// No lower bound of a counter stands in the way of an end.
    pub(super) absolute: bool,
    pub(super) now: DateTime<Utc>,
}

impl Jit {
    /// Makes the commit of a plan and the account as it will be, which is the caller's own once the commit is dropped.
    pub(super) fn compose(
        &self,
        tenant: &TenantId,
        before: Option<&Account>,
        plan: &Plan,
        record: Record,
        mint: &mut Mint,
    ) -> (Commit, Arc<Account>) {
        let mut after = plan.apply(before, tenant, record.now);
        let mut commit = Commit::new(tenant.clone());
        self.plan_tasks(&mut commit, before, &mut after, plan, record.now, mint);
        self.mark_mirrors(&mut commit, &mut after, &record.actor, record.now, mint);
        commit.counters = self.parts.protection.counters(before, &after, record.absolute);
        commit.counters.extend(address_counters(before, &after));
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: record.now,
            tenant: tenant.clone(),
            actor: record.actor,
            action: record.action,
            account: Some(after.id),
            outcome: AuditOutcome::Done,
            rule: record.rule,
            changes: plan.changes.iter().map(|planned| planned.change.phrase()).collect(),
        });
        let write = match before {
            None => AccountWrite::create(after),
            Some(before) => AccountWrite::update(before, after),
        };
        let after = write.shared();
        commit.account = Some(write);
        (commit, after)
    }

    fn plan_tasks(
        &self,
        commit: &mut Commit,
        before: Option<&Account>,
        after: &mut Account,
        plan: &Plan,
        now: DateTime<Utc>,
        mint: &mut Mint,
    ) {
        let (tenant, account) = (after.tenant.clone(), after.id);
        // What is to be done at once is due by the time that work goes by.
        let at_once = || self.parts.clock.work().min(now);
        let mut withdrawn = Vec::new();
        let tasks = &mut commit.tasks;
        let mut add = |lane: &str, kind: TaskKind, due: DateTime<Utc>| {
            let id = mint.task();
            // The names of the lanes are names by construction.
            if let Ok(lane) = Lane::new(lane) {
                tasks.push(Task { id, tenant: tenant.clone(), lane, account, kind, due });
            }
            id
        };
        commit.withdrawn.extend(ends_gone(before, after));
        for grant in &mut after.grants {
            if !is_looked_after(before, grant) {
                // A task that comes early moves itself on; one that would come too late, or for nothing, is replaced.
                withdrawn.extend(grant.end_task.take());
                let kind = TaskKind::EndGrant { grant: grant.id };
                grant.end_task = grant.ends_at.map(|end| add(ACCOUNTS, kind, end));
            }
        }
        // Also where this node knows of no target: another one may have lent them something.
        if before.is_some_and(may_hold) && !may_hold(after) {
            add(ACCOUNTS, TaskKind::EndLeases, at_once());
        }
        let review = review_due(before, after);
        let new_review = review.map(|due| add(ACCOUNTS, TaskKind::ReviewEnd, due));
        if self.parts.makes_notices {
            if before.is_some_and(|before| before.credential_epoch < after.credential_epoch) {
                add(NOTICES, TaskKind::EndSessions { epoch: after.credential_epoch }, at_once());
            }
            if before.is_some() && plan.changes.iter().any(is_new_way_in) {
                add(NOTICES, TaskKind::Notify { about: Code::new("account.linked") }, at_once());
            }
        }
        if let Some(id) = new_review {
            withdrawn.extend(after.end_review.replace(id));
        }
        commit.withdrawn.extend(withdrawn);
    }

    /// Records what was refused; nothing else changes.
    pub(super) fn refusal(
        tenant: &TenantId,
        actor: Actor,
        account: Option<&Account>,
        denial: &Denial,
        now: DateTime<Utc>,
        mint: &mut Mint,
    ) -> Commit {
        let mut commit = Commit::new(tenant.clone());
        commit.events.push(AuditEvent {
            id: mint.event(),
            at: now,
            tenant: tenant.clone(),
            actor,
            action: Code::new("sign_in.denied"),
            account: account.map(|account| account.id),
            outcome: AuditOutcome::Refused { code: denial.code.clone() },
            rule: denial.rule.clone(),
            changes: Vec::new(),
        });
        commit
    }
}

/// Lets one account carry an address, even where two come for it at once over different identities.
fn address_counters(before: Option<&Account>, after: &Account) -> Vec<CounterChange> {
    fn address(account: &Account) -> Option<&EmailAddress> {
        account.email.as_ref().map(|email| &email.address)
    }
    let (old, new) = (before.and_then(address), address(after));
    if old.map(EmailAddress::key) == new.map(EmailAddress::key) {
        return Vec::new();
    }
    let (old, new) = (old.map(CounterName::address), new.map(CounterName::address));
    let left = old.map(|name| CounterChange { name, by: -1, at_least: None, at_most: None });
    let taken = new.map(|name| CounterChange { name, by: 1, at_least: None, at_most: Some(1) });
    left.into_iter().chain(taken).collect()
}

/// The tasks of grants that are no longer there.
fn ends_gone(before: Option<&Account>, after: &Account) -> Vec<TaskId> {
    let kept: Vec<_> = after.grants.iter().map(|grant| grant.id).collect();
    let before = before.into_iter().flat_map(|before| &before.grants);
    before.filter(|grant| !kept.contains(&grant.id)).filter_map(|grant| grant.end_task).collect()
}

/// Tells whether a task comes in time for the end of a grant.
fn is_looked_after(before: Option<&Account>, grant: &Grant) -> bool {
    let planned = before.and_then(|before| before.grants.iter().find(|old| old.id == grant.id)?.ends_at);
    let in_time = |planned| grant.ends_at.is_some_and(|end| planned <= end);
    grant.end_task.is_some() && planned.is_some_and(in_time)
}

/// What the source of an identity that is known calls its person is no other way in.
fn is_new_way_in(planned: &Planned) -> bool {
    matches!(&planned.change, Change::Link { proof, .. } if *proof != LinkProof::SameSource)
}

fn may_hold(account: &Account) -> bool {
    account.state == AccountState::Active
}

/// Tells when the end of the account must be looked after, if no task does so in time already.
fn review_due(before: Option<&Account>, after: &Account) -> Option<DateTime<Utc>> {
    let is_over = |account: &Account| {
        matches!(account.state, AccountState::Disabled { .. } | AccountState::Ended { .. })
    };
    let due = after.next_end().filter(|_| !is_over(after))?;
    let planned = before.filter(|before| !is_over(before)).and_then(Account::next_end);
    let in_time = after.end_review.is_some() && planned.is_some_and(|planned| planned <= due);
    (!in_time).then_some(due)
}

/// Names what a sign-in's plan does, for the record.
pub(super) fn sign_in_action(plan: &Plan, ending: Ending) -> Code {
    let has = |wanted: fn(&Change) -> bool| plan.changes.iter().any(|planned| wanted(&planned.change));
    Code::new(if ending == Ending::Now {
        "account.was_ended_by_source"
    } else if ending == Ending::Waits {
        "account.requested"
    } else if plan.creates() {
        "account.created"
    } else if has(|change| matches!(change, Change::Link { .. })) {
        "account.linked"
    } else if has(|change| matches!(change, Change::SetState(_))) {
        "account.activated"
    } else {
        "account.updated"
    })
}
