//! Ids by hashes: nearly always one for each. Whoever asks looks whether what it leads to is what was meant.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
    ops::Bound,
};

/// Leads from hashes to ids. The hashes must come from a keyed function: nobody outside can choose them.
pub(super) struct ByHash<I>(HashMap<u64, Ids<I>, BuildHasherDefault<AsItIs>>);

enum Ids<I> {
    One(I),
    #[expect(clippy::box_collection, reason = "few have it, and all would have to make room for it")]
    Several(Box<BTreeSet<I>>),
}

impl<I> Default for ByHash<I> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<I: Ord + Copy> ByHash<I> {
    /// The ids with a hash, in their order, from the one behind `after` on.
    pub(super) fn ids(&self, hash: u64, after: Option<I>) -> impl Iterator<Item = I> {
        let (one, several) = match self.0.get(&hash) {
            None => (None, None),
            Some(Ids::One(id)) => (Some(*id).filter(|id| after.is_none_or(|after| *id > after)), None),
            Some(Ids::Several(ids)) => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                (None, Some(ids.range((from, Bound::Unbounded))))
            }
        };
        one.into_iter().chain(several.into_iter().flatten().copied())
    }

    pub(super) fn insert(&mut self, hash: u64, id: I) {
        let ids = self.0.entry(hash).or_insert(Ids::One(id));
        match ids {
            Ids::One(own) if *own == id => {}
            Ids::One(own) => *ids = Ids::Several(Box::new(BTreeSet::from([*own, id]))),
            Ids::Several(several) => {
                several.insert(id);
            }
        }
    }

    pub(super) fn remove(&mut self, hash: u64, id: I) {
        let is_empty = match self.0.get_mut(&hash) {
            None => return,
            Some(Ids::One(own)) => *own == id,
            Some(Ids::Several(ids)) => {
                ids.remove(&id);
                ids.is_empty()
            }
        };
        if is_empty {
            self.0.remove(&hash);
        }
    }
}

/// Takes a hash for what it is.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_an_ordered_set_of_pairs(
            calls in prop::collection::vec((any::<bool>(), 0_u64..4, 0_u8..6), 0..60),
            after in prop::option::of(0_u8..6),
        ) {
            let (mut by_hash, mut pairs) = (ByHash::default(), BTreeSet::new());
            for (inserts, hash, id) in calls {
                if inserts {
                    by_hash.insert(hash, id);
                    pairs.insert((hash, id));
                } else {
                    by_hash.remove(hash, id);
                    pairs.remove(&(hash, id));
                }
            }
            for hash in 0..4 {
                let all = pairs.iter().filter(|(own, _)| *own == hash).map(|(_, id)| *id);
                let behind = all.clone().filter(|id| after.is_none_or(|after| *id > after));
                prop_assert!(by_hash.ids(hash, None).eq(all));
                prop_assert!(by_hash.ids(hash, after).eq(behind));
            }
            let hashes: BTreeSet<_> = pairs.iter().map(|(hash, _)| *hash).collect();
            prop_assert_eq!(by_hash.0.len(), hashes.len());
        }
    }
}
