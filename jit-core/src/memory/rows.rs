//! Rows by their ids, and in the order of their ids.
//!
//! A row is found by the hash of its id, in the few places where the processor has to look for that, however many there are.
//! Their order is kept apart from them, in blocks: what comes in order fills these, and they are passed over by the block.

use std::{collections::HashMap, hash::Hash};

/// Has an id that it is kept by.
pub(super) trait Row {
    type Id: Ord + Copy + Hash;

    fn id(&self) -> Self::Id;
}

/// The most ids of a block: few enough to move when one comes in between.
const BLOCK: usize = 64;
/// The most rows of a piece.
const PIECE: usize = 1024;

/// Keeps rows by their ids.
pub(super) struct Rows<R: Row> {
    /// The place of a row stays the same while there are more of them, though a piece that grows may move its rows. Pieces
    /// do not grow together.
    pieces: Vec<Vec<Option<R>>>,
    /// How many places there are in all pieces.
    slots: usize,
    /// Where rows were that are gone.
    free: Vec<Place>,
    places: HashMap<R::Id, Place>,
    order: Order<R::Id>,
}

/// Counts rows, through all pieces: where a row is for as long as it is kept.
pub(super) type Place = usize;

/// The places in the order of the ids. No block is empty.
struct Order<I> {
    /// The first id of each block.
    firsts: Vec<I>,
    blocks: Vec<Vec<(I, Place)>>,
}

impl<R: Row> Default for Rows<R> {
    fn default() -> Self {
        let order = Order { firsts: Vec::new(), blocks: Vec::new() };
        Self { pieces: Vec::new(), slots: 0, free: Vec::new(), places: HashMap::new(), order }
    }
}

impl<R: Row> Rows<R> {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, id: R::Id) -> Option<&R> {
        self.at(self.place(id)?)
    }

    pub(super) fn get_mut(&mut self, id: R::Id) -> Option<&mut R> {
        self.slot(self.place(id)?)?.as_mut()
    }

    /// Puts a row in its place, over the one that has its id, and tells the place.
    pub(super) fn put(&mut self, row: R) -> Place {
        let id = row.id();
        if let Some(place) = self.place(id)
            && let Some(slot) = self.slot(place)
        {
            *slot = Some(row);
            return place;
        }
        let place = self.room_for(row);
        self.places.insert(id, place);
        self.order.insert(id, place);
        place
    }

    pub(super) fn place(&self, id: R::Id) -> Option<Place> {
        self.places.get(&id).copied()
    }

    pub(super) fn remove(&mut self, id: R::Id) -> Option<R> {
        let place = self.places.remove(&id)?;
        self.order.remove(id);
        self.free.push(place);
        self.slot(place)?.take()
    }

    /// The rows after an id, but for the first `skip`.
    pub(super) fn after(&self, id: Option<R::Id>, skip: usize) -> impl Iterator<Item = &R> {
        self.order.after(id, skip).filter_map(|place| self.at(place))
    }

    /// The row at a place.
    pub(super) fn at(&self, place: Place) -> Option<&R> {
        self.pieces.get(place / PIECE)?.get(place % PIECE)?.as_ref()
    }

    fn slot(&mut self, place: Place) -> Option<&mut Option<R>> {
        self.pieces.get_mut(place / PIECE)?.get_mut(place % PIECE)
    }

    fn room_for(&mut self, row: R) -> Place {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.slot(place)
        {
            *slot = Some(row);
            return place;
        }
        let place = self.slots;
        if place.is_multiple_of(PIECE) {
            self.pieces.push(Vec::new());
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.push(Some(row));
            self.slots += 1;
        }
        place
    }
}

