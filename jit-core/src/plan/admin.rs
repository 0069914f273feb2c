//! Planning of what an administrator does to an account: the only way out of a state that ends or stops it.

use chrono::{DateTime, Utc};

use super::{
    Change, Plan, Reason,
    lifecycle::{confirm_leaves, dismiss_leaves},
    link::cut_off,
};
use crate::{
    Account, AccountEmail, AccountState, Code, Denial, EmailTrust, Entitlement, ExternalKey, Grant, GrantId,
    Mint, Provenance, Source, Standing, WaitingLeave,
};

/// Says what an administrator wants.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AdminAct {
    /// Let a waiting account in.
    Approve,
    /// Turn a waiting account away; it becomes a tombstone.
    Refuse,
    /// Stop an account for a while.
    Suspend,
    /// Stop an account.
    Disable,
    /// Bring an account back that was suspended or disabled, or is past its end: an explicit reactivation. An end that has
    /// passed goes; set another one with [`AdminAct::SetEnd`]. Who never was approved waits again.
    Reactivate,
    /// End an account for good; a tombstone remains.
    End,
    /// Free the address, the name and the identities of an account that is over: somebody else may have them, and whoever
    /// comes with one of those identities is a stranger.
    Release,
    /// Cut an identity off; proofs of links made before die with it, and only a proof by the owner links it again.
    Unlink(ExternalKey),
    /// Give an entitlement.
    Give {
        /// What.
        entitlement: Entitlement,
        /// Until when.
        ends_at: Option<DateTime<Utc>>,
    },
    /// Take a grant away, whoever gave it.
    Withdraw(GrantId),
    /// Confirm leaves of this person that wait since too many came at once: these, and no others.
    ConfirmLeave(Vec<WaitingLeave>),
    /// Let these not happen: what their source says next counts.
    DismissLeave(Vec<WaitingLeave>),
    /// Move the account's end.
    SetEnd(Option<DateTime<Utc>>),
}

impl AdminAct {
    /// The code under which the act is recorded.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::new(match self {
            Self::Approve => "account.approved",
            Self::Refuse => "account.refused",
            Self::Suspend => "account.was_suspended",
            Self::Disable => "account.was_disabled",
            Self::Reactivate => "account.reactivated",
            Self::End => "account.was_ended",
            Self::Release => "account.released",
            Self::Unlink(_) => "account.unlinked",
            Self::Give { .. } => "access.was_given",
            Self::Withdraw(_) => "access.was_withdrawn",
            Self::ConfirmLeave(_) => "record.leave_confirmed",
            Self::DismissLeave(_) => "record.leave_dismissed",
            Self::SetEnd(_) => "account.end_set",
        })
    }
}

/// Plans an administrator's act on an account.
///
/// # Errors
/// `account.wrong_state` when the act does not fit the state, `account.ended` for anything done to a tombstone,
/// `record.leave_changed` when a leave does not wait as it was seen.
pub fn plan_admin(
    act: &AdminAct,
    account: &Account,
    now: DateTime<Utc>,
    mint: &mut Mint,
) -> Result<Plan, Denial> {
    let mut plan = Plan::new(account.id);
    match (act, &account.state) {
        (AdminAct::Release, AccountState::Ended { .. }) => {
            release(&mut plan, account);
            return Ok(plan);
        }
        (AdminAct::Release, _) => return Err(Denial::new(Code::new("account.wrong_state"))),
        (_, AccountState::Ended { .. }) => return Err(Denial::new(Code::new("account.ended"))),
        (AdminAct::Suspend | AdminAct::Disable, AccountState::Pending { .. }) => {
            return Err(Denial::new(Code::new("account.wrong_state")));
        }
        _ => {}
    }
    match act {
        AdminAct::Approve | AdminAct::Refuse | AdminAct::Reactivate => {
            change_state(&mut plan, act, account, now)?;
        }
        AdminAct::Suspend | AdminAct::Disable | AdminAct::End => stop(&mut plan, act, account, now),
        AdminAct::Unlink(key) if account.is_linked_to(key) => {
            unlink(&mut plan, account, key);
        }
        AdminAct::Give { entitlement, ends_at } => give(&mut plan, account, entitlement, *ends_at, now, mint),
        AdminAct::Withdraw(id) => {
            for grant in account.grants.iter().filter(|grant| grant.id == *id) {
                plan.push(
                    Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() },
                    reason(),
                );
            }
        }
        AdminAct::ConfirmLeave(leaves) => confirm_leaves(&mut plan, account, leaves, now)?,
        AdminAct::DismissLeave(leaves) => dismiss_leaves(&mut plan, account, leaves)?,
        AdminAct::SetEnd(end)
            if *end != account.ends_at || account.end_set_by != Some(Source::Administrator) =>
        {
            plan.push(Change::SetEnd { at: *end, by: Source::Administrator }, reason());
        }
        AdminAct::Unlink(_) | AdminAct::SetEnd(_) | AdminAct::Release => {}
    }
    Ok(plan)
}

fn reason() -> Reason {
    Reason::code("admin.act")
}

