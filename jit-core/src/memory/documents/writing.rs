//! Writing documents, once nothing speaks against it.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{super::rows::Place, Documents, Kept, Register, Spot, sibling, spot_in};
use crate::{Collection, Document, DocumentId, DocumentKey, DocumentWrite, NetMembers};

impl Documents {
    pub(in crate::memory) fn write(&mut self, writes: &[DocumentWrite]) {
        let mut lost: BTreeMap<DocumentKey, DateTime<Utc>> = BTreeMap::new();
        for write in writes {
            match (write.after(), write.removed_at()) {
                (Some(after), _) => self.put(write, after),
                (None, None) => {}
                (None, at) => {
                    for group in self.remove(write) {
                        let latest = lost.entry(group).or_default();
                        *latest = (*latest).max(at.unwrap_or_default());
                    }
                }
            }
        }
        for write in writes {
            let is_there = || {
                let register = self.register(&write.key().collection);
                register.is_some_and(|register| register.rows.get(write.key().id).is_some())
            };
            let is_over = write.members().is_empty() || write.dismisses() && is_there();
            if !is_over {
                self.change_members(write.key(), &write.net_members());
            }
            lost.remove(write.key());
        }
        for (group, at) in lost {
            if let Some(row) = self.row_mut(&group) {
                row.version = row.version.saturating_add(1);
                row.changed_at = row.changed_at.max(at);
            }
        }
    }

    fn put(&mut self, write: &DocumentWrite, after: &Document) {
        let of = &write.key().collection;
        let registers = self.registers.entry(of.connection.clone()).or_default();
        let register = registers.entry(of.kind.clone()).or_default();
        let before = register.rows.get_mut(after.key.id);
        let groups = before.map_or_else(Vec::new, |row| std::mem::take(&mut row.groups));
        let names = register.indexes.pack(&after.names);
        let place = register.rows.put(Kept::of(after, names, groups));
        register.rename(write, place);
    }

    /// Removes a document and names the groups that it leaves.
    fn remove(&mut self, write: &DocumentWrite) -> Vec<DocumentKey> {
        let key = write.key();
        let Some(register) = self.register_mut(&key.collection) else { return Vec::new() };
        if let Some(place) = register.rows.place(key.id) {
            register.rename(write, place);
        }
        let row = register.rows.remove(key.id);
        let own = if write.leaves_members() { None } else { register.members.remove(&key.id) };
        let own = own.unwrap_or_default();
        for (id, (kind, _)) in own {
            self.leave(&sibling(key, &kind).key(id), key);
        }
        let groups = row.map_or_else(Vec::new, |row| row.groups);
        let groups = groups.into_iter().map(|(kind, id)| sibling(key, &kind).key(id));
        groups.inspect(|group| self.forget(group, key.id)).collect()
    }

    fn change_members(&mut self, group: &DocumentKey, net: &NetMembers<'_>) {
        let Some(register) = self.register_mut(&group.collection) else { return };
        let members = register.members.entry(group.id).or_default();
        let cleared = if net.clears { std::mem::take(members) } else { BTreeMap::new() };
        let leaving: Vec<_> =
            net.leaving.iter().filter_map(|id| Some((*id, members.remove(id)?))).chain(cleared).collect();
        let mut joined = Vec::new();
        for (id, joining) in &net.joining {
            if joining.anew || !members.contains_key(id) {
                let before = members.insert(*id, (joining.kind.clone(), Arc::clone(joining.body)));
                joined.push((*id, joining.kind, before));
            }
        }
        if members.is_empty() {
            register.members.remove(&group.id);
        }
        for (id, (kind, _)) in leaving {
            self.leave(&sibling(group, &kind).key(id), group);
        }
        for (id, kind, before) in joined {
            if let Some((kind, _)) = before {
                self.leave(&sibling(group, &kind).key(id), group);
            }
            let place = (group.collection.kind.clone(), group.id);
            if let Some(row) = self.row_mut(&sibling(group, kind).key(id))
                && let Err(at) = row.groups.binary_search(&place)
            {
                row.groups.insert(at, place);
            }
        }
    }

    /// Takes a group from those that a document is a member of.
    fn leave(&mut self, member: &DocumentKey, group: &DocumentKey) {
        if let Some(row) = self.row_mut(member) {
            row.groups.retain(|(kind, id)| *id != group.id || *kind != group.collection.kind);
        }
    }

    /// Takes a member out of a group.
    fn forget(&mut self, group: &DocumentKey, id: DocumentId) {
        let Some(register) = self.register_mut(&group.collection) else { return };
        if let Some(members) = register.members.get_mut(&group.id) {
            members.remove(&id);
            if members.is_empty() {
                register.members.remove(&group.id);
            }
        }
    }

    fn register_mut(&mut self, of: &Collection) -> Option<&mut Register> {
        self.registers.get_mut(&of.connection)?.get_mut(&of.kind)
    }

    fn row_mut(&mut self, key: &DocumentKey) -> Option<&mut Kept> {
        self.register_mut(&key.collection)?.rows.get_mut(key.id)
    }
}

impl Register {
    fn rename(&mut self, write: &DocumentWrite, place: Place) {
        let spot = Spot { id: write.key().id, place };
        for name in write.names_removed() {
            self.names.remove(self.hash(&name.index, &name.value), spot);
        }
        for name in write.names_added() {
            let hash = self.hash(&name.index, &name.value);
            self.names.insert(hash, spot, |short| spot_in(&self.rows, short));
        }
    }
}
