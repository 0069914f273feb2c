//! Planning of lifecycle events: what a record of a provisioning connection makes of an account.
//!
//! A source says what is, not what to do: whether somebody joins, moves, leaves or comes back is found out here, by what is
//! there already. That is why the same record twice changes nothing.

mod heard;
mod leave;
mod stay;
mod takeover;

use chrono::{DateTime, Utc};

use super::{Change, Plan, Reason, SignInFacts};
use crate::{
    Account, AccountState, Bound, Code, ConnectionId, Denial, Expected, Extent, HeldPresence, HeldRecord,
    LinkProof, Mint, Presence, Present, Provisioning, VerifiedRecord,
};

pub(super) use leave::{confirm_leaves, dismiss_leaves};

/// Carries everything that the plan of a record depends on.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever plans must bring every fact")]
pub struct RecordFacts<'a> {
    /// What the source says.
    pub record: &'a VerifiedRecord,
    /// How far its connection is trusted.
    pub provisioning: &'a Provisioning,
    /// Why mapping or policy refuse; a leave does not ask them.
    pub refusal: Option<&'a Denial>,
    /// Whether too many leave at the moment.
    pub crowded: bool,
    /// The instant by which ends come: earlier than the present one while the clock is in doubt.
    pub ends_by: DateTime<Utc>,
    /// What mapping and policy make of it, as for a sign-in.
    pub base: SignInFacts<'a>,
}

/// Tells what a record comes to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the engine answers each of them")]
pub enum RecordPlan {
    /// These changes, which mean this.
    Go(Plan, RecordEffect),
    /// No; nothing changes.
    Deny(Denial),
}

/// Says what a record means for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a server answers each of them")]
pub enum RecordEffect {
    /// They are new: the account came into being.
    Joined,
    /// They had an account, which this record was not heard of before.
    Adopted,
    /// Something about them changed.
    Moved,
    /// They left: the account is stopped.
    Left,
    /// They are gone for good: a tombstone remains.
    Ended,
    /// They came back.
    Returned,
    /// Their leave waits for an administrator, since too many came at once.
    Parked,
    /// Everything is as it should be.
    Unchanged,
    /// The record is older than what was heard: nothing changes.
    Outdated,
}

impl RecordEffect {
    /// The code under which the effect is recorded.
    #[must_use]
    pub fn code(self) -> Code {
        Code::new(match self {
            Self::Joined => "record.joined",
            Self::Adopted => "record.adopted",
            Self::Moved => "record.moved",
            Self::Left => "record.left",
            Self::Ended => "record.ended",
            Self::Returned => "record.returned",
            Self::Parked => "record.parked",
            Self::Unchanged => "record.unchanged",
            Self::Outdated => "record.outdated",
        })
    }
}

/// Plans what a record of a provisioning connection changes.
///
/// What is older than what was heard changes nothing, and no record revives a tombstone.
#[must_use]
pub fn plan_record(facts: &RecordFacts<'_>, mint: &mut Mint) -> RecordPlan {
    plan(facts, mint).map_or_else(RecordPlan::Deny, |(plan, effect)| RecordPlan::Go(plan, effect))
}

type Planned = Result<(Plan, RecordEffect), Denial>;

fn plan(facts: &RecordFacts<'_>, mint: &mut Mint) -> Planned {
    let linked = match facts.base.present {
        Present::Linked(account) => Some(account),
        _ => None,
    };
    let held = linked.and_then(|account| account.record(facts.record.key()));
    if let (Some(account), Some(held)) = (linked, held) {
        if facts.record.request().is_some() && facts.record.request() == held.request.as_ref() {
            return Ok((Plan::new(account.id), RecordEffect::Unchanged));
        }
        if facts.record.version() < held.version.filter(|_| facts.record.version().is_some()) {
            return Ok((Plan::new(account.id), RecordEffect::Outdated));
        }
    }
    let account = facts.base.present.account();
    let leaving = leaving(facts.record.presence(), facts);
    check_expected(facts, linked, held)?;
    let is_unsaid = facts.record.presence() == Presence::Unsaid;
    if let Some(account) = account.filter(|account| matches!(account.state, AccountState::Ended { .. })) {
        let nothing = (Plan::new(account.id), RecordEffect::Unchanged);
        return if leaving.is_some() || is_unsaid { Ok(nothing) } else { Err(deny("account.ended")) };
    }
    match (leaving, facts.base.present) {
        (_, Present::Ambiguous) => Err(deny("link.ambiguous")),
        (None, _) if is_unsaid => heard::plan_heard(facts, held, mint),
        (None, _) => stay::plan_stay(facts, held, mint),
        (Some(gone), Present::Linked(account)) => Ok(leave::plan_leave(facts, account, held, gone, mint)),
        (Some(gone), Present::Candidate { account, proof }) => {
            leave::plan_found(facts, account, proof, gone, mint)
        }
        (Some(true), Present::Nobody) => leave::plan_never_there(facts, mint),
        (Some(false), Present::Nobody) => stay::plan_stopped(facts, mint),
    }
}

