//! Leavers. A leave asks neither mapping nor policy: nothing keeps it from taking effect but too many at once.

use chrono::{DateTime, Utc};

use super::{Planned, RecordEffect, RecordFacts, link, remember, remembered, stay::check_permitted};
use crate::{
    Account, AccountState, Change, Code, ConnectionId, Denial, HeldPresence, HeldRecord, LinkProof, Mint,
    Plan, Reason, Source, WaitingLeave,
    plan::{
        admin::bury,
        grants::plan_no_longer_given,
        sign_in::{describe, grant_facts},
    },
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
    mint: &mut Mint,
) -> (Plan, RecordEffect) {
    let mut plan = Plan::new(account.id);
    let effect = leave(&mut plan, facts, account, held, gone, mint);
    (plan, effect)
}

/// Plans the leave of somebody whose account this record was not heard of before.
pub(super) fn plan_found(
    facts: &RecordFacts<'_>,
    account: &Account,
    proof: Option<LinkProof>,
    gone: bool,
    mint: &mut Mint,
) -> Planned {
    let mut plan = Plan::new(account.id);
    link(&mut plan, facts, account, proof)?;
    let linked = plan.apply(Some(account), &account.tenant, facts.base.now);
    let effect = leave(&mut plan, facts, &linked, None, gone, mint);
    Ok((plan, effect))
}

/// Plans a tombstone for somebody who never was here, so that an older record that comes later makes no account. Where
/// records have no versions, none can be told to be older.
pub(super) fn plan_never_there(facts: &RecordFacts<'_>, mint: &mut Mint) -> Planned {
    if facts.record.version().is_none() {
        return Err(Denial::new(Code::new("record.unknown")));
    }
    let state = AccountState::Ended { reason: left(), since: facts.base.now };
    Ok((bare(facts, state, HeldPresence::Gone, mint), RecordEffect::Ended))
}

/// Plans a stopped account that holds nothing for somebody new who is not there, of whom no more can be kept: an older record
/// that comes later lets nobody in.
pub(super) fn plan_stopped_bare(facts: &RecordFacts<'_>, mint: &mut Mint) -> (Plan, RecordEffect) {
    let state = AccountState::Disabled { reason: left(), since: facts.base.now };
    (bare(facts, state, HeldPresence::Inactive, mint), RecordEffect::Joined)
}

fn bare(facts: &RecordFacts<'_>, state: AccountState, presence: HeldPresence, mint: &mut Mint) -> Plan {
    let mut plan = Plan::new(mint.account());
    plan.push(Change::Create { state }, reason());
    let key = facts.record.key().clone();
    plan.push(Change::Link { key, proof: LinkProof::FirstRecord }, reason());
    remember(&mut plan, None, remembered(facts, None, presence));
    plan
}

