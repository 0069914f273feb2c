//! Rows in the order of their ids, in blocks: what comes in order fills them, and rows are passed over by the block.

/// Has an id that it is kept by.
pub(super) trait Row {
    type Id: Ord + Copy;

    fn id(&self) -> Self::Id;
}

/// The most rows of a block: few enough to move when one comes in between, and for a search to look into few places that
/// the processor does not have at hand.
const BLOCK: usize = 64;

/// Keeps rows by their ids. No block is empty.
pub(super) struct Blocks<R: Row> {
    /// The first id of each block.
    firsts: Vec<R::Id>,
    list: Vec<Block<R>>,
    len: usize,
}

/// Ids lie apart from rows, close together: a search looks at them alone.
struct Block<R: Row> {
    ids: Vec<R::Id>,
    rows: Vec<R>,
}

impl<R: Row> Default for Blocks<R> {
    fn default() -> Self {
        Self { firsts: Vec::new(), list: Vec::new(), len: 0 }
    }
}

impl<R: Row> Block<R> {
    fn of(row: R) -> Self {
        Self { ids: vec![row.id()], rows: vec![row] }
    }

    fn insert(&mut self, place: usize, row: R) {
        self.ids.insert(place, row.id());
        self.rows.insert(place, row);
    }

    /// Takes the rows away that stand at a place or behind it. More will come there.
    fn split_off(&mut self, place: usize) -> Self {
        let (mut ids, mut rows) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        ids.extend(self.ids.drain(place..));
        rows.extend(self.rows.drain(place..));
        Self { ids, rows }
    }
}

impl<R: Row> Blocks<R> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, id: R::Id) -> Option<&R> {
        let block = self.list.get(self.block_of(id))?;
        block.rows.get(block.ids.binary_search(&id).ok()?)
    }

    pub(super) fn get_mut(&mut self, id: R::Id) -> Option<&mut R> {
        let block = self.block_of(id);
        let block = self.list.get_mut(block)?;
        let place = block.ids.binary_search(&id).ok()?;
        block.rows.get_mut(place)
    }

    /// Puts a row in its place, over the one that has its id.
    pub(super) fn put(&mut self, row: R) {
        let at = self.block_of(row.id());
        let is_last = at + 1 >= self.list.len();
        let Some(block) = self.list.get_mut(at) else {
            self.firsts.push(row.id());
            self.list.push(Block::of(row));
            self.len = 1;
            return;
        };
        match block.ids.binary_search(&row.id()) {
            Ok(place) => {
                if let Some(there) = block.rows.get_mut(place) {
                    *there = row;
                }
                return;
            }
            Err(place) if block.ids.len() < BLOCK => block.insert(place, row),
            Err(place) => {
                // What comes nearly in order leaves a full block behind.
                let middle = if is_last { place.max(BLOCK / 2) } else { BLOCK / 2 };
                let mut upper = block.split_off(middle);
                let (into, place) =
                    if place < middle { (block, place) } else { (&mut upper, place - middle) };
                into.insert(place, row);
                if let Some(first) = upper.ids.first() {
                    self.firsts.insert(at + 1, *first);
                    self.list.insert(at + 1, upper);
                }
            }
        }
        self.len += 1;
        self.note_first(at);
    }

    pub(super) fn remove(&mut self, id: R::Id) -> Option<R> {
        let at = self.block_of(id);
        let block = self.list.get_mut(at)?;
        let place = block.ids.binary_search(&id).ok()?;
        block.ids.remove(place);
        let row = block.rows.remove(place);
        if block.rows.is_empty() {
            self.list.remove(at);
            self.firsts.remove(at);
        } else {
            self.note_first(at);
        }
        self.len -= 1;
        Some(row)
    }

    /// The rows after an id, but for the first `skip`.
    pub(super) fn after(&self, id: Option<R::Id>, skip: usize) -> impl Iterator<Item = &R> {
        let first = id.map_or(0, |id| self.block_of(id));
        let begin = |block: &Block<R>| id.map_or(0, |id| block.ids.partition_point(|own| *own <= id));
        let mut blocks = self.list.iter().skip(first);
        let (mut skip, mut rest) = (skip, [].as_slice());
        for block in blocks.by_ref() {
            let rows = block.rows.get(begin(block)..).unwrap_or_default();
            if skip < rows.len() {
                rest = rows.get(skip..).unwrap_or_default();
                break;
            }
            skip -= rows.len();
        }
        rest.iter().chain(blocks.flat_map(|block| &block.rows))
    }

    /// The block that an id belongs to; the first where it comes before all.
    fn block_of(&self, id: R::Id) -> usize {
        self.firsts.partition_point(|first| *first <= id).saturating_sub(1)
    }

    fn note_first(&mut self, at: usize) {
        let id = self.list.get(at).and_then(|block| block.ids.first());
        if let (Some(first), Some(id)) = (self.firsts.get_mut(at), id) {
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
        fn blocks_are_an_ordered_map(
            in_order in 0_u16..2_000,
            calls in prop::collection::vec((any::<bool>(), 0_u16..4_000), 0..1_500),
            after in prop::option::of(0_u16..4_000),
            skip in 0_usize..3_000,
        ) {
            let (mut blocks, mut map) = (Blocks::default(), BTreeMap::new());
            for id in 0..in_order {
                blocks.put((id, 0));
                map.insert(id, 0);
            }
            for (puts, id) in calls {
                if puts {
                    blocks.put((id, 1));
                    map.insert(id, 1);
                } else {
                    prop_assert_eq!(blocks.remove(id).map(|row| row.1), map.remove(&id));
                }
                prop_assert_eq!(blocks.get(id).map(|row| row.1), map.get(&id).copied());
            }
            prop_assert_eq!(blocks.len(), map.len());
            let rows: Vec<_> = blocks.after(after, skip).copied().collect();
            let want: Vec<_> =
                map.into_iter().filter(|(id, _)| after.is_none_or(|after| *id > after)).skip(skip).collect();
            prop_assert_eq!(rows, want);
            let is_sound = |(first, block): (&u16, &Block<_>)| {
                let ids: Vec<u16> = block.rows.iter().map(Row::id).collect();
                block.ids == ids && ids.first() == Some(first) && ids.len() <= BLOCK
            };
            prop_assert_eq!(blocks.firsts.len(), blocks.list.len());
            prop_assert!(blocks.firsts.iter().zip(&blocks.list).all(is_sound));
        }

        #[test]
        fn what_comes_in_order_fills_the_blocks(rows in 1_usize..2_000) {
            let mut blocks = Blocks::default();
            for id in 0..rows {
                blocks.put((u16::try_from(id).unwrap(), 0));
            }
            prop_assert_eq!(blocks.list.len(), rows.div_ceil(BLOCK));
        }
    }
}
