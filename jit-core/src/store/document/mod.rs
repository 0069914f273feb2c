//! Documents: what a source said, kept word for word beside the accounts and committed together with them.

mod write;

use std::{fmt, num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use write::{DocumentWrite, Joining, MemberChange, NetMembers};

use crate::{AccountId, BackendError, ConnectionId, DocumentId, DocumentKind, IndexName, Page, TenantId};

/// The most indexes of unique names that one commit may add to. A store may refuse more with `store.invalid`.
pub const UNIQUE_INDEXES: usize = 32;

/// The most groups that [`DocumentStore::memberships`] names.
pub const MEMBERSHIPS: usize = 10_000;

/// Names the groups that a document is a member of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store fills in all of it, and whoever asks must see what is cut"
)]
pub struct Memberships {
    /// The groups, in the order of their kinds and ids; at most [`MEMBERSHIPS`].
    pub groups: Vec<DocumentKey>,
    /// Whether there are more than these.
    pub is_cut: bool,
}

impl Memberships {
    /// Cuts what was found in order, where it is more than may be named: to know it, look for one more.
    #[must_use]
    pub fn cut(mut found: Vec<DocumentKey>) -> Self {
        let is_cut = found.len() > MEMBERSHIPS;
        found.truncate(MEMBERSHIPS);
        Self { groups: found, is_cut }
    }
}

/// Names the documents of one kind that one connection keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks for documents names all of it")]
pub struct Collection {
    /// The tenant.
    pub tenant: TenantId,
    /// The connection whose source said it.
    pub connection: ConnectionId,
    /// What kind of thing it is about, such as `User`.
    pub kind: DocumentKind,
}

impl Collection {
    /// The key of the document with this id.
    #[must_use]
    pub fn key(&self, id: DocumentId) -> DocumentKey {
        DocumentKey { collection: self.clone(), id }
    }
}

/// Names one document.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks for a document names all of it")]
pub struct DocumentKey {
    /// Where it is kept.
    pub collection: Collection,
    /// Which one it is.
    pub id: DocumentId,
}

/// Keeps one document. `Debug` prints neither its body nor the values of its names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "whoever keeps a document says all of it")]
pub struct Document {
    /// Where it is kept, and its id.
    pub key: DocumentKey,
    /// Counts its states; a write numbers them by itself.
    pub version: u64,
    /// When it came into being.
    #[serde(with = "crate::instant")]
    pub created_at: DateTime<Utc>,
    /// When it was last written, or lost a member that is gone.
    #[serde(with = "crate::instant")]
    pub changed_at: DateTime<Utc>,
    /// The account of the person it is about; filled in where it travels with a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What its owner keeps in it, as JSON; a store does not look into it.
    pub body: Arc<str>,
    /// What it is found by.
    #[serde(default, skip_serializing_if = "<[DocumentName]>::is_empty")]
    pub names: Arc<[DocumentName]>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("account", &self.account)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Document {
    /// What it says, without what it is found by.
    #[must_use]
    pub fn text(&self) -> DocumentText {
        let Self { key, version, created_at, changed_at, body, .. } = self;
        DocumentText {
            id: key.id,
            version: *version,
            created_at: *created_at,
            changed_at: *changed_at,
            body: Arc::clone(body),
        }
    }
}

/// Keeps what a document of a known collection says, for whoever only shows it. `Debug` does not print the body.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a store fills in all of it")]
pub struct DocumentText {
    /// The document's id.
    pub id: DocumentId,
    /// Counts its states.
    pub version: u64,
    /// When it came into being.
    pub created_at: DateTime<Utc>,
    /// When it was last written, or lost a member that is gone.
    pub changed_at: DateTime<Utc>,
    /// What its owner keeps in it.
    pub body: Arc<str>,
}

impl fmt::Debug for DocumentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("DocumentText");
        text.field("id", &self.id).field("version", &self.version).finish_non_exhaustive()
    }
}

/// Says what a document is found by. `Debug` prints the index only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "whoever names a document says all of it")]
pub struct DocumentName {
    /// Under which index, such as `userName`. All names of one index are unique, or none is.
    pub index: IndexName,
    /// The value, in the form in which it is compared: byte for byte.
    pub value: Arc<str>,
    /// Whether one document of the collection alone may have it.
    pub unique: bool,
}

impl DocumentName {
    /// Names one document of the collection and no other.
    #[must_use]
    pub fn unique(index: IndexName, value: impl Into<Arc<str>>) -> Self {
        Self { index, value: value.into(), unique: true }
    }

    /// Names whichever documents of the collection have it.
    #[must_use]
    pub fn shared(index: IndexName, value: impl Into<Arc<str>>) -> Self {
        Self { index, value: value.into(), unique: false }
    }
}

impl fmt::Debug for DocumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.unique { "unique" } else { "shared" };
        write!(f, "DocumentName({kind} {} …)", self.index.as_str())
    }
}

/// Tells of one member of a document that is a group. `Debug` does not print its body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a store reads all of it")]
pub struct Member {
    /// The document that is a member.
    pub id: DocumentId,
    /// Of which kind it is.
    pub kind: DocumentKind,
    /// What the group's owner keeps of it, as JSON.
    pub body: Arc<str>,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({} {})", self.kind, self.id)
    }
}

/// Asks for documents of a collection, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks says all of it")]
pub struct DocumentQuery {
    /// The collection.
    pub of: Collection,
    /// After which document.
    pub after: Option<DocumentId>,
    /// How many to pass over first.
    pub skip: usize,
    /// The most that a page may hold; never more than [`PAGE_ITEMS`](crate::PAGE_ITEMS), whatever it says.
    pub limit: NonZeroUsize,
}

/// Keeps documents beside the accounts. They are written by [`UserStore::commit`](crate::UserStore::commit), in
/// [`Commit::documents`](crate::Commit::documents), all or nothing with the rest.
///
/// A group is a document with members: other documents of the same tenant and connection. Members are no part of its body,
/// so that a large group is not written again for one of them. A document that is removed leaves every group.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Reads a document, as whoever changes it must know it.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn document(&self, key: &DocumentKey) -> Result<Option<Document>, BackendError>;

    /// Reads what a document says.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn document_text(
        &self,
        of: &Collection,
        id: DocumentId,
    ) -> Result<Option<DocumentText>, BackendError>;

    /// Finds the documents of a collection that have a name, in the order of their ids; at most
    /// [`PAGE_ITEMS`](crate::PAGE_ITEMS).
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn documents_named(
        &self,
        of: &Collection,
        index: &IndexName,
        value: &str,
    ) -> Result<Vec<DocumentText>, BackendError>;

    /// Lists documents of a collection in the order of their ids.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn documents(&self, query: &DocumentQuery) -> Result<Page<DocumentText>, BackendError>;

    /// Counts the documents of a collection.
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn count_documents(&self, of: &Collection) -> Result<u64, BackendError>;

    /// Lists the members of a group in the order of their ids. Of one that is gone, those who stayed behind
    /// ([`DocumentWrite::remove_apart`]) and were not let go of yet.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn members(
        &self,
        group: &DocumentKey,
        after: Option<DocumentId>,
        limit: NonZeroUsize,
    ) -> Result<Page<Member>, BackendError>;

    /// Reads one member of a group.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn member(&self, group: &DocumentKey, id: DocumentId) -> Result<Option<Member>, BackendError>;

    /// Names the groups that a document is a member of, and tells whether there are more. A group that is gone is not among
    /// them, whoever stayed behind.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn memberships(&self, member: &DocumentKey) -> Result<Memberships, BackendError>;
}
