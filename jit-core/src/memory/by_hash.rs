//! Ids by hashes: nearly always one for each. Whoever asks looks whether what it leads to is what was meant.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    ops::Bound,
};

/// Leads from hashes to ids. The hashes must come from a keyed function: nobody outside can choose them.
///
/// There are more entries here than rows anywhere, in no order that anybody asks in: each byte of them makes it likelier that
/// one is not near the processor. So half a hash is kept, and ids in their short form where they are alone.
pub(super) struct ByHash<I: Led> {
    /// None where several have a hash, or one that has no short form.
    alone: Halves<Option<I::Short>>,
    /// Each as often as it was put in: of two keys with one hash that an id has, one may go and the other stay.
    several: Halves<BTreeMap<I, u32>>,
}

/// By half of a hash.
type Halves<T> = HashMap<u32, T, BuildHasherDefault<AsItIs>>;

/// What a hash leads to.
pub(super) trait Led: Copy + Ord {
    /// What it can be told by for as long as it is kept here.
    type Short: Copy + Eq;

    /// Tells its short form, where it has one.
    fn short(self) -> Option<Self::Short>;
}

impl<I: Led> Default for ByHash<I> {
    fn default() -> Self {
        Self { alone: HashMap::default(), several: HashMap::default() }
    }
}

impl<I: Led> ByHash<I> {
    /// The ids with a hash, in their order, from the one behind `after` on; `whole` knows them by their short form.
    pub(super) fn ids(
        &self,
        hash: u64,
        after: Option<I>,
        whole: impl FnOnce(I::Short) -> Option<I>,
    ) -> impl Iterator<Item = I> {
        let half = half(hash);
        let (one, several) = match self.alone.get(&half) {
            None => (None, None),
            Some(Some(short)) => (whole(*short).filter(|id| after.is_none_or(|after| *id > after)), None),
            Some(None) => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                (
                    None,
                    self.several.get(&half).map(|ids| ids.range((from, Bound::Unbounded)).map(|(id, _)| *id)),
                )
            }
        };
        one.into_iter().chain(several.into_iter().flatten())
    }

    pub(super) fn insert(&mut self, hash: u64, id: I, whole: impl FnOnce(I::Short) -> Option<I>) {
        let (half, short) = (half(hash), id.short());
        let own = match self.alone.entry(half) {
            Entry::Vacant(free) if short.is_some() => {
                free.insert(short);
                return;
            }
            entry => entry.or_default(),
        };
        let other = own.take().and_then(whole);
        let several = self.several.entry(half).or_default();
        for id in other.into_iter().chain([id]) {
            *several.entry(id).or_default() += 1;
        }
    }

    pub(super) fn remove(&mut self, hash: u64, id: I) {
        let half = half(hash);
        let is_empty = match self.alone.get(&half) {
            None => return,
            Some(Some(own)) => Some(*own) == id.short(),
            Some(None) => self.several.get_mut(&half).is_none_or(|ids| {
                if let Some(times) = ids.get_mut(&id) {
                    *times -= 1;
                    if *times == 0 {
                        ids.remove(&id);
                    }
                }
                ids.is_empty()
            }),
        };
        if is_empty {
            self.alone.remove(&half);
            self.several.remove(&half);
        }
    }
}

fn half(hash: u64) -> u32 {
    u32::try_from(hash >> u32::BITS).unwrap_or_default()
}

/// Takes a hash for what it is. A map looks at its first and at its last bits.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0 << u32::BITS | self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u32(&mut self, half: u32) {
        self.0 = u64::from(half);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Has a short form below four.
    impl Led for u8 {
        type Short = u8;

        fn short(self) -> Option<u8> {
            (self < 4).then_some(self)
        }
    }

    proptest! {
        #[test]
        fn it_is_an_ordered_multiset_of_pairs(
            calls in prop::collection::vec((any::<bool>(), 0_u64..4, 0_u8..6), 0..60),
            after in prop::option::of(0_u8..6),
        ) {
            let (mut by_hash, mut pairs) = (ByHash::default(), BTreeMap::<(u64, u8), u32>::new());
            for (inserts, hash, id) in calls {
                if inserts {
                    by_hash.insert(hash << u32::BITS, id, Some);
                    *pairs.entry((hash, id)).or_default() += 1;
                } else {
                    by_hash.remove(hash << u32::BITS, id);
                    pairs.entry((hash, id)).and_modify(|times| *times -= 1);
                    pairs.retain(|_, times| *times > 0);
                }
            }
            for hash in 0..4 {
                let all = pairs.keys().filter(|(own, _)| *own == hash).map(|(_, id)| *id);
                let behind = all.clone().filter(|id| after.is_none_or(|after| *id > after));
                prop_assert!(by_hash.ids(hash << u32::BITS, None, Some).eq(all));
                prop_assert!(by_hash.ids(hash << u32::BITS, after, Some).eq(behind));
            }
            let mut hashes: Vec<_> = pairs.keys().map(|(hash, _)| *hash).collect();
            hashes.dedup();
            prop_assert_eq!(by_hash.alone.len(), hashes.len());
            let several = by_hash.alone.values().filter(|short| short.is_none()).count();
            prop_assert_eq!(by_hash.several.len(), several);
        }
    }
}