fn leave(
    plan: &mut Plan,
    facts: &RecordFacts<'_>,
    account: &Account,
    held: Option<&HeldRecord>,
    gone: bool,
    mint: &mut Mint,
) -> RecordEffect {
    let presence = if gone { HeldPresence::Gone } else { HeldPresence::Inactive };
    let mut record = remembered(facts, held, presence);
    let waits = held.and_then(|held| held.parked);
    // Whoever is stopped already can only be removed.
    let takes = gone || !matches!(account.state, AccountState::Disabled { .. });
    let before = plan.changes.len();
    let effect = if takes && (waits.is_some() || facts.crowded) {
        record.parked = waits.or(Some(facts.base.now));
        record.before_parked = match waits {
            Some(_) => held.and_then(|held| held.before_parked),
            // Who is heard of for the first time had let nobody go.
            None => Some(held.map_or(HeldPresence::Active, |held| held.presence)),
        };
        if !gone && check_permitted(facts).is_ok() {
            // Who waits keeps what they have, and no more than what is still said of them.
            plan_no_longer_given(plan, account, &grant_facts(&facts.base), mint);
        }
        RecordEffect::Parked
    } else {
        if !gone {
            describe_leaver(plan, facts, account);
        }
        stop(plan, account, &[&facts.record.key().connection], gone, facts.base.now);
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
pub(super) fn describe_leaver(plan: &mut Plan, facts: &RecordFacts<'_>, account: &Account) {
    if facts.refusal.is_none() {
        // What contradicts another source is no reason to stay.
        let _ = describe(plan, &facts.base, Some(account), false);
    }
}

/// Ends what the connections gave and stops the account, or ends it for good. What is stopped stays stopped for the reason it
/// has.
fn stop(plan: &mut Plan, account: &Account, connections: &[&ConnectionId], gone: bool, now: DateTime<Utc>) {
    if gone {
        bury(plan, account, &reason());
        let state = AccountState::Ended { reason: left(), since: now };
        plan.push(Change::SetState(state), reason());
        plan.push(Change::EndCredentials, reason());
        return;
    }
    let is_giver = |source: &Source| matches!(source, Source::Connection(id) if connections.contains(&id));
    for grant in account.grants.iter().filter(|grant| is_giver(&grant.provenance.source)) {
        plan.push(Change::Withdraw { grant: grant.id, entitlement: grant.entitlement.clone() }, reason());
    }
    let stopped_for = match &account.state {
        AccountState::Disabled { .. } => return,
        AccountState::Suspended { reason, .. } => reason.clone(),
        _ => left(),
    };
    plan.push(Change::SetState(AccountState::Disabled { reason: stopped_for, since: now }), reason());
    plan.push(Change::EndCredentials, reason());
}

/// Plans leaves that wait, as an administrator confirms them. What another connection said waits on: nobody goes for it.
pub(in crate::plan) fn confirm_leaves(
    plan: &mut Plan,
    account: &Account,
    leaves: &[WaitingLeave],
    now: DateTime<Utc>,
) -> Result<(), Denial> {
    let decided = waiting_as_seen(account, leaves)?;
    let connections: Vec<_> = decided.iter().map(|record| &record.key.connection).collect();
    // One that is for good says everything that the others say.
    let gone = decided.iter().any(|record| record.presence == HeldPresence::Gone);
    stop(plan, account, &connections, gone, now);
    for record in decided {
        let record = HeldRecord { parked: None, before_parked: None, ..record.clone() };
        plan.push(Change::SetRecord(Box::new(record)), Reason::code("admin.act"));
    }
    Ok(())
}

/// Plans that leaves that wait do not happen: the person is there as far as we are concerned. Of somebody who was out of use
/// before, only the removal waited: each source stands where it stood.
pub(in crate::plan) fn dismiss_leaves(
    plan: &mut Plan,
    account: &Account,
    leaves: &[WaitingLeave],
) -> Result<(), Denial> {
    let decided = waiting_as_seen(account, leaves)?;
    for record in decided {
        let presence = dismissed_to(account, record);
        let record = HeldRecord { parked: None, before_parked: None, presence, ..record.clone() };
        plan.push(Change::SetRecord(Box::new(record)), Reason::code("admin.act"));
    }
    Ok(())
}

/// Finds the records whose leaves are decided. If only one of them became another one or was taken back meanwhile, nothing is
/// decided: whoever decides has to look again.
fn waiting_as_seen<'a>(account: &'a Account, leaves: &[WaitingLeave]) -> Result<Vec<&'a HeldRecord>, Denial> {
    let waits = |leave: &WaitingLeave| account.records.iter().any(|held| leave.is_still(held));
    if leaves.is_empty() || !leaves.iter().all(waits) {
        return Err(Denial::new(Code::new("record.leave_changed")));
    }
    let is_decided = |held: &&HeldRecord| leaves.iter().any(|leave| leave.key == held.key);
    Ok(account.records.iter().filter(is_decided).collect())
}

/// What is remembered of a record whose leave was dismissed. Where the account is stopped, that is what this source said
/// before: of several, one may have let the person go, and another not. Whoever is in use stays, also whom an administrator
/// brought back.
fn dismissed_to(account: &Account, record: &HeldRecord) -> HeldPresence {
    let AccountState::Disabled { reason, .. } = &account.state else { return HeldPresence::Active };
    // What waited before this was kept does not tell.
    let guessed = if *reason == left() { HeldPresence::Inactive } else { HeldPresence::Active };
    record.before_parked.unwrap_or(guessed)
}
