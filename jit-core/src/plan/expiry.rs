//! Planning of what time ends: grants past their end, accounts past their date or unused for too long.

use chrono::{DateTime, Utc};

use super::{Change, Plan, Reason};
use crate::{Account, AccountState, Code, GrantId, Standing};

/// Plans the end of a grant that has ended at `now`; empty while it is in force or gone already.
#[must_use]
pub fn plan_end_of_grant(account: &Account, grant: GrantId, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan::new(account.id);
    for held in account.grants.iter().filter(|held| held.id == grant && !held.is_in_force(now)) {
        let change = Change::Withdraw { grant: held.id, entitlement: held.entitlement.clone() };
        plan.push(change, Reason::code("access.ended"));
    }
    plan
}

/// Plans the end of an account that is past its date or was unused for too long at `now`: disabled, without grants,
/// every session and credential void. A suspended account ends on its day as well, and stays stopped for the reason it has:
/// whoever suspended it is the one to bring it back. Empty while the account may be used, and for one that is over already.
#[must_use]
pub fn plan_end_of_account(account: &Account, now: DateTime<Utc>) -> Plan {
    let mut plan = Plan::new(account.id);
    let code = match account.standing(now) {
        Standing::Expired => "account.expired",
        Standing::Suspended if account.ends_at.is_some_and(|end| end <= now) => "account.expired",
        Standing::Idle => "account.idle",
        _ => return plan,
    };
    for grant in &account.grants {
        let change = Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() };
        plan.push(change, Reason::code(code));
    }
    let reason = match &account.state {
        AccountState::Suspended { reason, .. } => reason.clone(),
        _ => Code::new(code),
    };
    let state = AccountState::Disabled { reason, since: now };
    plan.push(Change::SetState(state), Reason::code(code));
    plan.push(Change::EndCredentials, Reason::code(code));
    plan
}
