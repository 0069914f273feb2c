//! What is lent to one account that existed before: which lease needs which entitlement, and what was there already.
//!
//! What the account shall hold is the union of what its leases need; it never depends on the order in which they came.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Exposure,
    edge::{Edge, Share, Taking},
};
use crate::{AccountId, TargetId, UnattendedEnd};

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
    /// What is lent, by the target's own names.
    #[serde(default)]
    pub edges: BTreeMap<String, Edge>,
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
    pub(crate) given: &'a BTreeSet<String>,
    /// What of it the target takes by itself, and when.
    pub(crate) ends: &'a BTreeMap<String, DateTime<Utc>>,
}

impl Answer<'_> {
    /// Tells whether it says of anything that somebody else gave it.
    pub(crate) fn names_others(&self, lease: AccountId) -> bool {
        let mut shared = self.begun.shared_with(lease);
        shared.any(|(entitlement, edge)| self.is_by_others(entitlement, edge))
    }

    fn is_by_others(&self, entitlement: &str, edge: &Edge) -> bool {
        edge.asked == 1 && !self.given.contains(entitlement)
    }

    fn is_to_the_last_call(&self, entitlement: &str, edge: &Edge) -> bool {
        self.begun.edges.get(entitlement).is_some_and(|begun| begun.asked == edge.asked)
    }
}

impl Elevation {
    pub(crate) fn begin(target: TargetId, name: String, native: String) -> Self {
        Self { target, name, native, edges: BTreeMap::new(), takes: Vec::new(), settling: Vec::new() }
    }