/// Tells whether the person leaves, and if so, for good. What lies ahead is an end, not a leave.
fn leaving(presence: Presence, facts: &RecordFacts<'_>) -> Option<bool> {
    match presence {
        Presence::Gone => Some(true),
        Presence::Inactive { at } => at.is_none_or(|at| at <= facts.ends_by).then_some(false),
        Presence::Active { until: Bound::At(until), .. } => (until <= facts.ends_by).then_some(false),
        Presence::Active { .. } | Presence::Unsaid => None,
    }
}

fn check_expected(
    facts: &RecordFacts<'_>,
    linked: Option<&Account>,
    held: Option<&HeldRecord>,
) -> Result<(), Denial> {
    match facts.record.expected() {
        Expected::New if held.is_some() => Err(deny("record.exists")),
        Expected::Known | Expected::Version(_) if held.is_none() => Err(deny("record.unknown")),
        Expected::Version(version) if linked.is_none_or(|account| account.version != version) => {
            Err(deny("record.changed"))
        }
        Expected::Anything | Expected::New | Expected::Known | Expected::Version(_) => Ok(()),
    }
}

fn deny(code: &'static str) -> Denial {
    Denial::new(Code::new(code))
}

/// The record as it is to be remembered.
fn remembered(facts: &RecordFacts<'_>, held: Option<&HeldRecord>, presence: HeldPresence) -> HeldRecord {
    let record = facts.record;
    let keeps = facts.provisioning.keeps_records && presence != HeldPresence::Gone;
    let claims = match record.extent() {
        Extent::Whole => Some(record.identity().claims()),
        Extent::Part => held.and_then(|held| held.claims.as_ref()),
    };
    let claims = claims.filter(|_| keeps).cloned();
    HeldRecord {
        key: record.key().clone(),
        presence,
        version: record.version().or(held.and_then(|held| held.version)),
        request: record.request().cloned(),
        claims,
        parked: None,
        before_parked: None,
    }
}

/// Remembers a record, unless all that is new about it is the request.
fn remember(plan: &mut Plan, held: Option<&HeldRecord>, mut record: HeldRecord) {
    let is_same = |held: &HeldRecord| {
        let HeldRecord { key, presence, version, request: _, claims, parked, before_parked } = held;
        *key == record.key
            && *presence == record.presence
            && *version == record.version
            && *claims == record.claims
            && *parked == record.parked
            && *before_parked == record.before_parked
    };
    if held.is_some_and(is_same) {
        if plan.is_empty() {
            return;
        }
        record.request = record.request.or_else(|| held.and_then(|held| held.request.clone()));
    }
    plan.push(Change::SetRecord(Box::new(record)), Reason::code("record.heard"));
}

/// The connections whose values and grants belong to the same source.
fn kin<'a>(facts: &RecordFacts<'a>) -> impl Iterator<Item = &'a ConnectionId> + use<'a> {
    facts.provisioning.same_person.iter().map(|same| &same.connection)
}

/// Links the identity of the record to an account that was found by what proves it.
fn link(
    plan: &mut Plan,
    facts: &RecordFacts<'_>,
    account: &Account,
    proof: Option<LinkProof>,
) -> Result<(), Denial> {
    if let Some(code) = super::link::refuses_link(account, facts.record.key(), proof, facts.base.email) {
        return Err(Denial::new(code));
    }
    let proof = proof.unwrap_or(LinkProof::SameSource);
    super::link::plan_link(plan, account, facts.record.key(), proof, facts.base.keep);
    Ok(())
}
