//! The documents of a commit as flat rows.

use std::{collections::BTreeSet, sync::Arc};

use jit_core::{
    BackendError, Collection, Commit, ConnectionId, DocumentKey, DocumentKind, DocumentName, DocumentWrite,
    IndexName, UNIQUE_INDEXES,
};
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    draft::{invalid, micros, number},
    migration::hexadecimal,
};

/// About what a document takes besides its texts, its entries in indexes included.
#[cfg(feature = "postgres")]
const ROW_BYTES: usize = 512;

/// Each kind of row in one order in every commit, so that two of them seldom wait for each other crosswise.
#[derive(Debug, Default, Serialize)]
pub(crate) struct KeptDraft {
    pub(crate) made: Vec<RowDraft>,
    pub(crate) changed: Vec<RowDraft>,
    pub(crate) gone: Vec<GoneDraft>,
    pub(crate) names_removed: Vec<NameDraft>,
    pub(crate) names_added: Vec<NameDraft>,
    /// The indexes of unique names that are added; a name's place among them stands for its index.
    #[serde(skip)]
    pub(crate) indexes: Vec<IndexName>,
    pub(crate) cleared: Vec<PlaceDraft>,
    pub(crate) leaving: Vec<(PlaceDraft, Uuid)>,
    /// Those who stayed behind in a group that is gone.
    pub(crate) dismissed: Vec<(PlaceDraft, Uuid)>,
    pub(crate) joining: Vec<MemberDraft>,
    /// Those that replace what was kept of the member before.
    pub(crate) rejoining: Vec<MemberDraft>,
}

/// Where a document is, within its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlaceDraft {
    pub(crate) connection: ConnectionId,
    pub(crate) kind: DocumentKind,
    pub(crate) id: Uuid,
}

#[derive(Debug)]
pub(crate) struct RowDraft {
    pub(crate) place: PlaceDraft,
    pub(crate) expected: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) changed_at: i64,
    pub(crate) account: Option<Uuid>,
    pub(crate) names: String,
    pub(crate) body: Arc<str>,
}