    /// Tells whether anything is lent or on its way out.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.edges.is_empty()
    }

    /// Tells whether no call is under way that could take one of these away again.
    pub(crate) fn is_free(&self, wanted: &BTreeSet<String>, now: DateTime<Utc>) -> bool {
        let mut open = self.takes.iter().filter(|taking| now < taking.answer_by);
        open.all(|taking| taking.entitlements.is_disjoint(wanted))
    }

    /// Tells whether the target shows as held what was taken a moment ago: then another of its servers took it, and this one
    /// loses it when it hears of it.
    pub(crate) fn is_going(
        &self,
        wanted: &BTreeSet<String>,
        held: &BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> bool {
        let is_lent = |name: &&String| self.edges.get(*name).is_some_and(|edge| edge.is_needed(now));
        let recent = self.settling.iter().filter(|taking| now < taking.answer_by);
        let going = recent.flat_map(|taking| &taking.entitlements).filter(|name| !is_lent(name));
        going.into_iter().any(|name| wanted.contains(name) && held.contains(name))
    }

    /// Lets a lease need entitlements, of which the target showed these to be held. What it did not show is ours to give,
    /// and to take; what it showed and we never gave is not.
    pub(crate) fn joined(
        mut self,
        lease: AccountId,
        until: DateTime<Utc>,
        wanted: &BTreeSet<String>,
        held: &BTreeSet<String>,
    ) -> Self {
        for entitlement in wanted {
            let is_held = held.contains(entitlement);
            let fresh = || Edge { pre_existing: is_held, ..Edge::default() };
            let edge = self.edges.entry(entitlement.clone()).or_insert_with(fresh);
            // Whoever gave it before took it back: from now on it is ours.
            edge.pre_existing &= is_held;
            if !edge.pre_existing {
                edge.asked = edge.asked.saturating_add(1);
            }
            edge.leases.insert(lease, Share::Needs { until });
        }
        self
    }

    /// What the target is to give so that a lease has what it needs, each until the last lease needs it.
    pub(crate) fn to_give(&self, lease: AccountId) -> BTreeMap<String, DateTime<Utc>> {
        let ours = self.shared_with(lease).filter(|(_, edge)| !edge.pre_existing);
        ours.filter_map(|(entitlement, edge)| Some((entitlement.clone(), edge.until()?))).collect()
    }

    /// Writes down, before a call that gives a lease what it needs, what that may come to should nobody hear the answer: the
    /// target takes it as late as it is told. Where it takes nothing `by_itself`, it may be there for good.
    pub(crate) fn asking(mut self, lease: AccountId, by_itself: bool) -> Self {
        let shared = self.edges.values_mut().filter(|edge| edge.leases.contains_key(&lease));
        shared.for_each(|edge| edge.is_asked_for(by_itself));
        self
    }

    /// Learns what the target gave, and what of it the target takes by itself. What it held already, though it was seen not to
    /// be there and nobody but this call was to give it, somebody else gave in between.
    pub(crate) fn answered(mut self, lease: AccountId, answer: &Answer<'_>) -> Self {
        for (entitlement, edge) in &mut self.edges {
            if !edge.leases.contains_key(&lease) {
                continue;
            }
            if answer.is_by_others(entitlement, edge) {
                edge.is_theirs();
            } else {
                let end = answer.ends.get(entitlement).copied();
                edge.is_given_until(end, answer.is_to_the_last_call(entitlement, edge));
            }
        }
        self
    }

    /// Tells who takes what is lent to a lease if nobody of ours ever runs again, and when all of it is taken; `None` where
    /// nothing is lent to it. What was there before nobody takes, and it is not counted.
    pub(crate) fn exposure(&self, lease: AccountId) -> Option<Exposure> {
        let lent = self.shared_with(lease).filter(|(_, edge)| !edge.pre_existing);
        let ends: Option<Vec<_>> = lent.map(|(_, edge)| edge.drops_at.filter(|_| edge.drops)).collect();
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
    ) -> (Self, BTreeSet<String>) {
        let shares = self.edges.values_mut().filter_map(|edge| edge.leases.get_mut(&lease));
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
        for edge in self.edges.values_mut() {
            edge.leases.remove(&lease);
        }
        self.edges.retain(|_, edge| !edge.leases.is_empty());
        self
    }

    /// Tells whether a lease needs anything.
    pub(crate) fn is_needed_by(&self, lease: AccountId) -> bool {
        self.shared_with(lease).any(|(_, edge)| matches!(edge.leases.get(&lease), Some(Share::Needs { .. })))
    }

    /// What a lease had and is ours to take.
    pub(crate) fn surplus_of(&self, lease: AccountId, now: DateTime<Utc>) -> BTreeSet<String> {
        let surplus = self.shared_with(lease).filter(|(_, edge)| edge.is_surplus(now));
        surplus.map(|(entitlement, _)| entitlement.clone()).collect()
    }

    /// Learns that a call of a lease gave something after the lease had been forgotten: it is ours, whoever saw it since.
    pub(crate) fn given_late(mut self, lease: AccountId, given: &BTreeSet<String>) -> Self {
        for entitlement in given {
            let edge = self.edges.entry(entitlement.clone()).or_default();
            // Nobody kept when the target takes it.
            (edge.pre_existing, edge.drops) = (false, false);
            edge.leases.entry(lease).or_insert(Share::Leaves);
        }
        self
    }

    /// The other leases that say that they need something of it.
    pub(crate) fn needed_beside(&self, lease: AccountId) -> BTreeSet<AccountId> {
        let shares = self.shared_with(lease).flat_map(|(_, edge)| &edge.leases);
        let needing = shares.filter(|(id, share)| **id != lease && matches!(share, Share::Needs { .. }));
        needing.map(|(id, _)| *id).collect()
    }

    /// Forgets of what a lease has that others say that they need it, who are gone: they joined too late.
    pub(crate) fn without(mut self, lease: AccountId, gone: &BTreeSet<AccountId>) -> Self {
        for edge in self.edges.values_mut().filter(|edge| edge.leases.contains_key(&lease)) {
            edge.leases.retain(|id, share| !(gone.contains(id) && matches!(share, Share::Needs { .. })));
        }
        self
    }

    pub(crate) fn mentions(&self, lease: AccountId) -> bool {
        self.shared_with(lease).next().is_some()
    }

    fn shared_with(&self, lease: AccountId) -> impl Iterator<Item = (&String, &Edge)> {
        self.edges.iter().filter(move |(_, edge)| edge.leases.contains_key(&lease))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
    }

    fn lease(number: u128) -> AccountId {
        AccountId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn fresh() -> Elevation {
        Elevation::begin(TargetId::new("ad").unwrap(), "alice".into(), "id-1".into())
    }

    /// How it is after the first lease heard an answer to a call that began when it was so.
    fn answered(lent: &Elevation, begun: &Elevation, given: &[&str], ends: &[(&str, i64)]) -> Elevation {
        let ends = ends.iter().map(|(name, minute)| ((*name).to_owned(), at(*minute))).collect();
        lent.clone().answered(lease(1), &Answer { begun, given: &set(given), ends: &ends })
    }

    fn release(elevation: Elevation, number: u128) -> (Elevation, BTreeSet<String>) {
        elevation.released(lease(number), 9, at(2), at(0))
    }

    #[test]
    fn what_two_leases_need_is_taken_when_the_second_ends() {
        let both = fresh().joined(lease(1), at(10), &set(&["ops", "dba"]), &set(&[])).joined(
            lease(2),
            at(20),
            &set(&["ops"]),
            &set(&[]),
        );
        assert_eq!(both.to_give(lease(1))["ops"], at(20), "until the last one needs it");
        let (first, take) = release(both, 1);
        assert_eq!(take, set(&["dba"]));
        let (_, take) = release(first, 2);
        assert_eq!(take, set(&["ops"]));
    }

    #[test]
    fn what_was_there_before_is_neither_given_nor_taken() {
        let joined = fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&["ops"]));
        assert!(joined.to_give(lease(1)).is_empty());
        let (after, take) = release(joined.clone(), 1);
        assert!(take.is_empty() && after.left(lease(1)) == fresh());
        // Taken back by whoever gave it, it is given, and is ours.
        let again = joined.joined(lease(2), at(20), &set(&["ops"]), &set(&[]));
        assert_eq!(again.to_give(lease(2)), BTreeMap::from([("ops".to_owned(), at(20))]));
    }

    #[test]
    fn what_was_given_in_between_belongs_to_who_gave_it_unless_it_may_have_been_us() {
        let once = fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&[]));
        assert!(answered(&once, &once, &[], &[]).edges["ops"].pre_existing);
        assert!(!answered(&once, &once, &["ops"], &[]).edges["ops"].pre_existing);
        let twice = once.joined(lease(1), at(10), &set(&["ops"]), &set(&[]));
        assert!(
            !answered(&twice, &twice, &[], &[]).edges["ops"].pre_existing,
            "the first call may have been it"
        );
    }

    #[test]
    fn while_a_call_may_still_take_it_nobody_else_is_given_it() {
        let (left, _) = release(fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&[])), 1);
        assert!(!left.is_free(&set(&["ops"]), at(1)) && left.is_free(&set(&["dba"]), at(1)));
        assert!(left.is_free(&set(&["ops"]), at(2)));
        assert!(left.taken(9, None).is_free(&set(&["ops"]), at(1)));
    }

    #[test]
    fn what_one_server_took_and_another_shows_is_not_there_to_be_lent() {
        let ops = set(&["ops"]);
        let (left, _) = release(fresh().joined(lease(1), at(10), &ops, &set(&[])), 1);
        let taken = left.taken(9, Some(at(5)));
        assert!(taken.is_free(&ops, at(1)) && taken.is_going(&ops, &ops, at(4)));
        assert!(!taken.is_going(&ops, &ops, at(5)), "all know of it by now");
        assert!(!taken.is_going(&ops, &set(&[]), at(4)) && !taken.is_going(&set(&["dba"]), &ops, at(4)));
        let next = taken.joined(lease(2), at(20), &ops, &set(&[]));
        assert!(!next.is_going(&ops, &ops, at(4)), "it was given again since");
        assert!(release(next, 2).0.settling.len() == 1, "until it is forgotten");
    }

    #[test]
    fn nobody_needs_anything_beyond_their_end() {
        let both = fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&[])).joined(
            lease(2),
            at(20),
            &set(&["ops"]),
            &set(&["ops"]),
        );
        assert!(both.clone().released(lease(1), 9, at(21), at(19)).1.is_empty());
        assert_eq!(both.clone().released(lease(1), 9, at(22), at(20)).1, set(&["ops"]));
        let gone = BTreeSet::from([lease(2)]);
        assert_eq!(both.needed_beside(lease(1)), gone);
        assert_eq!(both.without(lease(1), &gone).released(lease(1), 9, at(13), at(11)).1, set(&["ops"]));
    }

    #[test]
    fn what_was_given_late_is_ours_though_another_lease_saw_it_there() {
        let seen = fresh().joined(lease(2), at(20), &set(&["ops"]), &set(&["ops"]));
        let known = seen.given_late(lease(1), &set(&["ops"]));
        let (first, take) = release(known, 1);
        assert!(take.is_empty(), "the other needs it");
        assert_eq!(release(first, 2).1, set(&["ops"]));
    }

    #[test]
    fn it_is_ours_as_long_as_a_call_that_gives_may_be_under_way() {
        let (left, _) = release(fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&[])), 1);
        let next = left.joined(lease(2), at(20), &set(&["ops"]), &set(&["ops"]));
        assert!(!next.edges["ops"].pre_existing, "it was the late call that gave it");
        let (next, take) = release(next, 2);
        assert_eq!(take, set(&["ops"]));
        assert!(!next.left(lease(1)).left(lease(2)).is_live());
    }

    #[test]
    fn the_target_is_counted_on_for_what_it_said_and_for_nothing_else() {
        let end = |lent: &Elevation| lent.exposure(lease(1)).and_then(|exposure| exposure.worst_case);
        let both =
            fresh().joined(lease(1), at(10), &set(&["ops", "dba"]), &set(&["dba"])).asking(lease(1), true);
        assert_eq!(end(&both), None, "nobody answered yet");
        let told = answered(&both, &both, &["ops"], &[("ops", 10)]);
        assert_eq!(end(&told), Some(at(10)), "what was there before is not lent");
        assert_eq!(end(&answered(&told, &told, &[], &[])), None, "the next answer says that it stays");
        let shared = told.joined(lease(2), at(20), &set(&["ops"]), &set(&["ops"]));
        assert_eq!(end(&shared.clone().asking(lease(2), true)), Some(at(20)), "it may stay for the other");
        assert_eq!(end(&shared.asking(lease(2), false)), None, "which may give it for good");
    }

    #[test]
    fn what_an_answer_says_that_another_call_overtook_is_not_counted_on() {
        let end = |lent: &Elevation| lent.exposure(lease(1)).and_then(|exposure| exposure.worst_case);
        let first = fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&[])).asking(lease(1), true);
        let second = first.clone().joined(lease(2), at(20), &set(&["ops"]), &set(&[])).asking(lease(2), true);
        assert_eq!(end(&answered(&second, &first, &["ops"], &[("ops", 10)])), None);
        assert_eq!(end(&answered(&second, &second, &["ops"], &[("ops", 10)])), Some(at(20)));
    }

    #[test]
    fn a_record_from_before_says_nothing() {
        let told = fresh().joined(lease(1), at(10), &set(&["ops"]), &set(&[])).asking(lease(1), true);
        let told = answered(&told, &told, &["ops"], &[("ops", 10)]);
        let mut record = serde_json::to_value(&told).unwrap();
        assert_eq!(serde_json::from_value::<Elevation>(record.clone()).unwrap(), told);
        let edge = record["edges"]["ops"].as_object_mut().unwrap();
        assert!(edge.remove("drops").is_some() && edge.remove("drops_at").is_some());
        let before: Elevation = serde_json::from_value(record).unwrap();
        assert_eq!(before.exposure(lease(1)), None);
    }
}
