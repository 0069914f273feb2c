//! The members of a verified object, found by name.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::text::{head, tail};

/// Keeps the members of the verified object in the order of their names, found by the first bytes before the rest is
/// looked at.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Members {
    /// The first bytes of each name.
    heads: Vec<u64>,
    list: Vec<(String, Value)>,
}

impl Members {
    pub(super) fn new(members: Map<String, Value>) -> Self {
        Self::sorted(members.into_iter().collect())
    }

    fn sorted(mut list: Vec<(String, Value)>) -> Self {
        // As a rule they are in order already: objects are, unless another crate asked for the order of insertion.
        if !list.is_sorted_by(|(a, _), (b, _)| a < b) {
            list.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
        Self { heads: list.iter().map(|(name, _)| head(name)).collect(), list }
    }

    /// Adds members that are not there yet.
    pub(super) fn with(self, more: Vec<(String, Value)>) -> Self {
        Self::sorted(self.list.into_iter().chain(more).collect())
    }

    #[inline]
    pub(super) fn get(&self, wanted: u64, name: &str) -> Option<&Value> {
        let at = self.heads.partition_point(|head| *head < wanted);
        if self.heads.get(at) != Some(&wanted) {
            return None;
        }
        let (first, value) = self.list.get(at)?;
        // Names of up to eight bytes that begin alike differ in their length, if at all; those of up to sixteen in
        // their last eight bytes.
        let is_same =
            first.len() == name.len() && (name.len() <= 8 || name.len() <= 16 && tail(first) == tail(name));
        if is_same { Some(value) } else { self.search(at, wanted, name) }
    }

    /// Searches among names that begin alike.
    #[inline(never)]
    fn search(&self, from: usize, wanted: u64, name: &str) -> Option<&Value> {
        let heads = self.heads.get(from..)?;
        let alike = self.list.get(from..)?.get(..heads.partition_point(|head| *head == wanted))?;
        let at = alike.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        alike.get(at).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.list.iter().map(|(name, value)| (name.as_str(), value))
    }
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
        members.get(head(name), name).and_then(Value::as_str)
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
