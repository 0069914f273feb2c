//! Leavers. A leave asks neither mapping nor policy: nothing keeps it from taking effect but too many at once.

use chrono::{DateTime, Utc};

use super::{Planned, RecordEffect, RecordFacts, link, remember, remembered};
use crate::{
    Account, AccountState, Change, Code, ConnectionId, Denial, HeldPresence, HeldRecord, LinkProof, Mint,
    Plan, Reason, Source,
    plan::{admin::bury, sign_in::describe},
};

/// The reason why an account is stopped whose source let the person go.
pub(super) fn left() -> Code {
    Code::new("account.left")
}

fn reason() -> Reason {
    Reason::code("record.left")
}

/// Plans the leave of somebody who is known, or parks it.
pub(super) fn plan_leave(
    facts: &RecordFacts<'_>,
    account: &Account,
    held: Option<&HeldRecord>,
    gone: bool,
) -> (Plan, RecordEffect) {
    let mut plan = Plan::new(account.id);
    let effect = leave(&mut plan, facts, account, held, gone);
    (plan, effect)
}

/// Plans the leave of somebody whose account this record was not heard of before.
pub(super) fn plan_found(
    facts: &RecordFacts<'_>,
    account: &Account,
    proof: Option<LinkProof>,
    gone: bool,
) -> Planned {
    let mut plan = Plan::new(account.id);
    link(&mut plan, facts, account, proof)?;
    let linked = plan.apply(Some(account), &account.tenant, facts.base.now);
    let effect = leave(&mut plan, facts, &linked, None, gone);
    Ok((plan, effect))
}

/// Plans a tombstone for somebody who never was here, so that an older record that comes later makes no account. Where
/// records have no versions, none can be told to be older.
pub(super) fn plan_never_there(facts: &RecordFacts<'_>, mint: &mut Mint) -> Planned {
    if facts.record.version().is_none() {
        return Err(Denial::new(Code::new("record.unknown")));
    }
    let mut plan = Plan::new(mint.account());
    let state = AccountState::Ended { reason: left(), since: facts.base.now };
    plan.push(Change::Create { state }, reason());
    let key = facts.record.key().clone();
    plan.push(Change::Link { key, proof: LinkProof::FirstRecord }, reason());
    remember(&mut plan, None, remembered(facts, None, HeldPresence::Gone));
    Ok((plan, RecordEffect::Ended))
}

fn leave(
    plan: &mut Plan,
    facts: &RecordFacts<'_>,
    account: &Account,
    held: Option<&HeldRecord>,
    gone: bool,
) -> RecordEffect {
    let presence = if gone { HeldPresence::Gone } else { HeldPresence::Inactive };
    let mut record = remembered(facts, held, presence);
    let waits = held.and_then(|held| held.parked);
    let stops = !matches!(account.state, AccountState::Disabled { .. });
    let before = plan.changes.len();
    let effect = if waits.is_some() || (facts.crowded && stops) {
        record.parked = waits.or(Some(facts.base.now));
        RecordEffect::Parked
    } else {
        if !gone {
            describe_leaver(plan, facts, account);
        }
        stop(plan, account, &facts.record.key().connection, gone, facts.base.now);
        if gone { RecordEffect::Ended } else { RecordEffect::Left }
    };
    remember(plan, held, record);
    match effect {
        RecordEffect::Parked => RecordEffect::Parked,
        _ if plan.changes.len() == before => RecordEffect::Unchanged,
        effect => effect,
    }
}

/// Takes over what the source says of somebody who has left, as far as it can be read.
fn describe_leaver(plan: &mut Plan, facts: &RecordFacts<'_>, account: &Account) {
    if facts.refusal.is_none() {
        // What contradicts another source is no reason to stay.
        let _ = describe(plan, &facts.base, Some(account), false);
    }
}

/// Ends what the connection gave and stops the account, or ends it for good. What is stopped stays stopped for the reason it
/// has.
fn stop(plan: &mut Plan, account: &Account, connection: &ConnectionId, gone: bool, now: DateTime<Utc>) {
    if gone {
        bury(plan, account, &reason());
        let state = AccountState::Ended { reason: left(), since: now };
        plan.push(Change::SetState(state), reason());
        plan.push(Change::EndCredentials, reason());
        return;
    }
    let gave = |source: &Source| matches!(source, Source::Connection(id) if id == connection);
    for grant in account.grants.iter().filter(|grant| gave(&grant.provenance.source)) {
        plan.push(Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() }, reason());
    }
    if !matches!(account.state, AccountState::Disabled { .. }) {
        plan.push(Change::SetState(AccountState::Disabled { reason: left(), since: now }), reason());
        plan.push(Change::EndCredentials, reason());
    }
}

/// Plans the leaves that wait, as an administrator confirms them.
pub(in crate::plan) fn confirm_leaves(plan: &mut Plan, account: &Account, now: DateTime<Utc>) {
    let waiting = || account.records.iter().filter(|record| record.parked.is_some());
    // One that is for good says everything that the others say.
    let last = waiting().find(|record| record.presence == HeldPresence::Gone).or_else(|| waiting().next());
    if let Some(record) = last {
        let gone = record.presence == HeldPresence::Gone;
        stop(plan, account, &record.key.connection, gone, now);
    }
    for record in waiting() {
        let record = HeldRecord { parked: None, ..record.clone() };
        plan.push(Change::SetRecord(Box::new(record)), Reason::code("admin.act"));
    }
}

/// Plans that the leaves that wait do not happen: the person is there as far as we are concerned.
pub(in crate::plan) fn dismiss_leaves(plan: &mut Plan, account: &Account) {
    for record in account.records.iter().filter(|record| record.parked.is_some()) {
        let record = HeldRecord { parked: None, presence: HeldPresence::Active, ..record.clone() };
        plan.push(Change::SetRecord(Box::new(record)), Reason::code("admin.act"));
    }
}
