//! The members of a verified object, found by name.

use std::{cmp::Ordering, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::text::{head, tail};

/// How many places there are to remember where a name stands.
const PLACES: usize = 64;
/// How many names are remembered at all.
const REMEMBERED: usize = 255;

/// Keeps the members of the verified object in the order of their names, found by the first bytes before the rest is
/// looked at.
#[derive(Clone)]
pub(super) struct Members {
    /// The first bytes of each name.
    heads: Vec<u64>,
    list: Vec<(String, Value)>,
    /// Where names stand that begin so, counted from 1. Of those that fall on one place only the first is remembered.
    places: [u8; PLACES],
    /// What is said unless something else is, shared by many.
    beneath: Option<Arc<Members>>,
}

impl Default for Members {
    fn default() -> Self {
        Self { heads: Vec::new(), list: Vec::new(), places: [0; PLACES], beneath: None }
    }
}

impl Members {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self::sorted(members.into_iter().collect())
    }

    /// Of two with one name the later counts.
    pub(super) fn in_any_order(mut list: Vec<(String, Value)>) -> Self {
        list.sort_by(|(a, _), (b, _)| a.cmp(b));
        list.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        Self::sorted(list)
    }

    pub(super) fn sorted(mut list: Vec<(String, Value)>) -> Self {
        let mut heads = heads(&list);
        // As a rule they are in order already: objects are, unless another crate asked for the order of insertion.
        if !is_sorted(&heads, &list) {
            list.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            heads = self::heads(&list);
        }
        let (mut places, mut number) = ([0; PLACES], 0_u8);
        for head in heads.iter().take(REMEMBERED) {
            number = number.saturating_add(1);
            if let Some(free @ 0) = places.get_mut(place_of(*head)) {
                *free = number;
            }
        }
        Self { heads, list, places, beneath: None }
    }

    /// Adds members that are not there yet.
    pub(super) fn with(self, more: Vec<(String, Value)>) -> Self {
        let beneath = self.beneath;
        Self { beneath, ..Self::sorted(self.list.into_iter().chain(more).collect()) }
    }

    /// Says what these do wherever they themselves say nothing.
    pub(super) fn over(self, beneath: Arc<Self>) -> Self {
        Self { beneath: Some(beneath), ..self }
    }

    /// Finds a name where it is remembered; `None` says nothing.
    #[inline]
    pub(super) fn remembered(&self, wanted: u64, name: &str) -> Option<&Value> {
        let at = usize::from(*self.places.get(place_of(wanted))?).wrapping_sub(1);
        if self.heads.get(at) != Some(&wanted) {
            return None;
        }
        let (found, value) = self.list.get(at)?;
        // Names of up to eight bytes that begin alike differ in their length, if at all; those of up to sixteen in
        // their last eight bytes.
        let is_same =
            found.len() == name.len() && (name.len() <= 8 || name.len() <= 16 && tail(found) == tail(name));
        is_same.then_some(value)
    }

    pub(super) fn get(&self, wanted: u64, name: &str) -> Option<&Value> {
        let place = self.places.get(place_of(wanted));
        let found = if self.heads.len() <= REMEMBERED && place == Some(&0) {
            None
        } else {
            self.search(self.heads.partition_point(|head| *head < wanted), wanted, name)
        };
        found.or_else(|| self.beneath.as_ref()?.get(wanted, name))
    }

    /// Searches among names that begin alike.
    fn search(&self, from: usize, wanted: u64, name: &str) -> Option<&Value> {
        let heads = self.heads.get(from..)?;
        let alike = self.list.get(from..)?.get(..heads.partition_point(|head| *head == wanted))?;
        let at = alike.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        alike.get(at).map(|(_, value)| value)
    }

    /// Everything that is said, in the order of the names.
    pub(super) fn each(&self) -> impl Iterator<Item = &(String, Value)> {
        let beneath = self.beneath.as_deref().map_or(&[][..], |beneath| &beneath.list);
        Merged { above: &self.list, beneath }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.each().map(|(name, value)| (name.as_str(), value))
    }
}

/// Goes through two lists in the order of their names; of two with one name the one above counts.
struct Merged<'a> {
    above: &'a [(String, Value)],
    beneath: &'a [(String, Value)],
}

impl<'a> Iterator for Merged<'a> {
    type Item = &'a (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.above.first(), self.beneath.first()) {
            (Some((above, _)), Some((beneath, _))) => above.cmp(beneath),
            (None, _) => Ordering::Greater,
            (_, None) => Ordering::Less,
        };
        if order.is_ge() {
            let (next, rest) = self.beneath.split_first()?;
            self.beneath = rest;
            if order.is_gt() {
                return Some(next);
            }
        }
        let (next, rest) = self.above.split_first()?;
        self.above = rest;
        Some(next)
    }
}

impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.each().eq(other.each())
    }
}

fn heads(list: &[(String, Value)]) -> Vec<u64> {
    list.iter().map(|(name, _)| head(name)).collect()
}

/// Tells whether names are in order, by their first bytes as far as those tell.
fn is_sorted(heads: &[u64], list: &[(String, Value)]) -> bool {
    let pairs = heads.iter().zip(list).zip(heads.iter().zip(list).skip(1));
    pairs
        .into_iter()
        .all(|((head, (name, _)), (next, (after, _)))| head < next || head == next && name < after)
}

/// Spreads the first bytes of names over the places.
#[inline]
fn place_of(head: u64) -> usize {
    usize::try_from(head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58).unwrap_or(0)
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn members(names: &BTreeSet<String>) -> Members {
        Members::new(names.iter().map(|name| (name.clone(), Value::from(name.as_str()))).collect())
    }

    fn found<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
        let (remembered, found) = (members.remembered(head(name), name), members.get(head(name), name));
        assert!(remembered.is_none() || remembered == found, "{name}");
        found.and_then(Value::as_str)
    }

    #[test]
    fn of_two_with_one_name_the_later_counts() {
        let list = [("b", 1), ("a", 2), ("b", 3), ("a", 4), ("b", 5)];
        let members =
            Members::in_any_order(list.map(|(name, value)| (name.to_owned(), value.into())).to_vec());
        let kept: Vec<_> = members.iter().map(|(name, value)| (name, value.as_i64())).collect();
        assert_eq!(kept, [("a", Some(4)), ("b", Some(5))]);
    }

    proptest! {
        #[test]
        fn each_name_is_found_among_any_number_and_no_other_is(
            names in prop::collection::btree_set("(a_long_name|http://x/)?[a-f]{0,10}", 0..400), other in "[a-f]{0,10}",
        ) {
            let members = members(&names);
            for name in &names {
                prop_assert_eq!(found(&members, name), Some(name.as_str()));
                let longer = format!("{name}f");
                prop_assert_eq!(found(&members, &longer).is_some(), names.contains(&longer));
            }
            prop_assert_eq!(found(&members, &other).is_some(), names.contains(&other));
        }
    }
}
