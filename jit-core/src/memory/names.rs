//! The names of a document in one piece of memory: whoever looks for a name has one place to look at, and not one for each.

use std::sync::Arc;

use crate::{DocumentName, IndexName};

/// The indexes of a collection, each of which has its number there.
#[derive(Default)]
pub(super) struct Indexes(Vec<IndexName>);

/// The number of an index in its collection.
type Number = u32;

/// Names, one after the other: the number of the index, the length of the value with the lowest bit for whether it is unique,
/// and the value.
#[derive(Default)]
pub(super) struct Names(Box<[u8]>);

/// A name as it is kept.
struct Packed<'a> {
    index: Number,
    value: &'a [u8],
    unique: bool,
}

impl Indexes {
    pub(super) fn number(&self, index: &IndexName) -> Option<Number> {
        self.0.iter().position(|own| own == index).and_then(|number| Number::try_from(number).ok())
    }

    /// Writes names, and numbers the indexes that had no number yet.
    pub(super) fn pack(&mut self, names: &[DocumentName]) -> Names {
        let room = names.iter().map(|name| name.value.len() + 2 * size_of::<Number>()).sum();
        let mut packed = Vec::with_capacity(room);
        for name in names {
            let number = self.number(&name.index).or_else(|| {
                self.0.push(name.index.clone());
                Number::try_from(self.0.len() - 1).ok()
            });
            let length = Number::try_from(name.value.len() << 1 | usize::from(name.unique));
            // both fit: there are as many indexes as settings name, and no value has 2 GiB
            if let (Some(number), Ok(length)) = (number, length) {
                packed.extend_from_slice(&number.to_le_bytes());
                packed.extend_from_slice(&length.to_le_bytes());
                packed.extend_from_slice(name.value.as_bytes());
            }
        }
        Names(packed.into())
    }

    pub(super) fn unpack(&self, names: &Names) -> Arc<[DocumentName]> {
        let name = |Packed { index, value, unique }: Packed<'_>| {
            let index = self.0.get(usize::try_from(index).ok()?)?.clone();
            let value = str::from_utf8(value).ok()?;
            Some(DocumentName { index, value: value.into(), unique })
        };
        names.iter().filter_map(name).collect()
    }
}

impl Names {
    /// Tells whether a value is among the names of an index, and if so, whether it is unique.
    pub(super) fn uniqueness(&self, index: Number, value: &str) -> Option<bool> {
        let mut names = self.iter();
        names.find(|name| name.index == index && name.value == value.as_bytes()).map(|name| name.unique)
    }

    fn iter(&self) -> impl Iterator<Item = Packed<'_>> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let (index, after) = rest.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let length = Number::from_le_bytes(*length);
            let (value, after) = after.split_at_checked(usize::try_from(length >> 1).ok()?)?;
            rest = after;
            Some(Packed { index: Number::from_le_bytes(*index), value, unique: length & 1 == 1 })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_again() {
        let mut indexes = Indexes::default();
        let index = |name: &str| name.parse::<IndexName>().unwrap();
        let sets = [
            vec![],
            vec![
                DocumentName::unique(index("userName"), "ana"),
                DocumentName::shared(index("emails"), "ä@x"),
            ],
            vec![DocumentName::shared(index("emails"), ""), DocumentName::shared(index("userName"), "ana")],
        ];
        for names in sets {
            let packed = indexes.pack(&names);
            assert_eq!(*indexes.unpack(&packed), *names);
            for name in &names {
                let number = indexes.number(&name.index).unwrap();
                assert_eq!(packed.uniqueness(number, &name.value), Some(name.unique));
                assert_eq!(packed.uniqueness(number + 7, &name.value), None);
                assert_eq!(packed.uniqueness(number, "another"), None);
            }
        }
    }
}