#[derive(Debug)]
pub(crate) struct GoneDraft {
    pub(crate) place: PlaceDraft,
    pub(crate) expected: i64,
    pub(crate) at: i64,
    pub(crate) leaves_members: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameDraft {
    pub(crate) connection: ConnectionId,
    pub(crate) kind: DocumentKind,
    pub(crate) digest: [u8; 32],
    /// Nothing for a unique name, so that it is there once; the document's id for others.
    pub(crate) tie: Uuid,
    pub(crate) document: Uuid,
    /// The place of the index among [`KeptDraft::indexes`].
    pub(crate) index: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct MemberDraft {
    pub(crate) group: PlaceDraft,
    pub(crate) kind: DocumentKind,
    pub(crate) member: Uuid,
    pub(crate) body: Arc<str>,
}

impl KeptDraft {
    /// How many members are removed one by one.
    #[cfg(feature = "postgres")]
    pub(crate) fn removed_members(&self) -> usize {
        self.leaving.len() + self.dismissed.len()
    }

    /// Nothing where the commit has no documents.
    pub(crate) fn of(commit: &Commit) -> Result<Option<Self>, BackendError> {
        if commit.documents.is_empty() {
            return Ok(None);
        }
        let mut draft = Self { indexes: indexes(&commit.documents)?, ..Self::default() };
        for write in &commit.documents {
            draft.take(write)?;
        }
        draft.made.sort_by(|a, b| a.place.cmp(&b.place));
        draft.changed.sort_by(|a, b| a.place.cmp(&b.place));
        draft.gone.sort_by(|a, b| a.place.cmp(&b.place));
        draft.names_removed.sort();
        draft.names_added.sort();
        Ok(Some(draft))
    }

    fn take(&mut self, write: &DocumentWrite) -> Result<(), BackendError> {
        let place = PlaceDraft::of(write.key());
        if write.dismisses() {
            let net = write.net_members();
            self.dismissed.extend(net.leaving.iter().map(|id| (place.clone(), id.as_uuid())));
            return Ok(());
        }
        let expected = write.expected().map(number).transpose()?;
        match (write.after(), expected) {
            (Some(after), expected) => {
                let row = RowDraft {
                    place: place.clone(),
                    expected,
                    created_at: micros(after.created_at),
                    changed_at: micros(after.changed_at),
                    account: after.account.map(jit_core::AccountId::as_uuid),
                    names: names(&after.names)?,
                    body: Arc::clone(&after.body),
                };
                if expected.is_none() { self.made.push(row) } else { self.changed.push(row) }
            }
            (None, expected) => {
                let at = write.removed_at().map(micros).unwrap_or_default();
                let expected = expected.unwrap_or_default();
                self.gone.push(GoneDraft {
                    place: place.clone(),
                    expected,
                    at,
                    leaves_members: write.leaves_members(),
                });
            }
        }
        let indexes = &self.indexes;
        let name = |name: &DocumentName| NameDraft::of(&place, name, indexes);
        self.names_removed.extend(write.names_removed().iter().map(name));
        self.names_added.extend(write.names_added().iter().map(name));
        self.take_members(&place, write);
        Ok(())
    }

    fn take_members(&mut self, group: &PlaceDraft, write: &DocumentWrite) {
        let net = write.net_members();
        self.cleared.extend(net.clears.then(|| group.clone()));
        self.leaving.extend(net.leaving.iter().map(|id| (group.clone(), id.as_uuid())));
        for (id, joining) in &net.joining {
            let draft = MemberDraft {
                group: group.clone(),
                kind: joining.kind.clone(),
                member: id.as_uuid(),
                body: Arc::clone(joining.body),
            };
            if joining.anew { self.rejoining.push(draft) } else { self.joining.push(draft) }
        }
    }

    /// Tells whether documents come or change, and neither go nor have their members changed.
    #[cfg(feature = "postgres")]
    pub(crate) fn only_writes_documents(&self) -> bool {
        let leave = self.cleared.is_empty() && self.leaving.is_empty() && self.dismissed.is_empty();
        let has_members = self.adds_members() || !leave;
        self.gone.is_empty() && !has_members
    }

    /// Tells about how many bytes the documents take.
    #[cfg(feature = "postgres")]
    pub(crate) fn size(&self) -> usize {
        let rows = self.made.iter().chain(&self.changed);
        rows.map(|row| ROW_BYTES + row.names.len() + row.body.len()).sum()
    }

    pub(crate) fn adds_members(&self) -> bool {
        !(self.joining.is_empty() && self.rejoining.is_empty())
    }
}

impl PlaceDraft {
    fn of(key: &DocumentKey) -> Self {
        let Collection { connection, kind, .. } = &key.collection;
        Self { connection: connection.clone(), kind: kind.clone(), id: key.id.as_uuid() }
    }
}

impl NameDraft {
    fn of(place: &PlaceDraft, name: &DocumentName, indexes: &[IndexName]) -> Self {
        let PlaceDraft { connection, kind, id } = place.clone();
        let index = indexes.iter().position(|index| *index == name.index).filter(|_| name.unique);
        let tie = if name.unique { Uuid::nil() } else { id };
        Self { connection, kind, digest: digest(&name.index, &name.value), tie, document: id, index }
    }
}

/// The SHA-256 of index and value: values may be of any length, an index entry may not.
pub(crate) fn digest(index: &IndexName, value: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    // No index holds this character.
    for part in [index.as_str().as_bytes(), b"\0", value.as_bytes()] {
        hash.update(part);
    }
    hash.finalize().into()
}

fn indexes(writes: &[DocumentWrite]) -> Result<Vec<IndexName>, BackendError> {
    let added = writes.iter().flat_map(DocumentWrite::names_added).filter(|name| name.unique);
    let indexes: BTreeSet<_> = added.map(|name| &name.index).collect();
    if indexes.len() > UNIQUE_INDEXES {
        return Err(invalid("a commit adds unique names of more than 32 indexes"));
    }
    Ok(indexes.into_iter().cloned().collect())
}

fn names(names: &[DocumentName]) -> Result<String, BackendError> {
    let rows: Vec<_> = names.iter().map(|name| (&name.index, &name.value, name.unique)).collect();
    serde_json::to_string(&rows).map_err(|_| invalid("a name cannot be written as JSON"))
}

// Rows travel as lists: the server takes columns out by place, which costs it less than by name.

impl Serialize for PlaceDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.connection, &self.kind, self.id).serialize(serializer)
    }
}

impl Serialize for RowDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PlaceDraft { connection, kind, id } = &self.place;
        let Self { expected, created_at, changed_at, account, names, body, .. } = self;
        (connection, kind, id, expected, created_at, changed_at, account, names, body).serialize(serializer)
    }
}

impl Serialize for GoneDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PlaceDraft { connection, kind, id } = &self.place;
        (connection, kind, id, self.expected, self.at, self.leaves_members).serialize(serializer)
    }
}

impl Serialize for NameDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { connection, kind, digest, tie, document, index } = self;
        (connection, kind, hexadecimal(digest), tie, document, index).serialize(serializer)
    }
}

impl Serialize for MemberDraft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { group: PlaceDraft { connection, kind, id }, kind: of, member, body } = self;
        (connection, kind, id, of, member, body).serialize(serializer)
    }
}
