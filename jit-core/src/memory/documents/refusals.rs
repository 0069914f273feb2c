//! What speaks against writes of documents.

use std::collections::BTreeSet;

use super::{Documents, sibling};
use crate::{DocumentKey, DocumentName, DocumentWrite, ErrorKind, Taken};

impl Documents {
    pub(in crate::memory) fn refusals(&self, writes: &[DocumentWrite]) -> Vec<ErrorKind> {
        let (mut refusals, mut sound) = (Vec::new(), Vec::new());
        for write in writes {
            match self.is_behind(write) {
                Some(kind) => refusals.push(kind),
                None => sound.push(write),
            }
        }
        refusals.extend(self.names_taken(&sound));
        let created = sound.iter().filter(|write| write.expected().is_none() && !write.dismisses());
        let created: BTreeSet<_> = created.map(|write| write.key()).collect();
        let lacks = |write: &&&DocumentWrite| self.lacks_a_member(write, &created);
        refusals.extend(sound.iter().find(lacks).map(|_| ErrorKind::NoSuchMember));
        refusals
    }

    fn is_behind(&self, write: &DocumentWrite) -> Option<ErrorKind> {
        let key = write.key();
        if write.dismisses() {
            return None;
        }
        let stored = self.register(&key.collection).and_then(|register| register.rows.get(key.id));
        match (write.expected(), stored) {
            (None, None) => None,
            (None, Some(_)) => Some(ErrorKind::AlreadyExists(Taken::Document)),
            (Some(expected), Some(stored)) if stored.version == expected => None,
            (Some(_), _) => Some(ErrorKind::DocumentChanged),
        }
    }

    /// The unique names that others have, but for what the same writes free.
    fn names_taken(&self, writes: &[&DocumentWrite]) -> Vec<ErrorKind> {
        let all = |names: fn(&DocumentWrite) -> &[DocumentName]| {
            writes
                .iter()
                .flat_map(move |write| names(write).iter().map(move |name| (write.key(), name)))
                .filter(|(_, name)| name.unique)
        };
        let freed: BTreeSet<_> = all(DocumentWrite::names_removed).collect();
        let mut added = BTreeSet::new();
        let mut taken = Vec::new();
        for (key, name) in all(DocumentWrite::names_added) {
            let of = &key.collection;
            let holders = self.register(of).map(|register| register.having(&name.index, &name.value));
            let mut others =
                holders.into_iter().flatten().filter(|(row, unique)| *unique && row.id != key.id);
            let is_held = others.any(|(row, _)| !freed.contains(&(&of.key(row.id), name)));
            if is_held || !added.insert((of, name)) {
                taken.push(ErrorKind::AlreadyExists(Taken::DocumentName(name.index.clone())));
            }
        }
        taken
    }

    fn lacks_a_member(&self, write: &DocumentWrite, created: &BTreeSet<&DocumentKey>) -> bool {
        let group = write.key();
        let is_there = |key: &DocumentKey| {
            created.contains(key)
                || self.register(&key.collection).is_some_and(|register| register.rows.get(key.id).is_some())
        };
        !write.members().is_empty()
            && write.net_members().joining.iter().any(|(id, joining)| {
                let key = sibling(group, joining.kind).key(*id);
                !is_there(&key) && (joining.anew || self.member(group, *id).is_none())
            })
    }
}
