//! Planning of what an administrator does to an account: the only way out of a state that ends or stops it.

use chrono::{DateTime, Utc};

use super::{Change, Plan, Reason};
use crate::{
    Account, AccountState, Code, Denial, Entitlement, ExternalKey, Grant, GrantId, Mint, Provenance, Source,
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
    /// Bring a suspended or disabled account back into use: an explicit reactivation.
    Reactivate,
    /// End an account for good; a tombstone remains.
    End,
    /// Cut an identity off; proofs of links made before die with it.
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
            Self::Unlink(_) => "account.unlinked",
            Self::Give { .. } => "access.was_given",
            Self::Withdraw(_) => "access.was_withdrawn",
            Self::SetEnd(_) => "account.end_set",
        })
    }
}

/// Plans an administrator's act on an account.
///
/// # Errors
/// `account.wrong_state` when the act does not fit the state, `account.ended` for anything done to a tombstone.
pub fn plan_admin(
    act: &AdminAct,
    account: &Account,
    now: DateTime<Utc>,
    mint: &mut Mint,
) -> Result<Plan, Denial> {
    if matches!(account.state, AccountState::Ended { .. }) {
        return Err(Denial::new(Code::new("account.ended")));
    }
    let mut plan = Plan::new(account.id);
    match act {
        AdminAct::Approve | AdminAct::Refuse | AdminAct::Reactivate => {
            change_state(&mut plan, act, account, now)?;
        }
        AdminAct::Suspend | AdminAct::Disable | AdminAct::End => stop(&mut plan, act, account, now),
        AdminAct::Unlink(key) if account.is_linked_to(key) => {
            plan.push(Change::Unlink(key.clone()), reason());
            plan.push(Change::EndCredentials, reason());
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
        AdminAct::SetEnd(end) if *end != account.ends_at => plan.push(Change::SetEnd(*end), reason()),
        AdminAct::Unlink(_) | AdminAct::SetEnd(_) => {}
    }
    Ok(plan)
}

fn reason() -> Reason {
    Reason::code("admin.act")
}

fn change_state(
    plan: &mut Plan,
    act: &AdminAct,
    account: &Account,
    now: DateTime<Utc>,
) -> Result<(), Denial> {
    let state = match (act, &account.state) {
        (AdminAct::Approve, AccountState::Pending { .. })
        | (AdminAct::Reactivate, AccountState::Suspended { .. } | AccountState::Disabled { .. }) => {
            AccountState::Active
        }
        (AdminAct::Refuse, AccountState::Pending { .. }) => {
            AccountState::Ended { reason: Code::new("account.refused"), since: now }
        }
        _ => return Err(Denial::new(Code::new("account.wrong_state"))),
    };
    if act == &AdminAct::Reactivate {
        if account.ends_at.is_some_and(|end| end <= now) {
            plan.push(Change::SetEnd(None), reason());
        }
        if account.idle_limit.is_some() {
            plan.push(Change::SetIdleLimit(None), reason());
        }
    }
    if matches!(state, AccountState::Ended { .. }) {
        withdraw_all(plan, account);
    }
    plan.push(Change::SetState(state), reason());
    Ok(())
}

fn stop(plan: &mut Plan, act: &AdminAct, account: &Account, now: DateTime<Utc>) {
    let (code, since) = (Code::new("admin.act"), now);
    let state = match act {
        AdminAct::Suspend if matches!(account.state, AccountState::Suspended { .. }) => return,
        AdminAct::Disable if matches!(account.state, AccountState::Disabled { .. }) => return,
        AdminAct::Suspend => AccountState::Suspended { reason: code, since },
        AdminAct::Disable => AccountState::Disabled { reason: code, since },
        _ => AccountState::Ended { reason: code, since },
    };
    if matches!(state, AccountState::Ended { .. }) {
        withdraw_all(plan, account);
    }
    plan.push(Change::SetState(state), reason());
    plan.push(Change::EndCredentials, reason());
}

pub(super) fn withdraw_all(plan: &mut Plan, account: &Account) {
    for grant in &account.grants {
        plan.push(Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() }, reason());
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
            plan.push(
                Change::Give(Grant {
                    id,
                    entitlement: entitlement.clone(),
                    provenance,
                    given_at: now,
                    ends_at,
                }),
                reason(),
            );
        }
    }
}
