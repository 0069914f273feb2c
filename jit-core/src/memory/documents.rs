//! The documents of one tenant with their names and members.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher as _, RandomState},
    num::{NonZeroU32, NonZeroUsize},
    ops::Bound,
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{
    by_hash::{ByHash, Led},
    names::{Indexes, Names},
    rows::{Place, Row, Rows},
};
use crate::{
    AccountId, Collection, ConnectionId, Cursor, Document, DocumentId, DocumentKey, DocumentKind,
    DocumentName, DocumentQuery, DocumentText, DocumentWrite, ErrorKind, IndexName, MEMBERSHIPS, Member,
    NetMembers, PAGE_ITEMS, Page, Taken,
};

#[derive(Default)]
pub(super) struct Documents {
    registers: BTreeMap<ConnectionId, BTreeMap<DocumentKind, Register>>,
}

/// Keeps the documents of one collection.
#[derive(Default)]
struct Register {
    rows: Rows<Kept>,
    /// By the hash of each name, so that its text is kept once: with the document.
    names: ByHash<Spot>,
    hashes: RandomState,
    indexes: Indexes,
    members: HashMap<DocumentId, BTreeMap<DocumentId, (DocumentKind, Arc<str>)>>,
}

/// A document, and where it is kept: whoever is named needs not be looked up by their id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    id: DocumentId,
    place: Place,
}

impl Led for Spot {
    type Short = NonZeroU32;

    /// Counts from one.
    fn short(self) -> Option<NonZeroU32> {
        NonZeroU32::new(u32::try_from(self.place).ok()?.checked_add(1)?)
    }
}

type Group = (DocumentKind, DocumentId);

/// A document without what its collection has in common. It fills two lines of the processor's memory, and begins with one.
#[repr(align(64))]
struct Kept {
    id: DocumentId,
    version: u64,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    account: Option<AccountId>,
    body: Arc<str>,
    names: Names,
    /// The groups that it is a member of, in order.
    groups: Vec<Group>,
}

impl Row for Kept {
    type Id = DocumentId;

    fn id(&self) -> DocumentId {
        self.id
    }
}

impl Kept {
    fn of(document: &Document, names: Names, groups: Vec<Group>) -> Self {
        let Document { key, version, created_at, changed_at, account, body, names: _ } = document;
        Self {
            id: key.id,
            version: *version,
            created_at: *created_at,
            changed_at: *changed_at,
            account: *account,
            body: Arc::clone(body),
            names,
            groups,
        }
    }

    fn to_document(&self, of: &Collection, indexes: &Indexes) -> Document {
        Document {
            key: of.key(self.id),
            version: self.version,
            created_at: self.created_at,
            changed_at: self.changed_at,
            account: self.account,
            body: Arc::clone(&self.body),
            names: indexes.unpack(&self.names),
        }
    }

    fn to_text(&self) -> DocumentText {
        DocumentText {
            id: self.id,
            version: self.version,
            created_at: self.created_at,
            changed_at: self.changed_at,
            body: Arc::clone(&self.body),
        }
    }
}

/// Reading.
impl Documents {
    fn register(&self, of: &Collection) -> Option<&Register> {
        self.registers.get(&of.connection)?.get(&of.kind)
    }

    pub(super) fn get(&self, key: &DocumentKey) -> Option<Document> {
        let register = self.register(&key.collection)?;
        Some(register.rows.get(key.id)?.to_document(&key.collection, &register.indexes))
    }

    pub(super) fn text(&self, of: &Collection, id: DocumentId) -> Option<DocumentText> {
        self.register(of)?.rows.get(id).map(Kept::to_text)
    }

    pub(super) fn named(&self, of: &Collection, index: &IndexName, value: &str) -> Vec<DocumentText> {
        let Some(register) = self.register(of) else { return Vec::new() };
        register.having(index, value).map(|(row, _)| row.to_text()).take(PAGE_ITEMS).collect()
    }

    pub(super) fn list(&self, query: &DocumentQuery) -> Page<DocumentText> {
        let rows = self.register(&query.of).map(|register| register.rows.after(query.after, query.skip));
        page(rows.into_iter().flatten().map(Kept::to_text), query.limit, |text| text.id)
    }

    pub(super) fn count(&self, of: &Collection) -> u64 {
        self.register(of).map_or(0, |register| register.rows.len() as u64)
    }

    pub(super) fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Page<Member> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let members = self.register(&group.collection).and_then(|register| register.members.get(&group.id));
        let members = members.map(|members| members.range((from, Bound::Unbounded)));
        page(members.into_iter().flatten().map(member), limit, |member| member.id)
    }

    pub(super) fn member(&self, group: &DocumentKey, id: DocumentId) -> Option<Member> {
        let members = self.register(&group.collection)?.members.get(&group.id)?;
        members.get_key_value(&id).map(member)
    }

    pub(super) fn memberships(&self, of: &DocumentKey) -> Vec<DocumentKey> {
        let row = self.register(&of.collection).and_then(|register| register.rows.get(of.id));
        let key = |(kind, id): &Group| DocumentKey {
            collection: Collection { kind: kind.clone(), ..of.collection.clone() },
            id: *id,
        };
        let is_there = |group: &DocumentKey| {
            self.register(&group.collection).is_some_and(|register| register.rows.get(group.id).is_some())
        };
        let groups = row.into_iter().flat_map(|row| row.groups.iter().map(key));
        groups.filter(is_there).take(MEMBERSHIPS).collect()
    }
}

impl Register {
    fn hash(&self, index: &IndexName, value: &str) -> u64 {
        self.hashes.hash_one((index, value))
    }

    /// The documents that have a name, in the order of their ids; each with whether the name is unique.
    fn having<'a>(&'a self, index: &'a IndexName, value: &'a str) -> impl Iterator<Item = (&'a Kept, bool)> {
        let number = self.indexes.number(index);
        let spots = self.names.ids(self.hash(index, value), None, |short| spot_in(&self.rows, short));
        let rows = spots.filter_map(|spot| self.rows.at(spot.place));
        rows.filter_map(move |row| Some((row, row.names.uniqueness(number?, value)?)))
    }
}

/// What speaks against writes.
impl Documents {
    pub(super) fn refusals(&self, writes: &[DocumentWrite]) -> Vec<ErrorKind> {
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

/// Writing, once nothing speaks against it.
impl Documents {
    pub(super) fn write(&mut self, writes: &[DocumentWrite]) {
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

fn spot_in(rows: &Rows<Kept>, short: NonZeroU32) -> Option<Spot> {
    let place = Place::try_from(short.get()).ok()? - 1;
    rows.at(place).map(|row| Spot { id: row.id, place })
}

/// The collection of another kind beside a document.
fn sibling(of: &DocumentKey, kind: &DocumentKind) -> Collection {
    Collection { kind: kind.clone(), ..of.collection.clone() }
}

fn member((id, (kind, body)): (&DocumentId, &(DocumentKind, Arc<str>))) -> Member {
    Member { id: *id, kind: kind.clone(), body: Arc::clone(body) }
}

fn page<T>(mut items: impl Iterator<Item = T>, limit: NonZeroUsize, id: fn(&T) -> DocumentId) -> Page<T> {
    let taken: Vec<T> = items.by_ref().take(limit.get().min(PAGE_ITEMS)).collect();
    let more = items.next().is_some();
    let next = taken.last().filter(|_| more).map(|last| Cursor::after(id(last).as_uuid()));
    Page { items: taken, next }
}
