//! The identity providers of a document, found by name. Of 100,000 entities only those that are identity providers are
//! kept, as canonical octets one after the other, and read one at a time.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::descriptor::{end, entity_id, is_provider};
use super::error::MetadataError;
use super::names::MD;
use super::rejection::MetadataRejection;
use crate::signature::{SignatureError, longest_form};
use crate::xml::{Canonicalization, Element, PrefixList, canonical_text};

/// Federations nest one or two levels.
const MAX_DEPTH: usize = 16;

/// Where each identity provider is written.
pub(super) struct Index {
    octets: Vec<u8>,
    places: HashMap<Box<str>, Place>,
}

/// One entry.
pub(super) struct Entry<'a> {
    /// The `EntityDescriptor`, in canonical form and complete in itself.
    pub(super) octets: &'a [u8],
    pub(super) group_until: Option<DateTime<Utc>>,
}

enum Place {
    At {
        range: Range<usize>,
        group_until: Option<DateTime<Utc>>,
    },
    /// The name occurs twice: to choose one would be to guess.
    Ambiguous,
}

impl Index {
    /// Walks through the groups without recursion.
    ///
    /// One long name of a namespace is written again for each entity, so that all together are bounded by the document.
    pub(super) fn of(root: Element<'_>) -> Result<Self, MetadataError> {
        let most = longest_form(root.document());
        let mut index = Self { octets: Vec::new(), places: HashMap::new() };
        let mut waiting = vec![(root, None, 0)];
        while let Some((element, outer, depth)) = waiting.pop() {
            if element.is(MD, "EntityDescriptor") {
                index.add(element, outer, most)?;
            } else if element.is(MD, "EntitiesDescriptor") {
                if depth == MAX_DEPTH {
                    return Err(MetadataRejection::TooDeep.into());
                }
                let until = outer.into_iter().chain(end(element)?).min();
                waiting.extend(element.children().map(|child| (child, until, depth + 1)));
            }
        }
        index.octets.shrink_to_fit();
        Ok(index)
    }

    pub(super) fn entry(&self, entity_id: &str) -> Result<Entry<'_>, MetadataRejection> {
        match self.places.get(entity_id) {
            Some(Place::At { range, group_until }) => {
                let octets = self.octets.get(range.clone()).ok_or(MetadataRejection::EntityUnknown)?;
                Ok(Entry { octets, group_until: *group_until })
            }
            Some(Place::Ambiguous) => Err(MetadataRejection::EntityAmbiguous),
            None => Err(MetadataRejection::EntityUnknown),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(AsRef::as_ref)
    }

    /// An entity without a proper name cannot be asked for, so it is left out.
    fn add(
        &mut self,
        entity: Element<'_>,
        group_until: Option<DateTime<Utc>>,
        most: usize,
    ) -> Result<(), SignatureError> {
        let Ok(name) = entity_id(entity) else { return Ok(()) };
        if !is_provider(entity) {
            return Ok(());
        }
        if let Some(place) = self.places.get_mut(name) {
            *place = Place::Ambiguous;
            return Ok(());
        }
        let (start, form) = (self.octets.len(), Canonicalization::Exclusive(PrefixList::default()));
        let text = canonical_text(entity, None, &form, most.saturating_sub(start));
        self.octets.extend(text.ok_or(SignatureError::CanonicalTooLarge)?.into_bytes());
        let range = start..self.octets.len();
        self.places.insert(name.into(), Place::At { range, group_until });
        Ok(())
    }
}
