//! The documents of one tenant with their names and members: how they are kept, and read.

mod refusals;
mod writing;

use std::{
    collections::{BTreeMap, HashMap},
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
    DocumentQuery, DocumentText, IndexName, MEMBERSHIPS, Member, Memberships, PAGE_ITEMS, Page,
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

    pub(super) fn memberships(&self, of: &DocumentKey) -> Memberships {
        let row = self.register(&of.collection).and_then(|register| register.rows.get(of.id));
        let key = |(kind, id): &Group| DocumentKey {
            collection: Collection { kind: kind.clone(), ..of.collection.clone() },
            id: *id,
        };
        let is_there = |group: &DocumentKey| {
            self.register(&group.collection).is_some_and(|register| register.rows.get(group.id).is_some())
        };
        let groups = row.into_iter().flat_map(|row| row.groups.iter().map(key));
        Memberships::cut(groups.filter(is_there).take(MEMBERSHIPS + 1).collect())
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