impl<I: Ord + Copy> Order<I> {
    /// Takes in an id that is not there yet.
    fn insert(&mut self, id: I, place: Place) {
        let at = self.block_of(id);
        let is_last = at + 1 >= self.blocks.len();
        let Some(block) = self.blocks.get_mut(at) else {
            self.firsts.push(id);
            self.blocks.push(vec![(id, place)]);
            return;
        };
        let number = block.partition_point(|(own, _)| *own < id);
        if block.len() < BLOCK {
            block.insert(number, (id, place));
        } else {
            // What comes nearly in order leaves a full block behind.
            let middle = if is_last { number.max(BLOCK / 2) } else { BLOCK / 2 };
            let mut upper = Vec::with_capacity(BLOCK);
            upper.extend(block.drain(middle..));
            let (into, number) =
                if number < middle { (block, number) } else { (&mut upper, number - middle) };
            into.insert(number, (id, place));
            if let Some((first, _)) = upper.first() {
                self.firsts.insert(at + 1, *first);
                self.blocks.insert(at + 1, upper);
            }
        }
        self.note_first(at);
    }

    fn remove(&mut self, id: I) {
        let at = self.block_of(id);
        let Some(block) = self.blocks.get_mut(at) else { return };
        block.retain(|(own, _)| *own != id);
        if block.is_empty() {
            self.blocks.remove(at);
            self.firsts.remove(at);
        } else {
            self.note_first(at);
        }
    }

    fn after(&self, id: Option<I>, skip: usize) -> impl Iterator<Item = Place> {
        let first = id.map_or(0, |id| self.block_of(id));
        let begin = |block: &[(I, Place)]| id.map_or(0, |id| block.partition_point(|(own, _)| *own <= id));
        let mut blocks = self.blocks.iter().skip(first);
        let (mut skip, mut rest) = (skip, [].as_slice());
        for block in blocks.by_ref() {
            let ids = block.get(begin(block)..).unwrap_or_default();
            if skip < ids.len() {
                rest = ids.get(skip..).unwrap_or_default();
                break;
            }
            skip -= ids.len();
        }
        rest.iter().chain(blocks.flatten()).map(|(_, place)| *place)
    }

    /// The block that an id belongs to; the first where it comes before all.
    fn block_of(&self, id: I) -> usize {
        self.firsts.partition_point(|first| *first <= id).saturating_sub(1)
    }

    fn note_first(&mut self, at: usize) {
        let id = self.blocks.get(at).and_then(|block| block.first());
        if let (Some(first), Some((id, _))) = (self.firsts.get_mut(at), id) {
            *first = *id;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Row for (u16, u8) {
        type Id = u16;

        fn id(&self) -> u16 {
            self.0
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn rows_are_an_ordered_map(
            in_order in 0_u16..2_000,
            calls in prop::collection::vec((any::<bool>(), 0_u16..4_000), 0..1_500),
            after in prop::option::of(0_u16..4_000),
            skip in 0_usize..3_000,
        ) {
            let (mut rows, mut map) = (Rows::default(), BTreeMap::new());
            for id in 0..in_order {
                rows.put((id, 0));
                map.insert(id, 0);
            }
            for (puts, id) in calls {
                if puts {
                    rows.put((id, 1));
                    map.insert(id, 1);
                } else {
                    prop_assert_eq!(rows.remove(id).map(|row| row.1), map.remove(&id));
                }
                prop_assert_eq!(rows.get(id).map(|row| row.1), map.get(&id).copied());
            }
            prop_assert_eq!(rows.len(), map.len());
            prop_assert_eq!(rows.slots, map.len() + rows.free.len(), "what is gone leaves its place to others");
            let all: Vec<_> = rows.after(after, skip).copied().collect();
            let want: Vec<_> =
                map.into_iter().filter(|(id, _)| after.is_none_or(|after| *id > after)).skip(skip).collect();
            prop_assert_eq!(all, want);
            let order = &rows.order;
            let is_sound = |(first, block): (&u16, &Vec<(u16, Place)>)| {
                block.first().map(|(id, _)| id) == Some(first) && block.len() <= BLOCK
            };
            prop_assert_eq!(order.firsts.len(), order.blocks.len());
            prop_assert!(order.firsts.iter().zip(&order.blocks).all(is_sound));
        }

        #[test]
        fn what_comes_in_order_fills_the_blocks(count in 1_usize..2_000) {
            let mut rows = Rows::default();
            for id in 0..count {
                rows.put((u16::try_from(id).unwrap(), 0));
            }
            prop_assert_eq!(rows.order.blocks.len(), count.div_ceil(BLOCK));
        }
    }
}