/// Cuts an identity off, with what its connection gave if no other identity of it remains.
fn unlink(plan: &mut Plan, account: &Account, key: &ExternalKey) {
    cut_off(plan, account, key, &reason());
    let others = account.identities.iter().filter(|other| other.key != *key);
    if !others.clone().any(|other| other.key.connection == key.connection) {
        let gave = |grant: &&Grant| matches!(&grant.provenance.source, Source::Connection(id) if *id == key.connection);
        for grant in account.grants.iter().filter(gave) {
            plan.push(Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() }, reason());
        }
    }
    plan.push(Change::EndCredentials, reason());
}

fn change_state(
    plan: &mut Plan,
    act: &AdminAct,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<(), Denial> {
    let over = matches!(account.standing(now), Standing::Expired | Standing::Idle);
    let state = match (act, &account.state) {
        (AdminAct::Approve, AccountState::Pending { .. }) => AccountState::Active,
        (AdminAct::Reactivate, AccountState::Suspended { .. } | AccountState::Disabled { .. }) => {
            before_stop(account, now)
        }
        (AdminAct::Reactivate, state) if over => state.clone(),
        (AdminAct::Refuse, AccountState::Pending { .. }) => {
            AccountState::Ended { reason: Code::new("account.refused"), since: now }
        }
        _ => return Err(Denial::new(Code::new("account.wrong_state"))),
    };
    if account.ends_at.is_some_and(|end| end <= now) && *act == AdminAct::Reactivate {
        plan.push(Change::SetEnd { at: None, by: Source::Administrator }, reason());
    }
    if matches!(act, AdminAct::Reactivate | AdminAct::Approve) && account.idle_limit.is_some() {
        // Disuse counts from here.
        plan.push(Change::SetIdleLimit(account.idle_limit), reason());
    }
    if matches!(state, AccountState::Ended { .. }) {
        bury(plan, account, &reason());
    }
    plan.push(Change::SetState(state), reason());
    Ok(())
}

/// The state that a stop interrupted: who never came into use waits for approval, or for the invited person, as before.
pub(super) fn before_stop(account: &Account, now: DateTime<Utc>) -> AccountState {
    match account.activated_at {
        Some(_) => AccountState::Active,
        None if account.identities.is_empty() => AccountState::Invited,
        None => AccountState::Pending { since: now },
    }
}

fn stop(plan: &mut Plan, act: &AdminAct, account: &Account, now: DateTime<Utc>) {
    let (code, since) = (Code::new("admin.act"), now);
    let state = match act {
        AdminAct::Suspend if matches!(account.state, AccountState::Suspended { .. }) => return,
        // Who was stopped for another reason is stopped by the administrator from now on, and comes back by nobody else.
        AdminAct::Disable if is_disabled_by_admin(account) => return,
        AdminAct::Suspend => AccountState::Suspended { reason: code, since },
        AdminAct::Disable => AccountState::Disabled { reason: code, since },
        _ => AccountState::Ended { reason: code, since },
    };
    if matches!(state, AccountState::Ended { .. }) {
        bury(plan, account, &reason());
    }
    plan.push(Change::SetState(state), reason());
    plan.push(Change::EndCredentials, reason());
}

fn is_disabled_by_admin(account: &Account) -> bool {
    matches!(&account.state, AccountState::Disabled { reason, .. } if reason.as_str() == "admin.act")
}

/// Ends what an account holds, and lets go of an address that it never proved and of values that sources gave: a
/// tombstone keeps nobody from what is theirs.
pub(super) fn bury(plan: &mut Plan, account: &Account, reason: &Reason) {
    for grant in &account.grants {
        let change = Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() };
        plan.push(change, reason.clone());
    }
    release_claims(plan, account, reason, |email| email.trust < EmailTrust::Authoritative);
}

fn release(plan: &mut Plan, account: &Account) {
    release_claims(plan, account, &reason(), |_| true);
    if account.user_name.is_some() {
        plan.push(Change::ClearUserName, reason());
    }
    for identity in &account.identities {
        plan.push(Change::Unlink(identity.key.clone()), reason());
    }
}

fn release_claims(
    plan: &mut Plan,
    account: &Account,
    reason: &Reason,
    lets_go: impl Fn(&AccountEmail) -> bool,
) {
    if account.email.as_ref().is_some_and(lets_go) {
        plan.push(Change::ClearEmail, reason.clone());
    }
    for (name, values) in &account.attributes {
        let left: Vec<_> = values.iter().filter(|value| !value.searchable).cloned().collect();
        if left.len() < values.len() {
            plan.push(Change::SetAttribute { name: name.clone(), values: left }, reason.clone());
        }
    }
}

fn give(
    plan: &mut Plan,
    account: &Account,
    entitlement: &Entitlement,
    ends_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    mint: &mut Mint,
) {
    let same = |grant: &&Grant| {
        grant.entitlement == *entitlement && grant.provenance.source == Source::Administrator
    };
    match account.grants.iter().find(same) {
        Some(grant) if grant.ends_at == ends_at => {}
        Some(grant) => {
            let change = Change::MoveEnd { grant: grant.id, entitlement: entitlement.clone(), ends_at };
            plan.push(change, reason());
        }
        None => {
            let provenance = Provenance::of(Source::Administrator);
            let id = mint.grant();
            let grant = Grant::new(id, entitlement.clone(), provenance, now).until(ends_at);
            plan.push(Change::Give(grant), reason());
        }
    }
}
