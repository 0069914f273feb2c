//! Finds all claims that the rules read in one pass over what was said, instead of searching for each.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::{Map, Value};

use crate::{Claim, ClaimPath, Claims};

/// Points to a claim, and to the slot of a [`View`] where it will be found.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    path: ClaimPath,
    slot: Option<usize>,
}

impl Bound {
    pub(super) fn new(path: ClaimPath) -> Self {
        Self { path, slot: None }
    }

    pub(super) fn path(&self) -> &ClaimPath {
        &self.path
    }

    /// Takes a slot. What descends into a claim is searched for instead.
    pub(super) fn bind(&mut self, roots: &mut Roots) {
        if !self.path.as_str().starts_with('/') {
            let next = roots.0.len();
            self.slot = Some(*roots.0.entry(self.path.as_str().to_owned()).or_insert(next));
        }
    }
}

/// Collects the names of the claims that the rules read.
#[derive(Debug, Default)]
pub(super) struct Roots(BTreeMap<String, usize>);

/// Holds the names of the claims that the rules read, in order.
#[derive(Debug)]
pub(super) struct Index {
    names: Vec<Root>,
    /// Whether JSON objects keep their members in the order of their names, as they do unless some other crate asked
    /// for the order of insertion.
    is_ordered: bool,
}

#[derive(Debug)]
struct Root {
    name: String,
    beginning: u64,
    slot: usize,
}

impl Root {
    fn new((name, slot): (String, usize)) -> Self {
        Self { beginning: beginning(&name), name, slot }
    }

    /// Compares by the first bytes alone where these differ.
    fn cmp(&self, name: &str, beginning: u64) -> Ordering {
        self.beginning.cmp(&beginning).then_with(|| self.name.as_str().cmp(name))
    }
}

/// The first eight bytes as a number that has their order, zeros in the place of those that are missing.
fn beginning(name: &str) -> u64 {
    let bytes = name.as_bytes();
    if let Some(first) = bytes.first_chunk::<8>() {
        return u64::from_be_bytes(*first);
    }
    let (sum, unused) = bytes
        .iter()
        .fold((0_u64, 64_u32), |(sum, unused), byte| (sum << 8 | u64::from(*byte), unused.saturating_sub(8)));
    sum.checked_shl(unused).unwrap_or(0)
}

impl Index {
    pub(super) fn new(roots: Roots) -> Self {
        let backwards = [("b".to_owned(), Value::Null), ("a".to_owned(), Value::Null)];
        let probe: Map<String, Value> = backwards.into_iter().collect();
        let is_ordered = probe.keys().next().is_some_and(|first| first == "a");
        Self { names: roots.0.into_iter().map(Root::new).collect(), is_ordered }
    }

    /// Looks at the claims of one sign-in.
    pub(super) fn view<'c>(&self, claims: &'c Claims) -> View<'c> {
        let mut slots = vec![Claim::Absent; self.names.len()];
        let mut set = |slot: usize, claim: Claim<'c>| {
            if let Some(place) = slots.get_mut(slot) {
                *place = claim;
            }
        };
        // Where claims are cut, each is asked for by its name: its value must not be looked at.
        if !self.is_ordered || claims.is_cut() {
            for root in &self.names {
                set(root.slot, claims.get(&root.name));
            }
            return View { claims, slots };
        }
        let mut wanted = self.names.iter();
        let Some(mut root) = wanted.next() else { return View { claims, slots } };
        'members: for (name, value) in claims.members() {
            let first = beginning(name);
            loop {
                let order = root.cmp(name, first);
                if order == Ordering::Greater {
                    continue 'members;
                }
                if order == Ordering::Equal {
                    set(root.slot, Claim::of(value));
                }
                // A name that comes before this one is not there.
                let Some(next) = wanted.next() else { break 'members };
                root = next;
                if order == Ordering::Equal {
                    continue 'members;
                }
            }
        }
        View { claims, slots }
    }
}

/// Holds the claims of one sign-in, those that the rules name found already.
#[derive(Debug)]
pub(super) struct View<'c> {
    claims: &'c Claims,
    slots: Vec<Claim<'c>>,
}

impl<'c> View<'c> {
    pub(super) fn at(&self, bound: &Bound) -> Claim<'c> {
        match bound.slot.and_then(|slot| self.slots.get(slot)) {
            Some(claim) => *claim,
            None => self.claims.at(&bound.path),
        }
    }

    pub(super) fn claims(&self) -> &'c Claims {
        self.claims
    }

    /// Looks at claims without having searched for any.
    #[cfg(test)]
    pub(super) fn of(claims: &'c Claims) -> Self {
        Self { claims, slots: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn beginnings_have_the_order_of_names(a in "[\\x00ab\u{e9}]{0,10}", b in "[\\x00ab\u{e9}]{0,10}") {
            let by_beginning = beginning(&a).cmp(&beginning(&b));
            prop_assert_eq!(by_beginning.then_with(|| a.cmp(&b)), a.cmp(&b));
        }

        #[test]
        fn what_is_found_in_one_pass_is_what_is_found_by_name(
            names in prop::collection::vec("(claim_x)?[a-c]{0,2}", 0..8),
            wanted in prop::collection::vec("(claim_x)?[a-d]{1,2}", 0..8),
            cut in prop::option::of("(claim_x)?[a-c]{1,2}"),
            is_ordered in any::<bool>(),
        ) {
            let members = names.iter().map(|name| (name.clone(), Value::from(name.as_str()))).collect();
            let mut claims = Claims::new(members);
            if let Some(cut) = cut {
                claims = claims.truncated(cut);
            }
            let mut roots = Roots::default();
            let mut bounds: Vec<Bound> = wanted.iter().map(|name| Bound::new(ClaimPath::new(name).unwrap())).collect();
            for bound in &mut bounds {
                bound.bind(&mut roots);
            }
            let mut index = Index::new(roots);
            index.is_ordered &= is_ordered;
            let view = index.view(&claims);
            for bound in &bounds {
                prop_assert_eq!(view.at(bound), claims.at(bound.path()));
            }
        }
    }
}
