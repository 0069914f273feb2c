//! What is lent to one account that existed before: which lease needs which entitlement, and what was there already.
//!
//! What the account shall hold is the union of what its leases need; it never depends on the order in which they came.

mod same;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Exposure,
    edge::{Edge, Share, Taking, read_all},
};
use crate::{AccountId, RemoteEntitlement, TargetId, UnattendedEnd};

pub(crate) use same::Identified;

/// Keeps what is lent to one account of a target that existed before. It is kept in an account of its own, whose id
/// derives from the target and the native id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "it is stored: each field is there to be read")]
pub struct Elevation {
    /// The target.
    pub target: TargetId,
    /// The name by which the account was found first.
    pub name: String,
    /// The id that the target gave the account and never changes.
    pub native: String,
    /// What is lent. Each is here once, whatever names it was lent by, and a name that stood for two has two.
    #[serde(default, deserialize_with = "read_all")]
    pub edges: Vec<Edge>,
    /// Calls that take something and whose answer nobody has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<Taking>,
    /// What was taken, and until when a server of the target may not have heard of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settling: Vec<Taking>,
}

/// What the target answered to a call that gives.
pub(crate) struct Answer<'a> {
    /// What was lent when the call began.
    pub(crate) begun: &'a Elevation,
    /// What the call gave.
    pub(crate) given: &'a BTreeSet<RemoteEntitlement>,
    /// What of it the target takes by itself, and when.
    pub(crate) ends: &'a BTreeMap<RemoteEntitlement, DateTime<Utc>>,
}

impl Answer<'_> {
    /// Tells whether it says of anything that somebody else gave it.
    pub(crate) fn names_others(&self, lease: AccountId) -> bool {
        self.begun.shared_with(lease).any(|edge| self.is_by_others(edge))
    }

    fn is_by_others(&self, edge: &Edge) -> bool {
        edge.asked == 1 && !edge.entitlement.is_among(self.given)
    }

    fn is_to_the_last_call(&self, edge: &Edge) -> bool {
        let mut begun = self.begun.edges.iter().filter(|begun| begun.entitlement.is(&edge.entitlement));
        begun.any(|begun| begun.asked == edge.asked)
    }

    fn end_of(&self, edge: &Edge) -> Option<DateTime<Utc>> {
        let end = self.ends.iter().find(|(entitlement, _)| entitlement.is(&edge.entitlement));
        end.map(|(_, end)| *end)
    }
}

/// What the target showed of the entitlements that a lease wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// Those that the account holds.
    pub(crate) held: BTreeSet<RemoteEntitlement>,
    /// Those that it does not.
    pub(crate) lacks: BTreeSet<RemoteEntitlement>,
}

impl Shown {
    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RemoteEntitlement> + Clone {
        self.held.iter().chain(&self.lacks)
    }

    /// Whether the target told the id of any of them.
    pub(crate) fn has_ids(&self) -> bool {
        self.all().any(|shown| shown.native.is_some())
    }
}

impl Elevation {
    pub(crate) fn begin(target: TargetId, name: String, native: String) -> Self {
        Self { target, name, native, edges: Vec::new(), takes: Vec::new(), settling: Vec::new() }
    }

