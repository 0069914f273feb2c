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
    names: Vec<(String, usize)>,
    /// Whether JSON objects keep their members in the order of their names, as they do unless some other crate asked
    /// for the order of insertion.
    is_ordered: bool,
}

impl Index {
    pub(super) fn new(roots: Roots) -> Self {
        let backwards = [("b".to_owned(), Value::Null), ("a".to_owned(), Value::Null)];
        let probe: Map<String, Value> = backwards.into_iter().collect();
        let is_ordered = probe.keys().next().is_some_and(|first| first == "a");
        Self { names: roots.0.into_iter().collect(), is_ordered }
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
            for (name, slot) in &self.names {
                set(*slot, claims.get(name));
            }
            return View { claims, slots };
        }
        let mut wanted = self.names.iter().peekable();
        for (name, value) in claims.members() {
            // Names that come before this one are not there.
            let mut order = Ordering::Less;
            while let Some((root, slot)) = wanted.peek() {
                order = root.as_str().cmp(name);
                if order == Ordering::Equal {
                    set(*slot, Claim::of(value));
                }
                if order == Ordering::Greater {
                    break;
                }
                wanted.next();
                if order == Ordering::Equal {
                    break;
                }
            }
            if order == Ordering::Less {
                break;
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
        fn what_is_found_in_one_pass_is_what_is_found_by_name(
            names in prop::collection::vec("[a-c]{0,2}", 0..8),
            wanted in prop::collection::vec("[a-d]{1,2}", 0..8),
            cut in prop::option::of("[a-c]{1,2}"),
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