    /// Tells whether anything is lent or on its way out.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.edges.is_empty()
    }

    /// What the target is to be asked about for a lease that wants entitlements of these names. What it needs already is that
    /// which it was lent, whatever a name stands for by now.
    pub(crate) fn wanted(&self, lease: AccountId, names: &[String]) -> BTreeSet<RemoteEntitlement> {
        let needed: BTreeSet<_> = self.needed_by(lease).map(|edge| edge.entitlement.clone()).collect();
        if needed.is_empty() { RemoteEntitlement::all_named(names) } else { needed }
    }

    /// Tells whether no call is under way that could take one of these away again.
    pub(crate) fn is_free(&self, wanted: &Shown, now: DateTime<Utc>) -> bool {
        let mut open = self.takes.iter().filter(|taking| now < taking.answer_by);
        open.all(|taking| !taking.entitlements.iter().any(|taken| taken.is_among(wanted.all())))
    }

    /// Tells whether the target shows as held what was taken a moment ago: then another of its servers took it, and this one
    /// loses it when it hears of it.
    pub(crate) fn is_going(&self, wanted: &Shown, now: DateTime<Utc>) -> bool {
        let lent: Vec<_> = self.edges.iter().filter(|edge| edge.is_needed(now)).collect();
        let is_lent = |taken: &RemoteEntitlement| lent.iter().any(|edge| edge.entitlement.is(taken));
        let recent = self.settling.iter().filter(|taking| now < taking.answer_by);
        let mut going = recent.flat_map(|taking| &taking.entitlements).filter(|taken| !is_lent(taken));
        going.any(|taken| taken.is_among(&wanted.held))
    }

    /// Lets a lease need what the target showed of it. What it did not show to be held is ours to give, and to take; what it
    /// showed and we never gave is not.
    pub(crate) fn joined(mut self, lease: AccountId, until: DateTime<Utc>, shown: &Shown) -> Self {
        let held = shown.held.iter().map(|entitlement| (entitlement, true));
        let mut joined: Vec<&RemoteEntitlement> = Vec::new();
        for (entitlement, is_held) in held.chain(shown.lacks.iter().map(|entitlement| (entitlement, false))) {
            // A role may call it by two names: it is asked for once.
            if entitlement.is_among(joined.iter().copied()) {
                continue;
            }
            joined.push(entitlement);
            self.change_edge(entitlement, is_held, |edge| {
                // Whoever gave it before took it back: from now on it is ours.
                edge.pre_existing &= is_held;
                if !edge.pre_existing {
                    edge.asked = edge.asked.saturating_add(1);
                }
                edge.leases.insert(lease, Share::Needs { until });
            });
        }
        self
    }

    /// Learns that the call a lease joined for did nothing: what is lent to it is as it was `before` it joined. Of what somebody
    /// changed since it had `joined`, it needs no more than before, and the rest counts. What it did not need before it needs
    /// until it ends then: another lease may have left to it what that was given.
    pub(crate) fn not_joined(mut self, lease: AccountId, before: &Self, joined: &Self) -> Self {
        for asked in joined.shared_with(lease) {
            let Some(index) = self.edges.iter().position(|edge| edge.entitlement == asked.entitlement) else {
                continue;
            };
            let former = before.clone().remove_same(&asked.entitlement);
            let mut edge = self.edges.remove(index);
            if edge == *asked {
                for former in former {
                    self.insert(former);
                }
                continue;
            }
            if edge.leases.get(&lease) == asked.leases.get(&lease) {
                if let Some(share) = former.iter().find_map(|former| former.leases.get(&lease)) {
                    edge.leases.insert(lease, *share);
                }
                // One call fewer may have given it to whoever joined since.
                edge.asked -= u32::from(edge.asked > asked.asked);
            }
            self.insert(edge);
        }
        self
    }

    /// What the target is to give so that a lease has what it needs, each until the last lease needs it.
    pub(crate) fn to_give(&self, lease: AccountId) -> BTreeMap<RemoteEntitlement, DateTime<Utc>> {
        let ours = self.shared_with(lease).filter(|edge| !edge.pre_existing);
        ours.filter_map(|edge| Some((edge.entitlement.clone(), edge.until()?))).collect()
    }

    /// Writes down, before a call that gives a lease what it needs, what that may come to should nobody hear the answer: the
    /// target takes it as late as it is told. Where it takes nothing `by_itself`, it may be there for good.
    pub(crate) fn asking(mut self, lease: AccountId, by_itself: bool) -> Self {
        let shared = self.edges.iter_mut().filter(|edge| edge.leases.contains_key(&lease));
        shared.for_each(|edge| edge.is_asked_for(by_itself));
        self
    }

    /// Learns what the target gave, and what of it the target takes by itself. What it held already, though it was seen not to
    /// be there and nobody but this call was to give it, somebody else gave in between.
    pub(crate) fn answered(mut self, lease: AccountId, answer: &Answer<'_>) -> Self {
        for edge in self.edges.iter_mut().filter(|edge| edge.leases.contains_key(&lease)) {
            if answer.is_by_others(edge) {
                edge.is_theirs();
            } else {
                edge.is_given_until(answer.end_of(edge), answer.is_to_the_last_call(edge));
            }
        }
        self
    }

    /// Tells who takes what is lent to a lease if nobody of ours ever runs again, and when all of it is taken; `None` where
    /// nothing is lent to it. What was there before nobody takes, and it is not counted.
    pub(crate) fn exposure(&self, lease: AccountId) -> Option<Exposure> {
        let lent = self.shared_with(lease).filter(|edge| !edge.pre_existing);
        let ends: Option<Vec<_>> = lent.map(|edge| edge.drops_at.filter(|_| edge.drops)).collect();
        let last = ends?.into_iter().max()?;
        Some(Exposure::at(UnattendedEnd::ServerDropsMembership, last))
    }

    /// Lets a lease need nothing any longer, and tells what of its entitlements is to be taken.
    pub(crate) fn released(
        mut self,
        lease: AccountId,
        number: u64,
        answer_by: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> (Self, BTreeSet<RemoteEntitlement>) {
        let shares = self.edges.iter_mut().filter_map(|edge| edge.leases.get_mut(&lease));
        shares.for_each(|share| *share = Share::Leaves);
        let take = self.surplus_of(lease, now);
        self.takes.retain(|taking| now < taking.answer_by);
        self.settling.retain(|taking| now < taking.answer_by);
        if !take.is_empty() {
            self.takes.push(Taking { number, entitlements: take.clone(), answer_by });
        }
        (self, take)
    }

    /// Learns that a call which takes was answered, and by when all servers of the target show it, where it has several.
    pub(crate) fn taken(mut self, number: u64, shown_by: Option<DateTime<Utc>>) -> Self {
        let (answered, open) = self.takes.into_iter().partition(|taking| taking.number == number);
        self.takes = open;
        let answered: Vec<Taking> = answered;
        if let Some(answer_by) = shown_by {
            self.settling.extend(answered.into_iter().map(|taking| Taking { answer_by, ..taking }));
        }
        self
    }

    /// Forgets a lease of which no call can arrive any longer.
    pub(crate) fn left(mut self, lease: AccountId) -> Self {
        for edge in &mut self.edges {
            edge.leases.remove(&lease);
        }
        self.edges.retain(|edge| !edge.leases.is_empty());
        self
    }

    /// The same, unless more than what was `settled` is to be taken by now: another lease needed it, and does not any longer.
    pub(crate) fn left_but(
        self,
        lease: AccountId,
        settled: &BTreeSet<RemoteEntitlement>,
        now: DateTime<Utc>,
    ) -> Self {
        let is_settled = self.surplus_of(lease, now).iter().all(|surplus| surplus.is_among(settled));
        if is_settled { self.left(lease) } else { self }
    }

    /// Tells whether a lease needs anything.
    pub(crate) fn is_needed_by(&self, lease: AccountId) -> bool {
        self.needed_by(lease).next().is_some()
    }

    /// What a lease had and is ours to take.
    pub(crate) fn surplus_of(&self, lease: AccountId, now: DateTime<Utc>) -> BTreeSet<RemoteEntitlement> {
        let surplus = self.shared_with(lease).filter(|edge| edge.is_surplus(now));
        surplus.map(|edge| edge.entitlement.clone()).collect()
    }

    /// Learns that a call of a lease gave something after the lease had been forgotten: it is ours, whoever saw it since.
    pub(crate) fn given_late(mut self, lease: AccountId, given: &BTreeSet<RemoteEntitlement>) -> Self {
        for entitlement in given {
            self.change_edge(entitlement, false, |edge| {
                // Nobody kept when the target takes it.
                (edge.pre_existing, edge.drops) = (false, false);
                edge.leases.entry(lease).or_insert(Share::Leaves);
            });
        }
        self
    }

    /// The other leases that say that they need something of it.
    pub(crate) fn needed_beside(&self, lease: AccountId) -> BTreeSet<AccountId> {
        let shares = self.shared_with(lease).flat_map(|edge| &edge.leases);
        let needing = shares.filter(|(id, share)| **id != lease && matches!(share, Share::Needs { .. }));
        needing.map(|(id, _)| *id).collect()
    }

    /// Forgets of what a lease has that others say that they need it, who are gone: they joined too late.
    pub(crate) fn without(mut self, lease: AccountId, gone: &BTreeSet<AccountId>) -> Self {
        for edge in self.edges.iter_mut().filter(|edge| edge.leases.contains_key(&lease)) {
            edge.leases.retain(|id, share| !(gone.contains(id) && matches!(share, Share::Needs { .. })));
        }
        self
    }

    pub(crate) fn mentions(&self, lease: AccountId) -> bool {
        self.shared_with(lease).next().is_some()
    }

    fn shared_with(&self, lease: AccountId) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.leases.contains_key(&lease))
    }

    fn needed_by(&self, lease: AccountId) -> impl Iterator<Item = &Edge> {
        let is_needed = move |edge: &&Edge| matches!(edge.leases.get(&lease), Some(Share::Needs { .. }));
        self.edges.iter().filter(is_needed)
    }
}

#[cfg(test)]
mod tests;
